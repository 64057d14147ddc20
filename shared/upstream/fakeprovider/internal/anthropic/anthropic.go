// Package anthropic is the wire of Anthropic's Messages API (API reference, read 2026-11), also as Google's Vertex AI serves it.
package anthropic

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Maker signs thoughts; Bedrock's are the same models.
const Maker = "claude"

// Target finds the operation of a path without its version, or nil.
func Target(path string) *wire.Target {
	switch path {
	case "/messages":
		return &wire.Target{Op: "messages", Format: Messages{}}
	case "/messages/count_tokens":
		return &wire.Target{Op: "count_tokens", Format: count{}, Free: true}
	}
	return nil
}

// kinds are the error types by status.
var kinds = map[int]struct{ kind, message string }{
	400: {"invalid_request_error", "Invalid request."},
	401: {"authentication_error", "invalid x-api-key"},
	402: {"billing_error", "Your credit balance is too low to access the Anthropic API."},
	403: {"permission_error", "Your API key does not have permission to use the specified resource."},
	404: {"not_found_error", "Not found."},
	413: {"request_too_large", "Request exceeds the maximum size"},
	429: {"rate_limit_error", "This request would exceed your organization's rate limit."},
	504: {"timeout_error", "The request timed out."},
	529: {"overloaded_error", "Overloaded"},
}

// Error is an error answer.
func Error(no *wire.Refusal) map[string]any {
	known := kinds[no.Status]
	byClass := "invalid_request_error"
	if no.Status >= 500 || no.Status < 400 {
		byClass = "api_error"
	}
	if no.Code == wire.CodeBlocked {
		no.Message = "Output blocked by content filtering policy"
	}
	return map[string]any{"type": "error", "request_id": "req_fake", "error": map[string]any{
		"type": wire.First(no.Kind, known.kind, byClass), "message": wire.First(no.Message, known.message, "Internal server error"),
	}}
}

func invalid(message string) *wire.Refusal { return wire.Invalid("", "%s", message) }

// complain says what is wrong with a request.
func complain(f *wire.Fault) *wire.Refusal {
	switch {
	case f == nil:
		return nil
	case f.Missing:
		return invalid(f.At.Dots() + ": Field required")
	case f.Unknown:
		return invalid(f.At.Dots() + ": Extra inputs are not permitted")
	}
	return invalid(f.At.Dots() + ": Input should be " + f.Want)
}

// usage is a usage report. Input tokens are those that no cache had to do with.
type usage struct {
	Input    int64     `json:"input_tokens"`
	Creation int64     `json:"cache_creation_input_tokens"`
	Read     int64     `json:"cache_read_input_tokens"`
	Created  *creation `json:"cache_creation,omitempty"`
	Output   int64     `json:"output_tokens"`
	Details  any       `json:"output_tokens_details,omitempty"`
	Tier     string    `json:"service_tier,omitempty"`
}

type creation struct {
	FiveMinutes int64 `json:"ephemeral_5m_input_tokens"`
	Hour        int64 `json:"ephemeral_1h_input_tokens"`
}

// deltaUsage is what of a report the end of a stream repeats: not how long caches are kept.
func deltaUsage(report json.RawMessage) json.RawMessage {
	if report == nil {
		return nil
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(report, &fields)
	delete(fields, "cache_creation")
	delete(fields, "service_tier")
	return wire.JSON(fields)
}

// count is POST messages/count_tokens.
type count struct{ Messages }

// Parse implements wire.Format.
func (f count) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	for _, name := range []string{"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata"} {
		if r.Fields[name] != nil {
			return nil, invalid(name + ": Extra inputs are not permitted")
		}
	}
	if no := f.version(r); no != nil {
		return nil, no
	}
	r.Fields["max_tokens"] = json.Number("100000") // more than any thinking budget
	return parse("count_tokens", r)
}

// Whole implements wire.Format.
func (count) Whole(r *wire.Reply) any {
	return map[string]any{"input_tokens": r.Call.Prompt.Tokens()}
}

// Stream implements wire.Format: there is none.
func (count) Stream(*wire.Reply) wire.Stream { return nil }

// version wants the header that names the API's version.
func (Messages) version(r *wire.Request) *wire.Refusal {
	switch v := r.Header.Get("Anthropic-Version"); {
	case v == "":
		return invalid("anthropic-version: header is required")
	case v != "2023-06-01" && v != "2023-01-01" && v != "2026-10-21":
		return invalid("anthropic-version: \"" + v + "\" is not a valid version")
	}
	return nil
}

// Refuse implements wire.Format.
func (Messages) Refuse(no *wire.Refusal, h http.Header) []byte {
	if h != nil {
		h.Set("Request-Id", "req_fake")
	}
	return wire.JSON(Error(no))
}

// blank is whether a text has nothing to read.
func blank(s string) bool { return strings.TrimSpace(s) == "" }
