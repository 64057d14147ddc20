package config

import (
	"errors"
	"strings"

	"github.com/sluice-gateway/sluice/shared/routing"
)

// FromFlags are the deployments of "--model gpt-3.5-turbo --api_base URL": served under that very name, or under alias. The
// key comes from the provider's variable; a host of one's own may need none. A pattern may need several.
func FromFlags(model, apiBase, alias string, env func(string) string) ([]routing.Deployment, []Warning, error) {
	if model == "" {
		return nil, nil, errors.New("--model is empty")
	}
	up := upstream{name: model, model: model, base: strings.TrimSpace(apiBase)}
	if alias != "" {
		up.name = alias
	}
	found, notes, err := up.resolve(env)
	if err != nil {
		return nil, nil, errors.New("--model " + model + ": " + err.Error())
	}
	var warnings []Warning
	for _, note := range notes {
		if !strings.Contains(note, " is sent to ") { // with --api_base that is the point
			warnings = append(warnings, Warning{Message: "--model " + model + ": " + note})
		}
	}
	return withResponsesOnly(found), warnings, nil
}

// Discover finds every provider whose key is in the environment, and serves it as "<prefix>/*". OpenAI's models are also
// listed bare ("gpt-4o"): known gives the names that the price book has for a provider, and may be nil. A provider whose
// address in the environment is wrong is left out with a warning.
func Discover(env func(string) string, known func(provider string) []string) ([]routing.Deployment, []Warning) {
	found, warnings := discover(env, known)
	return withResponsesOnly(found), warnings
}

func discover(env lookup, known func(provider string) []string) (found []routing.Deployment, warnings []Warning) {
	for _, p := range providers {
		if p.word != "" || !p.filled().found(env) { // a row with a word of its own repeats another one
			continue
		}
		all := p.prefix + "/*"
		ds, notes, err := upstream{name: all, model: all}.resolve(env)
		if err != nil {
			warnings = append(warnings, Warning{Message: all + " is left out: " + err.Error()})
			continue
		}
		for _, note := range notes {
			warnings = append(warnings, Warning{Message: all + ": " + note})
		}
		found = append(found, ds...)
		if p.prefix != "openai" || known == nil {
			continue
		}
		for _, name := range known(p.prefix) {
			if bare, _, err := (upstream{name: name, model: "openai/" + name}).resolve(env); err == nil {
				found = append(found, bare...)
			}
		}
	}
	return found, warnings
}

// Echo is the built-in model: it needs no account and answers with what it was asked.
func Echo() routing.Deployment {
	ds, _, _ := upstream{name: "echo", model: "echo"}.resolve(func(string) string { return "" })
	return ds[0]
}
