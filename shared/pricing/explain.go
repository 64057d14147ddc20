package pricing

import "github.com/sluice-gateway/sluice/shared/gateway"

// Line is one token class's part of a cost.
type Line struct {
	// Class is one of input, cached, cache_write, cache_write_1h, audio_input, image_input, output, audio_output, image_output.
	Class  string          `json:"class"`
	Tokens int64           `json:"tokens"`
	Price  PicoUSD         `json:"price_pico_usd"`  // of one token; 1,000,000 is a dollar for a million tokens
	Amount gateway.NanoUSD `json:"amount_nano_usd"` // rounded so that the lines add up to the cost
}

// PerMillion is the line's price of a million tokens.
func (l Line) PerMillion() gateway.NanoUSD { return gateway.NanoUSD(l.Price) * 1_000_000 / picoPerNano }

// Explain is the cost of a usage line by line, of the classes that it has tokens of. The amounts add up to what Cost says to the
// nano-dollar: the cost is rounded once, so each line has what it adds to the rounded sum of those before it.
func (p Price) Explain(u gateway.Usage, o Options) []Line {
	r := p.Rates(u.InputTokens, o)
	part := func(tokens int64, of *int64) int64 {
		tokens = max(tokens, 0)
		*of -= min(*of, tokens)
		return tokens
	}
	input, output := max(u.InputTokens, 0), max(u.OutputTokens, 0)
	all := [...]Line{
		{Class: "cached", Tokens: part(u.CachedTokens, &input), Price: r.Cached},
		{Class: "cache_write", Tokens: part(u.CacheWriteTokens, &input), Price: r.CacheWrite},
		{Class: "cache_write_1h", Tokens: part(u.CacheWrite1hTokens, &input), Price: r.CacheWrite1h},
		{Class: "audio_input", Tokens: part(u.AudioInputTokens, &input), Price: r.AudioInput},
		{Class: "image_input", Tokens: part(u.ImageInputTokens, &input), Price: r.ImageInput},
		{Class: "audio_output", Tokens: part(u.AudioOutputTokens, &output), Price: r.AudioOutput},
		{Class: "image_output", Tokens: part(u.ImageOutputTokens, &output), Price: r.ImageOutput},
		{Class: "input", Tokens: input, Price: r.Input},
		{Class: "output", Tokens: output, Price: r.Output},
	}
	lines := make([]Line, 0, 2)
	var sum amount
	var before gateway.NanoUSD
	for _, line := range all {
		if line.Tokens == 0 {
			continue
		}
		sum.add(line.Tokens, line.Price)
		so := sum.nano(500)
		line.Amount, before = so-before, so
		lines = append(lines, line)
	}
	return lines
}
