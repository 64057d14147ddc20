package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// environment makes a lookup out of name, value pairs.
func environment(pairs ...string) func(string) string {
	vars := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return vars[name] }
}

func bearer(key string) routing.Credential {
	return routing.Credential{Kind: routing.Bearer, Value: gateway.Secret(key)}
}

// ops are wire formats by their names.
func ops(names ...gateway.Op) []gateway.Op { return names }

// all is what OpenAI speaks.
var all = ops("chat", "completions", "embeddings", "responses")

// listed are the deployments that are not hidden.
func listed(ds []routing.Deployment) (out []routing.Deployment) {
	for _, d := range ds {
		if !d.Hidden {
			out = append(out, d)
		}
	}
	return out
}

var noCredential = routing.Credential{Kind: routing.NoCredential}

// equal compares with secrets revealed: cmp prints what differs, and test keys are no secrets.
func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty(), cmp.Transformer("reveal", gateway.Secret.Reveal)); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
}

func lines(ws []config.Warning) string {
	var out []string
	for _, w := range ws {
		out = append(out, w.String())
	}
	return strings.Join(out, "\n")
}

func TestCleanBase(t *testing.T) {
	t.Parallel()
	const want = "https://api.openai.com/v1"
	for raw, cut := range map[string]string{
		"https://api.openai.com/v1":                   "",
		"https://api.openai.com/v1/":                  "",
		"https://api.openai.com/v1//":                 "",
		" https://api.openai.com/v1\n":                "",
		"HTTPS://API.OpenAI.com/v1":                   "",
		"https://api.openai.com/v1/chat/completions":  "/chat/completions",
		"https://api.openai.com/v1/chat/completions/": "/chat/completions",
		"https://api.openai.com/v1//chat/completions": "/chat/completions",
		"https://api.openai.com/v1/completions":       "/completions",
		"https://api.openai.com/v1/embeddings":        "/embeddings",
		"https://api.openai.com/v1/embeddings/":       "/embeddings",
		"https://api.openai.com/v1/messages":          "/messages",
		"https://api.openai.com/v1/responses":         "/responses",
	} {
		base, gotCut, err := config.CleanBase(raw)
		if err != nil || base != want || gotCut != cut {
			t.Errorf("CleanBase(%q) = %q, %q, %v; want %q, %q", raw, base, gotCut, err, want, cut)
		}
	}
	for raw, want := range map[string]string{
		"http://localhost:8000":                     "http://localhost:8000",
		"http://localhost:8000/":                    "http://localhost:8000",
		"http://[::1]:8000/v1":                      "http://[::1]:8000/v1",
		"https://host/my-completions":               "https://host/my-completions",
		"https://host/a%2Fb/v1/":                    "https://host/a%2Fb/v1",
		"https://host/chat/completions/v1":          "https://host/chat/completions/v1",
		"https://host/openai/v1/chat/completions//": "https://host/openai/v1",
	} {
		if base, _, err := config.CleanBase(raw); err != nil || base != want {
			t.Errorf("CleanBase(%q) = %q, %v; want %q", raw, base, err, want)
		}
	}
}

func TestCleanBaseRefuses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                            "must start with http",
		"api.openai.com/v1":           "must start with http",
		"ftp://host/v1":               "must start with http",
		"file:///etc/passwd":          "must start with http",
		"https://":                    "no host",
		"https://:443/v1":             "no host",
		"https://user:s3cret@host/v1": "user name",
		"https://s3cret@host/v1":      "user name",
		"https://host/v1?key=s3cret":  "query",
		"https://host/v1?":            "query",
		"https://host/v1#s3cret":      "fragment",
		"https://host/v1#":            "fragment",
		"https://host:s3cret/v1":      "no valid URL",
		"https://ho st/s3cret":        "no valid URL",
		"https://host/\x00s3cret":     "no valid URL",
	} {
		_, _, err := config.CleanBase(raw)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CleanBase(%q): got %v, want %q", raw, err, want)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("CleanBase(%q) repeats the secret: %v", raw, err)
		}
	}
}

// Every row that is an address and a key works with its variables alone.
func TestProviderTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range config.Providers() {
		if seen[p.Prefix] {
			t.Errorf("%s is there twice", p.Prefix)
		}
		seen[p.Prefix] = true
		if p.Special || len(p.KeyEnv) == 0 {
			continue
		}
		env, base := environment(p.KeyEnv[0], "k-1"), p.Base
		if p.NeedBase {
			base = "https://own.example/v1"
			env = environment(p.KeyEnv[0], "k-1", p.BaseEnv[0], base+"/")
		}
		if clean, cut, err := config.CleanBase(base); err != nil || cut != "" || clean != base {
			t.Errorf("%s: base %q is not in its clean form %q: %v", p.Prefix, base, clean, err)
		}
		got, warnings, err := config.FromFlags(p.Prefix+"/m", "", "", env)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s/m: %v, %v", p.Prefix, warnings, err)
		}
		equal(t, got, []routing.Deployment{{Model: p.Prefix + "/m", Provider: p.Word, VendorModel: "m", BaseURL: base, Speaks: p.Speaks,
			Credential: routing.Credential{Kind: p.Kind, Value: "k-1"}}})
	}
}

func TestFromFlags(t *testing.T) {
	t.Parallel()
	key := environment("OPENAI_API_KEY", "sk-up", "GROQ_API_KEY", "gsk", "OLLAMA_API_BASE", "http://box:11434")
	for name, c := range map[string]struct {
		model, base, alias string
		want               routing.Deployment
		warning            string
	}{
		"the brief": {model: "gpt-3.5-turbo", base: "https://llm.example/v1",
			want: routing.Deployment{Model: "gpt-3.5-turbo", Provider: "openai", VendorModel: "gpt-3.5-turbo",
				BaseURL: "https://llm.example/v1", Credential: bearer("sk-up")}},
		"the brief, full URL pasted": {model: "gpt-3.5-turbo", base: "https://llm.example/v1/chat/completions", alias: "chat",
			want: routing.Deployment{Model: "chat", Provider: "openai", VendorModel: "gpt-3.5-turbo",
				BaseURL: "https://llm.example/v1", Credential: bearer("sk-up")},
			warning: "should not end in /chat/completions"},
		"no base": {model: "gpt-4o", want: routing.Deployment{Model: "gpt-4o", Provider: "openai", VendorModel: "gpt-4o",
			BaseURL: "https://api.openai.com/v1", Credential: bearer("sk-up"), Speaks: all}},
		"prefix": {model: "groq/llama-3", want: routing.Deployment{Model: "groq/llama-3", Provider: "groq", VendorModel: "llama-3",
			BaseURL: "https://api.groq.com/openai/v1", Credential: bearer("gsk"), Speaks: []gateway.Op{gateway.OpChat}}},
		"host's own name with a slash": {model: "meta-llama/Llama-3", base: "http://h:1/v1",
			want: routing.Deployment{Model: "meta-llama/Llama-3", Provider: "openai", VendorModel: "meta-llama/Llama-3",
				BaseURL: "http://h:1/v1", Credential: bearer("sk-up")}},
		"wildcard": {model: "openai/*", base: "http://h/v1", want: routing.Deployment{Model: "openai/*", Provider: "openai", VendorModel: "*",
			BaseURL: "http://h/v1", Credential: bearer("sk-up")}},
		"ollama elsewhere, without path": {model: "ollama_chat/qwen3:4b", want: routing.Deployment{Model: "ollama_chat/qwen3:4b",
			Provider: "ollama", VendorModel: "qwen3:4b", BaseURL: "http://box:11434/v1", Credential: noCredential}},
		"vllm": {model: "hosted_vllm/org/m", base: "http://gpu:8000", want: routing.Deployment{Model: "hosted_vllm/org/m",
			Provider: "hosted_vllm", VendorModel: "org/m", BaseURL: "http://gpu:8000/v1", Credential: noCredential}},
		"anthropic through a host without path": {model: "anthropic/claude", base: "https://api.anthropic.com", alias: "c",
			want: routing.Deployment{Model: "c", Provider: "anthropic", VendorModel: "claude", Speaks: ops("messages"),
				BaseURL: "https://api.anthropic.com/v1", Credential: routing.Credential{Kind: routing.XAPIKey, Value: "ak"}}},
		"echo": {model: "echo", want: config.Echo()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := key
			if strings.HasPrefix(c.model, "anthropic") {
				env = environment("ANTHROPIC_API_KEY", "ak")
			}
			got, warnings, err := config.FromFlags(c.model, c.base, c.alias, env)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, []routing.Deployment{c.want})
			if !strings.Contains(lines(warnings), c.warning) || (c.warning == "") != (len(warnings) == 0) {
				t.Errorf("warnings %q, want %q", lines(warnings), c.warning)
			}
		})
	}
}

func TestFromFlagsRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ model, base, alias, want string }{
		{"", "", "", "--model is empty"},
		{"gpt-4o", "", "", "OPENAI_API_KEY"},
		{"hosted_vllm/m", "", "", "HOSTED_VLLM_API_BASE"},
		{"sagemaker/gpt", "", "", "not supported yet"},
		{"nobody/m", "", "", "unknown provider"},
		{"groq/", "", "", "no model after the slash"},
		{"gpt-4o", "https://u:s3cret@h/v1", "", "user name"},
		{"openai/*", "http://h/v1", "fixed", "both end in *"},
		{"openai/*-mini", "http://h/v1", "", "end of a name only"},
	} {
		_, _, err := config.FromFlags(c.model, c.base, c.alias, environment())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("FromFlags(%q, %q): got %v, want %q", c.model, c.base, err, c.want)
		}
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	env := environment("OPENAI_API_KEY", "sk-up", "CO_API_KEY", "co", "XAI_API_KEY", "x", "XAI_API_BASE", "nonsense",
		"MISTRAL_API_KEY", " ", "OPENAI_BASE_URL", "https://eu.api.openai.com/v1/")
	known := func(provider string) []string { return []string{provider + "-one", provider + "-two"} }
	got, warnings := config.Discover(env, known)
	openai := routing.Deployment{Model: "openai/*", Provider: "openai", VendorModel: "*",
		BaseURL: "https://eu.api.openai.com/v1", Credential: bearer("sk-up"), Speaks: all}
	one, two := openai, openai
	one.Model, one.VendorModel = "openai-one", "openai-one"
	two.Model, two.VendorModel = "openai-two", "openai-two"
	equal(t, listed(got), []routing.Deployment{openai, one, two,
		{Model: "cohere/*", Provider: "cohere", VendorModel: "*", BaseURL: "https://api.cohere.ai/compatibility/v1",
			Credential: bearer("co"), Speaks: ops("chat", "embeddings")}})
	if !strings.Contains(lines(warnings), "xai/* is left out: XAI_API_BASE must start with") {
		t.Errorf("warnings: %s", lines(warnings))
	}
	if found, _ := config.Discover(environment(), known); len(found) != 0 {
		t.Errorf("without keys: %v", found)
	}
}

func TestCheckMasterKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"":                    "no master key",
		"sk-1234":             "at least 12",
		"sk-12345678":         "at least 12",
		"password-1234567890": `start with "sk-"`,
		"sk-1234 567890":      "no blanks",
		"sk-123456789\n":      "no blanks",
		"sk-pässwort-1234":    "plain ASCII",
		"sk-123456789":        "",
	} {
		err := config.CheckMasterKey(gateway.Secret(key))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("CheckMasterKey(%q): got %v, want %q", key, err, want)
		case err != nil && len(key) > 3 && strings.Contains(err.Error(), key):
			t.Errorf("%v repeats the key", err)
		}
	}
}
