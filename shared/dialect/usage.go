package dialect

import "github.com/sluice-gateway/sluice/shared/gateway"

// maxCount is the largest count of tokens that is believed; no model reads or writes as much.
const maxCount = 1 << 30

// CheckUsage makes a provider's counts consistent: parts are no more than the whole. It reports false if they are negative or beyond
// belief; then nothing was told.
func CheckUsage(u gateway.Usage) (gateway.Usage, bool) {
	for _, n := range [...]int64{
		u.InputTokens, u.CachedTokens, u.CacheWriteTokens, u.CacheWrite1hTokens, u.AudioInputTokens, u.ImageInputTokens,
		u.OutputTokens, u.ReasoningTokens, u.AudioOutputTokens, u.ImageOutputTokens,
	} {
		if n < 0 || n > maxCount {
			return gateway.Usage{}, false
		}
	}
	u.Source = gateway.UsageReported
	input := u.InputTokens
	for _, part := range [...]*int64{&u.CachedTokens, &u.CacheWriteTokens, &u.CacheWrite1hTokens, &u.AudioInputTokens, &u.ImageInputTokens} {
		*part = min(*part, input)
		input -= *part
	}
	u.ReasoningTokens = min(u.ReasoningTokens, u.OutputTokens)
	u.AudioOutputTokens = min(u.AudioOutputTokens, u.OutputTokens)
	u.ImageOutputTokens = min(u.ImageOutputTokens, u.OutputTokens-u.AudioOutputTokens)
	return u, true
}
