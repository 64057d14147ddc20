package chat

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// A thought is written in one of two ways: as a block of Anthropic's, which is how LiteLLM does it, or as a detail of OpenRouter's.
//
//	{"type":"thinking","thinking":"...","signature":"..."}          {"type":"reasoning.text","text":"...","signature":"...","format":"..."}
//	{"type":"redacted_thinking","data":"..."}                       {"type":"reasoning.encrypted","data":"...","format":"..."}

// blocks reads thinking_blocks.
func (r *reader) blocks(parts []llm.Part, at string, raw []byte) []llm.Part {
	return r.eachThought(parts, at, "thinking_blocks", raw, (*reader).block)
}

// details reads reasoning_details.
func (r *reader) details(parts []llm.Part, at string, raw []byte) []llm.Part {
	return r.eachThought(parts, at, "reasoning_details", raw, (*reader).detail)
}

func (r *reader) eachThought(parts []llm.Part, at, name string, raw []byte, read func(*reader, string, []byte) llm.Part) []llm.Part {
	if !r.isList(at, name, raw) {
		return parts
	}
	at = join(at, name)
	n := 0
	for raw := range jsonedit.Elements(raw) {
		here := index(at, n)
		n++
		if r.isObject(here, "", raw) {
			if p := read(r, here, raw); p.Kind != 0 {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

func (r *reader) block(at string, raw []byte) llm.Part {
	var kind, text, seal, data string
	r.strings(at, raw, slot{"type", &kind}, slot{"thinking", &text}, slot{"signature", &seal}, slot{"data", &data})
	switch {
	case kind == "redacted_thinking" && data != "":
		return llm.Part{Kind: llm.Sealed, Signature: llm.ReadSignature(data, llm.MakerAnthropic)}
	case kind == "thinking":
		return llm.Part{Kind: llm.Thinking, Text: text, Signature: llm.ReadSignature(seal, llm.MakerAnthropic)}
	case kind != "redacted_thinking" && !r.answer:
		r.invalid(at+".type", "%s.type must be thinking or redacted_thinking, not %.20q.", at, kind)
	}
	return llm.Part{}
}

func (r *reader) detail(at string, raw []byte) llm.Part {
	var kind, text, seal, data, format, id string
	r.strings(at, raw, slot{"type", &kind}, slot{"text", &text}, slot{"summary", &text}, slot{"signature", &seal},
		slot{"data", &data}, slot{"format", &format}, slot{"id", &id})
	p := llm.Part{ID: id, Signature: llm.Signature{Maker: makerOf(format)}}
	switch kind {
	case "reasoning.text", "reasoning.summary":
		p.Kind, p.Text, p.Signature.Value = llm.Thinking, text, seal
	case "reasoning.encrypted":
		p.Kind, p.Signature.Value = llm.Sealed, data
	}
	if p.Signature.Maker == "" || p.Signature.Value == "" {
		p.Signature = llm.Signature{}
	}
	if p.Kind == llm.Sealed && p.Signature.IsZero() {
		p.Kind = 0 // nobody could read it
	}
	return p
}

// formats are OpenRouter's words for whose thoughts they are (its guide to reasoning tokens, read 2026-11).
var formats = map[string]string{
	llm.MakerAnthropic: "anthropic-claude-v1", llm.MakerGemini: "google-gemini-v1", llm.MakerOpenAI: "openai-responses-v1",
}

func makerOf(format string) string {
	for maker, word := range formats {
		if strings.HasSuffix(format, word) { // azure-openai-responses-v1
			return maker
		}
	}
	return ""
}

// block writes a thought as a block of Anthropic's.
func (o *object) block(p *llm.Part) {
	o.open()
	if p.Kind == llm.Sealed {
		o.text("type", "redacted_thinking")
		o.text("data", p.Signature.Text(llm.MakerAnthropic))
	} else {
		o.text("type", "thinking")
		o.text("thinking", p.Text)
		o.text("signature", p.Signature.Text(llm.MakerAnthropic))
	}
	o.close()
}

// detail writes a thought as OpenRouter wants it back.
func (o *object) detail(p *llm.Part, n int) {
	o.open()
	if p.Kind == llm.Sealed {
		o.text("type", "reasoning.encrypted")
		o.text("data", p.Signature.Value)
	} else {
		o.text("type", "reasoning.text")
		o.text("text", p.Text)
		o.word("signature", p.Signature.Value)
	}
	o.word("id", p.ID)
	o.word("format", formats[p.Signature.Maker])
	o.number("index", int64(n))
	o.close()
}
