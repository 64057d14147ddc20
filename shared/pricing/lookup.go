package pricing

import "strings"

// aliases are other words for a provider.
var aliases = map[string]string{
	"google": "gemini", "google_ai_studio": "gemini", "vertex": "vertex_ai", "vertex_ai_beta": "vertex_ai",
	"aws": "bedrock", "bedrock_converse": "bedrock", "azure_openai": "azure",
	"text-completion-openai": "openai", "mistralai": "mistral", "x-ai": "xai", "together": "together_ai",
	"fireworks": "fireworks_ai", "cohere_chat": "cohere", "ollama_chat": "ollama",
}

// free are the providers whose models run on the caller's own machine.
var free = map[string]bool{"echo": true, "ollama": true}

// wellKnown are the providers whose model names need no provider, in the order in which they are asked.
var wellKnown = []string{"openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "cohere", "ai21", "bedrock"}

// prefixes are what may stand in front of a model name without changing what it means, beside the provider itself.
// Bedrock's are routes, the parts of an ARN, and regions: names with a region that cost something else have rows of
// their own.
var prefixes = map[string][]string{
	"gemini":    {"models/"},
	"vertex_ai": {"publishers/google/models/", "publishers/anthropic/models/", "google/", "anthropic/"},
	"bedrock": {"converse/", "converse_like/", "invoke/", "inference-profile/", "foundation-model/",
		"us.", "eu.", "apac.", "global.", "jp.", "au.", "ca.", "us-gov."},
	"fireworks_ai": {"accounts/fireworks/models/"},
}

// canonical is the book's word for a provider.
func canonical(provider string) string {
	provider = strings.ToLower(strings.TrimSpace(provider))
	if name, ok := aliases[provider]; ok {
		return name
	}
	return provider
}

// Lookup finds what a model costs at a provider. It tries the name as it is, then without the prefixes that a provider's
// names may carry ("openai/", Bedrock's regions and ARNs), each also without a date, version or "-latest" behind it:
// a dated model that has no row costs what the model without date costs. Case does not count. With an empty provider,
// the one in front of the name counts ("groq/..."), else the well-known ones are asked in turn. Models of echo and
// ollama are Free. It reports false for what the book does not know, which is not free.
func (b *Book) Lookup(provider, model string) (Price, bool) {
	provider, name := canonical(provider), strings.ToLower(strings.TrimSpace(model))
	if provider != "" {
		return b.at(provider, name)
	}
	if first, rest, ok := strings.Cut(name, "/"); ok {
		if p, ok := b.at(canonical(first), rest); ok {
			return p, true
		}
	}
	for _, provider := range wellKnown {
		if p, ok := b.at(provider, name); ok {
			return p, true
		}
	}
	return Price{}, false
}

// at looks a name up at one provider.
func (b *Book) at(provider, name string) (Price, bool) {
	if free[provider] {
		p := Free
		p.Provider, p.Model, p.Mode = provider, name, "chat"
		return p, true
	}
	for {
		if p, ok := b.dated(provider, name); ok {
			return p, true
		}
		rest, ok := cutPrefix(provider, name)
		if !ok {
			return Price{}, false
		}
		name = rest
	}
}

// dated looks up a name and the same name without its date.
func (b *Book) dated(provider, name string) (Price, bool) {
	i, ok := b.index[key{provider, name}]
	if !ok {
		i, ok = b.index[key{provider, undated(name)}]
	}
	if !ok {
		return Price{}, false
	}
	return b.prices[i], true
}

// cutPrefix takes one prefix off a name.
func cutPrefix(provider, name string) (rest string, ok bool) {
	if first, rest, ok := strings.Cut(name, "/"); ok && canonical(first) == provider {
		return rest, true
	}
	if strings.HasPrefix(name, "arn:") { // arn:aws:bedrock:region:account:inference-profile/name
		parts := strings.SplitN(name, ":", 6) // the name has colons of its own
		return parts[len(parts)-1], len(parts) == 6
	}
	for _, prefix := range prefixes[provider] {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// suffixes are the shapes of a date or version behind a name; 0 stands for a digit.
var suffixes = []string{"-0000-00-00", "-00000000", "@00000000", "-latest", "@latest", "@default", "@000", "-000"}

// undated is the name without its date, or the name itself.
func undated(name string) string {
	for _, shape := range suffixes {
		if cut := len(name) - len(shape); cut > 0 && matches(name[cut:], shape) {
			return name[:cut]
		}
	}
	return name
}

func matches(s, shape string) bool {
	for i := range len(shape) {
		if isDigit := '0' <= s[i] && s[i] <= '9'; shape[i] == '0' && !isDigit || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}
