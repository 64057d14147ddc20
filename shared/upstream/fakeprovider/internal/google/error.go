// Package google says errors as Google's APIs do ("Errors", AIP-193, read 2026-11).
package google

import (
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

var kinds = map[int]struct{ status, message string }{
	400: {"INVALID_ARGUMENT", "Request contains an invalid argument."},
	401: {"UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other " +
		"valid authentication credential."},
	403: {"PERMISSION_DENIED", "The caller does not have permission"},
	404: {"NOT_FOUND", "Requested entity was not found."},
	408: {"DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
	429: {"RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."},
	499: {"CANCELLED", "The operation was cancelled."},
	500: {"INTERNAL", "An internal error has occurred."},
	503: {"UNAVAILABLE", "The model is overloaded. Please try again later."},
	504: {"DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
}

// Refuse is the body of an error answer.
func Refuse(no *wire.Refusal, h http.Header) []byte {
	known := kinds[no.Status]
	byClass := "INVALID_ARGUMENT"
	if no.Status >= 500 || no.Status < 400 {
		byClass = "INTERNAL"
	}
	e := map[string]any{
		"code": no.Status, "status": wire.First(no.Kind, known.status, byClass),
		"message": wire.First(no.Message, known.message, "Internal error encountered."),
	}
	if details := details(no, h); details != nil {
		e["details"] = details
	}
	return wire.JSON(map[string]any{"error": e})
}

func details(no *wire.Refusal, h http.Header) []any {
	if no.Detail != nil {
		return []any{no.Detail}
	}
	seconds := h.Get("Retry-After")
	if no.Status != http.StatusTooManyRequests || seconds == "" || strings.Trim(seconds, "0123456789") != "" {
		return nil
	}
	h.Del("Retry-After") // Google says it in the body
	return []any{map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds + "s"}}
}
