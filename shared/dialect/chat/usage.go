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
	}
	if !jsonedit.Find(raw, fields[:]) || fields[0].Kind != jsonedit.Number {
		return u, false
	}
	ok = count(&fields[0], &u.InputTokens) && count(&fields[1], &u.OutputTokens) &&
		details(&fields[2], "cached_tokens", &u.CachedTokens, &u.AudioInputTokens, &u.ImageInputTokens) &&
		details(&fields[3], "reasoning_tokens", &u.ReasoningTokens, &u.AudioOutputTokens, &u.ImageOutputTokens)
	if !ok {
		return u, false
	}
	return dialect.CheckUsage(u)
}

// details reads a breakdown of tokens: the class that only one of the two has, and those that both have.
func details(object *jsonedit.Field, name string, into, audio, image *int64) bool {
	if object.Kind != jsonedit.Object {
		return true
	}
	fields := [...]jsonedit.Field{{Name: name}, {Name: "audio_tokens"}, {Name: "image_tokens"}}
	return jsonedit.Find(object.Raw, fields[:]) && count(&fields[0], into) && count(&fields[1], audio) && count(&fields[2], image)
}

func count(f *jsonedit.Field, into *int64) (ok bool) {
	if !f.Given() {
		return true
	}
	*into, ok = f.Int()
	return ok
}
