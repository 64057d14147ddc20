package chat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// EncodeError writes an error as OpenAI does, all four keys present.
func EncodeError(e *gateway.Error) []byte {
	o := open(nil)
	o.into("error")
	o.text("message", e.Message)
	o.text("type", e.Type())
	o.textOrNull("param", e.Param)
	o.text("code", cmp.Or(e.Code, strconv.Itoa(e.Status())))
	o.close()
	o.close()
	return o.b
}

// fault is an error of any vendor's. What it sends is not trusted to be of any format.
//
//	{"error":{"message":"...","type":"...","param":null,"code":"..."}}         OpenAI, most others
//	{"error":{...,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}       Azure
//	{"error":"...","error_type":"validation"}                                  TGI
//	{"code":"...","error":"..."}                                               xAI
//	{"object":"error","message":"...","type":"BadRequestError","code":400}     vLLM's older releases
//	{"object":"error","message":{"detail":[{"msg":"...","loc":["body","n"]}]}} Mistral
//	{"detail":"..."}, {"detail":[{"msg":"..."}]}                               hosts made with FastAPI
//	[{"error":{"code":400,"message":"...","status":"INVALID_ARGUMENT"}}]       Google
type fault struct {
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Msg     string          `json:"msg"` // of an entry of a detail
	Type    any             `json:"type"`
	Kind    any             `json:"error_type"`
	Param   any             `json:"param"`
	Code    any             `json:"code"`
	Status  any             `json:"status"`
	Inner   *struct {
		Code string `json:"code"`
	} `json:"innererror"`
}

// DecodeError reads a provider's error answer. Status 0 is an error that came under a good status, or inside a stream.
// Of the provider's text only a capped message goes on.
func DecodeError(status int, h http.Header, text []byte) *gateway.Error {
	var outer, d fault
	message := outer.read(text, 0)
	if inner := d.read(outer.Error, 0); inner != "" || d.Code != nil || d.Type != nil {
		message = inner
	} else {
		d = outer
	}
	code := word(d.Code)
	if code == "" {
		code = word(outer.Code)
	}
	if status == 0 {
		status = statusOf(code, word(d.Type), word(outer.Kind), word(d.Status))
	}
	e := dialect.VendorError(status, h, message)
	e.Param = word(d.Param)
	if _, err := strconv.Atoi(code); err != nil {
		e.Code = code
	}
	if d.Inner != nil && d.Inner.Code == "ResponsibleAIPolicyViolation" {
		e.Code = "content_filter"
	}
	return classified(e, message)
}

// maxNested is how deep a message may be hidden.
const maxNested = 4

// read takes an error apart and returns its message, wherever that stands.
func (f *fault) read(text []byte, depth int) (message string) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || depth > maxNested {
		return ""
	}
	switch text[0] {
	case '"':
		_ = json.Unmarshal(text, &message)
		return message
	case '[': // the first one counts
		var list []json.RawMessage
		if json.Unmarshal(text, &list) != nil || len(list) == 0 {
			return ""
		}
		return f.read(list[0], depth+1)
	}
	_ = json.Unmarshal(text, f) // fields of other types stay empty
	for _, raw := range [...]json.RawMessage{f.Message, f.Detail} {
		if message == "" && len(raw) > 0 {
			var inner fault
			message = inner.read(raw, depth+1)
		}
	}
	if message == "" {
		message = f.Msg
	}
	if message == "" && len(f.Error) > 0 && f.Error[0] == '"' {
		message = f.read(f.Error, depth+1)
	}
	return message
}

// word is a short text, or a whole number as one.
func word(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) <= 64 {
			return v
		}
	case float64:
		if v == float64(int(v)) {
			return strconv.Itoa(int(v))
		}
	}
	return ""
}

// statuses are what codes and types of errors stand for where no status came with them: OpenAI's, Anthropic's, vLLM's, TGI's and Google's
// (their API documents and error pages, read 2026-11).
var statuses = map[string]int{
	"rate_limit_exceeded": 429, "rate_limit_error": 429, "too_many_requests": 429, "insufficient_quota": 429, "tokens": 429, "requests": 429,
	"RESOURCE_EXHAUSTED": 429, "overloaded": 429, "throttling_error": 429,
	"overloaded_error": 529, "server_is_overloaded": 503, "slow_down": 503, "service_unavailable": 503, "UNAVAILABLE": 503,
	"ServiceUnavailableError": 503, "server_error": 500, "internal_error": 500, "internal_server_error": 500, "api_error": 500,
	"InternalServerError": 500, "INTERNAL": 500, "generation": 500, "incomplete_generation": 500, "timeout": 504, "DEADLINE_EXCEEDED": 504,
	"invalid_api_key": 401, "authentication_error": 401, "UNAUTHENTICATED": 401, "permission_error": 403, "PERMISSION_DENIED": 403,
	"model_not_found": 404, "not_found_error": 404, "NotFoundError": 404, "NOT_FOUND": 404,
	"BadRequestError": 400, "INVALID_ARGUMENT": 400, "context_length_exceeded": 400, "content_filter": 400,
	"content_policy_violation": 400, "invalid_prompt": 400, "validation": 422,
}

// statusOf is the status that the first of some words stands for, 0 if none does.
func statusOf(words ...string) int {
	for _, word := range words {
		if n, err := strconv.Atoi(word); err == nil && n >= 400 && n < 600 {
			return n
		}
		if status := statuses[word]; status != 0 {
			return status
		}
	}
	return 0
}

// filtered are the codes of prompts that a filter refused.
var filtered = map[string]bool{
	"content_filter": true, "content_policy_violation": true, "invalid_prompt": true, "moderation_blocked": true,
	"ResponsibleAIPolicyViolation": true,
}

// tooLong are what vendors say of a prompt that is longer than the model takes, in small letters (OpenAI's, vLLM's, TGI's, Mistral's,
// Together's and Groq's error messages, read 2026-11).
var tooLong = []string{
	"maximum context length", "context window", "context length", "reduce the length of the messages", "prompt is too long",
	"too large for model with", "`inputs` tokens + `max_new_tokens` must be", "input is too long",
}

// classified gives the two refusals that callers act upon their own codes.
func classified(e *gateway.Error, message string) *gateway.Error {
	if e.Kind != gateway.KindInvalid && e.Kind != gateway.KindTooLarge {
		return e
	}
	if filtered[e.Code] {
		e.Kind, e.HTTPStatus, e.TypeName, e.Code = gateway.KindInvalid, http.StatusBadRequest, "", dialect.CodeContentFilter
		return e
	}
	long := e.Code == dialect.CodeContextLength
	lower := strings.ToLower(message)
	for _, words := range tooLong {
		long = long || strings.Contains(lower, words)
	}
	if long {
		e.Kind, e.HTTPStatus, e.TypeName, e.Code = gateway.KindInvalid, http.StatusBadRequest, "", dialect.CodeContextLength
	}
	return e
}
