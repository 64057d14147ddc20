package config

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// EchoBaseURL stands where the built-in echo model's address would stand. No request to it leaves the process.
const EchoBaseURL = "http://echo.invalid/v1"

// provider is one vendor. One that speaks OpenAI's dialect with a key is a new row of providers, and no code.
type provider struct {
	prefix   string // before the slash of "groq/llama-3.1-8b"
	word     string // Deployment.Provider; empty: the prefix
	base     string // where the vendor serves its routes
	root     string // the path that a configured base without any path gets: people write http://localhost:11434
	trim     string // an ending of a configured base that leads to another interface of the vendor's
	keyEnv   []string
	baseEnv  []string
	cred     routing.CredentialKind      // empty: Bearer
	keyless  bool                        // works without a key, so a missing one is no fault
	needBase bool                        // has no public address: api_base must say where
	speaks   []gateway.Op                // empty: OpenAI's chat, completions and embeddings
	reads    []string                    // groups of litellm_params that mean something here; see params
	make     maker                       // for those that are more than an address and a key; nil: plain
	ready    func(provider, lookup) bool // tells whether the environment has all that is needed; nil: a key, and a base if one is needed
}

// lookup looks a variable up.
type lookup = func(name string) string

// maker makes the deployments of one row of a config: several, if a pattern stands for models that are served differently.
type maker func(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error)

func findProvider(prefix string) (provider, bool) {
	for _, p := range providers {
		if p.prefix == prefix {
			return p.filled(), true
		}
	}
	return provider{}, false
}

// filled has the defaults in place.
func (p provider) filled() provider {
	if p.word == "" {
		p.word = p.prefix
	}
	if p.cred == "" {
		p.cred = routing.Bearer
	}
	return p
}

// found reports whether the environment has what the provider needs.
func (p provider) found(env lookup) bool {
	if p.ready != nil {
		return p.ready(p, env)
	}
	_, key := firstSet(env, p.keyEnv)
	_, base := firstSet(env, p.baseEnv)
	switch {
	case p.needBase && p.keyless:
		return base != ""
	case p.needBase:
		return key != "" && base != ""
	default:
		return key != ""
	}
}

// later are LiteLLM's prefixes of providers that do not speak a dialect we know, or not with a credential we know. Naming one is
// no mistake, so it is a warning and not an error.
var later = map[string]bool{
	"azure_text": true, "sagemaker": true, "sagemaker_chat": true, "watsonx": true, "watsonx_text": true, "replicate": true,
	"snowflake": true, "oci": true, "cloudflare": true, "nlp_cloud": true, "github_copilot": true, "chatgpt": true, "assemblyai": true,
	"deepgram": true, "elevenlabs": true, "predibase": true, "petals": true, "maritalk": true, "triton": true, "aleph_alpha": true,
	"text-completion-codestral": true, "anthropic_text": true, "gigachat": true, "clarifai": true, "datarobot": true, "palm": true,
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
func firstSet(env lookup, names []string) (name, value string) {
	for _, name := range names {
		if v := strings.TrimSpace(env(name)); v != "" {
			return name, v
		}
	}
	return "", ""
}
