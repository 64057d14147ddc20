package fakeprovider

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Violation is something that a gateway must never send. It names the place, not the value.
type Violation struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id,omitempty"`
	Model     string    `json:"model,omitempty"`
	What      string    `json:"what"`
}

// Seen is a request as it arrived.
type Seen struct {
	Path   string
	Header http.Header
	Body   []byte // nil if larger than 1 MiB
}

const (
	maxSeen     = 256
	maxSeenBody = 1 << 20
)

// Violations returns what arrived and never should have.
func (p *Provider) Violations() []Violation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.violations)
}

// Seen returns the last 256 requests, oldest first.
func (p *Provider) Seen() []Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// AddCanaries names more secrets that must never arrive.
func (p *Provider) AddCanaries(secrets ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range secrets {
		p.canaries = append(p.canaries, []byte(s))
	}
}

func (p *Provider) violate(r *http.Request, model, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.violations = append(p.violations, Violation{time.Now(), requestID(r), model, what})
}

func (p *Provider) remember(r *http.Request, body []byte) {
	if len(body) > maxSeenBody {
		body = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) >= 2*maxSeen {
		p.seen = slices.Delete(p.seen, 0, maxSeen)
	}
	p.seen = append(p.seen, Seen{r.URL.Path, r.Header, body})
}

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Client-Request-Id"); id != "" {
		return id
	}
	return r.Header.Get("X-Request-Id")
}

// forbiddenHeaders must not reach a provider: hop-by-hop ones, other credentials, and what is between caller and gateway. A name
// ending in - stands for all that begin with it.
var forbiddenHeaders = []string{
	"Keep-Alive", "Proxy-", "Te", "Trailer", "Upgrade",
	"X-Litellm-", "X-Sluice-", "Llm_provider-", "Prefer", "X-Forwarded-", "Forwarded", "X-Real-Ip", "Cookie",
	"X-Api-Key", "Api-Key", "X-Goog-Api-Key",
}

// forbiddenFields of a body steer a gateway and mean nothing to a provider.
var forbiddenFields = []string{
	"api_base", "api_key", "api_version", "base_url", "cache", "caching", "custom_llm_provider", "extra_headers", "fallbacks",
	"guardrails", "litellm_metadata", "litellm_params", "mock_response", "mock_testing_fallbacks", "num_retries", "tags",
	"user_config",
}

// checkHeaders returns why the request is refused for its headers, or nil.
func (p *Provider) checkHeaders(r *http.Request) *refusal {
	bad := ""
	for name, values := range r.Header {
		switch {
		case name == "Connection" && !slices.Contains([]string{"close", "keep-alive"}, strings.ToLower(values[0])), forbidden(name):
			bad = "header " + name
		case p.hasCanary([]byte(strings.Join(values, "\n"))):
			bad = "a secret in header " + name
		}
	}
	if p.hasCanary([]byte(r.URL.String())) {
		bad = "a secret in the URL"
	}
	if bad != "" {
		p.violate(r, "", bad)
		return &refusal{status: 400, message: "This must not be sent to a provider: " + bad}
	}
	want, got := "Bearer "+p.key, r.Header.Values("Authorization")
	if len(got) != 1 || subtle.ConstantTimeCompare([]byte(got[0]), []byte(want)) != 1 {
		return &refusal{status: 401, code: "invalid_api_key", message: "Incorrect API key provided."}
	}
	return nil
}

func forbidden(header string) bool {
	return slices.ContainsFunc(forbiddenHeaders, func(f string) bool {
		return f == header || strings.HasSuffix(f, "-") && strings.HasPrefix(header, f)
	})
}

func (p *Provider) hasCanary(text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.canaries, func(c []byte) bool { return len(c) > 0 && bytes.Contains(text, c) })
}

// readBody reads and decodes the JSON object of a request, or says why it is refused.
func (p *Provider) readBody(w http.ResponseWriter, r *http.Request) (map[string]any, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if err != nil {
		return nil, invalid("", "the body could not be read: %v", err)
	}
	p.remember(r, body)
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return nil, invalid("", "Content-Type must be application/json")
	}
	fields, err := decodeStrict(body)
	if err != nil {
		return nil, invalid("", "We could not parse the JSON body of your request: %v", err)
	}
	model, _ := fields["model"].(string)
	if p.hasCanary(body) {
		p.violate(r, model, "a secret in the body")
		return nil, invalid("", "This must not be sent to a provider: a secret in the body")
	}
	for _, f := range forbiddenFields {
		if _, ok := fields[f]; ok {
			p.violate(r, model, "field "+f)
			return nil, &refusal{status: 400, param: f, message: "Unrecognized request argument supplied: " + f}
		}
	}
	return fields, nil
}

// decodeStrict decodes one JSON object of valid UTF-8 in which no key comes twice, at any depth. Numbers are json.Number.
func decodeStrict(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("it is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, errors.New("it is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := decodeValue(dec)
	if err != nil {
		return nil, err
	}
	if fields, ok := v.(map[string]any); ok {
		return fields, nil
	}
	return nil, errors.New("it is not an object")
}

func decodeValue(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	switch {
	case err != nil:
		return nil, err
	case tok == json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	case tok == json.Delim('{'):
		return decodeObject(dec)
	}
	return tok, nil
}

func decodeObject(dec *json.Decoder) (any, error) {
	fields := make(map[string]any)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("the key %q comes twice", key)
		}
		if fields[key], err = decodeValue(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return fields, err
}
