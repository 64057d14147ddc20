// Package routing maps the model name that a caller sends to the deployments that can serve it, in order. Its decisions
// are pure: they read a table that is replaced whole.
package routing

import "github.com/sluice-gateway/sluice/shared/gateway"

// CredentialKind says how a deployment proves who pays.
type CredentialKind string

const (
	NoCredential CredentialKind = "none"
	Bearer       CredentialKind = "bearer"    // Authorization: Bearer ...
	APIKeyHeader CredentialKind = "api-key"   // api-key: ...
	XAPIKey      CredentialKind = "x-api-key" // x-api-key: ...
)

// Credential is what a provider is shown.
type Credential struct {
	Kind  CredentialKind
	Value gateway.Secret
}

// Deployment is one concrete upstream of a model.
type Deployment struct {
	// ID tells deployments of a table apart and stays the same from start to start; NewTable gives one to those without.
	ID string
	// Model is the public name, or a pattern with one trailing * ("openai/*"): then VendorModel ends in * too, and what
	// the star stands for is carried over.
	Model       string
	Provider    string // "openai", "echo" ...: the word in the price book, the ledger and metrics
	VendorModel string // the name that the upstream knows
	BaseURL     string // without trailing slash and without the operation's path: "https://api.openai.com/v1"
	Credential  Credential
	// PriceAs overrides the price book's look-up of Provider and VendorModel; empty: look up VendorModel.
	PriceAs string
	// Ops it serves; empty means all.
	Ops []gateway.Op
	// Hidden deployments serve calls but are not listed by /v1/models.
	Hidden bool
}
