package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

func TestChoice(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(`model_list:
  - model_name: mine
    litellm_params: {model: openai/local, api_base: "http://127.0.0.1:9/v1", api_key: sk-x, input_cost_per_token: 0.000001, output_cost_per_token: 2.5e-06}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) string {
		return map[string]string{"OPENAI_API_KEY": "sk-o", "MISTRAL_API_KEY": "m"}[name]
	}
	for name, c := range map[string]struct {
		choice     config.Choice
		models     []string // at least these
		exactly    bool
		discovered bool
	}{
		"nothing": {config.Choice{}, []string{"openai/*", "mistral/*", "gpt-4o", "text-embedding-3-small", "echo"}, false, true},
		"flags":   {config.Choice{Model: "gpt-3.5-turbo", APIBase: "http://127.0.0.1:9/v1"}, []string{"gpt-3.5-turbo"}, true, false},
		"alias":   {config.Choice{Model: "gpt-3.5-turbo", Alias: "fast"}, []string{"fast"}, true, false},
		"file":    {config.Choice{File: file}, []string{"mine"}, true, false},
		"both":    {config.Choice{File: file, Model: "gpt-4o"}, []string{"mine", "gpt-4o"}, true, false},
	} {
		m, warnings, err := c.choice.Models(env)
		if err != nil || len(warnings) > 0 || m.Discovered != c.discovered {
			t.Errorf("%s: %v, %v, discovered %t", name, warnings, err, m.Discovered)
		}
		have := map[string]bool{}
		for _, d := range m.Deployments {
			have[d.Model] = true
		}
		for _, model := range c.models {
			if !have[model] {
				t.Errorf("%s: no %s", name, model)
			}
		}
		if c.exactly && len(have) != len(c.models) {
			t.Errorf("%s: %v, want %v", name, have, c.models)
		}
	}
	m, _, _ := config.Choice{File: file}.Models(env)
	price, found := m.Prices[m.Deployments[0].PriceAs]
	cost := price.Cost(gateway.Usage{InputTokens: 1000, OutputTokens: 10}, pricing.Options{})
	if !found || cost != 1_025_000 { // 1000 x 0.000001 + 10 x 0.0000025 dollars
		t.Errorf("the file's price makes %d nano-dollars, found %t", cost, found)
	}
	if _, _, err := (config.Choice{File: file + ".not"}).Models(env); err == nil {
		t.Error("a file that is not there is no error")
	}
}
