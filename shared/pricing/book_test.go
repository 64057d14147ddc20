package pricing_test

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

// everyTier is what Options can ask for.
var everyTier = []pricing.Options{{}, {Batch: true}, {ServiceTier: "flex"}, {ServiceTier: "priority"}}

func TestEveryRow(t *testing.T) {
	t.Parallel()
	book := pricing.Default()
	source := regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]+(/[a-z0-9_/-]+)?$`)
	count := 0
	for _, provider := range book.Providers() {
		for _, p := range book.Models(provider) {
			count++
			name := p.Provider + " " + p.Model
			if got, ok := book.Lookup(provider, p.Model); !ok || got != p {
				t.Errorf("%s is not found by its own name", name)
			}
			if _, err := time.Parse(time.DateOnly, p.Read); err != nil || !source.MatchString(p.Source) {
				t.Errorf("%s: source %q read %q", name, p.Source, p.Read)
			}
			if p.MaxInput < 0 || p.MaxOutput < 0 || p.MaxInput > 20_000_000 || p.MaxOutput > 20_000_000 || p.LongAbove < 0 {
				t.Errorf("%s: limits %d/%d, long above %d", name, p.MaxInput, p.MaxOutput, p.LongAbove)
			}
			if p.IsFree() {
				t.Errorf("%s is free", name)
			}
			standard := p.Rates(0, pricing.Options{})
			for _, o := range everyTier {
				checkRates(t, name, p.Mode, p.Rates(0, o))
				if p.LongAbove == 0 {
					continue
				}
				long := p.Rates(p.LongAbove+1, o)
				checkRates(t, name+" long", p.Mode, long)
				if o.ServiceTier == "priority" { // not sold for long contexts by all vendors: then it costs the standard
					o = pricing.Options{}
				}
				if base := p.Rates(p.LongAbove, o); long.Input < base.Input || long.Output < base.Output {
					t.Errorf("%s: the long price is below the other", name)
				}
			}
			for o, limit := range map[pricing.Options][2]pricing.PicoUSD{ // in percent of the standard price
				{Batch: true}: {25, 100}, {ServiceTier: "flex"}: {25, 100}, {ServiceTier: "priority"}: {100, 300},
			} {
				r := p.Rates(0, o)
				if in := r.Input * 100 / standard.Input; in < limit[0] || in > limit[1] {
					t.Errorf("%s: %+v costs %d%% of the standard", name, o, in)
				}
			}
		}
	}
	if count < 400 {
		t.Errorf("got %d names, want at least 400", count)
	}
}

// checkRates says what every price list has in common. Dollars for a million tokens: between 0.001 and 1,000.
func checkRates(t *testing.T, name, mode string, r pricing.Rates) {
	t.Helper()
	for class, price := range map[string]pricing.PicoUSD{
		"input": r.Input, "cached": r.Cached, "write": r.CacheWrite, "write 1h": r.CacheWrite1h, "audio in": r.AudioInput,
		"image in": r.ImageInput,
	} {
		if price < 1000 || price > 1_000_000_000 {
			t.Errorf("%s: %s costs %d pico-dollars a token", name, class, price)
		}
	}
	switch isEmbedding := mode == "embedding"; {
	case r.Output < 0 || r.AudioOutput < r.Output || r.ImageOutput < r.Output || isEmbedding != (r.Output == 0):
		t.Errorf("%s: output costs %d, audio %d, images %d", name, r.Output, r.AudioOutput, r.ImageOutput)
	case r.Cached > r.Input || r.CacheWrite < r.Input || r.CacheWrite1h < r.CacheWrite || r.AudioInput < r.Input || r.ImageInput < r.Input:
		t.Errorf("%s: classes out of order: %+v", name, r)
	case !isEmbedding && r.Output < r.Input*9/10 && !strings.Contains(name, "DeepSeek"):
		t.Errorf("%s: output is cheaper than input: %+v", name, r)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	book := pricing.Default()
	for _, tc := range []struct {
		provider, model string
		want            string // provider/row; empty: not found
	}{
		{"openai", "gpt-4o", "openai/gpt-4o"},
		{"openai", "GPT-4o ", "openai/gpt-4o"},
		{"openai", "openai/gpt-4o", "openai/gpt-4o"},
		{"text-completion-openai", "gpt-3.5-turbo-instruct", "openai/gpt-3.5-turbo-instruct"},
		{"openai", "gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13"}, // a row of its own
		{"openai", "gpt-4o-2031-01-02", "openai/gpt-4o"},            // the dated row is not there
		{"openai", "gpt-4o-2031-1-02", ""},
		{"openai", "gpt-4-0613", "openai/gpt-4-0613"},
		{"openai", "gpt-4-9999", ""}, // four digits are a version, not a date
		{"openai", "ft:gpt-4o-2024-08-06:acme::x", ""},
		{"openai", "o3-mini", "openai/o3-mini"},
		{"openai", "text-embedding-3-small", "openai/text-embedding-3-small"},
		{"openai", "no-such-model", ""},
		{"openai", "", ""},
		{"anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5-20250929"},
		{"anthropic", "claude-sonnet-4-6-20300101", "anthropic/claude-sonnet-4-6"},
		{"anthropic", "claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet"},
		{"anthropic", "claude-3-5-haiku-latest", "anthropic/claude-3-5-haiku-latest"},
		{"gemini", "gemini-2.5-pro", "gemini/gemini-2.5-pro"},
		{"google", "models/gemini-2.5-flash-001", "gemini/gemini-2.5-flash"},
		{"vertex_ai", "publishers/google/models/gemini-2.5-pro", "vertex_ai/gemini-2.5-pro"},
		{"vertex_ai", "claude-sonnet-4-6@20990101", "vertex_ai/claude-sonnet-4-6"},
		{"vertex_ai", "vertex_ai/claude-opus-4-6@default", "vertex_ai/claude-opus-4-6@default"},
		{"bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "bedrock/anthropic.claude-3-haiku-20240307-v1:0"},
		{"bedrock", "us.meta.llama3-3-70b-instruct-v1:0", "bedrock/meta.llama3-3-70b-instruct-v1:0"},
		{"bedrock", "eu.meta.llama3-2-1b-instruct-v1:0", "bedrock/eu.meta.llama3-2-1b-instruct-v1:0"},
		{"bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"bedrock", "apac.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"bedrock", "bedrock/converse/us.amazon.nova-pro-v1:0", "bedrock/amazon.nova-pro-v1:0"},
		{"aws", "arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-english-v3", "bedrock/cohere.embed-english-v3"},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-7", "bedrock/global.anthropic.claude-opus-4-7"},
		{"bedrock", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.mistral.pixtral-large-2502-v1:0", "bedrock/eu.mistral.pixtral-large-2502-v1:0"},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", ""},
		{"bedrock", "arn:", ""},
		{"bedrock", "ai21.jamba-1-5-large-v1:0", "bedrock/ai21.jamba-1-5-large-v1:0"},
		{"groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"},
		{"groq", "groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"},
		{"together_ai", "meta-llama/llama-3.3-70b-instruct-turbo", "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo"},
		{"fireworks", "accounts/fireworks/models/glm-5p1", "fireworks_ai/accounts/fireworks/models/glm-5p1"},
		{"azure", "gpt-4o-mini", "azure/gpt-4o-mini"},
		{"azure", "our-own-deployment", ""},
		{"mistral", "mistral-large-latest", "mistral/mistral-large-latest"},
		{"ai21", "jamba-large-1.7", "ai21/jamba-large-1.7"},
		{"", "gpt-4.1-mini", "openai/gpt-4.1-mini"},
		{"", "claude-opus-4-5", "anthropic/claude-opus-4-5"},
		{"", "amazon.titan-embed-text-v2:0", "bedrock/amazon.titan-embed-text-v2:0"},
		{"", "groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"},
		{"", "vertex/gemini-2.5-pro", "vertex_ai/gemini-2.5-pro"},
		{"", "deepseek-chat", "deepseek/deepseek-chat"},
		{"", "jamba-1.5-large", "ai21/jamba-1.5-large"},
		{"", "llama-3.3-70b-versatile", ""},
		{"nobody", "gpt-4o", ""},
		{"echo", "echo", "echo/echo"},
		{"ollama_chat", "llama3.2:1b", "ollama/llama3.2:1b"},
		{"", "ollama/qwen3", "ollama/qwen3"},
	} {
		p, ok := book.Lookup(tc.provider, tc.model)
		got := p.Provider + "/" + p.Model
		if !ok {
			got = ""
		}
		if got != tc.want {
			t.Errorf("Lookup(%q, %q) = %q, want %q", tc.provider, tc.model, got, tc.want)
		}
		if isLocal := p.Provider == "echo" || p.Provider == "ollama"; ok && p.IsFree() != isLocal {
			t.Errorf("Lookup(%q, %q) is free: %v", tc.provider, tc.model, p.IsFree())
		}
	}
}

// The models that people ask for most have a price and limits.
func TestCoverage(t *testing.T) {
	t.Parallel()
	for provider, models := range map[string]string{
		"openai": "gpt-3.5-turbo gpt-4 gpt-4-turbo gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-5 gpt-5-mini gpt-5-nano gpt-5.1 gpt-5.2 " +
			"gpt-5.4 gpt-5.5 gpt-5.6 o1 o1-mini o1-pro o3 o3-mini o3-pro o4-mini gpt-audio",
		"anthropic": "claude-3-opus-20240229 claude-3-haiku-20240307 claude-3-5-sonnet-20240620 claude-3-5-haiku-20241022 claude-3-7-sonnet-20250219 " +
			"claude-sonnet-4-20250514 claude-opus-4-1 claude-sonnet-4-5 claude-haiku-4-5 claude-opus-4-5 claude-sonnet-5",
		"gemini":     "gemini-2.0-flash gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-3-pro-preview gemini-3-flash-preview",
		"vertex_ai":  "gemini-2.5-pro gemini-2.5-flash claude-sonnet-4-5@20250929 jamba-1.5-large",
		"bedrock":    "us.anthropic.claude-sonnet-4-20250514-v1:0 meta.llama3-3-70b-instruct-v1:0 mistral.mistral-large-2407-v1:0 ai21.jamba-1-5-mini-v1:0 amazon.nova-pro-v1:0",
		"mistral":    "mistral-large-latest mistral-medium-latest codestral-2508 open-mistral-7b",
		"ai21":       "jamba-large-1.7 jamba-mini-1.7",
		"groq":       "llama-3.3-70b-versatile llama-3.1-8b-instant",
		"deepseek":   "deepseek-chat deepseek-reasoner",
		"xai":        "grok-4 grok-3 grok-3-mini",
		"cohere":     "command-a-03-2025 command-r-plus",
		"perplexity": "",
	} {
		for model := range strings.FieldsSeq(models) {
			if p, ok := pricing.Default().Lookup(provider, model); !ok || p.MaxInput == 0 || p.MaxOutput == 0 {
				t.Errorf("%s %s: found %v, limits %d/%d", provider, model, ok, p.MaxInput, p.MaxOutput)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	got := pricing.Default().Version()
	if !regexp.MustCompile(`^20\d\d-\d\d-\d\d-[0-9a-f]{8}$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	const row = "provider p\texample.com\t2026-01-02\nm\tchat\t1/1\tin=1 out=2\n"
	first, err := pricing.Parse(row)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := pricing.Parse(row)
	changed, _ := pricing.Parse(strings.Replace(row, "out=2", "out=3\t2026-01-03", 1))
	if first.Version() != "2026-01-02-4301fbf3" || again.Version() != first.Version() || !strings.HasPrefix(changed.Version(), "2026-01-03-") {
		t.Errorf("got %q, %q and %q", first.Version(), again.Version(), changed.Version())
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []string{
		"m\tchat\t1/1", "m\tchess\t1/1\tin=1 out=1", "m\tchat\t1\tin=1 out=1", "m\tchat\tx/1\tin=1 out=1", "m\tchat\t1/1\tin=1",
		"m\tchat\t1/1\tout=1", "m\tchat\t1/1\tin=1 out=-1", "m\tchat\t1/1\tin=1 out=0.0000001", "m\tchat\t1/1\tin=1 out=1e3",
		"m\tchat\t1/1\tin=1 out=1 tea=1", "m\tchat\t1/1\tin=1 out=1 image=1", "m\tchat\t1/1\tin=1 out=1 image_in=-1",
		"m\tchat\t1/1\tin=1 out=1 image_out=0.0000001", "m\tchat\t1/1\tin=1 image_out=1", "m\timage\t1/1\tin=1 out=1", "m\tchat\t1/1\tin=1 out=1; turbo in=1", "m\tchat\t1/1\tin=1 out=1; long>x in=2",
		"m\tchat\t1/1\tin=1 out=1; batch long in=2", "m\tchat\t1/1\tin=1 out=1; batch in=1; long>5 in=2", "m\tchat\t1/1\tbatch in=1 out=1",
		"m m\tchat\t1/1\tin=1 out=1", "m M\tchat\t1/1\tin=1 out=1", "m\tchat\t1/1\tin=1 out=1\t2026-01-01\tx",
	} {
		if _, err := pricing.Parse("provider p\texample.com\t2026-01-02\n" + row); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: got %v", row, err)
		}
	}
	for _, text := range []string{"m\tchat\t1/1\tin=1 out=1", "provider p\texample.com"} {
		if _, err := pricing.Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// What a section leaves out comes from the section it derives from.
func TestSections(t *testing.T) {
	t.Parallel()
	const text = "provider p\texample.com\t2026-01-02\n" +
		"m\tchat\t1/1\tin=10 cached=1 out=20 audio_in=40; long>100 in=20 out=30; batch in=5; batch long in=9; flex out=15\n"
	book, err := pricing.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := book.Lookup("p", "m")
	usd := func(in, cached, out int64) [3]pricing.PicoUSD {
		return [3]pricing.PicoUSD{pricing.PicoUSD(in) * 1e6, pricing.PicoUSD(cached) * 1e6, pricing.PicoUSD(out) * 1e6}
	}
	for _, tc := range []struct {
		tokens int64
		o      pricing.Options
		want   [3]pricing.PicoUSD
	}{
		{100, pricing.Options{}, usd(10, 1, 20)},
		{101, pricing.Options{}, usd(20, 1, 30)},
		{100, pricing.Options{Batch: true}, usd(5, 1, 20)},
		{101, pricing.Options{Batch: true}, usd(9, 1, 30)},
		{100, pricing.Options{ServiceTier: "flex"}, usd(10, 1, 15)},
		{101, pricing.Options{ServiceTier: "flex"}, usd(20, 1, 30)},
		{100, pricing.Options{ServiceTier: "priority"}, usd(10, 1, 20)},
		{100, pricing.Options{ServiceTier: "default"}, usd(10, 1, 20)},
		{101, pricing.Options{Batch: true, ServiceTier: "flex"}, usd(9, 1, 30)},
	} {
		r := p.Rates(tc.tokens, tc.o)
		if got := [3]pricing.PicoUSD{r.Input, r.Cached, r.Output}; got != tc.want || r.AudioInput != 40e6 {
			t.Errorf("%d tokens, %+v: got %v, audio %d, want %v", tc.tokens, tc.o, got, r.AudioInput, tc.want)
		}
	}
}

// Image classes come from where the others do: what is listed from the section it derives from, else from plain tokens.
func TestImageSections(t *testing.T) {
	t.Parallel()
	const text = "provider p\texample.com\t2026-01-02\n" +
		"m\tchat\t1/1\tin=10 out=20 image_in=30; long>100 in=20 image_out=90; batch out=5 image_in=15; batch long image_out=45\n"
	book, err := pricing.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := book.Lookup("p", "m")
	for _, tc := range []struct {
		tokens  int64
		o       pricing.Options
		in, out pricing.PicoUSD
	}{
		{100, pricing.Options{}, 30e6, 20e6},
		{101, pricing.Options{}, 30e6, 90e6},
		{100, pricing.Options{Batch: true}, 15e6, 5e6},
		{101, pricing.Options{Batch: true}, 30e6, 45e6},
		{100, pricing.Options{ServiceTier: "flex"}, 30e6, 20e6},
	} {
		if r := p.Rates(tc.tokens, tc.o); r.ImageInput != tc.in || r.ImageOutput != tc.out {
			t.Errorf("%d tokens, %+v: got %d and %d, want %d and %d", tc.tokens, tc.o, r.ImageInput, r.ImageOutput, tc.in, tc.out)
		}
	}
}

// imageModels are the prices of models that only make images.
func imageModels(t *testing.T) (found []pricing.Price) {
	t.Helper()
	for _, provider := range []string{"openai", "azure"} {
		for _, model := range []string{"gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2"} {
			p, ok := pricing.Default().Lookup(provider, model)
			if !ok || p.Mode != "image_generation" {
				t.Fatalf("%s %s: found %v, mode %q", provider, model, ok, p.Mode)
			}
			found = append(found, p)
		}
	}
	return found
}

func TestImageModels(t *testing.T) {
	t.Parallel()
	for _, p := range imageModels(t) {
		for _, o := range everyTier {
			checkRates(t, p.Provider+" "+p.Model, p.Mode, p.Rates(0, o))
		}
		if slices.Contains(pricing.Default().Models(p.Provider), p) {
			t.Errorf("%s %s is listed among what routes serve", p.Provider, p.Model)
		}
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	models := pricing.Default().Models("google")
	if !slices.IsSortedFunc(models, func(a, b pricing.Price) int { return strings.Compare(a.Model, b.Model) }) || len(models) < 10 {
		t.Errorf("got %d models of gemini", len(models))
	}
	if got := pricing.Default().Models("nobody"); got != nil {
		t.Errorf("got %v", got)
	}
}

// The book is small beside an idle process.
func TestMemory(t *testing.T) { // not parallel: it measures
	text := bookText(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	book, err := pricing.Parse(text)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if size := int64(after.HeapAlloc) - int64(before.HeapAlloc); size > 1<<20 {
		t.Errorf("the book holds %d KiB", size>>10)
	} else {
		t.Logf("the book holds %d KiB", size>>10)
	}
	runtime.KeepAlive(book)
}

func BenchmarkParse(b *testing.B) {
	text := bookText(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pricing.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	book := pricing.Default()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := book.Lookup("bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkCost(b *testing.B) {
	p, _ := pricing.Default().Lookup("anthropic", "claude-sonnet-4-5")
	u := gateway.Usage{InputTokens: 12_345, CachedTokens: 10_000, CacheWriteTokens: 2_000, OutputTokens: 678}
	b.ReportAllocs()
	for b.Loop() {
		if p.Cost(u, pricing.Options{}) == 0 {
			b.Fatal("free")
		}
	}
}
