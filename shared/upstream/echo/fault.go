package echo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// fault is an error as OpenAI tells it.
type fault struct {
	status  int
	kind    string // OpenAI's "type"
	code    string
	param   string
	message string
	retry   int // seconds in Retry-After; 0: the header is not there
}

// invalid is the fault for a request that echo cannot answer.
func invalid(param, format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: fmt.Sprintf(format, args...)}
}

func (f *fault) with(status int) *fault { f.status = status; return f }

// tooLong is the fault for what fits in no context window.
func tooLong(what string) *fault {
	f := invalid("messages", "This model's maximum context length is %d tokens, and the %s is longer.", contextWindow, what)
	f.code = "context_length_exceeded"
	return f
}

// fatal has the errors that [[error]] and [[fail]] know by name; every other status from 400 to 599 has one of these types
// without a code (OpenAI's and Anthropic's lists of errors, read 2026-11).
var fatal = []struct {
	name string
	fault
}{
	{"400", fault{400, "invalid_request_error", "", "", "The request is invalid.", 0}},
	{"401", fault{401, "invalid_request_error", "invalid_api_key", "", "Incorrect API key provided.", 0}},
	{"403", fault{403, "permission_error", "", "", "You are not allowed to use this model.", 0}},
	{"404", fault{404, "invalid_request_error", "model_not_found", "model", "The model does not exist.", 0}},
	{"408", fault{408, "timeout_error", "", "", "The request timed out.", 0}},
	{"413", fault{413, "invalid_request_error", "", "", "The request is too large.", 0}},
	{"422", fault{422, "invalid_request_error", "", "", "The request cannot be processed.", 0}},
	{"429", fault{429, "rate_limit_error", "rate_limit_exceeded", "", "The rate limit is reached.", 1}},
	{"500", fault{500, "server_error", "", "", "The server had an error.", 0}},
	{"502", fault{502, "server_error", "", "", "Bad gateway.", 0}},
	{"503", fault{503, "server_error", "", "", "The engine is overloaded.", 0}},
	{"529", fault{529, "overloaded_error", "", "", "Overloaded.", 0}},
	{"context_length", fault{400, "invalid_request_error", "context_length_exceeded", "messages", "The prompt exceeds the model's context.", 0}},
	{"content_policy", fault{400, "invalid_request_error", "content_policy_violation", "messages", "The content filter refused the prompt.", 0}},
	{"quota", fault{429, "insufficient_quota", "insufficient_quota", "", "You exceeded your current quota.", 0}},
}

// faultNamed finds an error by its name or its status.
func faultNamed(name string) *fault {
	for i := range fatal {
		if fatal[i].name == name {
			f := fatal[i].fault
			return &f
		}
	}
	var status int
	switch {
	case !number(name, 400, 599, &status):
		return nil
	case status < 500:
		return &fault{status: status, kind: "invalid_request_error", message: "The request was refused."}
	default:
		return &fault{status: status, kind: "server_error", message: "The server had an error."}
	}
}

// text is the error object. Inside an answer that has begun its code is the status, as there is no other place for that.
func (f *fault) text(begun bool) []byte {
	var code any
	if f.code != "" {
		code = f.code
	}
	if begun {
		code = f.status
	}
	var param any
	if f.param != "" {
		param = f.param
	}
	text, _ := json.Marshal(map[string]any{"error": map[string]any{ // texts and numbers: cannot fail
		"message": f.message, "type": f.kind, "param": param, "code": code,
	}})
	return text
}

func (f *fault) response() (*http.Response, error) {
	r := whole(f.status, f.text(false))
	if f.retry > 0 {
		r.Header.Set("Retry-After", strconv.Itoa(f.retry))
	}
	return r, nil
}

// number reads a whole number within bounds.
func number(text string, least, most int, into *int) bool {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most || strings.HasPrefix(text, "+") {
		return false
	}
	*into = n
	return true
}
