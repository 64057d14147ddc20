package gemini

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
	"github.com/sluice-gateway/sluice/shared/sse"
)

// maxArguments bounds the arguments of one call that wait until they are whole, in bytes.
const maxArguments = 16 << 20

// encoder writes an answer in pieces. Google's function calls come whole, so arguments wait; and finishReason is what tells a caller that
// all is well, so it waits for End.
type encoder struct {
	in      *inbound
	id      string
	parts   map[place]*pending
	ends    []candidate
	usage   json.RawMessage
	texts   map[int][]byte // by candidate, for citations
	garbled map[int]*llm.Call
}

type place struct{ choice, part int }

// pending is a part that has begun.
type pending struct {
	part      llm.Part
	arguments []byte
}

func (s *encoder) Encode(dst []byte, e *llm.Event) []byte {
	at := place{e.Choice, e.Index}
	switch e.Type {
	case llm.Begin:
		s.id = e.ID
	case llm.PartBegin:
		return s.begin(dst, at, e)
	case llm.Delta:
		return s.more(dst, at, e)
	case llm.PartEnd:
		return s.end(dst, at)
	case llm.End:
		s.ends = append(s.ends, s.finish(e))
	case llm.Spent:
		if e.Usage != nil && e.Usage.Source != "" {
			s.usage = encodeUsage(e.Usage, e.Tier)
		}
	}
	return dst
}

func (s *encoder) begin(dst []byte, at place, e *llm.Event) []byte {
	if s.parts == nil {
		s.parts, s.texts, s.garbled = map[place]*pending{}, map[int][]byte{}, map[int]*llm.Call{}
	}
	p := &pending{part: e.Part}
	s.parts[at] = p
	switch {
	case e.Part.Call != nil:
		p.arguments = append(p.arguments, e.Part.Call.Arguments...)
		return dst
	case e.Part.Kind == llm.Text:
		s.texts[at.choice] = keep(s.texts[at.choice], e.Part.Text)
	}
	return s.piece(dst, at, &e.Part, nil, nil)
}

func (s *encoder) more(dst []byte, at place, e *llm.Event) []byte {
	p := s.parts[at]
	if p == nil {
		return dst
	}
	if p.part.Call != nil {
		if len(p.arguments)+len(e.Text) <= maxArguments { // else they stay unfinished, and the call is garbled
			p.arguments = append(p.arguments, e.Text...)
		}
		if !e.Signature.IsZero() {
			p.part.Signature = e.Signature
		}
		return dst
	}
	piece := llm.Part{Kind: p.part.Kind, Text: e.Text, Signature: e.Signature}
	if piece.Kind == llm.Text {
		s.texts[at.choice] = keep(s.texts[at.choice], e.Text)
	}
	cited := writeCitations(e.Citations, s.texts[at.choice])
	return s.piece(dst, at, &piece, cited, writeLogprobs(e.Logprobs))
}

func (s *encoder) end(dst []byte, at place) []byte {
	p := s.parts[at]
	delete(s.parts, at)
	if p == nil || p.part.Call == nil {
		return dst
	}
	call := *p.part.Call
	call.Arguments = string(p.arguments)
	p.part.Call = &call
	if !validArgs(call.Arguments) {
		s.garbled[at.choice] = &call
		return dst
	}
	return s.piece(dst, at, &p.part, nil, nil)
}

// piece appends a frame with one part, if that is to be seen.
func (s *encoder) piece(dst []byte, at place, p *llm.Part, cited, logprobs json.RawMessage) []byte {
	c := candidate{Index: at.choice, Citations: cited, Logprobs: logprobs}
	encoded, ok := s.in.part(p)
	switch {
	case ok:
		c.Content = &content{Role: "model", Parts: []part{encoded}}
	case cited == nil && logprobs == nil:
		return dst
	}
	return s.frame(dst, []candidate{c}, nil)
}

// finish is the last of a candidate. Its content is empty: Google's clients want it to be there.
func (s *encoder) finish(e *llm.Event) candidate {
	c := candidate{Index: e.Choice, Finish: reasonOf(e.Finish), Content: &content{Role: "model", Parts: []part{textPart("")}}}
	if call := s.garbled[e.Choice]; call != nil {
		c.garbled(call)
	}
	return c
}

func (s *encoder) frame(dst []byte, candidates []candidate, usage json.RawMessage) []byte {
	data, err := json.Marshal(answer{Candidates: candidates, Usage: usage, Model: s.in.request.Model, ID: s.id})
	if err != nil {
		return dst
	}
	return sse.Append(dst, "", data)
}

// End appends the frame that says why each candidate ended, and what was used.
func (s *encoder) End(dst []byte) []byte { return s.frame(dst, s.ends, s.usage) }

// Fail appends the error in place of an end.
func (s *encoder) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }
