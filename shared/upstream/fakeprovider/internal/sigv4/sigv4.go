// Package sigv4 verifies AWS Signature Version 4, as a service does (IAM User Guide, "Create a signed AWS API request", read
// 2026-11).
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Scheme begins the Authorization header of a signed request.
const Scheme = "AWS4-HMAC-SHA256"

// maxSkew is how far a request's clock may be off.
const maxSkew = 5 * time.Minute

// Error is why a signature is refused: an AWS error code and a message.
type Error struct{ Code, Message string }

func refuse(code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// signature is what an Authorization header says.
type signature struct {
	access, date, region, service string
	signed                        []string
	hex                           string
}

// Verify says what is wrong with the signature of a request, or nil.
func Verify(r *http.Request, body []byte, service, access, secret string) *Error {
	s, ok := parse(r.Header.Get("Authorization"))
	if !ok {
		return refuse("IncompleteSignatureException", "Authorization header requires Credential, SignedHeaders and Signature.")
	}
	if s.access != access {
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if s.service != service {
		return refuse("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", service)
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if skew := time.Since(at).Abs(); err != nil || skew > maxSkew || stamp[:8] != s.date {
		return refuse("InvalidSignatureException", "Signature expired or not yet current: %s", stamp)
	}
	for _, must := range append([]string{"host"}, amzHeaders(r)...) {
		if !slices.Contains(s.signed, must) {
			return refuse("InvalidSignatureException", "'%s' must be a signed header.", must)
		}
	}
	hash := hashed(body)
	if given := r.Header.Get("X-Amz-Content-Sha256"); given != "" && given != hash {
		return refuse("InvalidSignatureException", "The hash of the body does not match X-Amz-Content-Sha256.")
	}
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	text := strings.Join([]string{Scheme, stamp, scope, hashed([]byte(canonical(r, s.signed, hash)))}, "\n")
	want := hex.EncodeToString(keyed(signingKey(secret, s), text))
	if !hmac.Equal([]byte(want), []byte(s.hex)) {
		return refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

// amzHeaders are the headers that must be signed because they are AWS's own.
func amzHeaders(r *http.Request) (names []string) {
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	return names
}

func parse(header string) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(header, Scheme+" ")
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			parts := strings.Split(value, "/")
			if len(parts) != 5 || parts[4] != "aws4_request" {
				return s, false
			}
			s.access, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
		case "SignedHeaders":
			s.signed = strings.Split(value, ";")
		case "Signature":
			s.hex = value
		}
	}
	return s, ok && s.access != "" && s.hex != "" && slices.IsSorted(s.signed)
}

// canonical is the request as it is signed.
func canonical(r *http.Request, signed []string, bodyHash string) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	lines := []string{r.Method, escaped(path, true), query(r.URL.Query())}
	for _, name := range signed {
		lines = append(lines, name+":"+value(r, name))
	}
	lines = append(lines, "", strings.Join(signed, ";"), bodyHash)
	return strings.Join(lines, "\n")
}

func value(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

func query(values url.Values) string {
	var pairs []string
	for name, list := range values {
		for _, v := range list {
			pairs = append(pairs, escaped(name, false)+"="+escaped(v, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escaped encodes all but unreserved characters. A path is encoded as it was sent, so what was %3A there becomes %253A.
func escaped(s string, slashes bool) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0, slashes && c == '/':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func signingKey(secret string, s signature) []byte {
	key := []byte("AWS4" + secret)
	for _, text := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = keyed(key, text)
	}
	return key
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hashed(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
