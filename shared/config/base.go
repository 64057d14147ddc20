package config

import (
	"errors"
	"net/url"
	"strings"
)

// operations are what people paste behind a base, with the longer ones first.
var operations = []string{"/chat/completions", "/completions", "/embeddings", "/responses", "/messages"}

// CleanBase brings an API base to the one form that Deployment.BaseURL has: http or https, a host, a path without trailing
// slash. A pasted full URL ("https://host/v1/chat/completions") loses its operation, and cut is then what was removed.
// Errors name the fault and never repeat the address, which may hold a secret.
func CleanBase(raw string) (base, cut string, err error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", "", errors.New("api_base is no valid URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", "", errors.New("api_base must start with http:// or https://")
	case u.Hostname() == "":
		return "", "", errors.New("api_base names no host")
	case u.User != nil:
		return "", "", errors.New("api_base must not contain a user name or password; use api_key")
	case u.RawQuery != "" || u.ForceQuery:
		return "", "", errors.New("api_base must not contain a query (the part after ?)")
	case strings.Contains(raw, "#"):
		return "", "", errors.New("api_base must not contain a fragment (the part after #)")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, op := range operations {
		if before, found := strings.CutSuffix(path, op); found {
			path, cut = strings.TrimRight(before, "/"), op
			break
		}
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + path, cut, nil
}

// pathless reports whether a clean base is only a host.
func pathless(base string) bool { return strings.Count(base, "/") == 2 }

// hostOf returns the host of a clean base.
func hostOf(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// origin returns the scheme and host of a clean base.
func origin(base string) string {
	scheme, _, _ := strings.Cut(base, "://")
	return scheme + "://" + hostOf(base)
}

// cutPath cuts a clean base at a part of its path: "https://h/a/openai/v1" at "/openai" is "https://h/a" and "/v1".
func cutPath(base, part string) (before, after string, found bool) {
	path, after, found := strings.Cut(base[len(origin(base)):]+"/", part+"/")
	return origin(base) + strings.TrimSuffix(path, "/"), strings.TrimSuffix("/"+after, "/"), found
}
