package credential_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func google(g routing.Google) routing.Credential {
	return routing.Credential{Kind: routing.GoogleIdentity, Google: g}
}

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, token("ya29.sa", 3599))
	tokenURI := w.server.URL + "/token"
	for name, g := range map[string]routing.Google{
		"file":         {File: write(t, "sa.json", serviceAccount(tokenURI, true))},
		"text":         {JSON: gateway.Secret(serviceAccount(tokenURI, true))},
		"older format": {JSON: gateway.Secret(serviceAccount(tokenURI, false))},
	} {
		r, err := w.apply(t.Context(), google(g))
		if err != nil || r.Header.Get("Authorization") != "Bearer ya29.sa" {
			t.Fatalf("%s: %v, %v", name, err, r.Header)
		}
	}
	for _, a := range w.asked() {
		if a.path != "/token" || a.form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			t.Errorf("asked %s with %v", a.path, a.form)
		}
		parts := strings.Split(a.form.Get("assertion"), ".")
		if len(parts) != 3 {
			t.Fatalf("assertion of %d parts", len(parts))
		}
		signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, sum[:], signature); err != nil {
			t.Error(err)
		}
		var head, claims map[string]any
		decode(t, parts[0], &head)
		decode(t, parts[1], &claims)
		if fmt.Sprint(head) != "map[alg:RS256 kid:k1 typ:JWT]" || claims["aud"] != tokenURI || claims["iss"] != "sluice@p.iam.gserviceaccount.com" ||
			claims["scope"] != "https://www.googleapis.com/auth/cloud-platform" || claims["iat"] != float64(start.Unix()) || claims["exp"] != float64(start.Unix()+3600) {
			t.Errorf("%v %v", head, claims)
		}
	}
}

func decode(t *testing.T, part string, into any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAuthorizedUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, token("ya29.user", 3599))
	file := write(t, "adc.json", fmt.Sprintf(`{"type":"authorized_user","client_id":"c","client_secret":"cs","refresh_token":"rt","quota_project_id":"pay","token_uri":%q}`, w.server.URL))
	r, err := w.apply(t.Context(), google(routing.Google{File: file}))
	if err != nil || r.Header.Get("Authorization") != "Bearer ya29.user" || r.Header.Get("X-Goog-User-Project") != "pay" {
		t.Fatalf("%v, %v", err, r.Header)
	}
	want := url.Values{"grant_type": {"refresh_token"}, "client_id": {"c"}, "client_secret": {"cs"}, "refresh_token": {"rt"}}
	if got := w.asked()[0].form; got.Encode() != want.Encode() {
		t.Errorf("asked with %v", got)
	}
}

func TestMachineAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, token("ya29.machine", 3599))
	r, err := w.apply(t.Context(), google(routing.Google{}))
	if err != nil || r.Header.Get("Authorization") != "Bearer ya29.machine" {
		t.Fatalf("%v, %v", err, r.Header)
	}
	if a := w.asked()[0]; a.method != http.MethodGet || a.path != "/computeMetadata/v1/instance/service-accounts/default/token" || a.header.Get("Metadata-Flavor") != "Google" {
		t.Errorf("asked %s %s %v", a.method, a.path, a.header)
	}
}

func TestGoogleFails(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-material"
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, a asked)
		json  string
		kind  gateway.Kind
		code  string
		log   string
	}{
		"no JSON":        {nil, secret, gateway.KindUpstream, "credential_invalid", "no JSON object"},
		"another type":   {nil, `{"type":"external_account","x":"` + secret + `"}`, gateway.KindUpstream, "credential_invalid", "not supported"},
		"no key":         {nil, `{"type":"service_account","private_key":"` + secret + `"}`, gateway.KindUpstream, "credential_invalid", "no RSA key"},
		"in the clear":   {nil, `{"type":"authorized_user","refresh_token":"` + secret + `","token_uri":"http://tokens.example/"}`, gateway.KindUpstream, "credential_invalid", "https://"},
		"no address":     {nil, `{"type":"authorized_user","token_uri":"://` + secret + `"}`, gateway.KindUpstream, "credential_invalid", "cannot be asked"},
		"refused":        {status(400, `{"error":"invalid_grant","error_description":"`+secret+`"}`), "", gateway.KindUpstream, "credential_refused", "status 400 invalid_grant"},
		"too often":      {status(429, secret), "", gateway.KindUnavailable, "credential_unavailable", "status 429"},
		"away":           {status(500, secret), "", gateway.KindUnavailable, "credential_unavailable", "status 500"},
		"no token":       {status(200, `{"access_token":""}`), "", gateway.KindUnavailable, "credential_unavailable", "without a token"},
		"token of lines": {status(200, `{"access_token":"a\nb"}`), "", gateway.KindUnavailable, "credential_unavailable", "without a token"},
		"moved":          {status(302, secret), "", gateway.KindUpstream, "credential_refused", "status 302"},
	} {
		w := newWorld(t, c.serve)
		if c.json == "" {
			c.json = fmt.Sprintf(`{"type":"authorized_user","refresh_token":%q,"token_uri":%q}`, secret, w.server.URL)
		}
		_, err := w.apply(t.Context(), google(routing.Google{JSON: gateway.Secret(c.json)}))
		wantError(t, err, c.kind, c.code, secret)
		if !strings.Contains(err.Error(), c.log) || strings.Contains(gateway.AsError(err).Message, c.log) {
			t.Errorf("%s: %v, want %q in the log only", name, err, c.log)
		}
	}
	_, err := newWorld(t, nil).apply(t.Context(), google(routing.Google{File: "/nowhere/adc.json"}))
	wantError(t, err, gateway.KindUpstream, "credential_invalid")
}

func TestEntra(t *testing.T) {
	t.Parallel()
	file := write(t, "federated", "jwt-of-file")
	const scope = "https://cognitiveservices.azure.com/.default"
	const bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	for name, c := range map[string]struct {
		entra routing.Entra
		path  string
		want  url.Values
	}{
		"secret": {routing.Entra{Tenant: "t", Client: "c", Secret: "cs"}, "/t/oauth2/v2.0/token",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"c"}, "scope": {scope}, "client_secret": {"cs"}}},
		"own scope": {routing.Entra{Tenant: "t/../x", Client: "c", Secret: "cs", Scope: "https://ai.azure.com/.default"}, "/t/../x/oauth2/v2.0/token",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"c"}, "scope": {"https://ai.azure.com/.default"}, "client_secret": {"cs"}}},
		"workload": {routing.Entra{Tenant: "t", Client: "c", Identity: routing.Identity{File: file}}, "/t/oauth2/v2.0/token",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"c"}, "scope": {scope}, "client_assertion_type": {bearer}, "client_assertion": {"jwt-of-file"}}},
		"Google": {routing.Entra{Tenant: "t", Client: "c", Identity: routing.Identity{Audience: "api://AzureADTokenExchange"}}, "/t/oauth2/v2.0/token",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"c"}, "scope": {scope}, "client_assertion_type": {bearer}, "client_assertion": {"jwt-of-google"}}},
		"managed": {routing.Entra{Client: "c"}, "/metadata/identity/oauth2/token",
			url.Values{"api-version": {"2018-02-01"}, "resource": {"https://cognitiveservices.azure.com"}, "client_id": {"c"}}},
	} {
		w := newWorld(t, func(w http.ResponseWriter, a asked) {
			switch {
			case strings.HasSuffix(a.path, "/identity"):
				fmt.Fprint(w, "jwt-of-google")
			case strings.HasPrefix(a.path, "/metadata") && a.header.Get("Metadata") == "true":
				fmt.Fprint(w, `{"access_token":"eyJ.entra","expires_in":"3599"}`)
			default:
				token("eyJ.entra", 3599)(w, a)
			}
		})
		c.entra.Authority = w.server.URL + "/"
		r, err := w.apply(t.Context(), routing.Credential{Kind: routing.EntraIdentity, Entra: c.entra})
		if err != nil || r.Header.Get("Authorization") != "Bearer eyJ.entra" {
			t.Fatalf("%s: %v, %v", name, err, r.Header)
		}
		all := w.asked()
		if a := all[len(all)-1]; a.path != c.path || a.form.Encode() != c.want.Encode() {
			t.Errorf("%s: asked %s with %v", name, a.path, a.form)
		}
	}
	w := newWorld(t, status(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret cs-s3cret. Trace ID"}`))
	_, err := w.apply(t.Context(), routing.Credential{Kind: routing.EntraIdentity, Entra: routing.Entra{Tenant: "t", Client: "c", Secret: "cs-s3cret", Authority: w.server.URL}})
	wantError(t, err, gateway.KindUpstream, "credential_refused", "cs-s3cret")
	if !strings.Contains(err.Error(), "Azure's directory: status 401 invalid_client AADSTS7000215") {
		t.Error(err)
	}
}
