package fakeprovider

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/sigv4"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// DefaultKey is the API key that is expected unless WithKey says otherwise: as a bearer token, in x-api-key, x-goog-api-key or
// api-key, by wire.
const DefaultKey = "sk-fakeprovider-key"

// FakeToken is the OAuth token that Google's cloud wires and, beside its key, Azure expect as a bearer token.
const FakeToken = "ya29.fakeprovider-token"

// FakeAccessKey and FakeSecretKey are the pair that requests to Bedrock are signed with, for any region.
const (
	FakeAccessKey = "AKIAFAKEPROVIDER0000"
	FakeSecretKey = "fakeprovider/secret+key0000000000000000"
)

// credential is a header that proves who calls.
type credential struct{ header, value string }

func bearer(token string) credential { return credential{"Authorization", "Bearer " + token} }

// authorize checks that the request carries exactly one credential, and one that the vendor takes.
func (v *vendor) authorize(r *http.Request, body []byte) *wire.Refusal {
	given := 0
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		given += len(r.Header.Values(name))
	}
	if given != 1 {
		return &wire.Refusal{Status: http.StatusUnauthorized, Key: true}
	}
	if v.signed && strings.HasPrefix(r.Header.Get("Authorization"), sigv4.Scheme) {
		if err := sigv4.Verify(r, body, v.service, FakeAccessKey, FakeSecretKey); err != nil {
			return &wire.Refusal{Status: http.StatusForbidden, Code: err.Code, Message: err.Message}
		}
		return nil
	}
	for _, c := range v.credentials {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(c.header)), []byte(c.value)) == 1 {
			return nil
		}
	}
	return &wire.Refusal{Status: http.StatusUnauthorized, Key: true}
}

// credentialOf is the credential that a request carries.
func (v *vendor) credentialOf(r *http.Request) (header, value string) {
	for _, c := range v.credentials {
		if value = r.Header.Get(c.header); value != "" {
			return c.header, value
		}
	}
	return "Authorization", ""
}
