package fakeprovider

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error answer in OpenAI's shape.
type refusal struct {
	status               int
	kind, param, code    string
	message, retryAfter  string
	withoutRetryAfter    bool
	alsoHeader, alsoText string // a header to add, for hostile answers
}

func invalid(param, format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, param: param, message: fmt.Sprintf(format, args...)}
}

// kinds are OpenAI's error types by status; others are by class.
var kinds = map[int]struct{ kind, code, message string }{
	401: {"invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
	403: {"permission_error", "", "You are not allowed to use this model."},
	404: {"invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
	408: {"timeout", "", "Request timed out."},
	413: {"invalid_request_error", "request_too_large", "The request is too large."},
	429: {"rate_limit_error", "rate_limit_exceeded", "Rate limit reached."},
	503: {"server_error", "", "The engine is currently overloaded, please try again later."},
	529: {"overloaded_error", "", "Overloaded."},
}

// body is the error answer; empty param and code are null.
func (e refusal) body() []byte {
	known := kinds[e.status]
	byClass := "invalid_request_error"
	if e.status >= 500 {
		byClass = "server_error"
	}
	b, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": first(e.message, known.message, "The server had an error while processing your request."),
		"type":    first(e.kind, known.kind, byClass), "param": orNull(e.param), "code": orNull(first(e.code, known.code)),
	}})
	return b
}

func writeError(w http.ResponseWriter, e refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	switch {
	case e.retryAfter != "":
		h.Set("Retry-After", e.retryAfter)
	case e.status == http.StatusTooManyRequests && !e.withoutRetryAfter:
		h.Set("Retry-After", "1")
	}
	if e.alsoHeader != "" {
		h.Set(e.alsoHeader, e.alsoText)
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body())
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
