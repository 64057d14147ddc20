package responses

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// usageOf reads a usage object. It reports false if the counts are missing or beyond belief.
func usageOf(raw []byte) (u gateway.Usage, ok bool) {
	fields := [...]jsonedit.Field{
		{Name: "input_tokens"}, {Name: "output_tokens"}, {Name: "input_tokens_details"}, {Name: "output_tokens_details"},
	}
	if !jsonedit.Find(raw, fields[:]) || fields[0].Kind != jsonedit.Number {
		return u, false
	}
	in := [...]jsonedit.Field{{Name: "cached_tokens"}, {Name: "cache_write_tokens"}, {Name: "audio_tokens"}, {Name: "image_tokens"}}
	out := [...]jsonedit.Field{{Name: "reasoning_tokens"}, {Name: "audio_tokens"}, {Name: "image_tokens"}}
	dialect.Within(&fields[2], in[:])
	dialect.Within(&fields[3], out[:])
	for _, c := range [...]struct {
		field *jsonedit.Field
		into  *int64
	}{
		{&fields[0], &u.InputTokens}, {&fields[1], &u.OutputTokens},
		{&in[0], &u.CachedTokens}, {&in[1], &u.CacheWriteTokens}, {&in[2], &u.AudioInputTokens}, {&in[3], &u.ImageInputTokens},
		{&out[0], &u.ReasoningTokens}, {&out[1], &u.AudioOutputTokens}, {&out[2], &u.ImageOutputTokens},
	} {
		if !c.field.Given() {
			continue
		}
		if *c.into, ok = c.field.Int(); !ok {
			return gateway.Usage{}, false
		}
	}
	return dialect.CheckUsage(u)
}

// appendUsage writes a usage object.
func appendUsage(dst []byte, u gateway.Usage) []byte {
	o := open(dst)
	o.number("input_tokens", u.InputTokens)
	in := open(nil)
	in.number("cached_tokens", u.CachedTokens)
	in.number("cache_write_tokens", u.CacheWriteTokens+u.CacheWrite1hTokens)
	o.json("input_tokens_details", in.close())
	o.number("output_tokens", u.OutputTokens)
	out := open(nil)
	out.number("reasoning_tokens", u.ReasoningTokens)
	o.json("output_tokens_details", out.close())
	o.number("total_tokens", u.Total())
	return o.close()
}
