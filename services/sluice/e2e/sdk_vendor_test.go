package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// vendor is a way to the fake provider: one of its wires, with a model whose kind and price the names of all its models have.
type vendor struct {
	name     string // what the names of its models begin with, for callers
	wire     string // on the bill
	provider string // in the price book
	base     string // the model
	thoughts        // what becomes of them
	row      string // litellm_params, with the fake's address for API
}

// thoughts is how a vendor treats the text of what its models think.
type thoughts struct {
	hides     bool // there is no place for it
	asked     bool // it tells it only to those who ask for that
	wantsText bool // it wants it back, unsigned, before the results of tools
}

// vendors are all wires that generate.
var vendors = []vendor{
	{"openai", "openai", "openai", "gpt-5", thoughts{hides: true}, `model: "openai/*", api_base: API/v1, api_key: KEY`},
	{"responses", "responses", "openai", "gpt-5", thoughts{asked: true}, `model: "openai/responses/*", api_base: API/v1, api_key: KEY`},
	{"deepseek", "openai", "deepseek", "deepseek-reasoner", thoughts{wantsText: true}, `model: "deepseek/*", api_base: API/v1, api_key: KEY`},
	{"azure", "azure", "azure", "gpt-5", thoughts{hides: true}, `model: "azure/*", api_base: API, api_key: KEY, api_version: "2024-10-21"`},
	{"azure-v1", "azure-responses", "azure", "gpt-5", thoughts{asked: true},
		`model: "azure/responses/*", api_base: API, api_key: KEY, api_version: v1`},
	{"anthropic", "anthropic", "anthropic", "claude-sonnet-4-5", thoughts{}, `model: "anthropic/*", api_base: API, api_key: KEY`},
	{"gemini", "gemini", "gemini", "gemini-3-pro-preview", thoughts{}, `model: "gemini/*", api_base: API, api_key: KEY`},
	{"bedrock", "bedrock", "bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", thoughts{},
		`model: "bedrock/*", aws_bedrock_runtime_endpoint: API, aws_access_key_id: ACCESS, aws_secret_access_key: SECRET, aws_region_name: us-east-1`},
	{"vertex", "vertex", "vertex_ai", "gemini-2.5-pro", thoughts{},
		`model: "vertex_ai/*", api_base: API, vertex_project: fake-project, extra_headers: {Authorization: "Bearer TOKEN"}`},
	{"vertex-claude", "vertex-anthropic", "vertex_ai", "claude-sonnet-4-5", thoughts{},
		`model: "vertex_ai/*", api_base: API, vertex_project: fake-project, extra_headers: {Authorization: "Bearer TOKEN"}`},
}

// model is the name of a model that behaves as package fakeprovider says; thinking is done where nobody sees it, if the wire has no
// place for it.
func (v vendor) model(behaviours ...string) string {
	name := strings.Join(append([]string{v.name + "/" + v.base}, behaviours...), "+")
	if v.hides {
		name = strings.ReplaceAll(name, "+think-", "+reasoning-")
	}
	return name
}

// vendorNamed finds a vendor.
func vendorNamed(t testing.TB, name string) vendor {
	t.Helper()
	for _, v := range vendors {
		if v.name == name {
			return v
		}
	}
	t.Fatalf("there is no vendor %s", name)
	return vendor{}
}

// everyVendor is a config.yaml with all of them, and echo.
func everyVendor(api string) string {
	var b strings.Builder
	b.WriteString("model_list:\n  - model_name: echo\n    litellm_params: {model: echo}\n")
	fill := strings.NewReplacer("API", strings.TrimSuffix(api, "/v1"), "KEY", fakeprovider.DefaultKey, "ACCESS", fakeprovider.FakeAccessKey,
		"SECRET", fakeprovider.FakeSecretKey, "TOKEN", fakeprovider.FakeToken)
	for _, v := range vendors {
		fmt.Fprintf(&b, "  - model_name: %q\n    litellm_params: {%s}\n    model_info: {base_model: %q}\n", v.name+"/*", fill.Replace(v.row), v.base)
	}
	for name, row := range embedders {
		fmt.Fprintf(&b, "  - model_name: %q\n    litellm_params: {%s}\n", name, fill.Replace(row))
	}
	return b.String()
}

// billedUsage is what a line of the bill says, in our words.
func billedUsage(l fakeprovider.Line) gateway.Usage {
	return gateway.Usage{
		InputTokens: l.PromptTokens, CachedTokens: l.CachedTokens, CacheWriteTokens: l.CacheWrite5mTokens, CacheWrite1hTokens: l.CacheWrite1hTokens,
		AudioInputTokens: l.PromptAudioTokens, OutputTokens: l.CompletionTokens, ReasoningTokens: l.ReasoningTokens,
		AudioOutputTokens: l.CompletionAudioTokens,
	}
}

// costOf is what a line of the bill costs, by the price book.
func costOf(t testing.TB, l fakeprovider.Line) gateway.NanoUSD {
	t.Helper()
	provider, model := "", l.Model
	for _, v := range vendors {
		switch {
		case v.wire != l.Wire:
		case strings.HasPrefix(l.Model, v.base):
			provider, model = v.provider, v.base
		case provider == "":
			provider = v.provider
		}
	}
	p, ok := pricing.Default().Lookup(provider, model)
	if !ok {
		t.Fatalf("the price book does not know %s of %s", model, provider)
	}
	return p.Cost(billedUsage(l), pricing.Options{})
}

// checkVendorBooks compares the ledger with the bill of all wires: every line has its entry with the same tokens and cost, and
// every entry its line. An answer that broke off may be counted by us; then it is told as partial, and its tokens are at most the bill's.
func (g *sluice) checkVendorBooks(t testing.TB) {
	t.Helper()
	var entries []entry
	eventually(t, bookLimit, "the ledger explains the bill", func() error {
		entries = g.ledger(t, masterKey)
		return unexplained(g.provider.Bill(), entries)
	})
	bill := map[string]fakeprovider.Line{}
	for _, l := range g.provider.Bill() {
		bill[l.RequestID] = l
	}
	for _, e := range entries {
		l, billed := bill[e.ID]
		switch {
		case e.Model == "echo":
			if e.cost(t) != 0 {
				t.Errorf("echo cost %s", e.Spend)
			}
		case e.Outcome == gateway.BilledActual:
			g.checkBilled(t, e, l)
		case e.Outcome == gateway.BilledPartial:
			if l.Outcome == "" || l.Outcome == fakeprovider.Rejected || e.CompletionTokens > l.CompletionTokens {
				t.Errorf("entry %s of %s is partial with %d tokens, the provider's line is %+v", e.ID, e.Model, e.CompletionTokens, l)
			}
		case e.Outcome == gateway.Rejected, e.Outcome == gateway.NotSent:
			if e.cost(t) != 0 || billed && l.Outcome != fakeprovider.Rejected {
				t.Errorf("entry %s of %s is %s and costs %s, the provider's line is %+v", e.ID, e.Model, e.Outcome, e.Spend, l)
			}
		default:
			t.Errorf("entry %s of %s has the outcome %s, the provider's line is %+v", e.ID, e.Model, e.Outcome, l)
		}
	}
}

// checkBilled compares an entry with the line that it stands for.
func (g *sluice) checkBilled(t testing.TB, e entry, l fakeprovider.Line) {
	t.Helper()
	if l.Outcome != fakeprovider.Billed {
		t.Errorf("entry %s of %s is billed, the provider's line is %+v", e.ID, e.Model, l)
		return
	}
	want := billedUsage(l)
	if l.Wire == "bedrock" {
		want.ReasoningTokens = 0 // Converse does not tell them
		e.Usage.ReasoningTokens = 0
	}
	want.Source = e.Usage.Source
	if e.Usage != want || e.Usage.Source != gateway.UsageReported || e.cost(t) != costOf(t, l) {
		t.Errorf("entry %s of %s: %+v, %s; the provider's line %+v costs %s", e.ID, e.Model, e.Usage, e.Spend, l, costOf(t, l))
	}
}
