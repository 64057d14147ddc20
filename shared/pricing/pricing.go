// Package pricing is the price book: what a model's tokens cost, with the source of each price, and the exact cost of an
// attempt in NanoUSD. It knows tokens only: what vendors charge for searches, tools and storage is not in it.
package pricing

import "github.com/sluice-gateway/sluice/shared/gateway"

// PicoUSD is a price of one token, in millionths of a millionth of a US dollar: 1,000,000 is a dollar for a million
// tokens. Every listed price is a whole number of it.
type PicoUSD int64

// Rates are the prices of one token of each class, all set: a class that the vendor does not list has the price of
// another. Reasoning tokens are output tokens.
type Rates struct {
	Input        PicoUSD // neither cached, audio nor image
	Cached       PicoUSD // read from a prompt cache; else as Input
	CacheWrite   PicoUSD // written to a cache for minutes; else as Input
	CacheWrite1h PicoUSD // written to a cache for an hour; else as CacheWrite
	AudioInput   PicoUSD // else as Input
	ImageInput   PicoUSD // else as Input
	Output       PicoUSD // text, reasoning included
	AudioOutput  PicoUSD // else as Output
	ImageOutput  PicoUSD // else as Output
}

// Price is what one model costs at one provider. Its zero value costs nothing.
type Price struct {
	Provider  string // as in the book
	Model     string // the name of the book's row
	Mode      string // "chat", "completion", "embedding", "responses" (chat, by that interface only), "image_generation"
	Source    string // the vendor's page
	Read      string // when the source was read, as 2006-01-02
	MaxInput  int64  // in tokens, 0 unknown
	MaxOutput int64  // in tokens, 0 unknown
	LongAbove int64  // a call with more input tokens costs the long-context price throughout; 0: there is none

	sheets *[tiers]sheet // nil: free
}

// sheet is the price at one tier: below and above LongAbove.
type sheet struct{ base, long Rates }

// tier is a way to be served.
type tier int

const (
	standard tier = iota
	batch
	flex
	priority
	tiers
)

// Options say how a call was served.
type Options struct {
	Batch       bool   // through the vendor's batch interface
	ServiceTier string // the provider's answer: "flex" and "priority" have prices, all else is standard
}

func (o Options) tier() tier {
	switch {
	case o.Batch:
		return batch
	case o.ServiceTier == "flex":
		return flex
	case o.ServiceTier == "priority":
		return priority
	default:
		return standard
	}
}

// Free is the known price zero, of models that run on the caller's own machine.
var Free = Price{Source: "free"}

// IsFree reports whether tokens cost nothing, whatever the tier.
func (p Price) IsFree() bool { return p.sheets == nil || *p.sheets == [tiers]sheet{} }

// Rates are the prices for a call of that many input tokens. A tier that the vendor does not list costs the standard.
func (p Price) Rates(inputTokens int64, o Options) Rates {
	switch {
	case p.sheets == nil:
		return Rates{}
	case p.LongAbove > 0 && inputTokens > p.LongAbove:
		return p.sheets[o.tier()].long
	default:
		return p.sheets[o.tier()].base
	}
}

// Cost is what a usage costs: exact, and rounded half up to NanoUSD once. Classes overlap as gateway.Usage says, so plain
// input is what the other input classes leave of InputTokens; if they exceed it, they are still charged in full.
// Negative counts count as zero. An amount that does not fit is the largest one.
func (p Price) Cost(u gateway.Usage, o Options) gateway.NanoUSD {
	r := p.Rates(u.InputTokens, o)
	input, output := max(u.InputTokens, 0), max(u.OutputTokens, 0)
	var sum amount
	for _, class := range [...]struct {
		tokens int64
		price  PicoUSD
		of     *int64
	}{
		{u.CachedTokens, r.Cached, &input},
		{u.CacheWriteTokens, r.CacheWrite, &input},
		{u.CacheWrite1hTokens, r.CacheWrite1h, &input},
		{u.AudioInputTokens, r.AudioInput, &input},
		{u.ImageInputTokens, r.ImageInput, &input},
		{u.AudioOutputTokens, r.AudioOutput, &output},
		{u.ImageOutputTokens, r.ImageOutput, &output},
	} {
		tokens := max(class.tokens, 0)
		*class.of -= min(*class.of, tokens)
		sum.add(tokens, class.price)
	}
	sum.add(input, r.Input)
	sum.add(output, r.Output)
	return sum.nano(500)
}

// UpperBound is the most that a call may cost with up to inputTokens of input and n answers of up to maxOutput tokens
// each: every token at the price of its dearest class, at the dearest tier. An n below one counts as one.
func (p Price) UpperBound(inputTokens, maxOutput, n int64) gateway.NanoUSD {
	if p.sheets == nil {
		return 0
	}
	var in, out PicoUSD
	for _, s := range p.sheets {
		in, out = max(in, s.base.dearestInput()), max(out, s.base.dearestOutput())
		if p.LongAbove > 0 && inputTokens > p.LongAbove {
			in, out = max(in, s.long.dearestInput()), max(out, s.long.dearestOutput())
		}
	}
	var sum amount
	sum.add(max(inputTokens, 0), in)
	sum.addTimes(max(maxOutput, 0), out, max(n, 1))
	return sum.nano(999)
}

func (r Rates) dearestInput() PicoUSD {
	return max(r.Input, r.Cached, r.CacheWrite, r.CacheWrite1h, r.AudioInput, r.ImageInput)
}

func (r Rates) dearestOutput() PicoUSD { return max(r.Output, r.AudioOutput, r.ImageOutput) }
