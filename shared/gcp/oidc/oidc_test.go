package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluice-gateway/sluice/shared/gcp/oidc"
)

// wrongClaims are changes to a genuine token's claims that make it another's.
func wrongClaims() map[string]jwt.MapClaims {
	now := time.Now()
	return map[string]jwt.MapClaims{
		"wrong aud":            {"aud": "https://other.example/push"},
		"no aud":               {"aud": nil},
		"list of aud":          {"aud": []string{audience}},
		"wrong iss":            {"iss": "https://accounts.example"},
		"no iss":               {"iss": nil},
		"wrong email":          {"email": "push@other.iam.gserviceaccount.com"},
		"no email":             {"email": nil},
		"unverified":           {"email_verified": false},
		"verified as text":     {"email_verified": "true"},
		"no verified":          {"email_verified": nil},
		"expired":              {"exp": now.Add(-time.Second).Unix()},
		"no exp":               {"exp": nil},
		"not yet valid":        {"nbf": now.Add(10 * time.Minute).Unix()},
		"issued in the future": {"iat": now.Add(10 * time.Minute).Unix()},
	}
}

func TestJWT(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&googleKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	genuineToken := fromGoogle(t, nil)
	part := strings.Split(genuineToken, ".")
	header := func(h string) string { return base64.RawURLEncoding.EncodeToString([]byte(h)) }
	bad := map[string]string{
		"no token":              "",
		"garbage":               "garbage",
		"dots":                  "..",
		"four parts":            genuineToken + ".x",
		"binary":                "\x00.\xff.\x00",
		"a stranger's key":      signed(t, jwt.SigningMethodRS256, strangerKey(), kid, genuine(nil)),
		"unknown kid":           signed(t, jwt.SigningMethodRS256, googleKey(), "key-2", genuine(nil)),
		"no kid":                signed(t, jwt.SigningMethodRS256, googleKey(), "", genuine(nil)),
		"HS256 with public key": signed(t, jwt.SigningMethodHS256, public, kid, genuine(nil)),
		"HS256 with public DER": signed(t, jwt.SigningMethodHS256, der, kid, genuine(nil)),
		"ES256":                 signed(t, jwt.SigningMethodES256, curve, kid, genuine(nil)),
		"ES256 cut":             header(`{"alg":"ES256","kid":"key-1"}`) + "." + part[1] + ".AAAA",
		"alg none":              header(`{"alg":"none","kid":"key-1"}`) + "." + part[1] + ".",
		"alg none, signed":      header(`{"alg":"none","kid":"key-1"}`) + "." + part[1] + "." + part[2],
		"no alg":                header(`{}`) + "." + part[1] + "." + part[2],
		"null payload":          part[0] + "." + header(`null`) + "." + part[2],
		"other payload":         part[0] + "." + strings.Split(fromGoogle(t, jwt.MapClaims{"sub": "1"}), ".")[1] + "." + part[2],
		"signature removed":     part[0] + "." + part[1] + ".SIGNATURE_REMOVED_BY_GOOGLE",
		"no signature":          part[0] + "." + part[1] + ".",
	}
	for name, change := range wrongClaims() {
		bad[name] = fromGoogle(t, change)
	}
	good := map[string]string{"genuine": genuineToken, "with nbf": fromGoogle(t, jwt.MapClaims{"nbf": time.Now().Unix()})}
	v := verifier(t, oidc.Config{Mode: oidc.JWT, Audience: audience, Email: email, Transport: &google{maxAge: "20000"}})
	for name, token := range merge(good, bad) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, want := good[name]
			for range 2 { // the second time may come from memory
				if err := v.Verify(t.Context(), token); (err == nil) != want {
					t.Errorf("Verify = %v, want ok %v", err, want)
				}
			}
		})
	}
}

func TestIAM(t *testing.T) {
	t.Parallel()
	strip := func(token string) string {
		return token[:strings.LastIndex(token, ".")] + ".SIGNATURE_REMOVED_BY_GOOGLE"
	}
	genuineToken := fromGoogle(t, nil)
	good := map[string]string{"genuine": strip(genuineToken)}
	bad := map[string]string{
		"no token":         "",
		"garbage":          "garbage",
		"not the platform": genuineToken,
		"no signature":     genuineToken[:strings.LastIndex(genuineToken, ".")+1],
		"only the word":    "SIGNATURE_REMOVED_BY_GOOGLE",
		"no payload":       "e30..SIGNATURE_REMOVED_BY_GOOGLE",
		"null payload":     "e30.bnVsbA.SIGNATURE_REMOVED_BY_GOOGLE",
	}
	for name, change := range wrongClaims() {
		bad[name] = strip(fromGoogle(t, change))
	}
	v := verifier(t, oidc.Config{Mode: oidc.IAM, Audience: audience, Email: email, KService: "worker"})
	for name, token := range merge(good, bad) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, want := good[name]
			if err := v.Verify(t.Context(), token); (err == nil) != want {
				t.Errorf("Verify = %v, want ok %v", err, want)
			}
		})
	}
}

func merge(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func TestNoneLetsEverythingPass(t *testing.T) {
	t.Parallel()
	v := verifier(t, oidc.Config{Mode: oidc.None, Loopback: true})
	for _, token := range []string{"", "garbage"} {
		if err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("Verify(%q) = %v", token, err)
		}
	}
}

func TestNewFailsClosed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config oidc.Config
		ok     bool
	}{
		"nothing said":      {oidc.Config{}, false},
		"unknown mode":      {oidc.Config{Mode: "off", Audience: audience, Email: email, Loopback: true}, false},
		"jwt":               {oidc.Config{Mode: oidc.JWT, Audience: audience, Email: email}, true},
		"jwt, no audience":  {oidc.Config{Mode: oidc.JWT, Email: email}, false},
		"jwt, no email":     {oidc.Config{Mode: oidc.JWT, Audience: audience}, false},
		"iam":               {oidc.Config{Mode: oidc.IAM, Audience: audience, Email: email, KService: "worker"}, true},
		"iam off Cloud Run": {oidc.Config{Mode: oidc.IAM, Audience: audience, Email: email}, false},
		"iam, no email":     {oidc.Config{Mode: oidc.IAM, Audience: audience, KService: "worker"}, false},
		"none":              {oidc.Config{Mode: oidc.None, Loopback: true}, true},
		"none, open":        {oidc.Config{Mode: oidc.None}, false},
		"none on Cloud Run": {oidc.Config{Mode: oidc.None, KService: "worker"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := oidc.New(test.config); (err == nil) != test.ok {
				t.Errorf("New = %v, want ok %v", err, test.ok)
			}
		})
	}
}
