package credential_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// signature computes what AWS would compute for a request (AWS's documentation on Signature Version 4, read 2026-11): canonical request,
// string to sign, derived key. Paths are encoded twice, as for all services but S3.
func signature(method, host, escapedPath, query string, header http.Header, body, signed, secret, region, service string) string {
	var names, canonical []string
	for _, name := range strings.Split(signed, ";") {
		value := header.Get(name)
		switch name {
		case "host":
			value = host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		names = append(names, name)
		canonical = append(canonical, name+":"+strings.Join(strings.Fields(value), " ")+"\n")
	}
	var segments []string
	for _, s := range strings.Split(escapedPath, "/") {
		segments = append(segments, strings.ReplaceAll(url.QueryEscape(s), "+", "%20"))
	}
	pairs := strings.Split(query, "&")
	slices.Sort(pairs)
	request := strings.Join([]string{method, strings.Join(segments, "/"), strings.Join(pairs, "&"), strings.Join(canonical, ""),
		strings.Join(names, ";"), digest(body)}, "\n")
	date := header.Get("X-Amz-Date")
	scope := strings.Join([]string{date[:8], region, service, "aws4_request"}, "/")
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, digest(request)}, "\n")))
}

// check verifies a signed request and returns the names of what is signed.
func check(t *testing.T, method, host, escapedPath, query string, header http.Header, body, id, secret, region, service string) string {
	t.Helper()
	authorization := header.Get("Authorization")
	rest, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential="+id+"/"+header.Get("X-Amz-Date")[:8]+"/"+region+"/"+service+"/aws4_request, SignedHeaders=")
	signed, got, ok2 := strings.Cut(rest, ", Signature=")
	if !ok || !ok2 {
		t.Fatalf("Authorization: %s", authorization)
	}
	if want := signature(method, host, escapedPath, query, header, body, signed, secret, region, service); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	return signed
}

func TestSign(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(500, ""))
	for name, c := range map[string]struct{ address, path, query string }{
		"model id":   {"https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", ""},
		"ARN":        {"https://vpce.example:8443/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream", ""},
		"with query": {"https://h/model/m/invoke?b=2&a=1", "/model/m/invoke", "b=2&a=1"},
	} {
		body := `{"messages":[]}`
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Custom", "  two   words ")
		shared := r.URL
		a := routing.AWS{Region: "us-east-1", KeyID: "AKID", Secret: "s3cret", Session: "sess/ion+token=="}
		if err := w.Apply(t.Context(), r, []byte(body), routing.Credential{Kind: routing.SigV4, AWS: a}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		signed := check(t, "POST", r.URL.Host, c.path, c.query, r.Header, body, "AKID", "s3cret", "us-east-1", "bedrock")
		for _, must := range []string{"content-length", "content-type", "host", "x-amz-date", "x-amz-security-token", "x-custom"} {
			if !slices.Contains(strings.Split(signed, ";"), must) {
				t.Errorf("%s: %s is not signed: %s", name, must, signed)
			}
		}
		if r.Header.Get("X-Amz-Security-Token") != "sess/ion+token==" || r.Header.Get("X-Amz-Date") != "20261103T100000Z" {
			t.Errorf("%s: %v", name, r.Header)
		}
		if r.URL == shared || shared.String() != c.address || r.URL.EscapedPath() != c.path {
			t.Errorf("%s: the URL changed: %s, %s", name, shared, r.URL)
		}
	}
	if len(w.asked()) > 0 {
		t.Error("a plain key needs no token service")
	}
}

// sts answers as AWS's token service.
func sts(action, id string, expires time.Time) func(w http.ResponseWriter, a asked) {
	return func(w http.ResponseWriter, _ asked) {
		fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser>`+
			`<Credentials><AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken>`+
			`<Expiration>%[3]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action, id, expires.Format(time.RFC3339))
	}
}

const role = "arn:aws:iam::123456789012:role/bedrock"

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sts("AssumeRole", "ASIA1", start.Add(time.Hour)))
	c := routing.Credential{Kind: routing.SigV4, AWS: routing.AWS{Region: "eu-west-1", KeyID: "AKID", Secret: "s3cret", Session: "base-session",
		Role: role, RoleSession: "me", ExternalID: "ext", STS: w.server.URL}}
	r, err := w.apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "POST", "provider.example", "/v1/chat", "", r.Header, "{}", "ASIA1", "role-secret", "eu-west-1", "bedrock")
	if got := r.Header.Get("X-Amz-Security-Token"); got != "role-session" {
		t.Errorf("session %q", got)
	}
	if _, err := w.apply(t.Context(), c); err != nil || len(w.asked()) != 1 {
		t.Fatalf("%v, asked %d times", err, len(w.asked()))
	}
	a := w.asked()[0]
	want := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"me"}, "ExternalId": {"ext"}}
	if a.form.Encode() != want.Encode() || a.path != "/" {
		t.Errorf("asked %s with %v", a.path, a.form)
	}
	check(t, "POST", a.host, "/", "", a.header, a.body, "AKID", "s3cret", "eu-west-1", "sts")
}

func TestAssumeRoleWithIdentity(t *testing.T) {
	t.Parallel()
	file := write(t, "token", " jwt-of-file\n")
	for name, c := range map[string]struct {
		id   routing.Identity
		want string
	}{
		"token":  {routing.Identity{Token: "jwt-itself"}, "jwt-itself"},
		"file":   {routing.Identity{File: file}, "jwt-of-file"},
		"Google": {routing.Identity{Audience: "sts.amazonaws.com"}, "jwt-of-google"},
	} {
		w := newWorld(t, func(w http.ResponseWriter, a asked) {
			if a.method == http.MethodGet {
				if a.path != "/computeMetadata/v1/instance/service-accounts/default/identity" || a.header.Get("Metadata-Flavor") != "Google" ||
					a.form.Get("audience") != "sts.amazonaws.com" || a.form.Get("format") != "full" {
					w.WriteHeader(404)
				}
				fmt.Fprint(w, "jwt-of-google")
				return
			}
			sts("AssumeRoleWithWebIdentity", "ASIA2", start.Add(time.Hour))(w, a)
		})
		r, err := w.apply(t.Context(), routing.Credential{Kind: routing.SigV4,
			AWS: routing.AWS{Region: "us-west-2", Role: role, Identity: c.id, STS: w.server.URL}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		check(t, "POST", "provider.example", "/v1/chat", "", r.Header, "{}", "ASIA2", "role-secret", "us-west-2", "bedrock")
		all := w.asked()
		a := all[len(all)-1]
		want := url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"sluice"}, "WebIdentityToken": {c.want}}
		if a.form.Encode() != want.Encode() || a.header.Get("Authorization") != "" {
			t.Errorf("%s: asked with %v, %v", name, a.form, a.header)
		}
	}
}

func TestSTSFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, a asked)
		kind  gateway.Kind
		code  string
		log   string
	}{
		"refused": {status(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>jwt-s3cret may not</Message></Error></ErrorResponse>"),
			gateway.KindUpstream, "credential_refused", "AWS's token service: status 403 AccessDenied"},
		"away":    {status(503, "<html>jwt-s3cret"), gateway.KindUnavailable, "credential_unavailable", "status 503"},
		"no key":  {status(200, "<a/>"), gateway.KindUnavailable, "credential_unavailable", "without a key"},
		"not XML": {status(200, "jwt-s3cret"), gateway.KindUnavailable, "credential_unavailable", "without a key"},
		"ended":   {sts("AssumeRoleWithWebIdentity", "ASIA", start.Add(-time.Hour)), gateway.KindUpstream, "credential_invalid", "ended already"},
	} {
		w := newWorld(t, c.serve)
		_, err := w.apply(t.Context(), routing.Credential{Kind: routing.SigV4,
			AWS: routing.AWS{Region: "us-west-2", Role: role, Identity: routing.Identity{Token: "jwt-s3cret"}, STS: w.server.URL}})
		wantError(t, err, c.kind, c.code, "jwt-s3cret", "role-secret")
		if !strings.Contains(err.Error(), c.log) {
			t.Errorf("%s: %v, want %q", name, err, c.log)
		}
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sts("AssumeRole", "ASIA3", start.Add(time.Hour)))
	files := write(t, "credentials", "# mine\n[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key=secret-default\n\n[work]\naws_access_key_id=AKWORK\n"+
		"aws_secret_access_key = secret-work\naws_session_token = session-work\n[broken\nx\n") + ":" +
		write(t, "config", "[profile role]\nrole_arn = "+role+"\nsource_profile = work\nexternal_id=e\n[profile sso]\nsso_session = x\n[default]\naws_access_key_id=NOT\n")
	for name, c := range map[string]struct{ profile, id, secret, session string }{
		"default": {"default", "AKDEFAULT", "secret-default", ""},
		"named":   {"work", "AKWORK", "secret-work", "session-work"},
		"role":    {"role", "ASIA3", "role-secret", "role-session"},
	} {
		r, err := w.apply(t.Context(), routing.Credential{Kind: routing.SigV4,
			AWS: routing.AWS{Region: "us-east-1", Profile: c.profile, ProfileFiles: files, STS: w.server.URL}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		check(t, "POST", "provider.example", "/v1/chat", "", r.Header, "{}", c.id, c.secret, "us-east-1", "bedrock")
		if got := r.Header.Get("X-Amz-Security-Token"); got != c.session {
			t.Errorf("%s: session %q", name, got)
		}
	}
	if a := w.asked()[0]; a.form.Get("ExternalId") != "e" || !strings.Contains(a.header.Get("Authorization"), "Credential=AKWORK/") {
		t.Errorf("asked %v, %v", a.form, a.header)
	}
	for _, profile := range []string{"sso", "nobody"} {
		_, err := w.apply(t.Context(), routing.Credential{Kind: routing.SigV4, AWS: routing.AWS{Region: "us-east-1", Profile: profile, ProfileFiles: files}})
		wantError(t, err, gateway.KindUpstream, "credential_invalid", "secret-")
	}
	_, err := w.apply(t.Context(), routing.Credential{Kind: routing.SigV4, AWS: routing.AWS{Region: "us-east-1", Profile: "p", ProfileFiles: files + ".not"}})
	wantError(t, err, gateway.KindUpstream, "credential_invalid")
}
