package fakeprovider

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
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

// forbiddenHeaders must not reach a provider: hop-by-hop ones, other vendors' headers and credentials, and what is between caller
// and gateway. A name ending in - stands for all that begin with it. Each vendor takes its own of them.
var forbiddenHeaders = []string{
	"Keep-Alive", "Proxy-", "Te", "Trailer", "Upgrade",
	"X-Litellm-", "X-Sluice-", "Llm_provider-", "Prefer", "X-Forwarded-", "Forwarded", "X-Real-Ip", "Cookie",
	"Authorization", "X-Api-Key", "Api-Key", "X-Goog-", "Anthropic-", "X-Amz-", "X-Amzn-", "Openai-",
}

// forbiddenFields of a body steer a gateway and mean nothing to a provider.
var forbiddenFields = []string{
	"api_base", "api_key", "api_version", "base_url", "cache", "caching", "custom_llm_provider", "extra_headers", "fallbacks",
	"guardrails", "litellm_metadata", "litellm_params", "mock_response", "mock_testing_fallbacks", "num_retries", "tags",
	"user_config",
}

// checkHeaders returns why the request is refused for its headers, or nil.
func (p *Provider) checkHeaders(r *http.Request, v *vendor) *wire.Refusal {
	bad := ""
	for name, values := range r.Header {
		switch {
		case name == "Connection" && !slices.Contains([]string{"close", "keep-alive"}, strings.ToLower(values[0])),
			among(forbiddenHeaders, name) && !among(v.own, name):
			bad = "header " + name
		case p.hasCanary([]byte(strings.Join(values, "\n"))):
			bad = "a secret in header " + name
		}
	}
	switch {
	case p.hasCanary([]byte(r.URL.String())):
		bad = "a secret in the URL"
	case r.URL.Query().Has("key"):
		bad = "a key in the URL"
	}
	if bad != "" {
		p.violate(r, "", bad)
		return &wire.Refusal{Status: 400, Message: "This must not be sent to a provider: " + bad}
	}
	return nil
}

func among(list []string, header string) bool {
	return slices.ContainsFunc(list, func(f string) bool {
		return f == header || strings.HasSuffix(f, "-") && strings.HasPrefix(header, f)
	})
}

func (p *Provider) hasCanary(text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.canaries, func(c []byte) bool { return len(c) > 0 && bytes.Contains(text, c) })
}

// read checks headers and credential and decodes the JSON object of a request, or says why it is refused.
func (p *Provider) read(w http.ResponseWriter, r *http.Request, v *vendor) (map[string]any, *wire.Refusal) {
	if no := p.checkHeaders(r, v); no != nil {
		return nil, no
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if err != nil {
		return nil, wire.Invalid("", "the body could not be read: %v", err)
	}
	if no := v.authorize(r, body); no != nil {
		return nil, no
	}
	p.remember(r, body)
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return nil, wire.Invalid("", "Content-Type must be application/json")
	}
	fields, err := wire.DecodeStrict(body)
	if err != nil {
		return nil, wire.Invalid("", "We could not parse the JSON body of your request: %v", err)
	}
	return fields, p.checkBody(r, body, fields)
}

// checkBody looks for what must never arrive.
func (p *Provider) checkBody(r *http.Request, body []byte, fields map[string]any) *wire.Refusal {
	model := wire.Text(fields, "model")
	if p.hasCanary(body) {
		p.violate(r, model, "a secret in the body")
		return wire.Invalid("", "This must not be sent to a provider: a secret in the body")
	}
	for _, f := range forbiddenFields {
		if _, ok := fields[f]; ok {
			p.violate(r, model, "field "+f)
			return &wire.Refusal{Status: 400, Param: f, Message: "Unrecognized request argument supplied: " + f}
		}
	}
	return nil
}
