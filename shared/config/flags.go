package config

import (
	"errors"
	"strings"

	"github.com/sluice-gateway/sluice/shared/routing"
)

// FromFlags is the deployment of "--model gpt-3.5-turbo --api_base URL": served under that very name, or under alias. The
// key comes from the provider's variable; a host of one's own may need none.
func FromFlags(model, apiBase, alias string, env func(string) string) (routing.Deployment, []Warning, error) {
	if model == "" {
		return routing.Deployment{}, nil, errors.New("--model is empty")
	}
	up := upstream{name: model, model: model, base: strings.TrimSpace(apiBase)}
	if alias != "" {
		up.name = alias
	}
	d, notes, err := up.resolve(env)
	if err != nil {
		return routing.Deployment{}, nil, errors.New("--model " + model + ": " + err.Error())
	}
	var warnings []Warning
	for _, note := range notes {
		if !strings.Contains(note, " is sent to ") { // with --api_base that is the point
			warnings = append(warnings, Warning{Message: "--model " + model + ": " + note})
		}
	}
	return d, warnings, nil
}

// Discover finds every provider whose key is in the environment, and serves it as "<prefix>/*". OpenAI's models are also
// listed bare ("gpt-4o"): known gives the names that the price book has for a provider, and may be nil. A provider whose
// address in the environment is wrong is left out with a warning.
func Discover(env func(string) string, known func(provider string) []string) ([]routing.Deployment, []Warning) {
	var found []routing.Deployment
	var warnings []Warning
	for _, p := range providers {
		if _, key := firstSet(env, p.keyEnv); key == "" || p.word != "" { // a row with a word of its own repeats another one
			continue
		}
		all := p.prefix + "/*"
		d, notes, err := upstream{name: all, model: all}.resolve(env)
		if err != nil {
			warnings = append(warnings, Warning{Message: all + " is left out: " + err.Error()})
			continue
		}
		for _, note := range notes {
			warnings = append(warnings, Warning{Message: all + ": " + note})
		}
		found = append(found, d)
		if p.prefix != "openai" || known == nil {
			continue
		}
		for _, name := range known(p.prefix) {
			bare := d
			bare.Model, bare.VendorModel = name, name
			found = append(found, bare)
		}
	}
	return found, warnings
}

// Echo is the built-in model: it needs no account and answers with what it was asked.
func Echo() routing.Deployment {
	d, _, _ := upstream{name: "echo", model: "echo"}.resolve(func(string) string { return "" })
	return d
}
