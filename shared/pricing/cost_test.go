package pricing_test

import (
	"math"
	"math/big"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

func bookText(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("book.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exact is the cost in nano-dollars by big.Rat, not rounded.
func exact(r pricing.Rates, u gateway.Usage) *big.Rat {
	nonNegative := func(n int64) *big.Int { return big.NewInt(max(n, 0)) }
	sum, input, output := new(big.Int), nonNegative(u.InputTokens), nonNegative(u.OutputTokens)
	charge := func(tokens *big.Int, price pricing.PicoUSD) {
		sum.Add(sum, new(big.Int).Mul(tokens, big.NewInt(int64(price))))
	}
	for _, class := range []struct {
		tokens int64
		price  pricing.PicoUSD
		of     *big.Int
	}{
		{u.CachedTokens, r.Cached, input}, {u.CacheWriteTokens, r.CacheWrite, input}, {u.CacheWrite1hTokens, r.CacheWrite1h, input},
		{u.AudioInputTokens, r.AudioInput, input}, {u.ImageInputTokens, r.ImageInput, input},
		{u.AudioOutputTokens, r.AudioOutput, output}, {u.ImageOutputTokens, r.ImageOutput, output},
	} {
		charge(nonNegative(class.tokens), class.price)
		class.of.Sub(class.of, nonNegative(class.tokens))
	}
	for _, rest := range []*big.Int{input, output} {
		if rest.Sign() < 0 {
			rest.SetInt64(0)
		}
	}
	charge(input, r.Input)
	charge(output, r.Output)
	return new(big.Rat).SetFrac(sum, big.NewInt(1000))
}

// halfUp rounds to a whole number, saturating.
func halfUp(r *big.Rat) gateway.NanoUSD {
	r = new(big.Rat).Add(r, big.NewRat(1, 2))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return gateway.NanoUSD(n.Int64())
}

func FuzzCost(f *testing.F) {
	f.Add(uint64(2_500_000), uint64(10_000_000), int64(1000), int64(100), int64(0), int64(0), int64(0), int64(7), int64(50), int64(0), int64(9))
	f.Add(uint64(1), uint64(1), int64(1<<62), int64(-5), int64(1<<62), int64(7), int64(1<<60), int64(-1), int64(math.MaxInt64), int64(3), int64(1<<61))
	f.Add(uint64(999_999_999_999), uint64(0), int64(math.MaxInt64), int64(0), int64(0), int64(0), int64(0), int64(math.MaxInt64), int64(0), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, inPrice, outPrice uint64, in, cached, write, write1h, audioIn, imageIn, out, audioOut, imageOut int64) {
		x, y := pricing.PicoUSD(inPrice%1e12), pricing.PicoUSD(outPrice%1e12)
		r := pricing.Rates{Input: x, Cached: x / 10, CacheWrite: x + x/4, CacheWrite1h: 2 * x, AudioInput: 3 * x, ImageInput: 5 * x,
			Output: y, AudioOutput: 2 * y, ImageOutput: 4 * y}
		u := gateway.Usage{InputTokens: in, CachedTokens: cached, CacheWriteTokens: write, CacheWrite1hTokens: write1h, AudioInputTokens: audioIn,
			ImageInputTokens: imageIn, OutputTokens: out, AudioOutputTokens: audioOut, ImageOutputTokens: imageOut}
		if got, want := pricing.Custom(r).Cost(u, pricing.Options{}), halfUp(exact(r, u)); got != want {
			t.Fatalf("Cost of %+v at %+v = %d, want %d", u, r, got, want)
		}
	})
}

// No call costs more than its upper bound: any row, any tier, any mix of classes within the limits.
func TestUpperBoundHolds(t *testing.T) {
	t.Parallel()
	book := pricing.Default()
	var all []pricing.Price
	for _, provider := range book.Providers() {
		all = append(all, book.Models(provider)...)
	}
	all = append(all, imageModels(t)...)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(all).Draw(t, "price")
		limit := rapid.Int64Range(0, 2_000_000).Draw(t, "input limit")
		maxOutput, n := rapid.Int64Range(0, 200_000).Draw(t, "output limit"), rapid.Int64Range(1, 8).Draw(t, "n")
		in, out := rapid.Int64Range(0, limit).Draw(t, "input"), rapid.Int64Range(0, maxOutput*n).Draw(t, "output")
		part := func(rest *int64, name string) int64 {
			x := rapid.Int64Range(0, *rest).Draw(t, name)
			*rest -= x
			return x
		}
		left, leftOut := in, out
		u := gateway.Usage{InputTokens: in, OutputTokens: out, CachedTokens: part(&left, "cached"), CacheWriteTokens: part(&left, "write"),
			CacheWrite1hTokens: part(&left, "write1h"), AudioInputTokens: part(&left, "audio"), ImageInputTokens: part(&left, "image"),
			AudioOutputTokens: part(&leftOut, "audio out"), ImageOutputTokens: part(&leftOut, "image out")}
		o := rapid.SampledFrom(everyTier).Draw(t, "tier")
		if cost, bound := p.Cost(u, o), p.UpperBound(limit, maxOutput, n); cost > bound {
			t.Fatalf("%s %s: %+v costs %d, above %d", p.Provider, p.Model, u, cost, bound)
		}
	})
}

func TestUpperBound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		provider, model  string
		in, maxOutput, n int64
		want             gateway.NanoUSD
	}{
		// priority: 1000 x 4.25 + 500 x 17 = 4,250 + 8,500 micro-dollars
		{"openai", "gpt-4o", 1000, 500, 1, 12_750_000},
		// three answers: 4,250 + 3 x 8,500
		{"openai", "gpt-4o", 1000, 500, 3, 29_750_000},
		{"openai", "gpt-4o", 1000, 500, 0, 12_750_000},
		{"openai", "gpt-4o", -1, -1, 1, 0},
		// cache write for an hour is the dearest input: 1000 x 6 + 100 x 15
		{"anthropic", "claude-sonnet-4-5", 1000, 100, 1, 7_500_000},
		// above 200,000 tokens: 200,001 x 12 + 100 x 22.5 = 2,400,012 + 2,250
		{"anthropic", "claude-sonnet-4-5", 200_001, 100, 1, 2_402_262_000},
		// audio is the dearest: 1000 x 32 + 100 x 64
		{"openai", "gpt-audio", 1000, 100, 1, 38_400_000},
		// images are the dearest: 1000 x 10 + 100 x 40; outside of a batch: 1000 x 0.3 + 1290 x 30 = 300 + 38,700
		{"openai", "gpt-image-1", 1000, 100, 1, 14_000_000},
		{"gemini", "gemini-2.5-flash-image", 1000, 1290, 1, 39_000_000},
		// 3 tokens of 0.02 are 0.06 micro-dollars
		{"openai", "text-embedding-3-small", 3, 0, 1, 60},
		// 1 token of 0.0375 micro-dollars is 37.5 nano-dollars, rounded up
		{"cohere", "command-r7b-12-2024", 1, 0, 1, 38},
		{"openai", "gpt-4o", math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{"echo", "echo", math.MaxInt64, math.MaxInt64, math.MaxInt64, 0},
	} {
		p, ok := pricing.Default().Lookup(tc.provider, tc.model)
		if !ok {
			t.Fatalf("%s is not in the book", tc.model)
		}
		if got := p.UpperBound(tc.in, tc.maxOutput, tc.n); got != tc.want {
			t.Errorf("%s: UpperBound(%d, %d, %d) = %d, want %d", tc.model, tc.in, tc.maxOutput, tc.n, got, tc.want)
		}
	}
}

func TestPerToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want pricing.PicoUSD
		ok   bool
	}{
		{"0", 0, true}, {"0.0", 0, true}, {"2.5e-06", 2_500_000, true}, {"0.0000025", 2_500_000, true}, {"1E-6", 1_000_000, true},
		{"25e-07", 2_500_000, true}, {"0.000000000001", 1, true}, {"1e-12", 1, true}, {"10e-13", 1, true}, {"0.9", 900_000_000_000, true}, {" 1e-6 ", 1_000_000, true},
		{"1e-13", 0, false}, {"0.0000000000001", 0, false}, {"1", 0, false}, {"1e3", 0, false}, {"-1e-6", 0, false}, {"+1e-6", 0, false},
		{"", 0, false}, {".", 0, false}, {"1.", 0, false}, {".5", 0, false}, {"0x1p-20", 0, false}, {"NaN", 0, false}, {"1e-6e", 0, false},
		{"1e-99999999999999999999", 0, false}, {"1_0e-6", 0, false}, {"1,5e-6", 0, false}, {"١e-6", 0, false},
	} {
		got, err := pricing.ParsePerToken(tc.text)
		if got != tc.want || (err == nil) != tc.ok {
			t.Errorf("ParsePerToken(%q) = %d, %v, want %d", tc.text, got, err, tc.want)
		}
		if _, err := pricing.PerToken("0", tc.text); (err == nil) != tc.ok {
			t.Errorf("PerToken(0, %q): %v", tc.text, err)
		}
		if _, err := pricing.PerToken(tc.text, "0"); (err == nil) != tc.ok {
			t.Errorf("PerToken(%q, 0): %v", tc.text, err)
		}
	}
	p, err := pricing.PerToken("1e-6", "2e-6")
	if err != nil {
		t.Fatal(err)
	}
	u := gateway.Usage{InputTokens: 10, CachedTokens: 4, AudioInputTokens: 1, ImageInputTokens: 2, OutputTokens: 5, AudioOutputTokens: 3, ImageOutputTokens: 2}
	for _, o := range everyTier {
		if got := p.Cost(u, o); got != 20_000 {
			t.Errorf("%+v: got %d, want 20000", o, got)
		}
	}
	old := pricing.Custom(pricing.Rates{Input: 1e6, Output: 2e6}) // from who knows no images: they are not for nothing
	if got := old.Cost(gateway.Usage{InputTokens: 10, ImageInputTokens: 10, OutputTokens: 5, ImageOutputTokens: 5}, pricing.Options{}); got != 20_000 {
		t.Errorf("images without a price of their own cost %d, want 20000", got)
	}
	if zero, _ := pricing.PerToken("0", "0"); !zero.IsFree() || p.IsFree() || !pricing.Free.IsFree() {
		t.Error("what is free is not told from what is not")
	}
}

// FuzzParse: a book is refused or complete, whatever the text; what it holds can be looked up and charged.
func FuzzParse(f *testing.F) {
	f.Add("provider p\texample.com\t2026-01-02\nm n\tchat\t1/1\tin=1 cached=0.1 out=2; long>5 in=2 image_in=3; batch in=0.5 image_out=4; batch long in=1\t2026-01-03\n")
	f.Add("# nothing\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		book, err := pricing.Parse(text)
		if err != nil {
			return
		}
		for _, provider := range book.Providers() {
			for _, p := range book.Models(provider) {
				u := gateway.Usage{InputTokens: 1000, CachedTokens: 10, ImageInputTokens: 20, OutputTokens: 10, ImageOutputTokens: 5}
				for _, o := range everyTier {
					if cost := p.Cost(u, o); cost < 0 || cost > p.UpperBound(1000, 10, 1) {
						t.Fatalf("%+v costs %d", p, cost)
					}
				}
			}
		}
	})
}
