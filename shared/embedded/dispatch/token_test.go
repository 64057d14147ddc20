package dispatch_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

const (
	audience = "http://worker.internal/push"
	email    = "dispatch@local"
)

func token(t *testing.T, s *dispatch.Signer) string {
	t.Helper()
	got, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTokenClaims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parsed, _, err := jwt.NewParser().ParseUnverified(token(t, dispatch.NewSigner(audience, email)), jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		now := float64(time.Now().Unix())
		want := jwt.MapClaims{
			"iss": dispatch.Issuer, "aud": audience, "sub": email, "azp": email, "email": email, "email_verified": true,
			"iat": now, "exp": now + 3600,
		}
		if diff := cmp.Diff(want, parsed.Claims); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		if got := parsed.Method.Alg(); got != "ES256" {
			t.Errorf("alg = %s", got)
		}
	})
}

func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := dispatch.NewSigner(audience, email)
		verify := s.Verifier()
		first := token(t, s)
		for range 2 {
			if err := verify.Verify(t.Context(), first); err != nil {
				t.Errorf("Verify = %v", err)
			}
		}
		time.Sleep(54 * time.Minute)
		if token(t, s) != first {
			t.Error("renewed too early")
		}
		time.Sleep(2 * time.Minute)
		second := token(t, s)
		if second == first {
			t.Error("not renewed before its end")
		}
		for _, still := range []string{first, second, first} {
			if err := verify.Verify(t.Context(), still); err != nil {
				t.Errorf("Verify = %v", err)
			}
		}
		time.Sleep(5 * time.Minute)
		if verify.Verify(t.Context(), first) == nil {
			t.Error("an expired token was accepted from the cache")
		}
	})
}

func TestVerifierRefuses(t *testing.T) {
	t.Parallel()
	s := dispatch.NewSigner(audience, email)
	issued := token(t, s)
	parts := strings.Split(issued, ".")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	whole := jwt.MapClaims{"iss": dispatch.Issuer, "aud": audience, "email": email, "email_verified": true, "exp": time.Now().Add(time.Hour).Unix()}
	signed := func(m jwt.SigningMethod, key any) string {
		out, err := jwt.NewWithClaims(m, whole).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	tests := map[string]string{
		"none":               "",
		"garbage":            "garbage",
		"three dots":         "..",
		"another's key":      signed(jwt.SigningMethodES256, key),
		"HS256":              signed(jwt.SigningMethodHS256, []byte("key")),
		"alg none":           none + "." + parts[1] + ".",
		"alg none, signed":   none + "." + parts[1] + "." + parts[2],
		"claims changed":     parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2],
		"signature cut":      issued[:len(issued)-4],
		"same prefix":        issued + "A",
		"another's audience": token(t, dispatch.NewSigner("http://other", email)),
		"another's email":    token(t, dispatch.NewSigner(audience, "other@local")),
	}
	verify := s.Verifier()
	if err := verify.Verify(t.Context(), issued); err != nil { // now cached
		t.Fatal(err)
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if verify.Verify(t.Context(), bad) == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestSignedPush runs the receiver that the cloud uses behind the dispatcher.
func TestSignedPush(t *testing.T) {
	t.Parallel()
	signer := dispatch.NewSigner(audience, email)
	tests := map[string]struct {
		signer *dispatch.Signer
		left   int
	}{
		"signed":    {signer, 0},
		"by others": {dispatch.NewSigner(audience, email), 1},
		"not":       {nil, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue("a")
				got := map[string]int{}
				handler := push.Handler(signer.Verifier(), func(_ context.Context, m queue.Message) error {
					got[string(m.Data)]++
					return nil
				}, q, slog.New(slog.DiscardHandler))
				stop := start(t, q, to(handler), dispatch.SignedBy(test.signer))
				synctest.Wait()
				stop()
				want := map[string]int{"a": 1 - test.left}
				maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
				if diff := cmp.Diff(want, got); diff != "" || q.left() != test.left {
					t.Errorf("left %d; handled (-want +got):\n%s", q.left(), diff)
				}
			})
		})
	}
}

func BenchmarkVerifyCached(b *testing.B) {
	s := dispatch.NewSigner(audience, email)
	verify := s.Verifier()
	for b.Loop() {
		t, _ := s.Token()
		if err := verify.Verify(b.Context(), t); err != nil {
			b.Fatal(err)
		}
	}
}
