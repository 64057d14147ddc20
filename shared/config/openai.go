package config

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
)

const openaiBase = "https://api.openai.com/v1"

// responsesOnly is for models that OpenAI's chat does not serve.
var responsesOnly = []gateway.Op{gateway.OpResponses}

// openai makes a deployment of OpenAI's, or of a host that is called like it. Such a host is taken to have no responses of its own.
func openai(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	ds, notes, err := plain(p, u, vendor, env)
	if err != nil {
		return nil, nil, err
	}
	d := &ds[0]
	official := isOpenAI(d.BaseURL)
	if given := strings.TrimSpace(u.params["organization"]); given != "" || official {
		d.Organization = u.param(env, "organization", "OPENAI_ORGANIZATION", "OPENAI_ORG_ID")
	}
	rest, asked := strings.CutPrefix(vendor, "responses/") // LiteLLM's word for a model that is to be called so
	d.VendorModel = rest
	switch {
	case len(p.speaks) > 0:
	case asked || official && onlyResponses("openai", u.baseModel, rest):
		d.Speaks = responsesOnly
	case official:
		d.Speaks = withResponses
	}
	return ds, notes, nil
}

// isOpenAI reports whether an address is OpenAI's own, in whatever region.
func isOpenAI(base string) bool {
	host := hostOf(base)
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com")
}

// onlyResponses reports whether the price book says of a model that it is served by responses only. The base model, if there is one, says
// what the model is.
func onlyResponses(provider, baseModel, model string) bool {
	if baseModel != "" {
		model = baseModel
	}
	p, known := pricing.Default().Lookup(provider, model)
	return known && p.Mode == "responses"
}

// withResponsesOnly adds to OpenAI's patterns those of their models that are served by responses only. A model that is named already
// stays as it is.
func withResponsesOnly(ds []routing.Deployment) []routing.Deployment {
	named := map[string]bool{}
	for _, d := range ds {
		named[d.Model] = true
	}
	for _, d := range ds {
		fixed, wild := strings.CutSuffix(d.VendorModel, "*")
		if !wild || d.Provider != "openai" || !isOpenAI(d.BaseURL) || len(d.Speaks) != len(withResponses) {
			continue
		}
		for _, p := range pricing.Default().Models("openai") {
			rest, fits := strings.CutPrefix(p.Model, fixed)
			name := strings.TrimSuffix(d.Model, "*") + rest
			if !fits || rest == "" || p.Mode != "responses" || named[name] {
				continue
			}
			one := d
			one.Model, one.VendorModel, one.Speaks, one.Hidden = name, p.Model, responsesOnly, true
			ds = append(ds, one)
		}
	}
	return ds
}
