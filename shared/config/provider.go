package config

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// EchoBaseURL stands where the built-in echo model's address would stand. No request to it leaves the process.
const EchoBaseURL = "http://echo.invalid/v1"

// provider is one vendor that speaks OpenAI's dialect. A new vendor is a new row of providers, and no code.
type provider struct {
	prefix   string // before the slash of "groq/llama-3.1-8b"
	word     string // Deployment.Provider; empty: the prefix
	base     string // where the vendor serves OpenAI's routes
	root     string // the path that a configured base without any path gets: people write http://localhost:11434
	keyEnv   []string
	baseEnv  []string
	cred     routing.CredentialKind
	keyless  bool // works without a key, so a missing one is no fault
	needBase bool // has no public address: api_base must say where
	ops      []gateway.Op
}

var (
	chatOnly       = []gateway.Op{gateway.OpChat}
	chatEmbeddings = []gateway.Op{gateway.OpChat, gateway.OpEmbeddings}
)

// providers is the one table. Addresses and variable names are from the vendors' pages on OpenAI compatibility and from
// LiteLLM's own names (read 2026-11).
var providers = []provider{
	{prefix: "openai", base: "https://api.openai.com/v1",
		keyEnv: []string{"OPENAI_API_KEY"}, baseEnv: []string{"OPENAI_API_BASE", "OPENAI_BASE_URL"}, cred: routing.Bearer},
	{prefix: "anthropic", base: "https://api.anthropic.com/v1", root: "/v1", ops: chatOnly,
		keyEnv: []string{"ANTHROPIC_API_KEY"}, baseEnv: []string{"ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"}, cred: routing.Bearer},
	{prefix: "gemini", base: "https://generativelanguage.googleapis.com/v1beta/openai", root: "/v1beta/openai", ops: chatEmbeddings,
		keyEnv: []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}, baseEnv: []string{"GEMINI_API_BASE"}, cred: routing.Bearer},
	{prefix: "mistral", base: "https://api.mistral.ai/v1", root: "/v1",
		keyEnv: []string{"MISTRAL_API_KEY"}, baseEnv: []string{"MISTRAL_API_BASE"}, cred: routing.Bearer},
	{prefix: "ai21", base: "https://api.ai21.com/studio/v1", root: "/studio/v1", ops: chatOnly,
		keyEnv: []string{"AI21_API_KEY"}, baseEnv: []string{"AI21_API_BASE"}, cred: routing.Bearer},
	{prefix: "cohere", base: "https://api.cohere.ai/compatibility/v1", root: "/compatibility/v1", ops: chatEmbeddings,
		keyEnv: []string{"COHERE_API_KEY", "CO_API_KEY"}, baseEnv: []string{"COHERE_API_BASE"}, cred: routing.Bearer},
	{prefix: "cohere_chat", word: "cohere", base: "https://api.cohere.ai/compatibility/v1", root: "/compatibility/v1", ops: chatOnly,
		keyEnv: []string{"COHERE_API_KEY", "CO_API_KEY"}, baseEnv: []string{"COHERE_API_BASE"}, cred: routing.Bearer},
	{prefix: "groq", base: "https://api.groq.com/openai/v1", root: "/openai/v1",
		keyEnv: []string{"GROQ_API_KEY"}, baseEnv: []string{"GROQ_API_BASE"}, cred: routing.Bearer},
	{prefix: "together_ai", base: "https://api.together.xyz/v1", root: "/v1",
		keyEnv:  []string{"TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"},
		baseEnv: []string{"TOGETHER_AI_API_BASE"}, cred: routing.Bearer},
	{prefix: "fireworks_ai", base: "https://api.fireworks.ai/inference/v1", root: "/inference/v1",
		keyEnv:  []string{"FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY", "FIREWORKSAI_API_KEY"},
		baseEnv: []string{"FIREWORKS_API_BASE"}, cred: routing.Bearer},
	{prefix: "deepinfra", base: "https://api.deepinfra.com/v1/openai", root: "/v1/openai",
		keyEnv: []string{"DEEPINFRA_API_KEY"}, baseEnv: []string{"DEEPINFRA_API_BASE"}, cred: routing.Bearer},
	{prefix: "openrouter", base: "https://openrouter.ai/api/v1", root: "/api/v1",
		keyEnv: []string{"OPENROUTER_API_KEY", "OR_API_KEY"}, baseEnv: []string{"OPENROUTER_API_BASE"}, cred: routing.Bearer},
	{prefix: "xai", base: "https://api.x.ai/v1", root: "/v1",
		keyEnv: []string{"XAI_API_KEY"}, baseEnv: []string{"XAI_API_BASE"}, cred: routing.Bearer},
	{prefix: "deepseek", base: "https://api.deepseek.com",
		keyEnv: []string{"DEEPSEEK_API_KEY"}, baseEnv: []string{"DEEPSEEK_API_BASE"}, cred: routing.Bearer},
	{prefix: "cerebras", base: "https://api.cerebras.ai/v1", root: "/v1",
		keyEnv: []string{"CEREBRAS_API_KEY"}, baseEnv: []string{"CEREBRAS_API_BASE"}, cred: routing.Bearer},
	{prefix: "perplexity", base: "https://api.perplexity.ai", ops: chatOnly,
		keyEnv: []string{"PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"}, baseEnv: []string{"PERPLEXITY_API_BASE"}, cred: routing.Bearer},
	{prefix: "nvidia_nim", base: "https://integrate.api.nvidia.com/v1", root: "/v1",
		keyEnv: []string{"NVIDIA_NIM_API_KEY"}, baseEnv: []string{"NVIDIA_NIM_API_BASE"}, cred: routing.Bearer},
	{prefix: "ollama", base: OllamaBaseURL, root: "/v1",
		baseEnv: []string{"OLLAMA_API_BASE"}, cred: routing.Bearer, keyless: true},
	{prefix: "ollama_chat", word: "ollama", base: OllamaBaseURL, root: "/v1",
		baseEnv: []string{"OLLAMA_API_BASE"}, cred: routing.Bearer, keyless: true},
	{prefix: "lm_studio", base: "http://127.0.0.1:1234/v1", root: "/v1",
		keyEnv: []string{"LM_STUDIO_API_KEY"}, baseEnv: []string{"LM_STUDIO_API_BASE"}, cred: routing.Bearer, keyless: true},
	{prefix: "hosted_vllm", root: "/v1", needBase: true,
		keyEnv: []string{"HOSTED_VLLM_API_KEY"}, baseEnv: []string{"HOSTED_VLLM_API_BASE"}, cred: routing.Bearer, keyless: true},
	{prefix: "echo", base: EchoBaseURL, cred: routing.NoCredential, keyless: true},
}

// later are LiteLLM's prefixes of providers that do not speak OpenAI's dialect, or not with a plain key. Naming one is no
// mistake, so it is a warning and not an error.
var later = map[string]bool{
	"azure": true, "azure_ai": true, "azure_text": true, "bedrock": true, "sagemaker": true, "sagemaker_chat": true,
	"vertex_ai": true, "vertex_ai_beta": true, "huggingface": true, "watsonx": true, "replicate": true, "databricks": true,
	"snowflake": true, "oci": true, "cloudflare": true, "nlp_cloud": true, "voyage": true, "jina_ai": true,
	"github_copilot": true, "text-completion-openai": true, "assemblyai": true, "deepgram": true, "elevenlabs": true,
}

func findProvider(prefix string) (provider, bool) {
	for _, p := range providers {
		if p.prefix == prefix {
			if p.word == "" {
				p.word = p.prefix
			}
			return p, true
		}
	}
	return provider{}, false
}

// splitModel takes "groq/llama-3" apart. A bare name, or one whose first part is no known provider while api_base says
// where to go ("meta-llama/Llama-3"), is a model of an OpenAI-compatible host.
func splitModel(model string, hasBase bool) (provider, string, error) {
	prefix, rest, found := strings.Cut(model, "/")
	if p, ok := findProvider(prefix); ok && found {
		if rest == "" {
			return provider{}, "", unusable("model \"" + model + "\" names no model after the slash")
		}
		return p, rest, nil
	}
	openai, _ := findProvider("openai")
	switch {
	case model == "echo":
		echo, _ := findProvider("echo")
		return echo, model, nil
	case !found:
		return openai, model, nil
	case later[prefix]:
		return provider{}, "", unusable("provider \"" + prefix + "\" is not supported yet; " + openaiHint)
	case hasBase:
		return openai, model, nil
	default:
		return provider{}, "", unusable("unknown provider \"" + prefix + "\"; " + openaiHint)
	}
}

const openaiHint = "a host with OpenAI's routes works as openai/<model> with api_base"

// firstSet returns the first variable that has a value, and the value.
func firstSet(env func(string) string, names []string) (name, value string) {
	for _, name := range names {
		if v := strings.TrimSpace(env(name)); v != "" {
			return name, v
		}
	}
	return "", ""
}
