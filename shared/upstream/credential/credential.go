// Package credential shows providers who pays: it puts keys into requests, signs them, and gets and keeps the tokens that are made of an
// account's or a role's identity.
package credential

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// MetadataURL is where a machine in a cloud finds its own identity: the address is the same at Google, Azure and AWS (vendors'
// documentation, read 2026-11).
const MetadataURL = "http://169.254.169.254"

// Signers make credentials out of what a deployment says. Make it with New; fields may be set until the first use. Safe for concurrent
// use.
type Signers struct {
	Network     http.RoundTripper // to the token services; redirects are not followed
	Metadata    http.RoundTripper // to the machine's own metadata server, where no provider may be
	MetadataURL string            // its base URL
	Now         func() time.Time

	signer *v4.Signer
	tokens store[bearer]
	keys   store[aws.Credentials]
}

// New returns signers that reach token services by network, and the metadata server by a transport of their own.
func New(network http.RoundTripper, now func() time.Time) *Signers {
	return &Signers{
		Network: network, MetadataURL: MetadataURL, Now: now, signer: v4.NewSigner(),
		Metadata: &h1.Transport{Control: onlyMetadata, DialTimeout: metadataDial, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }},
	}
}

// metadataDial is short: the metadata server is on the same machine, or there is none.
const metadataDial = 2 * time.Second

// onlyMetadata lets a dialer reach the metadata server and nothing else.
func onlyMetadata(_, address string, _ syscall.RawConn) error {
	if "http://"+strings.TrimSuffix(address, ":80") != MetadataURL {
		return errNotMetadata
	}
	return nil
}

// headers are the names under which plain keys are shown, with what stands before the key.
var headers = map[routing.CredentialKind]struct{ name, prefix string }{
	routing.Bearer:       {"Authorization", "Bearer "},
	routing.APIKeyHeader: {"Api-Key", ""},
	routing.XAPIKey:      {"X-Api-Key", ""},
	routing.XGoogAPIKey:  {"X-Goog-Api-Key", ""},
}

// Apply puts the credential into the request. It comes last: where it signs, it signs the method, the address, all headers that are set
// and the body, which must be what the request will send. The request gets an URL of its own. The error is a gateway.Error: nothing was
// sent to the provider. Most calls take no time; one in an hour asks a token service.
func (s *Signers) Apply(ctx context.Context, r *http.Request, body []byte, c routing.Credential) error {
	switch c.Kind {
	case routing.NoCredential, "":
		return nil
	case routing.SigV4:
		return s.sign(ctx, r, body, c.AWS)
	case routing.GoogleIdentity:
		return s.show(ctx, r, c, s.google)
	case routing.EntraIdentity:
		return s.show(ctx, r, c, s.entra)
	}
	h, known := headers[c.Kind]
	switch {
	case !known:
		return invalid("the kind of credential is not known")
	case c.Value != "":
		r.Header[h.name] = []string{h.prefix + c.Value.Reveal()}
	}
	return nil
}

// bearer is a token, and whom its use is charged to if the service wants to know.
type bearer struct {
	token   gateway.Secret
	project string
}

// issuer gets a token for a credential and tells until when it is valid.
type issuer func(context.Context, routing.Credential) (bearer, time.Time, error)

// show puts a kept token into the request, or gets one.
func (s *Signers) show(ctx context.Context, r *http.Request, c routing.Credential, get issuer) error {
	b, err := s.tokens.get(ctx, c, s.Now, func(ctx context.Context) (bearer, time.Time, error) { return get(ctx, c) })
	if err != nil {
		return err
	}
	r.Header["Authorization"] = []string{"Bearer " + b.token.Reveal()}
	if b.project != "" {
		r.Header["X-Goog-User-Project"] = []string{b.project}
	}
	return nil
}

// shown are the headers that Apply sets.
var shown = []string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "X-Amz-Security-Token"}

// minShown is how long a credential is at least; what is shorter may be a word of its own.
const minShown = 8

// Scrub takes out of a provider's text what Apply has put into a request's header: some quote what they were sent.
func Scrub(text string, sent http.Header) string {
	for _, name := range shown {
		for _, value := range sent[name] {
			value = strings.TrimPrefix(value, "Bearer ")
			if len(value) >= minShown {
				text = strings.ReplaceAll(text, value, gateway.Secret("").String())
			}
		}
	}
	return text
}

// store keeps what was got for each credential.
type store[T any] struct {
	mu   sync.RWMutex
	kept map[routing.Credential]*kept[T]
}

// maxKept bounds a store over many changes of a configuration.
const maxKept = 1000

func (s *store[T]) get(ctx context.Context, c routing.Credential, now func() time.Time, fetch fetcher[T]) (T, error) {
	s.mu.RLock()
	k := s.kept[c]
	s.mu.RUnlock()
	if k == nil {
		k = s.add(c)
	}
	return k.get(ctx, now, fetch)
}

func (s *store[T]) add(c routing.Credential) *kept[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= maxKept {
		s.kept = map[routing.Credential]*kept[T]{}
	}
	if s.kept[c] == nil {
		s.kept[c] = new(kept[T])
	}
	return s.kept[c]
}
