package config

import (
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// Choice is how an owner says which models to serve. All of it may be empty.
type Choice struct {
	File    string // config.yaml
	Model   string // this one ...
	APIBase string // ... from here ...
	Alias   string // ... under this name
}

// Models is what will be served.
type Models struct {
	Deployments []routing.Deployment
	Prices      map[string]pricing.Price // those that the file sets, by Deployment.PriceAs
	Settings    Settings
	File        *File // nil: there is none
	Discovered  bool  // nothing was chosen: these are all that can be had without being told
}

// Models finds the deployments: those of the file and the one that the flags name, or else what the environment has keys
// for, and echo.
func (c Choice) Models(env func(string) string) (m Models, warnings []Warning, err error) {
	m.Settings = DefaultSettings()
	if c.File != "" {
		if m.File, warnings, err = ReadFile(c.File, env); err != nil {
			return m, warnings, err
		}
		m.Deployments, m.Prices, m.Settings = m.File.Deployments, ownPrices(m.File.Prices), m.File.Settings
		env = m.File.Getenv
	}
	var more []Warning
	switch {
	case c.Model != "":
		var these []routing.Deployment
		if these, more, err = FromFlags(c.Model, c.APIBase, c.Alias, env); err == nil {
			m.Deployments = append(m.Deployments, dropping(these, m.Settings.Drop)...)
		}
	case c.File == "":
		m.Deployments, more = Discover(env, pricedNames)
		m.Deployments, m.Discovered = append(m.Deployments, Echo()), true
	}
	return m, append(warnings, more...), err
}

// pricedNames are the names that the price book has for a provider.
func pricedNames(provider string) (names []string) {
	for _, p := range pricing.Default().Models(provider) {
		names = append(names, p.Model)
	}
	return names
}

// dropping are deployments with an owner's wish for all of them.
func dropping(ds []routing.Deployment, drop bool) []routing.Deployment {
	for i := range ds {
		ds[i].Drop = drop
	}
	return ds
}

func ownPrices(prices []Price) map[string]pricing.Price {
	own := make(map[string]pricing.Price, len(prices))
	for _, p := range prices {
		// a billionth of a dollar for a million tokens is a thousandth of a pico-dollar for one
		input, output := pricing.PicoUSD(p.InputPerMTok/1000), pricing.PicoUSD(p.OutputPerMTok/1000)
		own[p.Name] = pricing.Custom(pricing.Rates{
			Input: input, Cached: input, CacheWrite: input, CacheWrite1h: input, AudioInput: input, Output: output, AudioOutput: output,
		})
	}
	return own
}
