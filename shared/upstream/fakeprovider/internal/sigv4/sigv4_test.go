package sigv4_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/sigv4"
)

const (
	access = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// vanilla is the case get-vanilla of AWS's test suite for Signature Version 4 (read 2026-11).
func vanilla() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "example.amazonaws.com"
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
	return r
}

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		alter         func(*http.Request)
		body, service string
		late          time.Duration
		want          string // part of the code or message
	}{
		"good":        {},
		"other body":  {body: "x", want: "does not match"},
		"other path":  {alter: func(r *http.Request) { r.RequestURI = "/other" }, want: "does not match"},
		"other host":  {alter: func(r *http.Request) { r.Host = "attacker.invalid" }, want: "does not match"},
		"other key":   {alter: func(r *http.Request) { replace(r, "AKIDEXAMPLE", "AKIDOTHER") }, want: "UnrecognizedClientException"},
		"unsigned":    {alter: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, want: "must be a signed header"},
		"wrong date":  {alter: func(r *http.Request) { replace(r, "20150830", "20150831") }, want: "expired"},
		"no scope":    {alter: func(r *http.Request) { replace(r, "/aws4_request", "") }, want: "IncompleteSignature"},
		"service":     {service: "bedrock", want: "correct service"},
		"six minutes": {late: 6 * time.Minute, want: "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC).Add(c.late)))
				r := vanilla()
				if c.alter != nil {
					c.alter(r)
				}
				if c.service == "" {
					c.service = "service"
				}
				err := sigv4.Verify(r, []byte(c.body), c.service, access, secret)
				switch {
				case c.want == "" && err != nil:
					t.Error(err)
				case c.want != "" && (err == nil || !strings.Contains(err.Code+err.Message, c.want)):
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func replace(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), old, with))
}
