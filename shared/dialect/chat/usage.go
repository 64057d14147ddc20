package chat

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// maxTokens is the largest count that is believed; no model reads or writes as much.
const maxTokens = 1 << 30

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
	u.Source = gateway.UsageReported
	u.CachedTokens = min(u.CachedTokens, u.InputTokens)
	u.AudioInputTokens = min(u.AudioInputTokens, u.InputTokens-u.CachedTokens)
	u.ImageInputTokens = min(u.ImageInputTokens, u.InputTokens-u.CachedTokens-u.AudioInputTokens)
	u.ReasoningTokens = min(u.ReasoningTokens, u.OutputTokens)
	u.AudioOutputTokens = min(u.AudioOutputTokens, u.OutputTokens)
	u.ImageOutputTokens = min(u.ImageOutputTokens, u.OutputTokens-u.AudioOutputTokens)
	return u, ok
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
	return ok && *into >= 0 && *into <= maxTokens
}

// bytesPerToken is a fair guess for text and JSON, for what a provider did not count.
const bytesPerToken = 4

// CountInput estimates the input tokens of a request whose provider told no usage.
func (r *Request) CountInput() int64 { return int64(len(r.Body)+bytesPerToken-1) / bytesPerToken }

const (
	// imageTokens is more than any model makes of one image: 48,169 with gpt-4o-mini's multiplier (OpenAI's vision guide, read
	// 2026-11).
	imageTokens = 50_000
	// anything is the input bound where bytes say nothing, and the model's own limit is not known: no model reads as much.
	anything = 1 << 22
)

// InputBound is more than any model can make of the request: no token is shorter than a byte, but images and files may be tokens that
// the body has no bytes for. Most is what the model takes; 0 if that is not known.
func (r *Request) InputBound(most int64) int64 {
	if most <= 0 {
		most = anything
	}
	bound := int64(len(r.Body)) + 64
	if r.Op == gateway.OpChat {
		bound += imageTokens * int64(bytes.Count(r.Body, []byte(`"image_url"`)))
		if bytes.Contains(r.Body, []byte(`"file"`)) || bytes.Contains(r.Body, []byte(`\u00`)) { // the latter may spell any of these
			bound = most
		}
	}
	return min(bound, most)
}
