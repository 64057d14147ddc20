package messages

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// errorTypes are Anthropic's names for statuses (its page on API errors, read 2026-11). Other statuses below 500 are invalid requests,
// others from 500 on are API errors.
var errorTypes = map[int]string{
	401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error", 409: "conflict_error",
	413: "request_too_large", 429: "rate_limit_error", 408: "timeout_error", 504: "timeout_error", 503: overloaded, 529: overloaded,
}

const (
	overloaded = "overloaded_error"
	tooLong    = "prompt is too long" // agents look for these words to know that they must shorten a conversation
)

// EncodeError is the body of an error for a caller.
func EncodeError(e *gateway.Error) []byte {
	status := e.Status()
	name, found := errorTypes[status]
	switch {
	case found:
	case status < 500:
		name = "invalid_request_error"
	default:
		name = "api_error"
	}
	message := e.Message
	if e.Code == dialect.CodeContextLength && !strings.Contains(message, tooLong) {
		message = tooLong + ": " + message
	}
	type inner struct {
		Type    string            `json:"type"`
		Message string            `json:"message"`
		Details map[string]string `json:"details,omitempty"`
	}
	told := inner{Type: name, Message: message}
	if e.Code == threadsUnsupported {
		told.Details = map[string]string{"error_code": e.Code}
	}
	return marshal(struct {
		Type  string `json:"type"`
		Error inner  `json:"error"`
	}{"error", told})
}

// statuses are what Anthropic's names of errors stand for, and Google's on Vertex AI.
var statuses = map[string]int{
	"invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403, "not_found_error": 404,
	"conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500, "timeout_error": 504, overloaded: 529,
	"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
	"RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}

// decodeError reads an error body of Anthropic's, or Google's around it. Google wraps some in a list.
func decodeError(status int, h http.Header, body []byte) *gateway.Error {
	if list := elements(body); len(list) > 0 {
		body = list[0]
	}
	var (
		outer = [...]jsonedit.Field{{Name: "error"}, {Name: "message"}}
		inner = [...]jsonedit.Field{{Name: "type"}, {Name: "message"}, {Name: "code"}, {Name: "status"}, {Name: "details"}}
	)
	jsonedit.Find(body, outer[:])
	dialect.Within(&outer[0], inner[:])
	message := firstText(&inner[1], &outer[0], &outer[1])
	if status == 0 {
		status = statusOf(&inner[0], &inner[3], &inner[2])
	}
	e := dialect.VendorError(status, h, message)
	if e.RetryAfter == 0 {
		e.RetryAfter = retryDelay(&inner[4])
	}
	e.Param = path(message)
	lower := strings.ToLower(message)
	for _, known := range refusals {
		if (status == 400 || status == 413) && strings.Contains(lower, known.words) {
			e.Kind, e.Code, e.HTTPStatus, e.TypeName = gateway.KindInvalid, known.code, 400, "invalid_request_error"
			break
		}
	}
	if status == 402 { // the gateway's account is at fault, not the request
		e.Kind = gateway.KindUpstream
	}
	return e
}

// maxDelay is the longest wait that is passed on, as package dialect caps a Retry-After header.
const maxDelay = 10 * time.Minute

// retryDelay is when to try again where Google says it: in a google.rpc.RetryInfo, such as "22s".
func retryDelay(details *jsonedit.Field) time.Duration {
	for _, one := range elements(details.Raw) {
		f := [...]jsonedit.Field{{Name: "retryDelay"}}
		jsonedit.Find(one, f[:])
		text, _ := f[0].Text()
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
		if err == nil && seconds > 0 {
			return time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second))
		}
	}
	return 0
}

// refusals tell prompts that are refused for what they are by the words of the message: Anthropic has no codes for them.
var refusals = []struct{ words, code string }{
	{tooLong, dialect.CodeContextLength},
	{"exceed context limit", dialect.CodeContextLength},
	{"context window", dialect.CodeContextLength},
	{"content filtering policy", dialect.CodeContentFilter},
}

// statusOf derives a status from the names that an error has.
func statusOf(kind, word, code *jsonedit.Field) int {
	if n, ok := code.Int(); ok && n >= 400 && n < 600 {
		return int(n)
	}
	for _, f := range [...]*jsonedit.Field{kind, word} {
		if name, ok := f.Text(); ok && statuses[name] != 0 {
			return statuses[name]
		}
	}
	return 0
}

func firstText(all ...*jsonedit.Field) string {
	for _, f := range all {
		if text, ok := f.Text(); ok && text != "" {
			return text
		}
	}
	return ""
}

// path is the field that a message of Anthropic's begins with, as in "messages.0.content: ...".
func path(message string) string {
	name, _, found := strings.Cut(message, ": ")
	if !found || name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.[]") != "" {
		return ""
	}
	return name
}
