package wire

import (
	"fmt"
	"net/http"
)

// Refusal is an error answer, before a vendor has put it in its words. Empty texts are filled in by status.
type Refusal struct {
	Status               int
	Kind, Param, Code    string
	Message, RetryAfter  string
	WithoutRetryAfter    bool
	Key                  bool   // the credential is wrong
	AlsoHeader, AlsoText string // a header to add, for hostile answers
	Detail               any    // what a vendor's parser tells its own Refuse
}

// Invalid refuses with status 400.
func Invalid(param, format string, args ...any) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}

// Blocked refuses a prompt for what it says.
func Blocked() *Refusal { return &Refusal{Status: http.StatusBadRequest, Code: CodeBlocked} }

// CodeBlocked marks a refusal for what the prompt says; each vendor has its own code for it.
const CodeBlocked = "blocked"

// First is the first text that is not empty.
func First(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// OrNull is the text, or nil if it is empty.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
