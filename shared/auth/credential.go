package auth

import (
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// carriers are the headers that may hold a credential; all behave alike. Order is that of likelihood.
var carriers = [...]struct{ header, scheme string }{
	{"Authorization", "Bearer "},
	{"X-Api-Key", ""},
	{"Api-Key", ""},
	{"X-Goog-Api-Key", ""},
}

// credential finds the one credential of a request. Two that differ are refused: what is checked must be what is meant.
func credential(h http.Header) (gateway.Secret, error) {
	var found gateway.Secret
	for _, c := range carriers {
		for _, value := range h[c.header] {
			key := gateway.Secret(bare(value, c.scheme))
			switch {
			case key == "" || key == found:
			case found != "":
				return "", gateway.Errorf(gateway.KindInvalid, "Two different credentials in one request: send one.")
			default:
				found = key
			}
		}
	}
	switch {
	case found == "":
		return "", denied("", "", "Authentication Error, No api key passed in.")
	case !strings.HasPrefix(found.Reveal(), keyPrefix):
		return "", denied("", "", "Authentication Error, LiteLLM Virtual Key expected. Received=%s, expected to start with 'sk-'.",
			strings.TrimPrefix(name(found), keyPrefix))
	default:
		return found, nil
	}
}

// bare takes the scheme off; another scheme is no credential of ours, and neither is the scheme alone.
func bare(value, scheme string) string {
	if scheme == "" {
		return strings.TrimSpace(value)
	}
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return ""
	}
	return strings.TrimSpace(value[len(scheme):])
}
