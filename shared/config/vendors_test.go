package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// row is a config.yaml with one model "m" and these litellm_params.
func row(params string) string {
	return "model_list:\n  - model_name: m\n    litellm_params: {" + params + "}\n"
}

func key(kind routing.CredentialKind, value gateway.Secret) routing.Credential {
	return routing.Credential{Kind: kind, Value: value}
}

func signed(a routing.AWS) routing.Credential {
	return routing.Credential{Kind: routing.SigV4, AWS: a}
}

func account(g routing.Google) routing.Credential {
	return routing.Credential{Kind: routing.GoogleIdentity, Google: g}
}

func application(e routing.Entra) routing.Credential {
	return routing.Credential{Kind: routing.EntraIdentity, Entra: e}
}

const (
	azureQuery = "api-version=2025-02-01-preview"
	vertexRoot = "https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/us-central1"
	aRole      = "arn:aws:iam::1:role/r"
)

// bedrockBase is where Bedrock serves a region.
func bedrockBase(region string) string { return "https://bedrock-runtime." + region + ".amazonaws.com" }

// A model of every kind of provider, as LiteLLM's users write it.
func TestVendors(t *testing.T) {
	t.Parallel()
	static := routing.AWS{Region: "us-east-1", KeyID: "AK", Secret: "sk"}
	for name, c := range map[string]struct {
		params string
		env    []string
		want   routing.Deployment // but for Model, which is "m"
	}{
		"OpenAI": {"model: gpt-4o", []string{"OPENAI_API_KEY", "k", "OPENAI_ORGANIZATION", "org-1"},
			routing.Deployment{Provider: "openai", VendorModel: "gpt-4o", BaseURL: "https://api.openai.com/v1", Credential: bearer("k"), Speaks: all, Organization: "org-1"}},
		"OpenAI's responses": {"model: openai/gpt-5-pro, api_key: k, organization: org-2", []string{"OPENAI_ORGANIZATION", "org-1"},
			routing.Deployment{Provider: "openai", VendorModel: "gpt-5-pro", BaseURL: "https://api.openai.com/v1", Credential: bearer("k"), Speaks: ops("responses"), Organization: "org-2"}},
		"OpenAI's responses, wanted": {"model: openai/responses/gpt-4o, api_key: k", nil,
			routing.Deployment{Provider: "openai", VendorModel: "gpt-4o", BaseURL: "https://api.openai.com/v1", Credential: bearer("k"), Speaks: ops("responses")}},
		"OpenAI's completions": {"model: text-completion-openai/gpt-3.5-turbo-instruct, api_key: k", nil,
			routing.Deployment{Provider: "openai", VendorModel: "gpt-3.5-turbo-instruct", BaseURL: "https://api.openai.com/v1", Credential: bearer("k"), Speaks: ops("completions")}},
		"a host like OpenAI": {"model: openai/octo-7b, api_base: 'https://octo.example/v1/', api_key: k", []string{"OPENAI_ORGANIZATION", "org-1"},
			routing.Deployment{Provider: "openai", VendorModel: "octo-7b", BaseURL: "https://octo.example/v1", Credential: bearer("k")}},

		"Azure": {"model: azure/prod, api_base: 'https://r.openai.azure.com/', api_key: k, api_version: 2024-10-21", nil,
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: "api-version=2024-10-21", Credential: key(routing.APIKeyHeader, "k")}},
		"Azure by variables": {"model: azure/prod", []string{"AZURE_API_KEY", "k", "AZURE_API_BASE", "https://r.openai.azure.com", "AZURE_API_VERSION", "2024-06-01"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: "api-version=2024-06-01", Credential: key(routing.APIKeyHeader, "k")}},
		"Azure v1": {"model: azure/prod, api_base: 'https://r.openai.azure.com', api_version: v1, api_key: k", nil,
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/v1", Credential: key(routing.APIKeyHeader, "k"), Speaks: all}},
		"Azure preview": {"model: azure/prod, api_base: 'https://r.openai.azure.com', api_version: preview, api_key: k", nil,
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/v1", Query: "api-version=preview", Credential: key(routing.APIKeyHeader, "k"), Speaks: all}},
		"Azure's responses": {"model: azure/responses/prod, api_base: 'https://r.openai.azure.com', api_key: k", nil,
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/v1", Credential: key(routing.APIKeyHeader, "k"), Speaks: ops("responses")}},
		"Azure with a token": {"model: azure/o_series/prod, api_base: 'https://r.openai.azure.com', azure_ad_token: os.environ/TOKEN", []string{"TOKEN", "eyJ", "AZURE_API_KEY", "no"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: azureQuery, Credential: bearer("eyJ")}},
		"Azure with Google's identity": {"model: azure/prod, api_base: 'https://r.openai.azure.com', azure_ad_token: 'oidc/google/api://AzureADTokenExchange'",
			[]string{"AZURE_TENANT_ID", "t", "AZURE_CLIENT_ID", "c"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: azureQuery,
				Credential: application(routing.Entra{Tenant: "t", Client: "c", Identity: routing.Identity{Audience: "api://AzureADTokenExchange"}})}},
		"Azure with an application": {"model: azure/prod, api_base: 'https://r.openai.azure.com', tenant_id: t, client_id: c, client_secret: cs", []string{"AZURE_API_KEY", "no"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: azureQuery,
				Credential: application(routing.Entra{Tenant: "t", Client: "c", Secret: "cs"})}},
		"Azure with a workload": {"model: azure/prod", []string{"AZURE_API_BASE", "https://r.openai.azure.com", "AZURE_TENANT_ID", "t", "AZURE_CLIENT_ID", "c", "AZURE_FEDERATED_TOKEN_FILE", "/var/token"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: azureQuery,
				Credential: application(routing.Entra{Tenant: "t", Client: "c", Identity: routing.Identity{File: "/var/token"}})}},
		"Azure with a managed identity": {"model: azure/prod", []string{"AZURE_API_BASE", "https://r.openai.azure.com", "AZURE_CREDENTIAL", "ManagedIdentityCredential", "AZURE_CLIENT_ID", "c"},
			routing.Deployment{Provider: "azure", VendorModel: "prod", BaseURL: "https://r.openai.azure.com/openai/deployments/{model}", Query: azureQuery,
				Credential: application(routing.Entra{Client: "c"})}},
		"Foundry": {"model: azure_ai/Llama-3.3-70B, api_base: 'https://r.services.ai.azure.com', api_key: k", nil,
			routing.Deployment{Provider: "azure_ai", VendorModel: "Llama-3.3-70B", BaseURL: "https://r.services.ai.azure.com/models", Query: "api-version=2024-05-01-preview", Credential: key(routing.APIKeyHeader, "k")}},
		"Claude on Foundry": {"model: azure_ai/claude-opus-4-5, api_base: 'https://r.services.ai.azure.com/anthropic', api_key: k", nil,
			routing.Deployment{Provider: "azure_ai", VendorModel: "claude-opus-4-5", BaseURL: "https://r.services.ai.azure.com/anthropic/v1", Credential: key(routing.XAPIKey, "k"), Speaks: ops("messages")}},
		"an endpoint of Foundry": {"model: azure_ai/mistral-large", []string{"AZURE_AI_API_KEY", "k", "AZURE_AI_API_BASE", "https://m.eastus2.models.ai.azure.com"},
			routing.Deployment{Provider: "azure_ai", VendorModel: "mistral-large", BaseURL: "https://m.eastus2.models.ai.azure.com/v1", Credential: bearer("k")}},

		"Anthropic": {"model: anthropic/claude-3-opus-20240229", []string{"ANTHROPIC_API_KEY", "k"},
			routing.Deployment{Provider: "anthropic", VendorModel: "claude-3-opus-20240229", BaseURL: "https://api.anthropic.com/v1", Credential: key(routing.XAPIKey, "k"), Speaks: ops("messages")}},

		"Bedrock": {"model: bedrock/anthropic.claude-3-haiku-20240307-v1:0", []string{"AWS_ACCESS_KEY_ID", "AK", "AWS_SECRET_ACCESS_KEY", "sk", "AWS_SESSION_TOKEN", "st", "AWS_DEFAULT_REGION", "us-west-2"},
			routing.Deployment{Provider: "bedrock", VendorModel: "anthropic.claude-3-haiku-20240307-v1:0", BaseURL: bedrockBase("us-west-2"), Region: "us-west-2", Speaks: ops("converse"),
				Credential: signed(routing.AWS{Region: "us-west-2", KeyID: "AK", Secret: "sk", Session: "st"})}},
		"Bedrock's Llama": {"model: bedrock/converse/us.meta.llama3-3-70b-instruct-v1:0, aws_access_key_id: AK, aws_secret_access_key: sk, aws_region_name: us-east-1", []string{"AWS_SESSION_TOKEN", "another's", "AWS_REGION", "eu-west-1"},
			routing.Deployment{Provider: "bedrock", VendorModel: "us.meta.llama3-3-70b-instruct-v1:0", BaseURL: bedrockBase("us-east-1"), Region: "us-east-1", Speaks: ops("converse"), Credential: signed(static)}},
		"Bedrock's Mistral": {"model: bedrock/invoke/mistral.mistral-large-2402-v1:0, aws_access_key_id: AK, aws_secret_access_key: sk, aws_region_name: us-east-1, aws_role_name: '" + aRole + "', aws_session_name: me, aws_external_id: x", nil,
			routing.Deployment{Provider: "bedrock", VendorModel: "mistral.mistral-large-2402-v1:0", BaseURL: bedrockBase("us-east-1"), Region: "us-east-1", Speaks: ops("converse"),
				Credential: signed(routing.AWS{Region: "us-east-1", KeyID: "AK", Secret: "sk", Role: aRole, RoleSession: "me", ExternalID: "x"})}},
		"Bedrock's AI21, with a key": {"model: bedrock/eu-central-1/ai21.jamba-1-5-large-v1:0", []string{"AWS_BEARER_TOKEN_BEDROCK", "ABSK", "AWS_ACCESS_KEY_ID", "AK", "AWS_REGION", "us-east-1"},
			routing.Deployment{Provider: "bedrock", VendorModel: "ai21.jamba-1-5-large-v1:0", BaseURL: bedrockBase("eu-central-1"), Region: "eu-central-1", Speaks: ops("converse"), Credential: bearer("ABSK")}},
		"Bedrock's ARN": {"model: 'bedrock/converse/arn:aws:bedrock:ap-south-1:123:application-inference-profile/abc', api_key: ABSK", []string{"AWS_REGION", "us-east-1"},
			routing.Deployment{Provider: "bedrock", VendorModel: "arn:aws:bedrock:ap-south-1:123:application-inference-profile/abc", BaseURL: bedrockBase("ap-south-1"), Region: "ap-south-1", Speaks: ops("converse"), Credential: bearer("ABSK")}},
		"Bedrock's model_id": {"model: bedrock/anthropic.claude-sonnet-4-20250514-v1:0, model_id: 'arn:aws:bedrock:us-east-1:123:application-inference-profile/abc', api_key: ABSK", nil,
			routing.Deployment{Provider: "bedrock", VendorModel: "arn:aws:bedrock:us-east-1:123:application-inference-profile/abc", PriceAs: "anthropic.claude-sonnet-4-20250514-v1:0", BaseURL: bedrockBase("us-east-1"), Region: "us-east-1", Speaks: ops("converse"), Credential: bearer("ABSK")}},
		"Bedrock's Titan": {"model: bedrock/amazon.titan-embed-text-v2:0, aws_profile_name: work, aws_region_name: cn-north-1", []string{"HOME", "/home/me", "AWS_CONFIG_FILE", "/etc/aws"},
			routing.Deployment{Provider: "bedrock", VendorModel: "amazon.titan-embed-text-v2:0", BaseURL: bedrockBase("cn-north-1") + ".cn", Region: "cn-north-1", Speaks: ops("titan_embed"),
				Credential: signed(routing.AWS{Region: "cn-north-1", Profile: "work", ProfileFiles: "/home/me/.aws/credentials:/etc/aws"})}},
		"Bedrock's Cohere": {"model: bedrock/us.cohere.embed-v4:0, aws_bedrock_runtime_endpoint: 'https://vpce-1.example/', aws_sts_endpoint: 'https://sts.example', aws_web_identity_token: oidc/google/aud, aws_role_name: '" + aRole + "', region_name: us-east-1", nil,
			routing.Deployment{Provider: "bedrock", VendorModel: "us.cohere.embed-v4:0", BaseURL: "https://vpce-1.example", Region: "us-east-1", Speaks: ops("cohere_embed"),
				Credential: signed(routing.AWS{Region: "us-east-1", Role: aRole, Identity: routing.Identity{Audience: "aud"}, STS: "https://sts.example"})}},
		"Bedrock from Kubernetes": {"model: bedrock/amazon.nova-pro-v1:0", []string{"AWS_REGION", "us-east-1", "AWS_ROLE_ARN", aRole, "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/token"},
			routing.Deployment{Provider: "bedrock", VendorModel: "amazon.nova-pro-v1:0", BaseURL: bedrockBase("us-east-1"), Region: "us-east-1", Speaks: ops("converse"),
				Credential: signed(routing.AWS{Region: "us-east-1", Role: aRole, Identity: routing.Identity{File: "/var/token"}})}},
		"Bedrock from Cloud Run": {"model: bedrock/amazon.nova-pro-v1:0, aws_role_name: '" + aRole + "'", []string{"AWS_REGION", "us-east-1", "K_SERVICE", "sluice"},
			routing.Deployment{Provider: "bedrock", VendorModel: "amazon.nova-pro-v1:0", BaseURL: bedrockBase("us-east-1"), Region: "us-east-1", Speaks: ops("converse"),
				Credential: signed(routing.AWS{Region: "us-east-1", Role: aRole, Identity: routing.Identity{Audience: "sts.amazonaws.com"}})}},

		"Gemini": {"model: gemini/gemini-2.5-flash", []string{"GEMINI_API_KEY", "k"},
			routing.Deployment{Provider: "gemini", VendorModel: "gemini-2.5-flash", BaseURL: "https://generativelanguage.googleapis.com/v1beta", Credential: key(routing.XGoogAPIKey, "k"), Speaks: ops("gemini", "gemini_embed")}},
		"Vertex AI on Cloud Run": {"model: vertex_ai/gemini-2.5-pro", []string{"GOOGLE_CLOUD_PROJECT", "p-1"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "gemini-2.5-pro", BaseURL: vertexRoot + "/publishers/google", Region: "us-central1", Speaks: ops("gemini"), Credential: account(routing.Google{})}},
		"Vertex AI, global": {"model: vertex_ai_beta/gemini-2.5-pro, vertex_location: global, vertex_project: p-2, vertex_credentials: /etc/sa.json", []string{"VERTEXAI_PROJECT", "p-1"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "gemini-2.5-pro", BaseURL: "https://aiplatform.googleapis.com/v1beta1/projects/p-2/locations/global/publishers/google", Region: "global", Speaks: ops("gemini"), Credential: account(routing.Google{File: "/etc/sa.json"})}},
		"Vertex AI's embeddings": {`model: vertex_ai/text-embedding-005, vertex_credentials: '{"type":"service_account","project_id":"p-3"}', vertex_location: eu`, nil,
			routing.Deployment{Provider: "vertex_ai", VendorModel: "text-embedding-005", BaseURL: "https://aiplatform.eu.rep.googleapis.com/v1/projects/p-3/locations/eu/publishers/google", Region: "eu", Speaks: ops("vertex_predict"), Credential: account(routing.Google{JSON: `{"type":"service_account","project_id":"p-3"}`})}},
		"Vertex AI's credentials as a mapping": {"model: vertex_ai/gemini-embedding-001, vertex_credentials: {type: service_account, project_id: p-1}", nil,
			routing.Deployment{Provider: "vertex_ai", VendorModel: "gemini-embedding-001", BaseURL: vertexRoot + "/publishers/google", Region: "us-central1", Speaks: ops("vertex_predict"), Credential: account(routing.Google{JSON: `{"type":"service_account","project_id":"p-1"}`})}},
		"Claude on Vertex AI": {"model: vertex_ai/claude-3-5-sonnet@20240620", []string{"VERTEXAI_PROJECT", "p-1", "VERTEXAI_LOCATION", "us-east5", "GOOGLE_APPLICATION_CREDENTIALS", "/etc/adc.json"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "claude-3-5-sonnet@20240620", BaseURL: "https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/publishers/anthropic", Region: "us-east5", Speaks: ops("messages"), Credential: account(routing.Google{File: "/etc/adc.json"})}},
		"Mistral on Vertex AI": {"model: vertex_ai/mistral-large@2407", []string{"VERTEXAI_PROJECT", "p-1"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "mistral-large@2407", BaseURL: vertexRoot + "/publishers/mistralai", Path: "/models/{model}:rawPredict", StreamPath: "/models/{model}:streamRawPredict", Region: "us-central1", Speaks: ops("chat"), Credential: account(routing.Google{})}},
		"Llama on Vertex AI": {"model: vertex_ai/meta/llama-3.1-405b-instruct-maas", []string{"VERTEXAI_PROJECT", "p-1"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "meta/llama-3.1-405b-instruct-maas", BaseURL: vertexRoot + "/endpoints/openapi", Region: "us-central1", Speaks: ops("chat"), Credential: account(routing.Google{})}},
		"an own endpoint on Vertex AI": {"model: vertex_ai/openai/123456, api_base: 'https://psc.example'", []string{"VERTEXAI_PROJECT", "p-1"},
			routing.Deployment{Provider: "vertex_ai", VendorModel: "123456", BaseURL: "https://psc.example/v1/projects/p-1/locations/us-central1/endpoints/{model}", Region: "us-central1", Speaks: ops("chat"), Credential: account(routing.Google{})}},

		"AI21":    {"model: ai21/jamba-large", []string{"AI21_API_KEY", "k"}, routing.Deployment{Provider: "ai21", VendorModel: "jamba-large", BaseURL: "https://api.ai21.com/studio/v1", Credential: bearer("k"), Speaks: ops("chat")}},
		"Mistral": {"model: mistral/open-mixtral-8x7b", []string{"MISTRAL_API_KEY", "k"}, routing.Deployment{Provider: "mistral", VendorModel: "open-mixtral-8x7b", BaseURL: "https://api.mistral.ai/v1", Credential: bearer("k"), Speaks: ops("chat", "embeddings")}},
		"Ollama":  {"model: ollama/llama2", nil, routing.Deployment{Provider: "ollama", VendorModel: "llama2", BaseURL: "http://127.0.0.1:11434/v1", Credential: noCredential}},
		"LocalAI": {"model: localai/phi-2", []string{"LOCALAI_API_BASE", "http://box:8080"}, routing.Deployment{Provider: "localai", VendorModel: "phi-2", BaseURL: "http://box:8080/v1", Credential: noCredential}},
		"LM Studio": {"model: lm_studio/qwen", []string{"LM_STUDIO_API_BASE", "http://box:1234/v1", "LM_STUDIO_API_KEY", "k"},
			routing.Deployment{Provider: "lm_studio", VendorModel: "qwen", BaseURL: "http://box:1234/v1", Credential: bearer("k")}},
		"TGI": {"model: huggingface/tgi, api_base: 'https://e.endpoints.huggingface.cloud', api_key: k", nil,
			routing.Deployment{Provider: "huggingface", VendorModel: "tgi", BaseURL: "https://e.endpoints.huggingface.cloud/v1", Credential: bearer("k")}},
		"Hugging Face": {"model: huggingface/together/deepseek-ai/DeepSeek-R1", []string{"HF_TOKEN", "hf"},
			routing.Deployment{Provider: "huggingface", VendorModel: "deepseek-ai/DeepSeek-R1:together", BaseURL: "https://router.huggingface.co/v1", Credential: bearer("hf"), Speaks: ops("chat")}},
		"TEI":     {"model: tei/bge, api_base: 'http://tei:8080'", nil, routing.Deployment{Provider: "tei", VendorModel: "bge", BaseURL: "http://tei:8080/v1", Credential: noCredential, Speaks: ops("embeddings")}},
		"vLLM":    {"model: hosted_vllm/org/m", []string{"HOSTED_VLLM_API_BASE", "http://gpu:8000"}, routing.Deployment{Provider: "hosted_vllm", VendorModel: "org/m", BaseURL: "http://gpu:8000/v1", Credential: noCredential}},
		"NIM":     {"model: nvidia_nim/meta/llama3-70b-instruct", []string{"NVIDIA_NIM_API_KEY", "k"}, routing.Deployment{Provider: "nvidia_nim", VendorModel: "meta/llama3-70b-instruct", BaseURL: "https://integrate.api.nvidia.com/v1", Credential: bearer("k")}},
		"Llama 2": {"model: openai/llama2, api_base: 'http://gpu:9/v1', api_key: ''", nil, routing.Deployment{Provider: "openai", VendorModel: "llama2", BaseURL: "http://gpu:9/v1", Credential: noCredential}},

		"headers and fields": {"model: groq/m, api_key: k, drop_params: true, additional_drop_params: [a, 'b[0].c'], extra_headers: {x-tenant: 7, authorization-hint: os.environ/HINT}", []string{"HINT", "h"},
			routing.Deployment{Provider: "groq", VendorModel: "m", BaseURL: "https://api.groq.com/openai/v1", Credential: bearer("k"), Speaks: ops("chat"), Drop: true, DropFields: []string{"a", "b[0].c"},
				Headers: []routing.Header{{Name: "Authorization-Hint", Value: "h"}, {Name: "X-Tenant", Value: "7"}}}},
		"own credential in a header": {"model: groq/m, extra_headers: {Authorization: 'Basic x'}", nil,
			routing.Deployment{Provider: "groq", VendorModel: "m", BaseURL: "https://api.groq.com/openai/v1", Credential: noCredential, Speaks: ops("chat"), Headers: []routing.Header{{Name: "Authorization", Value: "Basic x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, warnings, err := config.Parse("c.yaml", []byte(row(c.params)), environment(c.env...))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%v, %s", err, lines(warnings))
			}
			c.want.Model = "m"
			equal(t, f.Deployments, []routing.Deployment{c.want})
		})
	}
}

// Azure's base comes in many spellings.
func TestAzureBases(t *testing.T) {
	t.Parallel()
	const classic, v1 = "https://openai.r.azure.com/openai/deployments/{model} ", "https://openai.r.azure.com/openai/v1 "
	for base, want := range map[string]string{
		"https://openai.r.azure.com":                                                                     classic + azureQuery,
		"https://openai.r.azure.com/":                                                                    classic + azureQuery,
		"https://openai.r.azure.com/openai":                                                              classic + azureQuery,
		"https://openai.r.azure.com/openai/":                                                             classic + azureQuery,
		"https://openai.r.azure.com/openai/v1":                                                           v1,
		"https://openai.r.azure.com/openai/v1//":                                                         v1,
		"https://openai.r.azure.com/openai/v1/chat/completions":                                          v1,
		"https://openai.r.azure.com/openai/v1/responses":                                                 v1,
		"https://openai.r.azure.com/openai/deployments/gpt":                                              "https://openai.r.azure.com/openai/deployments/gpt " + azureQuery,
		"https://openai.r.azure.com/openai/deployments/gpt/chat/completions?api-version=2025-01-01":      "https://openai.r.azure.com/openai/deployments/gpt api-version=2025-01-01",
		"https://openai.r.azure.com?api-version=v1":                                                      v1,
		"https://apim.example/openai-eu":                                                                 "https://apim.example/openai-eu/openai/deployments/{model} " + azureQuery,
		"https://apim.example/team/openai/deployments/gpt/embeddings/?api-version=2023-05-15%26evil%3D1": "https://apim.example/team/openai/deployments/gpt api-version=2023-05-15%26evil%3D1",
	} {
		for name, env := range map[string]func(string) string{
			row("model: azure/prod, api_key: k, api_base: '" + base + "'"): environment(),
			row("model: azure/prod, api_key: k"):                           environment("AZURE_API_BASE", base),
		} {
			f, _, err := config.Parse("c.yaml", []byte(name), env)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Deployments) != 1 || f.Deployments[0].BaseURL+" "+f.Deployments[0].Query != want {
				t.Errorf("%s: %+v, want %s", base, f.Deployments, want)
			}
		}
	}
	// the base model tells that a deployment has no chat
	f, _, err := config.Parse("c.yaml", []byte(row("model: azure/prod, api_key: k, api_base: 'https://r.openai.azure.com/openai/deployments/prod'")+"    model_info: {base_model: gpt-5-pro}\n"), environment())
	if err != nil || len(f.Deployments) != 1 || f.Deployments[0].BaseURL != "https://r.openai.azure.com/openai/v1" || fmt.Sprint(f.Deployments[0].Speaks) != "[responses]" ||
		f.Deployments[0].PriceAs != "gpt-5-pro" {
		t.Errorf("%v, %+v", err, f.Deployments)
	}
}

// A pattern is served as the model behind the star wants it.
func TestPatternsKnowTheModel(t *testing.T) {
	t.Parallel()
	yaml := `model_list:
  - {model_name: vertex_ai/*, litellm_params: {model: vertex_ai/*, vertex_project: p-1}}
  - {model_name: bedrock/*, litellm_params: {model: bedrock/*, aws_region_name: us-east-1, api_key: k}}
  - {model_name: ai/*, litellm_params: {model: azure_ai/*, api_base: 'https://r.services.ai.azure.com', api_key: k}}
  - {model_name: openai/*, litellm_params: {model: openai/*, api_key: k}}
  - {model_name: openai/o3-pro, litellm_params: {model: openai/o3-pro, api_base: 'http://own/v1', api_key: k}}
  - {model_name: g-*, litellm_params: {model: vertex_ai/gemini*, vertex_project: p-1}}
`
	f, warnings, err := config.Parse("c.yaml", []byte(yaml), environment())
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, lines(warnings))
	}
	table := routing.NewTable(f.Deployments)
	chat, embed := gateway.OpChat, gateway.OpEmbeddings
	for model, want := range map[string]string{
		"vertex_ai/gemini-2.5-pro":                  "gemini gemini-2.5-pro publishers/google",
		"vertex_ai/google/gemini-2.5-pro":           "gemini gemini-2.5-pro publishers/google",
		"vertex_ai/gemini-embedding-001":            "vertex_predict gemini-embedding-001 publishers/google",
		"vertex_ai/text-embedding-005":              "vertex_predict text-embedding-005 publishers/google",
		"vertex_ai/claude-opus-4-5@20251101":        "messages claude-opus-4-5@20251101 publishers/anthropic",
		"vertex_ai/codestral-2":                     "chat codestral-2 publishers/mistralai",
		"vertex_ai/mistralai/mistral-medium":        "chat mistral-medium publishers/mistralai",
		"vertex_ai/jamba-1.5-mini":                  "chat jamba-1.5-mini publishers/ai21",
		"vertex_ai/meta/llama-4":                    "chat meta/llama-4 endpoints/openapi",
		"vertex_ai/qwen/qwen3":                      "chat qwen/qwen3 endpoints/openapi",
		"vertex_ai/google/gemma-3":                  "chat google/gemma-3 endpoints/openapi",
		"vertex_ai/new":                             "gemini new publishers/google",
		"g--2.5-flash":                              "gemini gemini-2.5-flash publishers/google",
		"g--embedding-001":                          "vertex_predict gemini-embedding-001 publishers/google",
		"bedrock/anthropic.claude-v2":               "converse anthropic.claude-v2 us-east-1.amazonaws.com",
		"bedrock/converse/meta.llama":               "converse meta.llama us-east-1.amazonaws.com",
		"bedrock/amazon.titan-embed-text-v1":        "titan_embed amazon.titan-embed-text-v1 us-east-1.amazonaws.com",
		"bedrock/cohere.embed-english-v3":           "cohere_embed cohere.embed-english-v3 us-east-1.amazonaws.com",
		"bedrock/eu.cohere.embed-v4:0":              "cohere_embed eu.cohere.embed-v4:0 us-east-1.amazonaws.com",
		"bedrock/cohere.command-r-v1:0":             "converse cohere.command-r-v1:0 us-east-1.amazonaws.com",
		"ai/claude-opus-4-5":                        "messages claude-opus-4-5 anthropic/v1",
		"ai/grok-4":                                 "chat grok-4 azure.com/models",
		"openai/gpt-4o":                             "chat gpt-4o openai.com/v1",
		"openai/gpt-5-pro":                          "responses gpt-5-pro openai.com/v1",
		"openai/o3-pro":                             "chat o3-pro own/v1",
		"openai/text-embedding-3-small":             "embeddings text-embedding-3-small openai.com/v1",
		"vertex_ai/text-multilingual-embedding-002": "vertex_predict text-multilingual-embedding-002 publishers/google",
	} {
		op := chat
		if strings.Contains(model, "embed") {
			op = embed
		}
		plan, err := table.Plan(gateway.Principal{KeyHash: "h"}, op, model)
		if err != nil || len(plan) != 1 {
			t.Errorf("%s: %v, %d deployments", model, err, len(plan))
			continue
		}
		carrier, _ := plan[0].Carrier(op)
		words := strings.Fields(want)
		if string(carrier) != words[0] || plan[0].VendorModel != words[1] || !strings.HasSuffix(plan[0].BaseURL, words[2]) {
			t.Errorf("%s: %s %s %s, want %s", model, carrier, plan[0].VendorModel, plan[0].BaseURL, want)
		}
	}
	var names []string
	for _, d := range table.Models(gateway.Principal{KeyHash: "h"}) {
		names = append(names, d.Model)
	}
	if got := strings.Join(names, " "); got != "vertex_ai/* bedrock/* ai/* openai/* openai/o3-pro g-*" {
		t.Errorf("listed %s", got)
	}
}
