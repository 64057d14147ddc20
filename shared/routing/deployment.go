// Package routing maps the model name that a caller sends to the deployments that can serve it, in order. Its decisions
// are pure: they read a table that is replaced whole.
package routing

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Deployment is one concrete upstream of a model.
type Deployment struct {
	// ID tells deployments of a table apart and stays the same from start to start; NewTable gives one to those without.
	ID string
	// Model is the public name, or a pattern with one trailing * ("openai/*"): then VendorModel ends in * too, and what
	// the star stands for is carried over.
	Model       string
	Provider    string // "openai", "echo" ...: the word in the price book, the ledger, metrics, and for quirks
	VendorModel string // the name that the upstream knows
	// BaseURL is without trailing slash and without the operation's path: "https://api.openai.com/v1". A {model} in it stands for
	// VendorModel, escaped as one segment of a path.
	BaseURL    string
	Query      string // added to every request's, encoded, without question mark: "api-version=2024-10-21"
	Credential Credential
	Headers    []Header // the owner's own, added to every request; none is about the connection
	// Path and StreamPath replace the path that the dialect gives, where a host serves a format elsewhere; a {model} in them is
	// as in BaseURL. Empty: the dialect's.
	Path, StreamPath string
	Organization     string // sent as OpenAI-Organization
	Region           string // of the vendor's cloud; empty where that makes no difference
	// PriceAs overrides the price book's look-up of Provider and VendorModel; empty: look up VendorModel.
	PriceAs string
	// Speaks are the wire formats of the upstream, the preferred one for translation first; empty means OpenAI's chat, completions
	// and embeddings.
	Speaks []gateway.Op
	// Drop leaves out any field of a caller's that the upstream's format cannot carry, and DropFields these fields; else they are
	// refused.
	Drop       bool
	DropFields []string
	// Hidden deployments serve calls but are not listed by /v1/models.
	Hidden bool
}

// Header is a header that an owner adds to requests. Its value may be a credential.
type Header struct {
	Name  string // in canonical form
	Value gateway.Secret
}

// CredentialKind says how a deployment proves who pays.
type CredentialKind string

const (
	NoCredential   CredentialKind = "none"
	Bearer         CredentialKind = "bearer"         // Authorization: Bearer ...
	APIKeyHeader   CredentialKind = "api-key"        // api-key: ...
	XAPIKey        CredentialKind = "x-api-key"      // x-api-key: ...
	XGoogAPIKey    CredentialKind = "x-goog-api-key" // x-goog-api-key: ...
	SigV4          CredentialKind = "sigv4"          // each request is signed as AWS wants it
	GoogleIdentity CredentialKind = "google"         // Authorization: Bearer and a token of Google's for an account
	EntraIdentity  CredentialKind = "entra"          // the same with a token of Azure's directory
)

// Credential is what a provider is shown, or what that is made of. It can be compared and be a map's key, and prints no secret.
type Credential struct {
	Kind   CredentialKind
	Value  gateway.Secret // the key, of the kinds that have one
	AWS    AWS            // of SigV4
	Google Google         // of GoogleIdentity
	Entra  Entra          // of EntraIdentity
}

// AWS says with what requests are signed: a key, or the key of a profile, or what a role is assumed with. A role alone is
// assumed with an identity if there is one, else with the key.
type AWS struct {
	Region       string
	KeyID        string
	Secret       gateway.Secret // of the key
	Session      gateway.Secret // the key's session token; may be empty
	Profile      string         // of the shared files, instead of a key
	ProfileFiles string         // the shared files, separated as in PATH
	Role         string         // ARN of the role to assume; may be empty
	RoleSession  string         // how the session is called in AWS's logs
	ExternalID   string         // that the role's owner demands; may be empty
	Identity     Identity       // that the role is assumed with
	STS          string         // base URL of the token service; empty: the region's
}

// Google names the account: a credentials file, or its text. Both empty: the account that the machine runs as.
type Google struct {
	File string
	JSON gateway.Secret
}

// Entra names an application of Azure's directory and how it proves itself: a secret, or an identity that the directory trusts.
// Neither: the machine's own managed identity, if Client is set that one of them.
type Entra struct {
	Tenant    string
	Client    string
	Secret    gateway.Secret
	Identity  Identity
	Scope     string // what the token is for; empty: Azure's AI services
	Authority string // base URL of the directory; empty: the public cloud's
}

// Identity is a token from outside that proves who the gateway is. One of the fields is set; none: there is none.
type Identity struct {
	Token    gateway.Secret // the token itself
	File     string         // that somebody keeps fresh
	Audience string         // of a Google identity token: the machine that the gateway runs on gets one
}

// usual is what most hosts speak.
var usual = []gateway.Op{gateway.OpChat, gateway.OpCompletions, gateway.OpEmbeddings}

// Speaking are the wire formats of the upstream, the preferred one for translation first.
func (d *Deployment) Speaking() []gateway.Op {
	if len(d.Speaks) == 0 {
		return usual
	}
	return d.Speaks
}

// Carrier is the wire format in which the upstream can serve a call of op: op itself, or else what the call is translated to. It
// reports false for a call that cannot be served: embeddings by what only generates, and the other way round.
func (d *Deployment) Carrier(op gateway.Op) (gateway.Op, bool) {
	speaks := d.Speaking()
	if slices.Contains(speaks, op) {
		return op, true
	}
	var last gateway.Op // completions carry least
	for _, s := range speaks {
		switch {
		case s.Embeds() != op.Embeds():
		case s != gateway.OpCompletions:
			return s, true
		default:
			last = s
		}
	}
	return last, last != ""
}
