package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluice-gateway/sluice/shared/gcp/oidc"
)

const (
	audience = "https://worker.example/push"
	email    = "push@project.iam.gserviceaccount.com"
	kid      = "key-1"
)

// Two RSA keys: Google's, and a stranger's.
var googleKey, strangerKey = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// google is a transport that plays the place of Google's public keys. It counts fetches, and fails on request.
type google struct {
	mu      sync.Mutex
	fetches int
	fail    bool
	maxAge  string // Cache-Control, empty for none
}

func (g *google) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fetches++
	public := googleKey().PublicKey
	body, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
	if err != nil {
		return nil, err
	}
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}
	if g.maxAge != "" {
		answer.Header.Set("Cache-Control", "public, max-age="+g.maxAge)
	}
	if g.fail || r.URL.String() != "https://www.googleapis.com/oauth2/v3/certs" {
		answer.StatusCode = http.StatusInternalServerError
	}
	return answer, nil
}

func (g *google) count() int { g.mu.Lock(); defer g.mu.Unlock(); return g.fetches }

func (g *google) setFail(fail bool) { g.mu.Lock(); g.fail = fail; g.mu.Unlock() }

// genuine is what Pub/Sub's token says, with changes.
func genuine(changes jwt.MapClaims) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": audience, "azp": "113774264463038321964", "sub": "113774264463038321964",
		"email": email, "email_verified": true, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for k, v := range changes {
		c[k] = v
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

// signed makes a token; keyID "" leaves the header out.
func signed(t *testing.T, m jwt.SigningMethod, key any, keyID string, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(m, c)
	if keyID != "" {
		token.Header["kid"] = keyID
	}
	out, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fromGoogle(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodRS256, googleKey(), kid, genuine(changes))
}

func verifier(t *testing.T, c oidc.Config) *oidc.Verifier {
	t.Helper()
	v, err := oidc.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
