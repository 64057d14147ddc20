package pricing_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

// explained checks that the lines of a cost add up to it, and that each is what it says within a nano-dollar.
func explained(t interface{ Errorf(string, ...any) }, p pricing.Price, u gateway.Usage, o pricing.Options) {
	var sum gateway.NanoUSD
	cost := p.Cost(u, o)
	for _, line := range p.Explain(u, o) {
		if sum = sum + line.Amount; line.Amount < 0 || line.Tokens <= 0 || line.Price < 0 || line.Class == "" {
			t.Errorf("%+v: a line says %+v", u, line)
		}
		if exact := float64(line.Tokens) * float64(line.Price) / 1000; cost < math.MaxInt64 && exact < 1e15 && math.Abs(exact-float64(line.Amount)) > 1 {
			t.Errorf("%+v: %d tokens at %d are not %d", u, line.Tokens, line.Price, line.Amount)
		}
	}
	if sum != cost {
		t.Errorf("%+v %+v: the lines add up to %d, the cost is %d", u, o, sum, cost)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	p, _ := pricing.Default().Lookup("openai", "gpt-4o")
	got := p.Explain(gateway.Usage{InputTokens: 1000, CachedTokens: 600, OutputTokens: 500, ReasoningTokens: 70}, pricing.Options{})
	want := []pricing.Line{
		{Class: "cached", Tokens: 600, Price: 1_250_000, Amount: 750_000},
		{Class: "input", Tokens: 400, Price: 2_500_000, Amount: 1_000_000},
		{Class: "output", Tokens: 500, Price: 10_000_000, Amount: 5_000_000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p, _ = pricing.Default().Lookup("openai", "gpt-image-1.5")
	images := p.Explain(gateway.Usage{InputTokens: 1000, CachedTokens: 100, ImageInputTokens: 600, OutputTokens: 1200, ImageOutputTokens: 1056}, pricing.Options{})
	want = []pricing.Line{
		{Class: "cached", Tokens: 100, Price: 1_250_000, Amount: 125_000},
		{Class: "image_input", Tokens: 600, Price: 8_000_000, Amount: 4_800_000},
		{Class: "image_output", Tokens: 1056, Price: 32_000_000, Amount: 33_792_000},
		{Class: "input", Tokens: 300, Price: 5_000_000, Amount: 1_500_000},
		{Class: "output", Tokens: 144, Price: 10_000_000, Amount: 1_440_000},
	}
	if diff := cmp.Diff(want, images); diff != "" {
		t.Error(diff)
	}
	if got[1].PerMillion() != 2_500_000_000 {
		t.Errorf("a million costs %d", got[1].PerMillion())
	}
}

// Whatever a provider reports and whatever the price, lines add up to the cost.
func TestExplainAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.Custom(func(t *rapid.T) pricing.PicoUSD { return pricing.PicoUSD(rapid.Int64Range(0, 1e12).Draw(t, "price")) })
		tokens := rapid.OneOf(rapid.Int64Range(-5, 1e6), rapid.Int64())
		p := pricing.Custom(pricing.Rates{
			Input: price.Draw(t, "in"), Cached: price.Draw(t, "cached"), CacheWrite: price.Draw(t, "write"), CacheWrite1h: price.Draw(t, "write1h"),
			AudioInput: price.Draw(t, "audio in"), ImageInput: price.Draw(t, "image in"),
			Output: price.Draw(t, "out"), AudioOutput: price.Draw(t, "audio out"), ImageOutput: price.Draw(t, "image out"),
		})
		u := gateway.Usage{
			InputTokens: tokens.Draw(t, "input"), CachedTokens: tokens.Draw(t, "cached"), CacheWriteTokens: tokens.Draw(t, "write"),
			CacheWrite1hTokens: tokens.Draw(t, "write1h"), AudioInputTokens: tokens.Draw(t, "audio"), OutputTokens: tokens.Draw(t, "output"),
			ImageInputTokens: tokens.Draw(t, "image"), AudioOutputTokens: tokens.Draw(t, "audio out"), ImageOutputTokens: tokens.Draw(t, "image out"),
		}
		explained(t, p, u, pricing.Options{})
	})
}
