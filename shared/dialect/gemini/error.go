package gemini

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	maxParam = 64               // bytes of a field's name that a caller sees
	maxDelay = 10 * time.Minute // as package dialect caps a Retry-After header
)

// failure is google.rpc.Status as it stands in an answer.
type failure struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Details []detail `json:"details,omitempty"`
}

// detail is any of google.rpc's: the fields that matter of each.
type detail struct {
	Type       string            `json:"@type"`
	Reason     string            `json:"reason,omitempty"`
	Domain     string            `json:"domain,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	RetryDelay string            `json:"retryDelay,omitempty"`
	Violations []violation       `json:"fieldViolations,omitempty"`
}

type violation struct {
	Field string `json:"field"`
}

// words are google.rpc's names for statuses, for callers and from upstreams (google/rpc/code.proto, read 2026-11).
var words = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	413: "INVALID_ARGUMENT", 415: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED",
	500: "INTERNAL", 501: "UNIMPLEMENTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}

// statuses are the other way round, for errors that come under a good status.
var statuses = map[string]int{
	"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
	"NOT_FOUND": 404, "ABORTED": 409, "ALREADY_EXISTS": 409, "RESOURCE_EXHAUSTED": 429, "CANCELLED": 499, "INTERNAL": 500,
	"UNKNOWN": 500, "DATA_LOSS": 500, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}

// DecodeError reads Google's error answer; it may stand alone or in a list. Status 0 is an error that came under a good status.
func DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	f := readFailure(body)
	if status == 0 {
		if status = statuses[f.Status]; status == 0 && f.Code >= 400 && f.Code < 600 {
			status = f.Code
		}
	}
	status = truer(status, f)
	e := dialect.VendorError(status, h, f.Message)
	if wait := f.retryDelay(); wait > 0 && e.RetryAfter == 0 {
		e.RetryAfter = wait
	}
	if len(f.Status) <= maxParam {
		e.Code = f.Status
	}
	if status != 400 {
		return e
	}
	for _, d := range f.Details {
		if len(d.Violations) > 0 && len(d.Violations[0].Field) <= maxParam {
			e.Param = d.Violations[0].Field
			break
		}
	}
	if code := codeOf(strings.ToLower(f.Message)); code != "" {
		e.Code = code
	}
	return e
}

func readFailure(body []byte) (f failure) {
	body = bytes.TrimSpace(body)
	type answer struct {
		Error json.RawMessage `json:"error"`
	}
	var a answer
	if isArray(body) {
		var list []answer
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return f
		}
		a = list[0]
	} else if json.Unmarshal(body, &a) != nil {
		return f
	}
	if json.Unmarshal(a.Error, &f) != nil {
		var plain struct { // some part has another type: at least the text
			Message string `json:"message"`
			Status  string `json:"status"`
		}
		if json.Unmarshal(a.Error, &plain) != nil {
			_ = json.Unmarshal(a.Error, &plain.Message)
		}
		f = failure{Message: plain.Message, Status: plain.Status}
	}
	return f
}

// truer corrects a status that says less than the error does: a bad key and a place where Google does not serve are 400 to it, and
// nothing that the caller could mend.
func truer(status int, f failure) int {
	if status != 400 {
		return status
	}
	message := strings.ToLower(f.Message)
	for _, d := range f.Details {
		if d.Reason == "API_KEY_INVALID" || d.Reason == "API_KEY_EXPIRED" {
			return 401
		}
	}
	switch {
	case strings.Contains(message, "api key not valid"), strings.Contains(message, "api key expired"), strings.Contains(message, "api key not found"):
		return 401
	case f.Status == "FAILED_PRECONDITION" && (strings.Contains(message, "location") || strings.Contains(message, "billing")):
		return 403
	default:
		return status
	}
}

// codeOf finds what clients must be able to tell from other bad requests. Google has only words for it: "The input token count (1048577)
// exceeds the maximum number of tokens allowed (1048576)", "the input token count is 5 but model only supports up to 4".
func codeOf(message string) string {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("token count") && (has("exceeds") || has("only supports up to")):
		return dialect.CodeContextLength
	case has("blocked") && (has("safety") || has("policy") || has("policies") || has("prohibited")):
		return dialect.CodeContentFilter
	default:
		return ""
	}
}

// retryDelay is what google.rpc.RetryInfo asks for, such as "22s"; absurd values are capped.
func (f *failure) retryDelay() time.Duration {
	for _, d := range f.Details {
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(d.RetryDelay, "s"), 64)
		if err == nil && seconds > 0 {
			return time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second))
		}
	}
	return 0
}

// EncodeError writes an error for a caller as Google would. What Google's form has no place for stands in an ErrorInfo.
func EncodeError(e *gateway.Error) []byte {
	status := e.Status()
	f := failure{Code: status, Message: e.Message, Status: words[status]}
	switch {
	case f.Status != "":
	case status >= 400 && status < 500:
		f.Status = "FAILED_PRECONDITION"
	default:
		f.Status = "INTERNAL"
	}
	info := detail{Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: e.Code, Domain: "sluice", Metadata: map[string]string{"type": e.Type()}}
	if info.Reason == "" {
		info.Reason = strconv.Itoa(status)
	}
	f.Details = append(f.Details, info)
	if e.Param != "" {
		f.Details = append(f.Details, detail{Type: "type.googleapis.com/google.rpc.BadRequest", Violations: []violation{{e.Param}}})
	}
	if e.RetryAfter > 0 {
		delay := strconv.FormatInt(int64(math.Ceil(e.RetryAfter.Seconds())), 10) + "s"
		f.Details = append(f.Details, detail{Type: "type.googleapis.com/google.rpc.RetryInfo", RetryDelay: delay})
	}
	body, _ := json.Marshal(map[string]failure{"error": f})
	return body
}
