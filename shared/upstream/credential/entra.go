package credential

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/routing"
)

const (
	entraAuthority = "https://login.microsoftonline.com"
	entraScope     = "https://cognitiveservices.azure.com/.default"
)

// entra gets an access token of Azure's directory, by an application's secret, by an identity that it trusts, or as the machine's managed
// identity (Microsoft's documentation of the identity platform, read 2026-11).
func (s *Signers) entra(ctx context.Context, c routing.Credential) (bearer, time.Time, error) {
	e := c.Entra
	scope := cmp.Or(e.Scope, entraScope)
	if e.Secret == "" && e.Identity == (routing.Identity{}) {
		return s.managed(ctx, e.Client, strings.TrimSuffix(scope, "/.default"))
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {e.Client}, "scope": {scope}}
	if e.Secret != "" {
		form.Set("client_secret", e.Secret.Reveal())
	} else {
		assertion, err := s.identity(ctx, e.Identity)
		if err != nil {
			return bearer{}, time.Time{}, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion.Reveal())
	}
	const name = "Azure's directory"
	address := strings.TrimSuffix(cmp.Or(e.Authority, entraAuthority), "/") + "/" + url.PathEscape(e.Tenant) + "/oauth2/v2.0/token"
	answer, err := service{name, s.Network}.form(ctx, address, form, nil)
	if err != nil {
		return bearer{}, time.Time{}, err
	}
	return s.parseToken(name, answer)
}

// managed asks Azure's metadata server.
func (s *Signers) managed(ctx context.Context, client, resource string) (bearer, time.Time, error) {
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}
	if client != "" {
		query.Set("client_id", client)
	}
	answer, err := s.metadata().read(ctx, s.MetadataURL+"/metadata/identity/oauth2/token?"+query.Encode(), "Metadata", "true")
	if err != nil {
		return bearer{}, time.Time{}, err
	}
	return s.parseToken("the metadata server", answer)
}
