package config

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// row is one entry of model_list while it is read.
type row struct {
	line          int
	up            upstream
	priceAs       string
	input, output *gateway.NanoUSD // for a million tokens; nil: not given
}

func (r *reader) models(f *File, sec entry) error {
	if isNull(sec.val) {
		return nil
	}
	if sec.val.Kind != yaml.SequenceNode {
		return r.errorf(sec.val.Line, "model_list must be a list, not %s", kindOf(sec.val))
	}
	for i, item := range sec.val.Content {
		if err := r.model(f, fmt.Sprintf("model_list[%d]", i), deref(item)); err != nil {
			return err
		}
	}
	return nil
}

// model adds a row's deployments to the file, or warns why it has none.
func (r *reader) model(f *File, path string, n *yaml.Node) error {
	w, err := r.row(path, n)
	switch {
	case err != nil && r.warnUnset(err, "the model is left out"):
		return nil
	case err != nil:
		return err
	case w.up.name == "*" && w.up.model == "*" && w.up.base == "" && !w.up.keyGiven:
		r.everything(f)
	}
	w.up.baseModel = w.priceAs
	if w.up.drop == nil && f.Settings.Drop {
		w.up.drop = &f.Settings.Drop
	}
	found, notes, err := w.up.resolve(r.env)
	if u := unusable(""); errors.As(err, &u) {
		r.warn(w.line, "model %q is left out: %s", w.up.name, u)
		return nil
	} else if err != nil {
		return r.errorf(w.line, "model %q: %s", w.up.name, err)
	}
	for _, note := range notes {
		r.warn(w.line, "model %q: %s", w.up.name, note)
	}
	priceAs := r.price(f, w)
	for i := range found {
		if priceAs != "" {
			found[i].PriceAs = priceAs
		}
	}
	f.Deployments = append(f.Deployments, found...)
	return nil
}

// everything serves LiteLLM's model_name "*" with model "*": any provider by its prefix, where a key is set.
func (r *reader) everything(f *File) {
	found, warnings := discover(r.env, nil)
	f.Deployments = append(f.Deployments, dropping(found, f.Settings.Drop)...)
	r.warnings = append(r.warnings, warnings...)
}

func (r *reader) row(path string, n *yaml.Node) (row, error) {
	w := row{line: n.Line}
	fields, err := r.fields(path, n)
	if err != nil {
		return w, err
	}
	for _, f := range fields {
		switch strings.TrimPrefix(f.path, path+".") {
		case "model_name":
			w.up.name, _, err = r.text(f)
		case "litellm_params":
			err = r.params(&w, f)
		case "model_info":
			err = r.info(&w, f)
		default:
			r.warnOnce(f.line, strings.TrimPrefix(f.path, path+".")+" of a model has no effect yet")
		}
		if err != nil {
			return w, err
		}
	}
	switch {
	case w.up.name == "":
		return w, r.errorf(n.Line, "%s has no model_name", path)
	case w.up.model == "":
		return w, r.errorf(n.Line, "%s has no litellm_params.model", path)
	}
	return w, nil
}

func (r *reader) params(w *row, sec entry) error {
	fields, err := r.fields(sec.path, sec.val)
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch name := strings.TrimPrefix(f.path, sec.path+"."); name {
		case "model":
			w.up.model, _, err = r.text(f)
		case "custom_llm_provider":
			w.up.provider, _, err = r.text(f)
		case "api_base", "base_url":
			w.up.base, _, err = r.text(f)
		case "api_key":
			var key string
			key, w.up.keyGiven, err = r.text(f)
			w.up.key = gateway.Secret(strings.TrimSpace(key))
		case "input_cost_per_token":
			w.input, err = r.cost(f)
		case "output_cost_per_token":
			w.output, err = r.cost(f)
		case "extra_headers", "headers":
			err = r.extraHeaders(w, f)
		case "drop_params":
			w.up.drop, err = r.truth(f)
		case "additional_drop_params":
			w.up.dropFields, err = r.texts(f)
		default:
			if _, known := params[name]; known {
				err = r.param(w, name, f)
				break
			}
			r.warnOnce(f.line, "litellm_params."+name+" has no effect yet")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// info reads what matters of model_info. The rest describes the model and changes nothing, except access groups.
func (r *reader) info(w *row, sec entry) error {
	fields, err := r.fields(sec.path, sec.val)
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch strings.TrimPrefix(f.path, sec.path+".") {
		case "base_model":
			w.priceAs, _, err = r.text(f)
		case "input_cost_per_token":
			w.input, err = r.cost(f)
		case "output_cost_per_token":
			w.output, err = r.cost(f)
		case "access_groups":
			r.warnOnce(f.line, "model_info.access_groups has no effect yet")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// price records the row's own prices, if any, and returns what the deployment is priced as. Half a price is completed with
// zero, as LiteLLM does, and said.
func (r *reader) price(f *File, w row) string {
	if w.input == nil && w.output == nil {
		return w.priceAs
	}
	p := Price{Name: fmt.Sprintf("%s:%d", f.Path, w.line)}
	for _, side := range []struct {
		name string
		from *gateway.NanoUSD
		to   *gateway.NanoUSD
	}{
		{"input_cost_per_token", w.input, &p.InputPerMTok},
		{"output_cost_per_token", w.output, &p.OutputPerMTok},
	} {
		if side.from == nil {
			r.warn(w.line, "model %q has no %s: it counts as 0", w.up.name, side.name)
			continue
		}
		*side.to = *side.from
	}
	f.Prices = append(f.Prices, p)
	return p.Name
}

// nanoPerMTok converts dollars per token to nano-dollars per million tokens.
var nanoPerMTok = new(big.Rat).SetInt64(int64(gateway.USD) * 1_000_000)

// cost reads dollars per token without passing through a float, and rounds up to whole nano-dollars per million tokens.
func (r *reader) cost(f entry) (*gateway.NanoUSD, error) {
	if isNull(f.val) {
		return nil, nil
	}
	wrong := r.errorf(f.line, "%s must be a number of dollars from 0 to 1", f.path)
	if f.val.Kind != yaml.ScalarNode || f.val.Tag == "!!bool" {
		return nil, wrong
	}
	text, _, err := r.follow(f)
	if err != nil {
		return nil, err
	}
	if _, exp, _ := strings.Cut(strings.ToLower(text), "e"); len(text) > 40 || len(exp) > 4 || strings.ContainsAny(text, "/_xXpPbBoO") {
		return nil, wrong
	}
	rat, ok := new(big.Rat).SetString(text)
	if !ok || rat.Sign() < 0 || rat.Cmp(big.NewRat(1, 1)) > 0 {
		return nil, wrong
	}
	rat.Mul(rat, nanoPerMTok)
	q, rest := new(big.Int).QuoRem(rat.Num(), rat.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	n := gateway.NanoUSD(q.Int64())
	return &n, nil
}
