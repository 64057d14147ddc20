package messages

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// counts gathers what Anthropic tells of usage, once in an answer and several times in a stream. The numbers of a stream are cumulative,
// and later objects may leave out what earlier ones had: of each the largest counts.
type counts struct {
	input    int64 // without what was read from or written to the cache
	output   int64
	read     int64 // from the cache
	written  int64 // to the cache, both lifetimes
	written1 int64 // of these for one hour
	thought  int64
	beside   gateway.Usage // of compactions and advisors, which the totals do not include
	tier     string
	told     bool // input and output were told
	wrong    bool // something was no count
}

// Fields of a usage object.
const (
	uInput = iota
	uOutput
	uRead
	uWritten
	uCreation
	uDetails
	uTier
	uIterations
	usageFields
)

var usageNames = [usageFields]string{
	"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "output_tokens_details",
	"service_tier", "iterations",
}

// add takes a usage object.
func (c *counts) add(raw []byte) {
	var f [usageFields]jsonedit.Field
	for i := range f {
		f[i].Name = usageNames[i]
	}
	if len(raw) == 0 || !jsonedit.Find(raw, f[:]) {
		return
	}
	creation := [...]jsonedit.Field{{Name: "ephemeral_5m_input_tokens"}, {Name: "ephemeral_1h_input_tokens"}}
	details := [...]jsonedit.Field{{Name: "thinking_tokens"}}
	dialect.Within(&f[uCreation], creation[:])
	dialect.Within(&f[uDetails], details[:])
	short := int64(0)
	c.most(&f[uInput], &c.input)
	c.most(&f[uOutput], &c.output)
	c.most(&f[uRead], &c.read)
	c.most(&f[uWritten], &c.written)
	c.most(&creation[0], &short)
	c.most(&creation[1], &c.written1)
	c.most(&details[0], &c.thought)
	c.written = max(c.written, short+c.written1)
	c.told = c.told || f[uInput].Given() && f[uOutput].Given()
	if tier, ok := f[uTier].Text(); ok && len(tier) <= 32 {
		c.tier = tier
	}
	if f[uIterations].Kind == jsonedit.Array {
		c.iterations(f[uIterations].Raw)
	}
}

// most keeps the larger of two counts.
func (c *counts) most(f *jsonedit.Field, into *int64) {
	if !f.Given() {
		return
	}
	n, ok := f.Int()
	if !ok || n < 0 {
		c.wrong = true
		return
	}
	*into = max(*into, n)
}

// iterations counts the work that Anthropic does beside the answer itself and does not include in its totals (API reference,
// usage.iterations; the list is complete each time).
func (c *counts) iterations(raw []byte) {
	c.beside = gateway.Usage{}
	for _, item := range elements(raw) {
		kind := [...]jsonedit.Field{{Name: "type"}}
		if !jsonedit.Find(item, kind[:]) || !isText(&kind[0], "compaction") && !isText(&kind[0], "advisor_message") {
			continue
		}
		var one counts
		one.add(item)
		u := one.usage()
		c.beside.InputTokens += u.InputTokens
		c.beside.CachedTokens += u.CachedTokens
		c.beside.CacheWriteTokens += u.CacheWriteTokens
		c.beside.CacheWrite1hTokens += u.CacheWrite1hTokens
		c.beside.OutputTokens += u.OutputTokens
	}
}

// usage is what was told; its Source is empty if that is not to be believed.
func (c *counts) usage() gateway.Usage {
	if !c.told || c.wrong {
		return gateway.Usage{}
	}
	u, _ := dialect.CheckUsage(gateway.Usage{
		InputTokens:        c.input + c.read + c.written + c.beside.InputTokens,
		CachedTokens:       c.read + c.beside.CachedTokens,
		CacheWriteTokens:   c.written - min(c.written, c.written1) + c.beside.CacheWriteTokens,
		CacheWrite1hTokens: c.written1 + c.beside.CacheWrite1hTokens,
		OutputTokens:       c.output + c.beside.OutputTokens,
		ReasoningTokens:    c.thought,
	})
	return u
}

// usageOut is a usage object for callers.
type usageOut struct {
	InputTokens   int64       `json:"input_tokens"`
	CacheCreation int64       `json:"cache_creation_input_tokens"`
	CacheRead     int64       `json:"cache_read_input_tokens"`
	Creation      creationOut `json:"cache_creation"`
	OutputTokens  int64       `json:"output_tokens"`
	Details       *detailsOut `json:"output_tokens_details,omitempty"`
	Tier          string      `json:"service_tier,omitempty"`
}

type creationOut struct {
	Short int64 `json:"ephemeral_5m_input_tokens"`
	Long  int64 `json:"ephemeral_1h_input_tokens"`
}

type detailsOut struct {
	Thinking int64 `json:"thinking_tokens"`
}

// encodeUsage writes usage as Anthropic counts it: input_tokens without what the cache took part in.
func encodeUsage(u gateway.Usage, tier string) usageOut {
	written := u.CacheWriteTokens + u.CacheWrite1hTokens
	out := usageOut{
		InputTokens: max(0, u.InputTokens-u.CachedTokens-written), CacheCreation: written, CacheRead: u.CachedTokens,
		Creation: creationOut{u.CacheWriteTokens, u.CacheWrite1hTokens}, OutputTokens: u.OutputTokens, Tier: tiersOut[tier],
	}
	if u.ReasoningTokens > 0 {
		out.Details = &detailsOut{u.ReasoningTokens}
	}
	return out
}

// tiersOut maps a provider's word for a service tier to Anthropic's.
var tiersOut = map[string]string{
	"": "standard", "standard": "standard", "default": "standard", "flex": "standard", "priority": "priority", "batch": "batch",
}
