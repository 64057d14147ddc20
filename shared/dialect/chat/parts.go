package chat

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// message writes the fields of an answer's message, and reports whether the model refuses in it. Its content is null if there is no text
// but calls, a refusal or sound in its place.
func (o *object) message(parts []llm.Part) (refuses bool) {
	has := kindsOf(parts)
	o.text("role", "assistant")
	switch {
	case has[llm.Text]:
		o.joined("content", parts, llm.Text)
	case has[llm.ToolCall] || has[llm.Refusal] || has[llm.Audio]:
		o.raw("content", "null")
	default:
		o.raw("content", `""`)
	}
	if has[llm.Refusal] {
		o.joined("refusal", parts, llm.Refusal)
	} else {
		o.raw("refusal", "null")
	}
	if has[llm.Thinking] {
		o.joined("reasoning_content", parts, llm.Thinking)
	}
	o.thoughts(parts)
	o.toolCalls(parts, has[llm.ToolCall])
	o.citations(parts)
	o.media(parts, has[llm.Image])
	return has[llm.Refusal]
}

// kindsOf tells what there is. A text that is empty is none.
func kindsOf(parts []llm.Part) (has [llm.Refusal + 1]bool) {
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case llm.Text, llm.Refusal, llm.Thinking:
			has[p.Kind] = has[p.Kind] || p.Text != ""
		default:
			has[p.Kind] = true
		}
	}
	return has
}

// joined writes the texts of one kind as one.
func (o *object) joined(name string, parts []llm.Part, kind llm.Kind) {
	first, n := "", 0
	for i := range parts {
		if parts[i].Kind == kind && parts[i].Text != "" {
			if n++; n == 1 {
				first = parts[i].Text
			}
		}
	}
	if n == 1 {
		o.text(name, first)
		return
	}
	var all strings.Builder
	for i := range parts {
		if parts[i].Kind == kind {
			all.WriteString(parts[i].Text)
		}
	}
	o.text(name, all.String())
}

// thoughts writes those that must come back: one without a seal need not.
func (o *object) thoughts(parts []llm.Part) {
	begun := false
	for i := range parts {
		p := &parts[i]
		if (p.Kind == llm.Thinking || p.Kind == llm.Sealed) && !p.Signature.IsZero() {
			if !begun {
				o.list("thinking_blocks")
				begun = true
			}
			o.block(p)
		}
	}
	if begun {
		o.end()
	}
}

func (o *object) toolCalls(parts []llm.Part, any bool) {
	if !any {
		return
	}
	o.list("tool_calls")
	for i := range parts {
		if p := &parts[i]; p.Kind == llm.ToolCall {
			o.open()
			o.toolCall(p)
			o.close()
		}
	}
	o.end()
}

// toolCall writes the fields of a call. A signature stands in the id too: clients give ids back, and drop what they do not know.
func (o *object) toolCall(p *llm.Part) {
	o.text("id", llm.Pack(p.Call.ID, p.Signature))
	o.text("type", "function")
	o.into("function")
	o.text("name", p.Call.Name)
	o.text("arguments", p.Call.Arguments)
	o.close()
	o.extra(p.Signature)
}

// extra writes a signature where Google's own OpenAI interface has it.
func (o *object) extra(s llm.Signature) {
	if seal := s.By(llm.MakerGemini); seal != "" {
		o.into("extra_content")
		o.into("google")
		o.text("thought_signature", seal)
		o.close()
		o.close()
	}
}

// citations writes those that OpenAI has a form for: of web pages.
func (o *object) citations(parts []llm.Part) {
	begun := false
	for i := range parts {
		for j := range parts[i].Citations {
			c := &parts[i].Citations[j]
			if c.URL == "" {
				continue
			}
			if !begun {
				o.list("annotations")
				begun = true
			}
			o.citation(c)
		}
	}
	if begun {
		o.end()
	}
}

func (o *object) citation(c *llm.Citation) {
	o.open()
	o.text("type", "url_citation")
	o.into("url_citation")
	o.number("start_index", c.Start)
	o.number("end_index", c.End)
	o.text("url", c.URL)
	o.text("title", c.Title)
	o.close()
	o.close()
}

// media writes images as OpenRouter does, and the first sound as OpenAI does.
func (o *object) media(parts []llm.Part, images bool) {
	if images {
		o.list("images")
		for i := range parts {
			if parts[i].Kind == llm.Image {
				o.picture(&parts[i])
			}
		}
		o.end()
	}
	for i := range parts {
		if p := &parts[i]; p.Kind == llm.Audio {
			o.into("audio")
			o.text("id", p.ID)
			o.text("data", p.Media.Data)
			o.number("expires_at", 0)
			o.text("transcript", p.Text)
			o.close()
			return
		}
	}
}

func (o *object) picture(p *llm.Part) {
	o.open()
	o.text("type", "image_url")
	o.into("image_url")
	o.text("url", p.Media.DataURL())
	o.close()
	o.close()
}

// logprobs writes the probabilities of a choice's tokens.
func (o *object) logprobs(list []llm.Logprob) {
	if len(list) == 0 {
		o.raw("logprobs", "null")
		return
	}
	o.into("logprobs")
	o.list("content")
	for i := range list {
		o.open()
		o.logprob(&list[i])
		o.list("top_logprobs")
		for j := range list[i].Top {
			o.open()
			o.logprob(&list[i].Top[j])
			o.close()
		}
		o.end()
		o.close()
	}
	o.end()
	o.raw("refusal", "null")
	o.close()
}

// unlikely is OpenAI's own word for what has next to no probability: JSON has no infinity.
const unlikely = -9999

func (o *object) logprob(l *llm.Logprob) {
	o.text("token", l.Token)
	p := l.Logprob
	if math.IsInf(p, 0) || math.IsNaN(p) {
		p = unlikely
	}
	o.fraction("logprob", &p)
	if l.Bytes == nil {
		o.raw("bytes", "null")
		return
	}
	o.list("bytes")
	for _, c := range l.Bytes {
		o.item()
		o.b = strconv.AppendUint(o.b, uint64(c), 10)
	}
	o.end()
}
