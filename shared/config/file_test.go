package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	env := environment("OPENAI_API_KEY", "sk-up", "GROQ_KEY", "gsk", "BASE", "https://eu.example/v1", "LITELLM_MASTER_KEY", "sk-master-key")
	data, err := os.ReadFile("testdata/litellm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, warnings, err := config.Parse("c.yaml", data, env)
	if err != nil {
		t.Fatal(err)
	}
	openai := "https://api.openai.com/v1"
	equal(t, listed(f.Deployments), []routing.Deployment{
		{Model: "gpt-4o", Provider: "openai", VendorModel: "gpt-4o", BaseURL: openai, Credential: bearer("sk-up"), Speaks: all, Drop: true},
		{Model: "gpt-4o", Provider: "openai", VendorModel: "gpt-4o", BaseURL: "https://eu.example/v1", Credential: bearer("sk-eu"), PriceAs: "gpt-4o-2024-08-06", Drop: true},
		{Model: "fast", Provider: "groq", VendorModel: "llama-3.1-8b", BaseURL: "https://api.groq.com/openai/v1", Credential: bearer("gsk"), PriceAs: "c.yaml:22", Drop: true, Speaks: []gateway.Op{gateway.OpChat}},
		{Model: "openai/*", Provider: "openai", VendorModel: "*", BaseURL: openai, Credential: bearer("sk-up"), Speaks: all, Drop: true},
		{Model: "mine", Provider: "openai", VendorModel: "tiny", BaseURL: "http://10.0.0.5:8000/v1", Credential: noCredential, Drop: true},
		{Model: "named", Provider: "mistral", VendorModel: "mistral-small", BaseURL: "https://api.mistral.ai/v1", Credential: bearer("mk-from-file"), Drop: true, Speaks: []gateway.Op{gateway.OpChat, gateway.OpEmbeddings}},
	})
	equal(t, f.Prices, []config.Price{{Name: "c.yaml:22", InputPerMTok: 50_000_000, OutputPerMTok: 80_000_000}})
	equal(t, f.MasterKey, gateway.Secret("sk-master-key"))
	if got := f.Getenv("REGION_COUNT"); got != "3" {
		t.Errorf("Getenv = %q", got)
	}
	equal(t, strings.Split(lines(warnings), "\n"), []string{
		"c.yaml:7: general_settings.database_url has no effect yet",
		`c.yaml:11: litellm_params.rpm has no effect yet`,
		`c.yaml:32: model "azure-gpt" is left out: azure needs api_base or AZURE_API_BASE or AZURE_OPENAI_ENDPOINT`,
		`c.yaml:37: model_list[5].litellm_params.api_key: environment variable NOT_THERE is not set; the model is left out`,
		`c.yaml:38: model "no-key" is left out: xai has no key: set api_key or XAI_API_KEY`,
		`c.yaml:40: model "mine": api_base should not end in /chat/completions; it was removed`,
		`c.yaml:52: section guardrails has no effect yet`,
	})
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ yaml, want string }{
		"broken":            {"model_list:\n  - model_name: [s3cret\n", "broken YAML: did not find expected ',' or ']'"},
		"broken at a value": {"a: b: s3cret\n", "c.yaml:1: broken YAML"},
		"unknown anchor":    {"general_settings:\n  master_key: *s3cret\n", "broken YAML: unknown anchor (...)"},
		"tab":               {"a:\n\t- s3cret\n", "c.yaml:2: broken YAML"},
		"not a mapping":     {"- s3cret\n", "c.yaml:1: the file must be a mapping"},
		"list is text":      {"model_list: s3cret\n", "c.yaml:1: model_list must be a list"},
		"row is text":       {"model_list:\n  - s3cret\n", "c.yaml:2: model_list[0] must be a mapping"},
		"no model_name":     {"model_list:\n  - litellm_params: {model: gpt-4o}\n", "c.yaml:2: model_list[0] has no model_name"},
		"no model":          {"model_list:\n  - model_name: a\n", "c.yaml:2: model_list[0] has no litellm_params.model"},
		"params a list":     {"model_list:\n  - model_name: a\n    litellm_params: [s3cret]\n", "c.yaml:3: model_list[0].litellm_params must be a mapping"},
		"key a number":      {"model_list:\n  - model_name: a\n    litellm_params:\n      model: gpt\n      api_key: 12345678\n", "c.yaml:5: model_list[0].litellm_params.api_key must be text, not a number"},
		"name a number":     {"model_list:\n  - model_name: 4\n", "c.yaml:2: model_list[0].model_name must be text"},
		"master key a bool": {"general_settings:\n  master_key: true\n", "c.yaml:2: general_settings.master_key must be text, not true or false"},
		"twice":             {"model_list: []\nmodel_list: []\n", "c.yaml:2: model_list is given twice"},
		"cost is text":      {"model_list:\n  - model_name: a\n    litellm_params: {model: gpt, input_cost_per_token: s3cret}\n", "c.yaml:3: model_list[0].litellm_params.input_cost_per_token must be a number"},
		"cost is negative":  {"model_list:\n  - model_name: a\n    litellm_params: {model: gpt, input_cost_per_token: -1}\n", "must be a number of dollars"},
		"cost is huge":      {"model_list:\n  - model_name: a\n    litellm_params: {model: gpt, input_cost_per_token: 1e99999999}\n", "must be a number of dollars"},
		"cost is infinite":  {"model_list:\n  - model_name: a\n    litellm_params: {model: gpt, input_cost_per_token: .inf}\n", "must be a number of dollars"},
		"base with a password": {"model_list:\n  - model_name: a\n    litellm_params: {model: openai/x, api_base: 'https://u:s3cret@h'}\n",
			`c.yaml:2: model "a": api_base must not contain a user name`},
		"merges itself":      {"a: &a {<<: *a}\ngeneral_settings: *a\n", "too many <<"},
		"merges explode":     {"a: &a {<<: [*a, *a, *a, *a, *a, *a, *a, *a]}\ngeneral_settings: *a\n", "too many <<"},
		"variable is a list": {"environment_variables:\n  A: [s3cret]\n", "c.yaml:2: environment_variables.A must be text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := config.Parse("c.yaml", []byte(c.yaml), environment())
			if err == nil || !strings.HasPrefix(err.Error(), "c.yaml:") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "12345678") {
				t.Errorf("repeats the secret: %v", err)
			}
		})
	}
}

func TestParseSmallCases(t *testing.T) {
	t.Parallel()
	env := environment("OPENAI_API_KEY", "sk-up", "GROQ_API_KEY", "gsk")
	for name, c := range map[string]struct {
		yaml     string
		models   string // "model=provider:vendor" joined by blanks
		warnings []string
	}{
		"empty file":  {yaml: ""},
		"only a null": {yaml: "---\n~\n"},
		"empty list":  {yaml: "model_list:\ngeneral_settings:\n"},
		"everything by its prefix": {yaml: "model_list:\n  - model_name: '*'\n    litellm_params: {model: '*'}\n",
			models: "openai/*=openai:* groq/*=groq:* *=openai:*"},
		"key of the environment to another host": {
			yaml:     "model_list:\n  - model_name: a\n    litellm_params: {model: openai/m, api_base: 'http://h:9/v1'}\n",
			models:   "a=openai:m",
			warnings: []string{`c.yaml:2: model "a": OPENAI_API_KEY is sent to h:9; set api_key to choose another`}},
		"provider named apart": {yaml: "model_list:\n  - model_name: a\n    litellm_params: {model: x/y, custom_llm_provider: groq}\n",
			models: "a=groq:x/y"},
		"anchors and merge": {yaml: "x: &d {api_key: os.environ/GROQ_API_KEY, model: groq/one}\nmodel_list:\n" +
			"  - model_name: a\n    litellm_params: {<<: *d}\n  - model_name: b\n    litellm_params: {<<: [*d], model: groq/two}\n",
			models: "a=groq:one b=groq:two", warnings: []string{"c.yaml:1: section x has no effect yet"}},
		"half a price": {yaml: "model_list:\n  - model_name: a\n    litellm_params: {model: gpt}\n    model_info: {input_cost_per_token: '1e-6'}\n",
			models: "a=openai:gpt", warnings: []string{`c.yaml:2: model "a" has no output_cost_per_token: it counts as 0`}},
		"stars that do not fit": {yaml: "model_list:\n  - model_name: a/*\n    litellm_params: {model: openai/gpt}\n",
			warnings: []string{`c.yaml:2: model "a/*" is left out: "a/*" and "gpt" must both end in *, or neither`}},
		"said once": {yaml: "model_list:\n  - model_name: a\n    litellm_params: {model: gpt, tpm: 1}\n  - model_name: b\n    litellm_params: {model: gpt, tpm: 1}\n",
			models: "a=openai:gpt b=openai:gpt", warnings: []string{"c.yaml:3: litellm_params.tpm has no effect yet"}},
		"master key unset": {yaml: "general_settings: {master_key: os.environ/NOPE}\n",
			warnings: []string{"c.yaml:1: general_settings.master_key: environment variable NOPE is not set; the file sets no master key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, warnings, err := config.Parse("c.yaml", []byte(c.yaml), env)
			if err != nil {
				t.Fatal(err)
			}
			var models []string
			for _, d := range listed(f.Deployments) {
				models = append(models, d.Model+"="+d.Provider+":"+d.VendorModel)
			}
			if got := strings.Join(models, " "); got != c.models {
				t.Errorf("models %q, want %q", got, c.models)
			}
			if got, want := lines(warnings), strings.Join(c.warnings, "\n"); got != want {
				t.Errorf("warnings:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	t.Setenv("SLUICE_TEST_KEY", "sk-test")
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "model_list:\n  - model_name: a\n    litellm_params: {model: groq/m, api_key: os.environ/SLUICE_TEST_KEY}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, warnings, err := config.ReadFile(path, os.Getenv)
	if err != nil || len(warnings) > 0 || len(f.Deployments) != 1 || f.Deployments[0].Credential != bearer("sk-test") {
		t.Errorf("ReadFile = %+v, %v, %v", f, warnings, err)
	}
	if _, _, err := config.ReadFile(path+".none", os.Getenv); err == nil {
		t.Error("a missing file is no error")
	}
}

// FuzzParse proves that no file makes the parser panic, hang or repeat a key.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/litellm.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(data), "", "a: &a {<<: *a}", "a: &a [*a]\nmodel_list: *a", "model_list: [{model_name: a, litellm_params: &x {<<: [*x]}}]",
		row("model: azure/*, api_base: 'https://h?api-version=1', tenant_id: t, client_id: c, client_secret: os.environ/S, extra_headers: {a: b}"),
		row("model: bedrock/us-east-1/m, aws_role_name: r, aws_web_identity_token: oidc/google/a, additional_drop_params: [x]"),
		row("model: vertex_ai/*, vertex_project: p, vertex_credentials: {a: [1, os.environ/X]}"), row("model: '*'"),
		"? [a]\n: b", allSettings, "model_list:\n- <<: 3", "<<: {model_list: []}", "--- !!binary x", "'': 1"} {
		f.Add(seed)
	}
	const secret = "sk-very-secret-value"
	f.Fuzz(func(t *testing.T, text string) {
		_, warnings, err := config.Parse("c.yaml", []byte(text), func(string) string { return secret })
		if err != nil && (strings.Contains(err.Error(), secret) || !strings.HasPrefix(err.Error(), "c.yaml:")) {
			t.Errorf("error %q", err)
		}
		if strings.Contains(lines(warnings), secret) && !strings.Contains(text, "os.environ/") {
			t.Errorf("warnings %q", lines(warnings))
		}
	})
}
