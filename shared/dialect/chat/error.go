package chat

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	maxVendorText = 1000 // bytes of a provider's message that a caller sees
	maxRetryAfter = 10 * time.Minute
)

// body is OpenAI's error object.
type body struct {
	Error detail `json:"error"`
}

type detail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// EncodeError writes an error as OpenAI does, all four keys present.
func EncodeError(e *gateway.Error) []byte {
	d := detail{Message: e.Message, Type: e.Type(), Code: e.Code}
	if d.Code == "" {
		d.Code = strconv.Itoa(e.Status())
	}
	if e.Param != "" {
		d.Param = &e.Param
	}
	text, _ := json.Marshal(body{d}) // strings only: cannot fail
	return text
}

// DecodeError reads a provider's error answer. Status 0 is an error that came under a good status, or inside a stream.
// Of the provider's text only a capped message goes on; what a provider sends is not trusted to be of the format.
func DecodeError(status int, h http.Header, text []byte) *gateway.Error {
	var vendor struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	var d struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Param   any    `json:"param"`
		Code    any    `json:"code"`
	}
	if json.Unmarshal(text, &vendor) == nil && json.Unmarshal(vendor.Error, &d) != nil {
		_ = json.Unmarshal(vendor.Error, &d.Message) // some send a bare string
	}
	if d.Message == "" {
		d.Message = vendor.Message
	}
	e := classify(status, d.Code)
	e.RetryAfter = retryAfter(h)
	if message := capped(d.Message); message != "" {
		e.Message = message
	}
	if e.Param, _ = d.Param.(string); len(e.Param) > 64 {
		e.Param = ""
	}
	if code, ok := d.Code.(string); ok && len(code) <= 64 {
		e.Code = code
	}
	return e
}

// classes maps a provider's status to ours: the same, with the type that clients know for it.
var classes = map[int]struct {
	kind gateway.Kind
	name string
	text string
}{
	400: {gateway.KindInvalid, "invalid_request_error", "The provider refused the request."},
	401: {gateway.KindUpstream, "authentication_error", "The provider refused the gateway's credential."},
	403: {gateway.KindUpstream, "permission_error", "The provider does not permit this to the gateway's credential."},
	404: {gateway.KindNotFound, "invalid_request_error", "The provider does not know this model or route."},
	408: {gateway.KindTimeout, "timeout", "The provider took too long."},
	413: {gateway.KindTooLarge, "invalid_request_error", "The request is too large for the provider."},
	422: {gateway.KindInvalid, "invalid_request_error", "The provider refused the request."},
	429: {gateway.KindRateLimited, "throttling_error", "The provider's rate limit is reached."},
}

func classify(status int, code any) *gateway.Error {
	if status == 0 {
		if n, ok := code.(float64); ok && n >= 400 && n < 600 {
			status = int(n)
		}
	}
	c, found := classes[status]
	switch {
	case found:
		return &gateway.Error{Kind: c.kind, TypeName: c.name, HTTPStatus: status, Message: c.text}
	case status >= 500 && status < 600:
		return &gateway.Error{Kind: gateway.KindUpstream, TypeName: "internal_server_error", HTTPStatus: status, Message: "The provider failed."}
	case status >= 400 && status < 500:
		return &gateway.Error{Kind: gateway.KindInvalid, HTTPStatus: status, Message: "The provider refused the request."}
	default:
		return &gateway.Error{Kind: gateway.KindUpstream, Message: "The provider failed."}
	}
}

func capped(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > maxVendorText {
		s = strings.ToValidUTF8(s[:maxVendorText], "") + "..."
	}
	return s
}

// retryAfter reads the header in seconds or as a date; absurd values are capped, past ones and rubbish are none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 {
		wait = time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return max(0, min(wait, maxRetryAfter))
}
