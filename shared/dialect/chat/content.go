package chat

import (
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// content reads a string or a list of parts behind those that are there.
func (r *reader) content(parts []llm.Part, at string, raw []byte) []llm.Part {
	switch {
	case !given(raw):
		return parts
	case raw[0] == '"':
		if text := r.text(at, "content", raw); text != "" {
			parts = append(parts, llm.TextPart(text))
		}
		return parts
	case raw[0] != '[':
		r.wrong(join(at, "content"), raw, "a string or a list of parts")
		return parts
	}
	at = join(at, "content")
	n := 0
	for raw := range jsonedit.Elements(raw) {
		here := index(at, n)
		n++
		if raw[0] != '{' {
			r.wrong(here, raw, "an object")
		}
		if r.err != nil {
			return parts
		}
		if p := r.part(here, raw); p.Kind != 0 {
			parts = append(parts, p)
		}
	}
	return parts
}

// piece has the fields of a part as they were written.
type piece struct {
	kind, text, refusal, image, video, audio, file, document []byte
	thinking, cache, breakpoint                              []byte
}

func pieceOf(raw []byte) (p piece) {
	for name, value := range jsonedit.Members(raw) {
		switch name {
		case "type":
			p.kind = value
		case "text":
			p.text = value
		case "refusal":
			p.refusal = value
		case "image_url":
			p.image = value
		case "video_url":
			p.video = value
		case "input_audio":
			p.audio = value
		case "file":
			p.file = value
		case "document_url":
			p.document = value
		case "thinking":
			p.thinking = value
		case "cache_control":
			p.cache = value
		case "prompt_cache_breakpoint":
			p.breakpoint = value
		}
	}
	return p
}

// part reads one part of a content. It is none if there is nothing in it.
func (r *reader) part(at string, raw []byte) (out llm.Part) {
	in := pieceOf(raw)
	switch kind := r.text(at, "type", in.kind); kind {
	case "text", "input_text", "output_text":
		if !given(in.text) && !r.answer {
			r.invalid(at+".text", "%s.text is required.", at)
		}
		out = llm.TextPart(r.text(at, "text", in.text))
		if out.Text == "" {
			return llm.Part{}
		}
	case "refusal":
		out = llm.Part{Kind: llm.Refusal, Text: r.need(at, "refusal", in.refusal)}
	case "image_url":
		out = llm.Part{Kind: llm.Image, Media: r.picture(at, "image_url", in.image)}
	case "video_url":
		out = llm.Part{Kind: llm.Video, Media: r.picture(at, "video_url", in.video)}
	case "document_url":
		out = llm.Part{Kind: llm.Document, Media: r.picture(at, "document_url", in.document)}
	case "input_audio":
		out = llm.Part{Kind: llm.Audio, Media: r.sound(at, in.audio)}
	case "file":
		out = llm.Part{Kind: llm.Document, Media: r.file(at, in.file)}
	case "thinking":
		out = r.mistralThought(at, in.thinking, raw)
	default:
		if !r.answer {
			r.invalid(at+".type", "%s.type must be text, image_url, input_audio, file, video_url or refusal, not %.20q.", at, kind)
		}
		return llm.Part{}
	}
	if out.Cache = r.cache(at, in.cache); out.Cache == "" && given(in.breakpoint) {
		out.Cache = "5m"
	}
	return out
}

// mistralThought reads a thought as a part: of texts with Mistral, else as Anthropic writes it.
func (r *reader) mistralThought(at string, raw, part []byte) llm.Part {
	if given(raw) && raw[0] == '[' {
		texts := reader{answer: true}
		return llm.Part{Kind: llm.Thinking, Text: llm.TextOf(texts.content(nil, at, raw))}
	}
	return r.block(at, part)
}

// cache reads Anthropic's marker, as LiteLLM and OpenRouter take it.
func (r *reader) cache(at string, raw []byte) string {
	if !r.isObject(at, "cache_control", raw) {
		return ""
	}
	ttl := [1]jsonedit.Field{{Name: "ttl"}}
	jsonedit.Find(raw, ttl[:])
	if r.word(at+".cache_control", "ttl", ttl[0].Raw, "5m", "1h") == "1h" {
		return "1h"
	}
	return "5m"
}
