package credential_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
)

// says is a network in which all services answer the same.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

// FuzzAnswers proves that no answer of a token service and no credentials file makes a request unfit or an error tell a secret.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"access_token":"t","expires_in":3599}`, `{"access_token":"a b","expires_in":"-1"}`, `{"access_token":"t","expires_in":1e99}`,
		`{"error":"invalid_grant"}`, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>" +
			"<SessionToken>T</SessionToken><Expiration>2026-11-03T11:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
		"[default]\naws_access_key_id=A\naws_secret_access_key=S\n", "[profile default]\nrole_arn=r\nsource_profile=default", "=\n[\n]=", "eyJ.jwt",
		serviceAccount("https://t", true), `{"type":"authorized_user","token_uri":"%"}`,
	} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	const secret = "sk-very-secret-value"
	f.Fuzz(func(t *testing.T, status int, body string) {
		s := credential.New(says{status, body}, func() time.Time { return start })
		s.Metadata = s.Network
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range []routing.Credential{
			google(routing.Google{}), google(routing.Google{File: file}), google(routing.Google{JSON: `{"type":"authorized_user","refresh_token":"` + secret + `"}`}),
			{Kind: routing.EntraIdentity, Entra: routing.Entra{Tenant: "t", Client: "c", Secret: secret}},
			{Kind: routing.SigV4, AWS: routing.AWS{Region: "us-east-1", Role: role, Identity: routing.Identity{File: file}}},
			{Kind: routing.SigV4, AWS: routing.AWS{Region: "us-east-1", Role: role, KeyID: "A", Secret: secret}},
			{Kind: routing.SigV4, AWS: routing.AWS{Region: "us-east-1", Profile: "default", ProfileFiles: file}},
		} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://h/", http.NoBody)
			err := s.Apply(t.Context(), r, nil, c)
			if err != nil && (gateway.AsError(err).Code == "" || strings.Contains(err.Error(), secret)) {
				t.Errorf("error %v", err)
			}
			for name, values := range r.Header {
				if strings.ContainsAny(values[0], "\r\n\x00") {
					t.Errorf("%s: %q", name, values[0])
				}
			}
			if (err == nil) != (r.Header.Get("Authorization") != "") {
				t.Errorf("%v with %v", err, r.Header)
			}
		}
	})
}
