package oidc_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluice-gateway/sluice/shared/gcp/oidc"
)

func jwtVerifier(t *testing.T, g *google) *oidc.Verifier {
	t.Helper()
	return verifier(t, oidc.Config{Mode: oidc.JWT, Audience: audience, Email: email, Transport: g})
}

// TestKeysAreFetchedCalmly: a flood of tokens with unknown kids fetches the keys once a minute, whatever the
// answer says about its age.
func TestKeysAreFetchedCalmly(t *testing.T) {
	t.Parallel()
	for _, maxAge := range []string{"", "0", "20000"} {
		t.Run("max-age "+maxAge, func(t *testing.T) {
			t.Parallel()
			flood := make([]string, 50)
			synctest.Test(t, func(t *testing.T) {
				for i := range flood {
					flood[i] = signed(t, jwt.SigningMethodRS256, strangerKey(), fmt.Sprint("unknown-", i), genuine(nil))
				}
				g := &google{maxAge: maxAge}
				v := jwtVerifier(t, g)
				for minute := range 3 {
					var all sync.WaitGroup
					for _, token := range flood {
						all.Go(func() {
							if v.Verify(t.Context(), token) == nil {
								t.Error("accepted")
							}
						})
					}
					all.Wait()
					if n := g.count(); n > minute+1 {
						t.Errorf("%d fetches within %d minutes", n, minute+1)
					}
					time.Sleep(time.Minute)
				}
			})
		})
	}
}

func TestKeysAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &google{fail: true}
		v, token := jwtVerifier(t, g), fromGoogle(t, nil)
		for range 100 {
			if v.Verify(t.Context(), token) == nil {
				t.Error("accepted without keys")
			}
		}
		if n := g.count(); n != 1 {
			t.Errorf("%d fetches in a row from a place that fails", n)
		}
		g.setFail(false)
		time.Sleep(6 * time.Second)
		if err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("after the keys came back: %v", err)
		}
		g.setFail(true)
		time.Sleep(30 * time.Minute)
		if err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("a token accepted before needs no keys: %v", err)
		}
		time.Sleep(30 * time.Minute)
		if v.Verify(t.Context(), token) == nil {
			t.Error("an expired token was accepted from memory")
		}
	})
}

// TestManyTokens: the memory of tokens is bounded, and forgetting costs nothing but another check.
func TestManyTokens(t *testing.T) {
	t.Parallel()
	g := &google{maxAge: "20000"}
	v := jwtVerifier(t, g)
	var tokens []string
	for i := range 150 {
		tokens = append(tokens, fromGoogle(t, jwt.MapClaims{"sub": fmt.Sprint(i)}))
	}
	for range 2 {
		for _, token := range tokens {
			if err := v.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := g.count(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func BenchmarkVerifySeen(b *testing.B) {
	v, err := oidc.New(oidc.Config{Mode: oidc.JWT, Audience: audience, Email: email, Transport: &google{maxAge: "20000"}})
	if err != nil {
		b.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, genuine(nil))
	token.Header["kid"] = kid
	text, err := token.SignedString(googleKey())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := v.Verify(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}
