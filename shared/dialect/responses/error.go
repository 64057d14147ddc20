package responses

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// fault is OpenAI's error, as an object of its own, in a Response, or in an event.
type fault struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   any    `json:"param"`
	Code    any    `json:"code"`
}

// EncodeError writes an error as OpenAI does, all four keys present.
func EncodeError(e *gateway.Error) []byte {
	o := open(nil)
	o.json("error", appendFault(nil, e))
	return o.close()
}

func appendFault(dst []byte, e *gateway.Error) []byte {
	o := open(dst)
	o.text("message", e.Message)
	o.text("type", e.Type())
	o.textOrNull("param", e.Param)
	o.text("code", codeOf(e))
	return o.close()
}

func codeOf(e *gateway.Error) string {
	if e.Code != "" {
		return e.Code
	}
	return strconv.Itoa(e.Status())
}

// statuses are what OpenAI's codes and types of errors stand for where no status came with them (its guide to errors and API document,
// read 2026-11).
var statuses = map[string]int{
	"rate_limit_exceeded": 429, "rate_limit_error": 429, "too_many_requests": 429, "insufficient_quota": 429, "tokens": 429, "requests": 429,
	"slow_down": 503, "server_is_overloaded": 503, "service_unavailable": 503, "service_unavailable_error": 503, "overloaded_error": 529,
	"server_error": 500, "internal_error": 500, "internal_server_error": 500, "vector_store_timeout": 504, "timeout": 504,
	"invalid_api_key": 401, "authentication_error": 401, "permission_error": 403, "data_residency_mismatch": 403,
	"model_not_found": 404, "not_found_error": 404, "image_file_not_found": 404,
	"invalid_request_error": 400, "invalid_prompt": 400, "context_length_exceeded": 400, "content_filter": 400, "bio_policy": 400,
	"cyber_policy": 400, "content_policy_violation": 400, "moderation_blocked": 400, "image_content_policy_violation": 400,
	"invalid_image": 400, "invalid_image_format": 400, "invalid_base64_image": 400, "invalid_image_url": 400, "image_too_large": 400,
	"image_too_small": 400, "image_parse_error": 400, "invalid_image_mode": 400, "image_file_too_large": 400,
	"unsupported_image_media_type": 400, "empty_image_file": 400, "failed_to_download_image": 400, "previous_response_not_found": 400,
	"invalid_encrypted_content": 400,
}

// filtered are the codes of prompts that a filter refused.
var filtered = map[string]bool{
	"content_filter": true, "invalid_prompt": true, "bio_policy": true, "cyber_policy": true, "content_policy_violation": true,
	"moderation_blocked": true, "image_content_policy_violation": true,
}

// DecodeError reads a provider's error: an answer's object, an event's, whose fields may stand at its top level, or that in a Response.
func DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	var d fault
	var inner struct {
		Error json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(body, &d)
	if json.Unmarshal(body, &inner) == nil && len(inner.Error) > 0 && string(inner.Error) != "null" {
		d = fault{}
		if json.Unmarshal(inner.Error, &d) != nil {
			_ = json.Unmarshal(inner.Error, &d.Message) // some send a bare string
		}
	}
	code, _ := d.Code.(string)
	if status == 0 {
		status = statusOf(code, &d)
	}
	e := dialect.VendorError(status, h, d.Message)
	if e.Param, _ = d.Param.(string); len(e.Param) > 64 {
		e.Param = ""
	}
	if len(code) <= 64 {
		e.Code = code
	}
	return classified(e, d.Message)
}

func statusOf(code string, d *fault) int {
	if n, ok := d.Code.(float64); ok && n >= 400 && n < 600 {
		return int(n)
	}
	if n, err := strconv.Atoi(code); err == nil && n >= 400 && n < 600 {
		return n
	}
	if status := statuses[code]; status != 0 {
		return status
	}
	return statuses[d.Type]
}

// classified gives the two refusals that callers act upon their own codes.
func classified(e *gateway.Error, message string) *gateway.Error {
	if e.Kind != gateway.KindInvalid && e.Kind != gateway.KindTooLarge {
		return e
	}
	lower := strings.ToLower(message)
	switch {
	case e.Code == dialect.CodeContextLength, strings.Contains(lower, "context window"), strings.Contains(lower, "maximum context length"):
		e.Kind, e.HTTPStatus, e.Code = gateway.KindInvalid, http.StatusBadRequest, dialect.CodeContextLength
	case filtered[e.Code]:
		e.Kind, e.HTTPStatus, e.Code = gateway.KindInvalid, http.StatusBadRequest, dialect.CodeContentFilter
	}
	return e
}
