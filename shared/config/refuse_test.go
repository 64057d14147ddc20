package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/config"
)

// What cannot work is left out, and why is said without a secret.
func TestVendorsRefused(t *testing.T) {
	t.Parallel()
	const s = "s3cret"
	for params, want := range map[string]string{
		"model: azure/p, api_key: s3cret":                                                                            "azure needs api_base",
		"model: azure/p, api_base: 'https://h'":                                                                      "azure has no key: set api_key, AZURE_API_KEY",
		"model: azure/p, api_base: 'https://h', azure_ad_token: oidc/google/x":                                       "needs tenant_id and client_id",
		"model: azure/p, api_base: 'https://h', azure_ad_token: oidc/github/x, tenant_id: t, client_id: c":           "azure_ad_token must be a token, a file, or oidc/",
		"model: azure/p, api_base: 'https://h', azure_ad_token: oidc/env/NOPE, tenant_id: t, client_id: c":           "environment variable NOPE is not set",
		"model: bedrock/m, api_key: s3cret":                                                                          "bedrock needs aws_region_name",
		"model: bedrock/m, api_key: s3cret, aws_region_name: us-east-1.evil.example/":                                "bedrock needs aws_region_name",
		"model: bedrock/m, aws_region_name: us-east-1":                                                               "bedrock has no credential",
		"model: bedrock/m, aws_region_name: us-east-1, aws_access_key_id: AK":                                        "without aws_secret_access_key",
		"model: bedrock/m, aws_region_name: us-east-1, aws_role_name: r, aws_web_identity_token: oidc/env_path/NOPE": "environment variable NOPE is not set",
		"model: vertex_ai/gemini-pro":                                                                                "vertex_ai needs vertex_project",
		"model: vertex_ai/gemini-pro, vertex_project: 'x/../s3cret'":                                                 "must be names of",
		"model: vertex_ai/gemini-pro, vertex_project: p, vertex_location: 'evil.example/#'":                          "must be names of",
		"model: vertex_ai/123, vertex_project: p":                                                                    "vertex_ai/openai/<number> only",
		"model: vertex_ai/imagen-3, vertex_project: p":                                                               "not supported yet",
		"model: sagemaker/x":                   "not supported yet",
		"model: huggingface/x/y":               "huggingface has no key: set api_key or HUGGINGFACE_API_KEY or HF_TOKEN",
		"model: tei/x":                         "tei needs api_base or TEI_API_BASE",
		"model: databricks/x, api_key: s3cret": "databricks needs api_base or DATABRICKS_API_BASE",
		"model: gemini/x":                      "gemini has no key: set api_key or GEMINI_API_KEY or GOOGLE_API_KEY",
		"model: bedrock/m, aws_region_name: us-east-1, aws_access_key_id: os.environ/NOPE":                                             "environment variable NOPE is not set",
		"model: azure/p, api_base: 'https://h', tenant_id: t, client_id: c, client_secret: s3cret, custom_llm_provider: ollama_vision": "unknown provider",
	} {
		f, warnings, err := config.Parse("c.yaml", []byte(row(params)), environment())
		if got := lines(warnings); err != nil || len(f.Deployments) > 0 || !strings.Contains(got, want) || strings.Contains(got, s) {
			t.Errorf("%s: %v, %d deployments, %q, want %q", params, err, len(f.Deployments), got, want)
		}
	}
	for params, want := range map[string]string{
		"model: gpt, drop_params: s3cret":                                                          "litellm_params.drop_params must be true or false",
		"model: gpt, drop_params: 1":                                                               "drop_params must be true or false",
		"model: gpt, additional_drop_params: s3cret":                                               "additional_drop_params must be a list, not str",
		"model: gpt, additional_drop_params: [1]":                                                  "additional_drop_params must be text, not a number",
		"model: gpt, extra_headers: s3cret":                                                        "extra_headers must be a mapping",
		"model: gpt, extra_headers: {'a b': s3cret}":                                               "has a name that is none of a header",
		"model: gpt, extra_headers: {'a': [s3cret]}":                                               "extra_headers.a must be",
		`model: gpt, extra_headers: {a: "s3cret\r\nHost: x"}`:                                      "control characters",
		"model: bedrock/m, aws_secret_access_key: 12345":                                           "aws_secret_access_key must be text, not a number",
		"model: bedrock/m, aws_region_name: us-east-1, api_key: k, api_base: 'https://u:s3cret@h'": "api_base must not contain a user name",
		"model: azure/p, api_key: k, api_base: 'https://h?sig=s3cret'":                             "api_base must not contain a query",
		"model: vertex_ai/claude, vertex_project: p, api_base: 'ftp://s3cret'":                     "api_base must start with http",
		"model: bedrock/m, aws_region_name: us-east-1, aws_access_key_id: a, aws_secret_access_key: s3cret, aws_sts_endpoint: 'ftp://s3cret'": "aws_sts_endpoint must start with http",
	} {
		_, _, err := config.Parse("c.yaml", []byte(row(params)), environment())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), s) || !strings.HasPrefix(err.Error(), "c.yaml:") {
			t.Errorf("%s: %v, want %q", params, err, want)
		}
	}
}

func TestVendorsWarn(t *testing.T) {
	t.Parallel()
	for params, want := range map[string]string{
		"model: groq/m, api_key: k, aws_region_name: us-east-1":      `c.yaml:2: model "m": litellm_params.aws_region_name has no effect with groq`,
		"model: groq/m, api_key: k, organization: o, api_version: v": "c.yaml:2: model \"m\": litellm_params.api_version has no effect with groq\nc.yaml:2: model \"m\": litellm_params.organization has no effect with groq",
		"model: groq/m, api_key: k, aws_unheard_of: x, weight: 3":    "c.yaml:3: litellm_params.aws_unheard_of has no effect yet\nc.yaml:3: litellm_params.weight has no effect yet",
		"model: groq/m, api_key: k, extra_headers: {Host: s3cret, content-length: 3}": "c.yaml:3: model_list[0].litellm_params.extra_headers.Host is not sent: the gateway sets this header itself\n" +
			"c.yaml:3: model_list[0].litellm_params.extra_headers.content-length is not sent: the gateway sets this header itself",
		"model: vertex_ai/claude, vertex_project: p, api_key: s3cret":                                                       `c.yaml:2: model "m": api_key has no effect: Vertex AI is called with an account of Google's`,
		"model: gemini/g, api_key: k, api_base: 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'": `c.yaml:2: model "m": api_base should not end in /openai/chat/completions; it was removed`,
	} {
		f, warnings, err := config.Parse("c.yaml", []byte(row(params)), environment())
		if err != nil || len(f.Deployments) != 1 || lines(warnings) != want {
			t.Errorf("%s: %v, %d deployments\n%s\nwant\n%s", params, err, len(f.Deployments), lines(warnings), want)
		}
	}
}

// drop_params of all models gives way to what a model says itself.
func TestDropParams(t *testing.T) {
	t.Parallel()
	yaml := "litellm_settings: {drop_params: true}\n" + row("model: groq/a, api_key: k") + "  - model_name: n\n    litellm_params: {model: groq/b, api_key: k, drop_params: false}\n"
	f, _, err := config.Parse("c.yaml", []byte(yaml), environment())
	if err != nil || !f.Settings.Drop || !f.Deployments[0].Drop || f.Deployments[1].Drop {
		t.Errorf("%v, %+v", err, f)
	}
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("litellm_settings: {drop_params: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, _, err := config.Choice{File: file, Model: "groq/a"}.Models(environment("GROQ_API_KEY", "k"))
	if err != nil || len(m.Deployments) != 1 || !m.Deployments[0].Drop {
		t.Errorf("%v, %+v", err, m.Deployments)
	}
}

// Clouds are found by their variables when enough of them is set.
func TestDiscoverClouds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"Azure":               {[]string{"AZURE_API_KEY", "k", "AZURE_API_BASE", "https://r.openai.azure.com"}, "azure/*"},
		"Azure, application":  {[]string{"AZURE_TENANT_ID", "t", "AZURE_CLIENT_ID", "c", "AZURE_CLIENT_SECRET", "s", "AZURE_API_BASE", "https://r"}, "azure/*"},
		"Azure, no base":      {[]string{"AZURE_API_KEY", "k"}, ""},
		"Azure, no key":       {[]string{"AZURE_API_BASE", "https://r"}, ""},
		"Foundry":             {[]string{"AZURE_AI_API_KEY", "k", "AZURE_AI_API_BASE", "https://r.services.ai.azure.com"}, "azure_ai/*"},
		"Bedrock":             {[]string{"AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "s", "AWS_REGION", "us-east-1"}, "bedrock/*"},
		"Bedrock, key":        {[]string{"AWS_BEARER_TOKEN_BEDROCK", "a", "AWS_REGION_NAME", "us-east-1"}, "bedrock/*"},
		"Bedrock, identity":   {[]string{"AWS_ROLE_ARN", aRole, "AWS_WEB_IDENTITY_TOKEN_FILE", "/f", "AWS_REGION", "us-east-1"}, "bedrock/*"},
		"Bedrock, no region":  {[]string{"AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "s"}, ""},
		"Bedrock, no secret":  {[]string{"AWS_ACCESS_KEY_ID", "a", "AWS_REGION", "us-east-1"}, ""},
		"Bedrock, region":     {[]string{"AWS_REGION", "us-east-1"}, ""},
		"Vertex AI":           {[]string{"VERTEXAI_PROJECT", "p-1"}, "vertex_ai/*"},
		"any Google project":  {[]string{"GOOGLE_CLOUD_PROJECT", "p-1", "GOOGLE_APPLICATION_CREDENTIALS", "/f"}, ""},
		"Gemini":              {[]string{"GOOGLE_API_KEY", "k"}, "gemini/*"},
		"Hugging Face":        {[]string{"HF_TOKEN", "k"}, "huggingface/*"},
		"vLLM":                {[]string{"HOSTED_VLLM_API_BASE", "http://gpu:8000"}, "hosted_vllm/*"},
		"vLLM, no base":       {[]string{"HOSTED_VLLM_API_KEY", "k"}, ""},
		"TEI":                 {[]string{"TEI_API_BASE", "http://tei"}, "tei/*"},
		"Databricks, no base": {[]string{"DATABRICKS_TOKEN", "k"}, ""},
		"Ollama is asked":     {[]string{"OLLAMA_API_KEY", "k", "OLLAMA_API_BASE", "http://o"}, ""},
		"AI21 is there once":  {[]string{"AI21_API_KEY", "k"}, "ai21/*"},
	} {
		found, warnings := config.Discover(environment(c.env...), nil)
		var names []string
		for _, d := range listed(found) {
			names = append(names, d.Model)
		}
		if got := strings.Join(names, " "); got != c.want || len(warnings) > 0 {
			t.Errorf("%s: found %q, want %q; %s", name, got, c.want, lines(warnings))
		}
	}
}
