package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// oidc begins LiteLLM's words for where an identity token comes from.
const oidc = "oidc/"

// identity reads such a word, a file's name or a token itself. The name of the field is for the error.
func identity(field, text string, env lookup) (routing.Identity, error) {
	word, indirect := strings.CutPrefix(text, oidc)
	source, rest, _ := strings.Cut(word, "/")
	switch {
	case !indirect && filepath.IsAbs(text):
		return routing.Identity{File: text}, nil
	case !indirect:
		return routing.Identity{Token: gateway.Secret(text)}, nil
	case source == "google" && rest != "":
		return routing.Identity{Audience: rest}, nil
	case source == "file" && rest != "":
		return routing.Identity{File: rest}, nil
	case source == "env" && env(rest) != "":
		return routing.Identity{Token: gateway.Secret(env(rest))}, nil
	case source == "env_path" && env(rest) != "":
		return routing.Identity{File: env(rest)}, nil
	case source == "env" || source == "env_path":
		return routing.Identity{}, unusable(fmt.Sprintf("%s: environment variable %s is not set", field, rest))
	default:
		return routing.Identity{}, unusable(field + " must be a token, a file, or oidc/google/, oidc/file/, oidc/env/ or oidc/env_path/ and a name")
	}
}

// home is a file below the owner's home folder, if it is there; else empty.
func home(env lookup, parts ...string) string {
	folder := env("HOME")
	if folder == "" {
		return ""
	}
	path := filepath.Join(append([]string{folder}, parts...)...)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return ""
	}
	return path
}

// plainName reports whether text is safe as a part of a host or of a path: names of regions and projects are.
func plainName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-.:", r)
	})
}
