package dialect

import (
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

// VendorError makes the error for what a provider answered. Status 0 is an error that came under a good status, or inside a stream.
// Of the provider's text only a capped message goes on.
func VendorError(status int, h http.Header, message string) *gateway.Error {
	e := classify(status)
	e.RetryAfter = retryAfter(h)
	if retry := h.Get("X-Should-Retry"); retry == "true" || retry == "false" {
		is := retry == "true"
		e.Retry = &is
	}
	if message := capped(message); message != "" {
		e.Message = message
	}
	return e
}

// InvalidAnswer is the error for an answer that makes no sense: nobody knows what was done for it.
func InvalidAnswer(what string) *gateway.Error {
	e := gateway.Errorf(gateway.KindUpstream, "The provider's answer is invalid: %s.", what)
	e.Code = CodeInvalidAnswer
	return e
}

// Codes of errors.
const (
	CodeInvalidAnswer = "upstream_invalid_response"
	CodeContextLength = "context_length_exceeded"  // the prompt is longer than the model takes
	CodeContentFilter = "content_policy_violation" // the provider's filter refused the prompt
)

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

func classify(status int) *gateway.Error {
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
