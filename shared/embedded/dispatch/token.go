package dispatch

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// Issuer is who a Signer says it is.
const Issuer = "sluice-dispatch"

const (
	tokenLife  = time.Hour       // the service's longest
	tokenRenew = 5 * time.Minute // before the end
)

// Signer makes the identity tokens of local pushes: the service's claims, signed by a key of its own that never leaves the
// process. The key is ES256 where the service uses RS256: making an RSA key takes a tenth of a second of start-up, this one
// some microseconds, and only Verifier has to read it. It is made at the first use. Safe for concurrent use.
type Signer struct {
	audience, email string

	key func() (*ecdsa.PrivateKey, error)

	mu    sync.Mutex
	token string
	until time.Time // renewal of token
}

// NewSigner makes tokens for the audience, in the name of the account with the email.
func NewSigner(audience, email string) *Signer {
	return &Signer{audience: audience, email: email, key: sync.OnceValues(func() (*ecdsa.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	})}
}

// claims is what a verifier reads in a push token.
type claims struct {
	jwt.RegisteredClaims
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
}

// Token is a token that holds for at least some minutes. It is the same one until shortly before its end.
func (s *Signer) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.until) {
		return s.token, nil
	}
	key, err := s.key()
	if err != nil {
		return "", fmt.Errorf("make push key: %w", err)
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": Issuer, "aud": s.audience, "sub": s.email, "azp": s.email, "email": s.email, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	}).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign push token: %w", err)
	}
	s.token, s.until = token, now.Add(tokenLife-tokenRenew)
	return token, nil
}

// Verifier accepts this signer's tokens and nothing else. A token it has just accepted costs one comparison.
func (s *Signer) Verifier() push.Verifier {
	return &verifier{signer: s, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(Issuer), jwt.WithAudience(s.audience), jwt.WithExpirationRequired(),
	)}
}

type verifier struct {
	signer *Signer
	parser *jwt.Parser
	last   atomic.Pointer[verified]
}

// verified is a token that was accepted.
type verified struct {
	token string
	until time.Time
}

func (v *verifier) Verify(_ context.Context, token string) error {
	if last := v.last.Load(); last != nil && time.Now().Before(last.until) &&
		subtle.ConstantTimeCompare([]byte(last.token), []byte(token)) == 1 {
		return nil
	}
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
		key, err := v.signer.key()
		if err != nil {
			return nil, err
		}
		return &key.PublicKey, nil
	})
	if err != nil {
		return fmt.Errorf("push token: %w", err)
	}
	if c.Email != v.signer.email || !c.Verified {
		return errors.New("push token: of another account")
	}
	v.last.Store(&verified{token, c.ExpiresAt.Time})
	return nil
}
