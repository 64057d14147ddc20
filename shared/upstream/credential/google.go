package credential

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"time"

	"github.com/sluice-gateway/sluice/shared/routing"
)

const (
	googleTokens  = "https://oauth2.googleapis.com/token"
	googleScope   = "https://www.googleapis.com/auth/cloud-platform"
	assertionLife = time.Hour // the most that Google takes
)

// googleFile is a credentials file as gcloud and the console write it (Google's documentation on application default credentials, read
// 2026-11).
type googleFile struct {
	Type         string `json:"type"`
	TokenURI     string `json:"token_uri"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	Project      string `json:"quota_project_id"`
}

// google gets an access token for an account of Google's.
func (s *Signers) google(ctx context.Context, c routing.Credential) (bearer, time.Time, error) {
	text := []byte(c.Google.JSON.Reveal())
	switch {
	case c.Google == routing.Google{}:
		return s.machineToken(ctx)
	case c.Google.JSON == "":
		var err error
		if text, err = readFile(c.Google.File); err != nil {
			return bearer{}, time.Time{}, err
		}
	}
	var f googleFile
	if err := json.Unmarshal(text, &f); err != nil {
		return bearer{}, time.Time{}, invalid("Google's credentials are no JSON object") // the reason may quote them
	}
	form, err := s.googleGrant(f)
	if err != nil {
		return bearer{}, time.Time{}, err
	}
	answer, err := service{"Google's token service", s.Network}.form(ctx, cmp.Or(f.TokenURI, googleTokens), form, nil)
	if err != nil {
		return bearer{}, time.Time{}, err
	}
	b, expires, err := s.parseToken("Google's token service", answer)
	b.project = f.Project
	return b, expires, err
}

// googleGrant is what the token service is shown.
func (s *Signers) googleGrant(f googleFile) (url.Values, error) {
	switch f.Type {
	case "service_account":
		assertion, err := s.assertion(f)
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, err
	case "authorized_user":
		return url.Values{
			"grant_type": {"refresh_token"}, "client_id": {f.ClientID}, "client_secret": {f.ClientSecret}, "refresh_token": {f.RefreshToken},
		}, nil
	default:
		return nil, invalid("Google's credentials of this type are not supported; service_account and authorized_user are")
	}
}

// assertion is a JWT by which a service account asks for a token (Google's documentation on OAuth for service accounts, read 2026-11).
func (s *Signers) assertion(f googleFile) (string, error) {
	key, err := privateKey(f.PrivateKey)
	if err != nil {
		return "", err
	}
	now := s.Now()
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": f.PrivateKeyID})
	claims, _ := json.Marshal(map[string]any{
		"iss": f.ClientEmail, "scope": googleScope, "aud": cmp.Or(f.TokenURI, googleTokens),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", invalid("the private key of Google's service account cannot sign")
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	wrong := invalid("the private key of Google's service account is no RSA key in PEM")
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, wrong
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PrivateKey); ok && err == nil {
		return rsaKey, nil
	}
	return nil, wrong
}

// machineToken asks Google's metadata server for the account that the machine runs as.
func (s *Signers) machineToken(ctx context.Context) (bearer, time.Time, error) {
	address := s.MetadataURL + "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" + url.QueryEscape(googleScope)
	answer, err := s.metadata().read(ctx, address, "Metadata-Flavor", "Google")
	if err != nil {
		return bearer{}, time.Time{}, err
	}
	return s.parseToken("the metadata server", answer)
}

func (s *Signers) metadata() service { return service{"the metadata server", s.Metadata} }
