package gateway

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong, from a closed list. Two tables read it: kind to HTTP status and type (Error.Status,
// Error.Type), and kind to what the worker does with a message (package queue).
type Kind uint8

const (
	KindInternal        Kind = iota // our fault
	KindInvalid                     // the request cannot be served as it is: 400
	KindUnauthenticated             // who calls is not known: 401
	KindForbidden                   // known, and not allowed: 403
	KindNotFound                    // absent, or another owner's: 404
	KindMethod                      // the route exists, the method does not: 405
	KindConflict                    // the state does not allow it: 409
	KindTooLarge                    // over a size limit: 413
	KindUnsupported                 // a media type or encoding we do not read: 415
	KindRateLimited                 // too much at once: 429
	KindBudget                      // no money left: 429
	KindUnavailable                 // a part we need is away; try again: 503
	KindStorageFull                 // the disk or quota is full: 507
	KindUpstream                    // the provider failed or was unreachable: 502
	KindTimeout                     // the provider took too long: 504
	KindCanceled                    // the caller hung up: 499, seen in logs only
)

// kinds is the one table from kind to what a caller sees.
var kinds = [...]struct {
	status int
	name   string // OpenAI's error type
}{
	KindInternal:        {500, "server_error"},
	KindInvalid:         {400, "invalid_request_error"},
	KindUnauthenticated: {401, "auth_error"},
	KindForbidden:       {403, "permission_error"},
	KindNotFound:        {404, "invalid_request_error"},
	KindMethod:          {405, "invalid_request_error"},
	KindConflict:        {409, "invalid_request_error"},
	KindTooLarge:        {413, "invalid_request_error"},
	KindUnsupported:     {415, "invalid_request_error"},
	KindRateLimited:     {429, "rate_limit_error"},
	KindBudget:          {429, "budget_exceeded"},
	KindUnavailable:     {503, "server_error"},
	KindStorageFull:     {507, "server_error"},
	KindUpstream:        {502, "server_error"},
	KindTimeout:         {504, "timeout"},
	KindCanceled:        {499, "server_error"},
}

// Error is the one error that crosses package borders. Message is safe to show to a caller; Cause is for logs only.
type Error struct {
	Kind       Kind
	Message    string        // for the caller: names the field and the limit, never a secret
	Param      string        // the field at fault, may be empty
	Code       string        // a machine-readable code; empty means the status as a string
	TypeName   string        // overrides the kind's type where the contract names another
	HTTPStatus int           // overrides the kind's status: a provider's own, passed on
	RetryAfter time.Duration // sent as Retry-After when positive
	Retry      *bool         // sent as X-Should-Retry: what a provider says of trying again
	Cause      error
}

// Errorf makes an Error of a kind with a message for the caller. Causes do not belong into it: see WithCause.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error for a bad field.
func Invalid(param, format string, args ...any) *Error {
	e := Errorf(KindInvalid, format, args...)
	e.Param = param
	return e
}

// WithCause returns e with a cause that only logs will show.
func (e *Error) WithCause(err error) *Error { e.Cause = err; return e }

func (e *Error) Error() string {
	if e.Cause != nil && e.Cause.Error() != e.Message {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Status is the HTTP status the caller gets.
func (e *Error) Status() int {
	if e.HTTPStatus != 0 {
		return e.HTTPStatus
	}
	return kinds[e.Kind].status
}

// Type is the error type the caller gets, in OpenAI's words.
func (e *Error) Type() string {
	if e.TypeName != "" {
		return e.TypeName
	}
	return kinds[e.Kind].name
}

// AsError finds the Error in err's chain, or wraps err as an internal error whose text the caller does not see.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: KindInternal, Message: "Internal error.", Cause: err}
}
