// Package oidc checks who pushes: it verifies the identity token that Pub/Sub signs for its push account.
package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// Mode says who has to look at the token's signature.
type Mode string

const (
	// JWT verifies signature and claims here. Right wherever the endpoint can be reached by anyone else.
	JWT Mode = "jwt"
	// IAM is for a Cloud Run service that only the push account may invoke. The platform has verified the token and put
	// a word in the place of its signature, so only the claims are checked here. Never use it on a service that allows
	// unauthenticated calls: anyone can write that word.
	IAM Mode = "iam"
	// None lets every push pass, for emulators, which send no token.
	None Mode = "none"
)

const (
	issuer  = "https://accounts.google.com"
	removed = "SIGNATURE_REMOVED_BY_GOOGLE" // (Cloud Run authentication page, read 2026-11)
	skew    = time.Minute                   // that Google's clock may be ahead of ours
)

// Config says which pushes are genuine.
type Config struct {
	Mode     Mode   // required
	Audience string // the token's aud: the subscription's setting, by default the push URL; required by JWT and IAM
	Email    string // the push service account; required by JWT and IAM

	// KService is Cloud Run's K_SERVICE. IAM requires it, as a sign that the platform is there to verify.
	KService string
	// Loopback says that the listener can be reached from this machine only. None requires it.
	Loopback bool
	// Transport fetches Google's public keys; nil is http.DefaultTransport.
	Transport http.RoundTripper
}

// Verifier is a push.Verifier. A token it has accepted is accepted from memory until it expires; a refusal is not remembered.
type Verifier struct {
	mode            Mode
	audience, email string
	keys            *idtoken.Validator // JWT only
	seen            *seen
}

var _ push.Verifier = (*Verifier)(nil)

// New makes a verifier, or refuses a configuration that would let strangers push. It does no I/O; Google's keys are fetched
// when the first token comes.
func New(c Config) (*Verifier, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("push identity: %w", err)
	}
	v := &Verifier{mode: c.Mode, audience: c.Audience, email: c.Email, seen: newSeen()}
	if c.Mode != JWT {
		return v, nil
	}
	client := &http.Client{Transport: newCalm(c.Transport), Timeout: fetchWithin}
	keys, err := idtoken.NewValidator(context.Background(), option.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("push identity: %w", err)
	}
	v.keys = keys
	return v, nil
}

func (c Config) check() error {
	named := c.Audience != "" && c.Email != ""
	switch c.Mode {
	case JWT:
		if !named {
			return errors.New("mode jwt needs an audience and an email")
		}
	case IAM:
		if !named || c.KService == "" {
			return errors.New("mode iam needs an audience, an email and K_SERVICE: only Cloud Run verifies tokens for us")
		}
	case None:
		if !c.Loopback {
			return errors.New("mode none needs a listener on loopback: it lets everyone push")
		}
	default:
		return fmt.Errorf("mode %q is none of jwt, iam, none", c.Mode)
	}
	return nil
}

// Verify answers nil for a genuine token. In mode None it does for anything.
func (v *Verifier) Verify(ctx context.Context, token string) error {
	now := time.Now()
	if v.mode == None || v.seen.has(token, now) {
		return nil
	}
	payload, err := v.read(ctx, token)
	if err != nil {
		return err
	}
	if err := v.checkClaims(payload, now); err != nil {
		return err
	}
	v.seen.add(token, time.Unix(payload.Expires, 0), now)
	return nil
}

// read answers the payload of a token whose signature was checked: here, or by the platform.
func (v *Verifier) read(ctx context.Context, token string) (*idtoken.Payload, error) {
	header, rest, _ := strings.Cut(token, ".")
	_, signature, ok := strings.Cut(rest, ".")
	if !ok {
		return nil, errors.New("push token: absent or not a JWT")
	}
	if v.mode == IAM {
		if signature != removed {
			return nil, errors.New("push token: not verified by the platform")
		}
		return idtoken.ParsePayload(token)
	}
	// Push tokens are RS256. The validator would take ES256 too, which is IAP's, and it panics on a short signature there.
	if alg, err := algorithm(header); err != nil || alg != "RS256" {
		return nil, fmt.Errorf("push token: algorithm %q is not RS256", alg)
	}
	return v.keys.Validate(ctx, token, v.audience)
}

func algorithm(header string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return "", err
	}
	var h struct{ Alg string }
	err = json.Unmarshal(raw, &h)
	return h.Alg, err
}

// checkClaims compares every claim, those that the validator has compared too: mode IAM has only this.
func (v *Verifier) checkClaims(p *idtoken.Payload, now time.Time) error {
	notBefore, hasStart := p.Claims["nbf"].(float64)
	rules := []struct {
		ok    bool
		claim string
	}{
		{p.Issuer == issuer, "iss"},
		{p.Audience == v.audience, "aud"},
		{now.Before(time.Unix(p.Expires, 0)), "exp"},
		{!time.Unix(p.IssuedAt, 0).After(now.Add(skew)), "iat"},
		{!hasStart || notBefore <= float64(now.Add(skew).Unix()), "nbf"},
		{p.Claims["email"] == v.email, "email"},
		{p.Claims["email_verified"] == true, "email_verified"},
	}
	for _, r := range rules {
		if !r.ok {
			return fmt.Errorf("push token: wrong %s", r.claim)
		}
	}
	return nil
}
