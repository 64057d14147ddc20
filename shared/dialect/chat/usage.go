package chat

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// usageOf reads a usage object. It reports false if the counts are missing, negative or beyond belief.
func usageOf(raw []byte) (u gateway.Usage, ok bool) {
	fields := [...]jsonedit.Field{
		{Name: "prompt_tokens"}, {Name: "completion_tokens"}, {Name: "prompt_tokens_details"}, {Name: "completion_tokens_details"},
		{Name: "total_tokens"}, {Name: "prompt_cache_hit_tokens"},
	}
	if !jsonedit.Find(raw, fields[:]) || fields[0].Kind != jsonedit.Number {
		return u, false
	}
	var total int64
	ok = count(&fields[0], &u.InputTokens) && count(&fields[1], &u.OutputTokens) && count(&fields[4], &total) &&
		count(&fields[5], &u.CachedTokens) && // DeepSeek's name
		inputOf(&fields[2], &u) && outputOf(&fields[3], &u)
	if !ok {
		return u, false
	}
	// xAI does not count thoughts among an answer's tokens, but in the total (Google's page on Grok's reasoning, read 2026-11).
	if u.ReasoningTokens > 0 && total == u.Total()+u.ReasoningTokens {
		u.OutputTokens += u.ReasoningTokens
	}
	return dialect.CheckUsage(u)
}

// inputOf reads the breakdown of a prompt's tokens.
func inputOf(object *jsonedit.Field, u *gateway.Usage) bool {
	if object.Kind != jsonedit.Object {
		return true
	}
	fields := [...]jsonedit.Field{{Name: "cached_tokens"}, {Name: "cache_write_tokens"}, {Name: "audio_tokens"}, {Name: "image_tokens"}}
	return jsonedit.Find(object.Raw, fields[:]) && count(&fields[0], &u.CachedTokens) && count(&fields[1], &u.CacheWriteTokens) &&
		count(&fields[2], &u.AudioInputTokens) && count(&fields[3], &u.ImageInputTokens)
}

// outputOf reads the breakdown of an answer's tokens.
func outputOf(object *jsonedit.Field, u *gateway.Usage) bool {
	if object.Kind != jsonedit.Object {
		return true
	}
	fields := [...]jsonedit.Field{{Name: "reasoning_tokens"}, {Name: "audio_tokens"}, {Name: "image_tokens"}}
	return jsonedit.Find(object.Raw, fields[:]) && count(&fields[0], &u.ReasoningTokens) && count(&fields[1], &u.AudioOutputTokens) &&
		count(&fields[2], &u.ImageOutputTokens)
}

func count(f *jsonedit.Field, into *int64) (ok bool) {
	if !f.Given() {
		return true
	}
	*into, ok = f.Int()
	return ok
}

// usage writes a usage object, if there is one to tell. Beside OpenAI's names stand those that LiteLLM's clients know.
func (o *object) usage(u gateway.Usage) {
	if u.Source == "" {
		return
	}
	written := u.CacheWriteTokens + u.CacheWrite1hTokens
	o.into("usage")
	o.number("prompt_tokens", u.InputTokens)
	o.number("completion_tokens", u.OutputTokens)
	o.number("total_tokens", u.Total())
	o.into("prompt_tokens_details")
	o.number("cached_tokens", u.CachedTokens)
	o.count("cache_write_tokens", written)
	o.count("audio_tokens", u.AudioInputTokens)
	o.count("image_tokens", u.ImageInputTokens)
	o.close()
	o.into("completion_tokens_details")
	o.number("reasoning_tokens", u.ReasoningTokens)
	o.count("audio_tokens", u.AudioOutputTokens)
	o.count("image_tokens", u.ImageOutputTokens)
	o.close()
	o.count("cache_read_input_tokens", u.CachedTokens)
	o.count("cache_creation_input_tokens", written)
	o.close()
}
