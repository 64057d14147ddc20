package pricing_test

import (
	"math"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

// TestGolden has invoices worked out by hand. The comments count in micro-dollars, which are tokens times the listed
// price in dollars for a million; the wanted cost is in nano-dollars.
func TestGolden(t *testing.T) {
	t.Parallel()
	type u = gateway.Usage
	var (
		none       = pricing.Options{}
		inBatch    = pricing.Options{Batch: true}
		onFlex     = pricing.Options{ServiceTier: "flex"}
		onPriority = pricing.Options{ServiceTier: "priority"}
	)
	for _, tc := range []struct {
		provider, model string
		usage           gateway.Usage
		options         pricing.Options
		want            gateway.NanoUSD
	}{
		// OpenAI. 1000 x 2.5 + 500 x 10
		{"openai", "gpt-4o", u{InputTokens: 1000, OutputTokens: 500}, none, 7_500_000},
		// 400 x 2.5 + 600 x 1.25 + 500 x 10 = 1000 + 750 + 5000
		{"openai", "gpt-4o", u{InputTokens: 1000, CachedTokens: 600, OutputTokens: 500}, none, 6_750_000},
		// no discount on a discount: 400 x 1.25 + 600 x 1.25 + 500 x 5
		{"openai", "gpt-4o", u{InputTokens: 1000, CachedTokens: 600, OutputTokens: 500}, inBatch, 3_750_000},
		// 400 x 4.25 + 600 x 2.125 + 500 x 17 = 1700 + 1275 + 8500
		{"openai", "gpt-4o", u{InputTokens: 1000, CachedTokens: 600, OutputTokens: 500}, onPriority, 11_475_000},
		// not listed: the standard price
		{"openai", "gpt-4o", u{InputTokens: 1000, OutputTokens: 500}, onFlex, 7_500_000},
		{"openai", "gpt-4o", u{InputTokens: 1000, OutputTokens: 500}, pricing.Options{ServiceTier: "default"}, 7_500_000},
		// the first one cost more: 10 x 5 + 10 x 15
		{"openai", "gpt-4o-2024-05-13", u{InputTokens: 10, OutputTokens: 10}, none, 200_000},
		// 7 x 0.15 + 3 x 0.6 = 1.05 + 1.8
		{"openai", "gpt-4o-mini", u{InputTokens: 7, OutputTokens: 3}, none, 2_850},
		// 1 x 0.075
		{"openai", "gpt-4o-mini", u{InputTokens: 1, CachedTokens: 1}, none, 75},
		// 2000 x 0.625 + 8000 x 0.0625 + 1000 x 5 = 1250 + 500 + 5000
		{"openai", "gpt-5", u{InputTokens: 10_000, CachedTokens: 8_000, OutputTokens: 1_000}, onFlex, 6_750_000},
		// reasoning is output: 100 x 1.25 + 2000 x 10
		{"openai", "gpt-5", u{InputTokens: 100, OutputTokens: 2_000, ReasoningTokens: 1_800}, none, 20_125_000},
		// 1 x 0.0025 is 2.5 nano-dollars: half up
		{"openai", "gpt-5-nano", u{InputTokens: 1, CachedTokens: 1}, inBatch, 3},
		// 1000 x 3.5 + 1000 x 14
		{"openai", "o3", u{InputTokens: 1000, OutputTokens: 1000}, onPriority, 17_500_000},
		// 1000 x 150 + 1000 x 600
		{"openai", "o1-pro", u{InputTokens: 1000, OutputTokens: 1000}, none, 750_000_000},
		// up to 272,000: 272,000 x 2.5 + 1000 x 15 = 680,000 + 15,000
		{"openai", "gpt-5.4", u{InputTokens: 272_000, OutputTokens: 1000}, none, 695_000_000},
		// above, throughout: 272,001 x 5 + 1000 x 22.5 = 1,360,005 + 22,500
		{"openai", "gpt-5.4", u{InputTokens: 272_001, OutputTokens: 1000}, none, 1_382_505_000},
		// cached tokens count for the limit: 100,000 x 5 + 200,000 x 0.5
		{"openai", "gpt-5.4", u{InputTokens: 300_000, CachedTokens: 200_000}, none, 600_000_000},
		// 300,000 x 2.5 + 1000 x 11.25 = 750,000 + 11,250
		{"openai", "gpt-5.4", u{InputTokens: 300_000, OutputTokens: 1000}, inBatch, 761_250_000},
		// 3000 x 5 + 2000 x 0.5 + 5000 x 6.25 + 100 x 30 = 15,000 + 1000 + 31,250 + 3000
		{"openai", "gpt-5.6", u{InputTokens: 10_000, CachedTokens: 2_000, CacheWriteTokens: 5_000, OutputTokens: 100}, none, 50_250_000},
		// 100 x 2.5 + 900 x 32 + 50 x 10 + 150 x 64 = 250 + 28,800 + 500 + 9600
		{"openai", "gpt-audio", u{InputTokens: 1000, AudioInputTokens: 900, OutputTokens: 200, AudioOutputTokens: 150}, none, 39_150_000},
		// 1 x 0.02; 8191 x 0.13; 3 x 0.01
		{"openai", "text-embedding-3-small", u{InputTokens: 1}, none, 20},
		{"openai", "text-embedding-3-large", u{InputTokens: 8191}, none, 1_064_830},
		{"openai", "text-embedding-3-small", u{InputTokens: 3}, inBatch, 30},

		// Anthropic. 2500 x 3 + 6000 x 0.3 + 1000 x 3.75 + 500 x 6 + 1000 x 15 = 7500 + 1800 + 3750 + 3000 + 15,000
		{"anthropic", "claude-sonnet-4-5", u{InputTokens: 10_000, CachedTokens: 6_000, CacheWriteTokens: 1_000, CacheWrite1hTokens: 500, OutputTokens: 1_000}, none, 31_050_000},
		// half of it
		{"anthropic", "claude-sonnet-4-5", u{InputTokens: 10_000, CachedTokens: 6_000, CacheWriteTokens: 1_000, CacheWrite1hTokens: 500, OutputTokens: 1_000}, inBatch, 15_525_000},
		// 200,000 x 3
		{"anthropic", "claude-sonnet-4-5", u{InputTokens: 200_000}, none, 600_000_000},
		// 30,000 x 6 + 200,000 x 0.6 + 10,000 x 7.5 + 10,000 x 12 + 2000 x 22.5 = 180,000 + 120,000 + 75,000 + 120,000 + 45,000
		{"anthropic", "claude-sonnet-4-5", u{InputTokens: 250_000, CachedTokens: 200_000, CacheWriteTokens: 10_000, CacheWrite1hTokens: 10_000, OutputTokens: 2_000}, none, 540_000_000},
		// 200,001 x 3 + 2 x 11.25 = 600,003 + 22.5
		{"anthropic", "claude-sonnet-4-5", u{InputTokens: 200_001, OutputTokens: 2}, inBatch, 600_025_500},
		// no long-context price: 250,000 x 3
		{"anthropic", "claude-sonnet-4-6", u{InputTokens: 250_000}, none, 750_000_000},
		// 1 x 0.3, and for an hour 1 x 0.5
		{"anthropic", "claude-3-haiku-20240307", u{InputTokens: 1, CacheWriteTokens: 1}, none, 300},
		{"anthropic", "claude-3-haiku-20240307", u{InputTokens: 1, CacheWrite1hTokens: 1}, none, 500},
		// 4 x 5 + 1 x 25
		{"anthropic", "claude-opus-4-5", u{InputTokens: 4, OutputTokens: 1}, none, 45_000},

		// Google. 100,001 x 2.5 + 100,000 x 0.25 + 1000 x 15 = 250,002.5 + 25,000 + 15,000
		{"gemini", "gemini-2.5-pro", u{InputTokens: 200_001, CachedTokens: 100_000, OutputTokens: 1000}, none, 290_002_500},
		// the cache price holds in a batch: 500 x 0.625 + 500 x 0.125 + 100 x 5 = 312.5 + 62.5 + 500
		{"gemini", "gemini-2.5-pro", u{InputTokens: 1000, CachedTokens: 500, OutputTokens: 100}, inBatch, 875_000},
		// 500 x 0.3 + 100 x 0.03 + 400 x 1 + 100 x 2.5 = 150 + 3 + 400 + 250
		{"gemini", "gemini-2.5-flash", u{InputTokens: 1000, CachedTokens: 100, AudioInputTokens: 400, OutputTokens: 100, ReasoningTokens: 60}, none, 803_000},
		// 10 x 0.15
		{"gemini", "gemini-embedding-001", u{InputTokens: 10}, none, 1_500},
		// 1000 x 3 + 1000 x 15
		{"vertex_ai", "claude-sonnet-4-6", u{InputTokens: 1000, OutputTokens: 1000}, none, 18_000_000},

		// Bedrock. 500 x 0.8 + 500 x 0.2 + 100 x 3.2 = 400 + 100 + 320
		{"bedrock", "us.amazon.nova-pro-v1:0", u{InputTokens: 1000, CachedTokens: 500, OutputTokens: 100}, none, 820_000},
		// by region: 1000 x 3.3 + 100 x 16.5; 1000 x 3 + 100 x 15; 1000 x 3.6 + 100 x 18
		{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", u{InputTokens: 1000, OutputTokens: 100}, none, 4_950_000},
		{"bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", u{InputTokens: 1000, OutputTokens: 100}, none, 4_500_000},
		{"bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", u{InputTokens: 1000, OutputTokens: 100}, none, 5_400_000},
		// 1000 x 0.72 + 1000 x 0.72, and half of it
		{"bedrock", "meta.llama3-3-70b-instruct-v1:0", u{InputTokens: 1000, OutputTokens: 1000}, none, 1_440_000},
		{"bedrock", "meta.llama3-3-70b-instruct-v1:0", u{InputTokens: 1000, OutputTokens: 1000}, inBatch, 720_000},
		// 1000 x 3 + 1000 x 9; 1000 x 2 + 1000 x 8; 50 x 0.02
		{"bedrock", "mistral.mistral-large-2407-v1:0", u{InputTokens: 1000, OutputTokens: 1000}, none, 12_000_000},
		{"bedrock", "ai21.jamba-1-5-large-v1:0", u{InputTokens: 1000, OutputTokens: 1000}, none, 10_000_000},
		{"bedrock", "amazon.titan-embed-text-v2:0", u{InputTokens: 50}, none, 1_000},

		// Others. 3 x 0.0375 is 112.5 nano-dollars: half up, once for the attempt
		{"cohere", "command-r7b-12-2024", u{InputTokens: 3}, none, 113},
		// 100 x 0.28 + 900 x 0.028 + 10 x 0.42 = 28 + 25.2 + 4.2
		{"deepseek", "deepseek-chat", u{InputTokens: 1000, CachedTokens: 900, OutputTokens: 10}, none, 57_400},
		// 1 x 0.003625 is 3.625 nano-dollars
		{"deepseek", "deepseek-v4-pro", u{InputTokens: 1, CachedTokens: 1}, none, 4},
		// 500 x 0.15 + 500 x 0.075 + 100 x 0.6 = 75 + 37.5 + 60
		{"groq", "openai/gpt-oss-120b", u{InputTokens: 1000, CachedTokens: 500, OutputTokens: 100}, none, 172_500},
		// 300,000 x 2.5 + 100 x 5
		{"xai", "grok-4.3", u{InputTokens: 300_000, OutputTokens: 100}, none, 750_500_000},
		{"mistral", "mistral-embed", u{InputTokens: 10}, none, 1_000},
		{"ai21", "jamba-mini-1.7", u{InputTokens: 10, OutputTokens: 10}, none, 6_000},
		{"echo", "echo", u{InputTokens: 1000, OutputTokens: 1000}, none, 0},

		// A class without a price of its own costs as the plain one: 100 x 0.59; 100 x 2.5 three times
		{"groq", "llama-3.3-70b-versatile", u{InputTokens: 100, CachedTokens: 100}, none, 59_000},
		{"openai", "gpt-4o", u{InputTokens: 100, CacheWriteTokens: 100}, none, 250_000},
		{"openai", "gpt-4o", u{InputTokens: 100, CacheWrite1hTokens: 100}, none, 250_000},
		{"openai", "gpt-4o", u{InputTokens: 100, AudioInputTokens: 100}, none, 250_000},
		// Audio in a batch costs as outside of one: 100 x 32 + 100 x 64
		{"openai", "gpt-audio", u{InputTokens: 100, AudioInputTokens: 100, OutputTokens: 100, AudioOutputTokens: 100}, inBatch, 9_600_000},

		// Images read by an ordinary model are text: 1000 x 2.5 + 100 x 10; half of it in a batch; 300,000 x 5
		{"openai", "gpt-4o", u{InputTokens: 1000, ImageInputTokens: 765, OutputTokens: 100}, none, 3_500_000},
		{"openai", "gpt-4o", u{InputTokens: 1000, ImageInputTokens: 765, OutputTokens: 100}, inBatch, 1_750_000},
		{"openai", "gpt-5.4", u{InputTokens: 300_000, ImageInputTokens: 100_000}, none, 1_500_000_000},
		// beside audio: 100 x 2.5 + 600 x 32 + 300 x 2.5 = 250 + 19,200 + 750
		{"openai", "gpt-audio", u{InputTokens: 1000, AudioInputTokens: 600, ImageInputTokens: 300}, none, 20_200_000},
		// 50 x 5 + 200 x 10 + 4160 x 40 = 250 + 2000 + 166,400
		{"openai", "gpt-image-1", u{InputTokens: 250, ImageInputTokens: 200, OutputTokens: 4160, ImageOutputTokens: 4160}, none, 168_650_000},
		// 2 x 2 + 1 x 2.5 + 1 x 8
		{"openai", "gpt-image-1-mini", u{InputTokens: 3, ImageInputTokens: 1, OutputTokens: 1, ImageOutputTokens: 1}, none, 14_500},
		// 300 x 5 + 100 x 1.25 + 600 x 8 + 144 x 10 + 1056 x 32 = 1500 + 125 + 4800 + 1440 + 33,792; no batch price is listed
		{"openai", "gpt-image-1.5", u{InputTokens: 1000, CachedTokens: 100, ImageInputTokens: 600, OutputTokens: 1200, ImageOutputTokens: 1056}, none, 41_657_000},
		{"openai", "gpt-image-1.5", u{InputTokens: 1000, CachedTokens: 100, ImageInputTokens: 600, OutputTokens: 1200, ImageOutputTokens: 1056}, inBatch, 41_657_000},
		// 10 x 8 + 10 x 30; text where only images are listed: 2 x 5 + 1 x 32
		{"openai", "gpt-image-2-2026-04-21", u{InputTokens: 10, ImageInputTokens: 10, OutputTokens: 10, ImageOutputTokens: 10}, none, 380_000},
		{"azure", "gpt-image-1.5", u{InputTokens: 2, OutputTokens: 1}, none, 42_000},
		// 300 x 0.3 + 20 x 2.5 + 1290 x 30 = 90 + 50 + 38,700; in a batch 300 x 0.15 + 20 x 1.25 + 1290 x 15 = 45 + 25 + 19,350
		{"gemini", "gemini-2.5-flash-image", u{InputTokens: 300, ImageInputTokens: 258, OutputTokens: 1310, ImageOutputTokens: 1290}, none, 38_840_000},
		{"gemini", "gemini-2.5-flash-image", u{InputTokens: 300, ImageInputTokens: 258, OutputTokens: 1310, ImageOutputTokens: 1290}, inBatch, 19_420_000},
		// 600 x 2 + 380 x 12 + 1120 x 120 = 1200 + 4560 + 134,400; in a batch 600 x 1 + 380 x 6 + 1120 x 60 = 600 + 2280 + 67,200
		{"gemini", "gemini-3-pro-image-preview", u{InputTokens: 600, ImageInputTokens: 560, OutputTokens: 1500, ReasoningTokens: 300, ImageOutputTokens: 1120}, none, 140_160_000},
		{"gemini", "gemini-3-pro-image-preview", u{InputTokens: 600, ImageInputTokens: 560, OutputTokens: 1500, ReasoningTokens: 300, ImageOutputTokens: 1120}, inBatch, 70_080_000},
		// 1 x 0.5 + 1 x 60; in a batch 1 x 0.25 + 1 x 30
		{"vertex_ai", "gemini-3.1-flash-image", u{InputTokens: 1, OutputTokens: 1, ImageOutputTokens: 1}, none, 60_500},
		{"vertex_ai", "gemini-3.1-flash-image", u{InputTokens: 1, OutputTokens: 1, ImageOutputTokens: 1}, inBatch, 30_250},
		// 1 x 2.1875 is 2187.5 nano-dollars: half up
		{"bedrock", "amazon.nova-2-pro-preview-20251202-v1:0", u{InputTokens: 1, ImageInputTokens: 1}, none, 2_188},

		// A provider that lies. More images than tokens: 20 x 10 + 7 x 40; less than nothing: 10 x 5.
		{"openai", "gpt-image-1", u{InputTokens: 10, ImageInputTokens: 20, OutputTokens: 5, ImageOutputTokens: 7}, none, 480_000},
		{"openai", "gpt-image-1", u{InputTokens: 10, ImageInputTokens: math.MinInt64, ImageOutputTokens: -1}, none, 50_000},
		// More cached than input: 20 x 1.25. Less than nothing is nothing.
		{"openai", "gpt-4o", u{InputTokens: 10, CachedTokens: 20}, none, 25_000},
		{"openai", "gpt-4o", u{InputTokens: -5, OutputTokens: -5, CachedTokens: math.MinInt64}, none, 0},
		// 3,000,000,000,000 x 0.15 fits, 10^18 x 2.5 does not
		{"openai", "gpt-4o-mini", u{InputTokens: 3_000_000_000_000}, none, 450_000_000_000_000},
		{"openai", "gpt-4o", u{InputTokens: 1_000_000_000_000_000_000}, none, math.MaxInt64},
		{"openai", "o1-pro", u{InputTokens: math.MaxInt64, CachedTokens: math.MaxInt64, OutputTokens: math.MaxInt64, AudioOutputTokens: math.MaxInt64}, none, math.MaxInt64},
	} {
		p, ok := pricing.Default().Lookup(tc.provider, tc.model)
		if !ok {
			t.Errorf("%s %s is not in the book", tc.provider, tc.model)
			continue
		}
		if got := p.Cost(tc.usage, tc.options); got != tc.want {
			t.Errorf("%s %s %+v %+v: got %d, want %d", tc.provider, tc.model, tc.usage, tc.options, got, tc.want)
		}
		explained(t, p, tc.usage, tc.options)
	}
}
