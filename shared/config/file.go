// Package config turns what an operator wrote (LiteLLM's config.yaml, flags, the environment) into deployments and
// settings, and says what of it has no effect. No message of it holds a secret.
package config

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// maxFileBytes is far above any real config; it keeps a wrong path from filling the memory.
const maxFileBytes = 8 << 20

// File is what a config.yaml says. Deployments are in the file's order; several may have one Model.
type File struct {
	Path        string
	Deployments []routing.Deployment
	Prices      []Price
	MasterKey   gateway.Secret // empty: the file has none. Not checked: see CheckMasterKey
	Settings    Settings

	vars map[string]string // environment_variables
	env  func(string) string
}

// Price is a price that the file itself sets. Deployment.PriceAs names it.
type Price struct {
	Name          string
	InputPerMTok  gateway.NanoUSD // for a million input tokens
	OutputPerMTok gateway.NanoUSD // for a million output tokens
}

// Getenv is the environment as the file sees it: its environment_variables first, then the one it was read with.
func (f *File) Getenv(name string) string {
	if v, ok := f.vars[name]; ok {
		return v
	}
	return f.env(name)
}

// ReadFile reads a config.yaml with an environment. See Parse.
func ReadFile(path string, env func(string) string) (*File, []Warning, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read config: %w", err)
	}
	if info.Size() > maxFileBytes {
		return nil, nil, fmt.Errorf("read config: %s is larger than %d bytes", path, maxFileBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read config: %w", err)
	}
	return Parse(path, data, env)
}

// Parse reads the text of a config.yaml. What is wrong (broken YAML, a wrong type, a row without a name) is an error of
// the form "file:line: message"; what cannot work here, or means nothing to Sluice, is a warning and is left out.
func Parse(file string, data []byte, env func(string) string) (*File, []Warning, error) {
	f := &File{Path: file, Settings: DefaultSettings(), vars: map[string]string{}, env: env}
	r := &reader{file: file, env: f.Getenv, told: map[string]bool{}}
	root, err := r.parse(data)
	if err != nil {
		return nil, nil, err
	}
	sections, err := r.fields("", root)
	if err != nil {
		return nil, nil, err
	}
	if err := r.sections(f, sections); err != nil {
		return nil, nil, err
	}
	f.Deployments = withResponsesOnly(f.Deployments)
	return f, r.warnings, nil
}

// sections reads environment_variables before everything else, since any string may name one.
func (r *reader) sections(f *File, sections []entry) error {
	readers := []struct {
		name string
		read func(*File, entry) error
	}{
		{"environment_variables", r.variables},
		{"general_settings", r.settings},
		{"litellm_settings", r.settings},
		{"model_list", r.models},
	}
	known := map[string]bool{}
	for _, s := range readers {
		known[s.name] = true
		for _, sec := range sections {
			if sec.path == s.name {
				if err := s.read(f, sec); err != nil {
					return err
				}
			}
		}
	}
	for _, sec := range sections {
		if !known[sec.path] {
			r.warn(sec.line, "section %s has no effect yet", sec.path)
		}
	}
	return nil
}

// variables keeps a value as it is written when it is a number or a truth value: in an environment all are text.
func (r *reader) variables(f *File, sec entry) error {
	vars, err := r.fields(sec.path, sec.val)
	if err != nil {
		return err
	}
	for _, v := range vars {
		if isNull(v.val) {
			continue
		}
		if v.val.Kind != yaml.ScalarNode {
			return r.errorf(v.line, "%s must be text, not %s", v.path, kindOf(v.val))
		}
		s, ok, err := r.follow(v)
		if err != nil && !r.warnUnset(err, "it stays unset") {
			return err
		}
		if ok {
			f.vars[strings.TrimPrefix(v.path, sec.path+".")] = s
		}
	}
	return nil
}
