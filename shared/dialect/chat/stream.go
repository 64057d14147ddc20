package chat

import (
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// EncodeStream begins a streamed answer.
func (in *inbound) EncodeStream() dialect.StreamEncoder {
	return &encoder{chunks: chunks{object: "chat.completion.chunk", prefix: "chatcmpl-", asksUsage: in.asksUsage}}
}

// encoder writes the chunks of a stream. It keeps nothing of the answer but thoughts whose seal may still come.
type encoder struct {
	chunks
	choices []streamed
	kept    int // bytes of thoughts
}

// streamed is one of the answers on its way.
type streamed struct {
	begun   bool
	refuses bool
	calls   int // tool calls so far
	open    []openPart
}

// openPart is a part that has not ended.
type openPart struct {
	index int
	kind  llm.Kind
	call  int // its number among the tool calls

	// A thought is kept until its seal comes: clients get it once more with the seal, in one block that they can send back.
	seal llm.Signature
	text []byte
	lost bool // too long to be kept
}

// maxKept is how many bytes of thoughts a stream keeps. A longer one comes without a block to send back: no model thinks as much.
const maxKept = 4 << 20

// Encode appends the chunks for one event.
func (s *encoder) Encode(dst []byte, e *llm.Event) []byte {
	switch e.Type {
	case llm.Begin:
		s.begin(e)
	case llm.PartBegin:
		return s.partBegin(dst, e)
	case llm.Delta:
		if p := s.choice(e.Choice).part(e.Index); p != nil {
			return s.delta(dst, e, p)
		}
	case llm.PartEnd:
		return s.partEnd(dst, e)
	case llm.End:
		dst = append(s.chunk(dst, e.Choice, 0), '}')
		return s.finish(dst, finishOf(e.Finish, s.choice(e.Choice).refuses))
	case llm.Spent:
		s.spent(e)
	}
	return dst
}

func (s *encoder) choice(n int) *streamed {
	for len(s.choices) <= n {
		s.choices = append(s.choices, streamed{})
	}
	return &s.choices[n]
}

// part finds an open part: usually the one that was opened last.
func (c *streamed) part(index int) *openPart {
	for i := len(c.open) - 1; i >= 0; i-- {
		if c.open[i].index == index {
			return &c.open[i]
		}
	}
	return nil
}

func (s *encoder) partBegin(dst []byte, e *llm.Event) []byte {
	c, kind := s.choice(e.Choice), e.Part.Kind
	c.open = append(c.open, openPart{index: e.Index, kind: kind, seal: e.Part.Signature})
	p := &c.open[len(c.open)-1]
	c.refuses = c.refuses || kind == llm.Refusal
	switch kind {
	case llm.ToolCall:
		p.call = c.calls
		dst = s.call(dst, e, p)
		s.choice(e.Choice).calls++
	case llm.Image:
		o := object{s.chunk(dst, e.Choice, kind)}
		o.list("images")
		o.picture(&e.Part)
		o.end()
		o.close()
		dst = s.rest(o.b, nil)
	}
	if e.Part.Text != "" {
		dst = s.delta(dst, &llm.Event{Choice: e.Choice, Index: e.Index, Text: e.Part.Text}, p)
	}
	return dst
}

// call begins a tool call.
func (s *encoder) call(dst []byte, e *llm.Event, p *openPart) []byte {
	o := object{s.chunk(dst, e.Choice, llm.ToolCall)}
	o.list("tool_calls")
	o.open()
	o.number("index", int64(p.call))
	o.toolCall(&e.Part)
	o.close()
	o.end()
	o.close()
	return s.rest(o.b, nil)
}

// delta writes more of a part.
func (s *encoder) delta(dst []byte, e *llm.Event, p *openPart) []byte {
	switch p.kind {
	case llm.ToolCall:
		return s.arguments(dst, e, p)
	case llm.Thinking, llm.Sealed:
		s.keep(p, e)
		return s.text(dst, e, p.kind, "reasoning_content")
	case llm.Refusal:
		return s.text(dst, e, p.kind, "refusal")
	case llm.Text:
		if hasURL(e.Citations) {
			o := object{s.chunk(dst, e.Choice, p.kind)}
			o.citations([]llm.Part{{Citations: e.Citations}})
			o.close()
			dst = s.rest(o.b, nil)
		}
		return s.text(dst, e, p.kind, "content")
	default:
		return dst
	}
}

func (s *encoder) arguments(dst []byte, e *llm.Event, p *openPart) []byte {
	if e.Text == "" {
		return dst
	}
	dst = append(s.chunk(dst, e.Choice, llm.ToolCall), `"tool_calls":[{"index":`...)
	dst = append(strconv.AppendInt(dst, int64(p.call), 10), `,"function":{"arguments":`...)
	return s.rest(append(jsonedit.AppendQuote(dst, e.Text), `}}]}`...), nil)
}

func (s *encoder) text(dst []byte, e *llm.Event, kind llm.Kind, name string) []byte {
	if e.Text == "" && len(e.Logprobs) == 0 {
		return dst
	}
	dst = append(append(append(s.chunk(dst, e.Choice, kind), '"'), name...), `":`...)
	return s.rest(append(jsonedit.AppendQuote(dst, e.Text), '}'), e.Logprobs)
}

func hasURL(list []llm.Citation) bool {
	for i := range list {
		if list[i].URL != "" {
			return true
		}
	}
	return false
}

// keep keeps a piece of a thought.
func (s *encoder) keep(p *openPart, e *llm.Event) {
	if !e.Signature.IsZero() {
		p.seal = e.Signature
	}
	if p.lost || s.kept+len(e.Text) > maxKept {
		s.kept -= len(p.text)
		p.text, p.lost = nil, true
		return
	}
	s.kept += len(e.Text)
	p.text = append(p.text, e.Text...)
}

// partEnd forgets a part. A thought with a seal is written once more.
func (s *encoder) partEnd(dst []byte, e *llm.Event) []byte {
	c := s.choice(e.Choice)
	p := c.part(e.Index)
	if p == nil {
		return dst
	}
	if (p.kind == llm.Thinking || p.kind == llm.Sealed) && !p.seal.IsZero() && !p.lost {
		o := object{s.chunk(dst, e.Choice, p.kind)}
		o.list("thinking_blocks")
		o.block(&llm.Part{Kind: p.kind, Text: string(p.text), Signature: p.seal})
		o.end()
		o.close()
		dst = s.rest(o.b, nil)
	}
	s.kept -= len(p.text)
	last := len(c.open) - 1
	*p, c.open[last] = c.open[last], openPart{}
	c.open = c.open[:last]
	return dst
}

// chunk begins a chunk of one choice, up to the fields of its delta. Before the first one comes one that says who speaks.
func (s *encoder) chunk(dst []byte, n int, kind llm.Kind) []byte {
	if c := s.choice(n); !c.begun {
		c.begun = true
		content := `""`
		if kind == llm.ToolCall {
			content = "null"
		}
		dst = append(s.open(dst, n), `,"delta":{"role":"assistant","content":`...)
		dst = s.rest(append(append(dst, content...), `,"refusal":null}`...), nil)
	}
	return append(s.open(dst, n), `,"delta":{`...)
}

// rest ends a chunk behind its delta.
func (s *encoder) rest(dst []byte, probs []llm.Logprob) []byte {
	if len(probs) == 0 {
		dst = append(dst, `,"logprobs":null`...)
	} else {
		o := object{dst}
		o.logprobs(probs)
		dst = o.b
	}
	return s.close(append(dst, `,"finish_reason":null`...))
}

// finish ends the last chunk of a choice.
func (s *encoder) finish(dst []byte, reason string) []byte {
	dst = append(append(dst, `,"logprobs":null,"finish_reason":"`...), reason...)
	return s.close(append(dst, '"'))
}

// Fail appends an error frame.
func (s *encoder) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }
