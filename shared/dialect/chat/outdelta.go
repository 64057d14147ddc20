package chat

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// decoding is one of the answers on its way.
type decoding struct {
	parts   int      // begun so far
	open    llm.Kind // of the part that text goes to; 0: none is open
	at      int      // its index
	calls   []opened
	cited   []llm.Citation // so far
	thought bool           // words of a thought came
	ended   bool
	called  bool
	answers bool // a call of llm.AnswerTool was made text
	refuses bool
}

// opened is a tool call whose arguments may go on.
type opened struct {
	number int64 // the vendor's
	id     string
	part   int
}

// maxCalls is how many tool calls an answer may have: more than any vendor allows.
const maxCalls = 1024

// delta reads what is new of a choice.
func (s *decoding) delta(dst []llm.Event, n int, c *choiceIn, answer string) ([]llm.Event, error) {
	r, m := reader{answer: true}, fieldsOf(c[cDelta].Raw)
	dst = s.thoughts(dst, n, &r, &m)
	dst = s.content(dst, n, &r, &m, logprobsOf(c[cLogprobs].Raw))
	if text := r.text("", "refusal", m.refusal); text != "" {
		s.refuses = true
		dst = s.text(dst, n, llm.Event{Text: text}, llm.Refusal)
	}
	if given(m.call) || given(m.calls) {
		dst = s.toolCalls(dst, n, &r, &m, answer)
	}
	for _, p := range r.images(&m) {
		dst = s.whole(dst, n, p)
	}
	if r.err != nil {
		return dst, dialect.InvalidAnswer("a delta cannot be read").WithCause(r.err)
	}
	if len(s.calls) > maxCalls {
		return dst, dialect.InvalidAnswer("it has too many tool calls")
	}
	return dst, nil
}

// thoughts reads thoughts in plain words, and their seals, which belong to the thought that is open. Where both ways to write them have
// the words, those of the seal's are a repetition.
func (s *decoding) thoughts(dst []llm.Event, n int, r *reader, m *message) []llm.Event {
	text := r.text("", "reasoning_content", m.thought)
	if text == "" {
		text = r.text("", "reasoning", m.reasoning)
	}
	if text != "" {
		s.thought = true
		dst = s.text(dst, n, llm.Event{Text: text}, llm.Thinking)
	}
	if !given(m.blocks) && !given(m.details) {
		return dst
	}
	repeats := s.thought
	sealed := r.blocks(nil, "", m.blocks)
	for _, p := range r.details(sealed, "", m.details) {
		switch {
		case p.Kind == llm.Sealed:
			dst = s.whole(dst, n, p)
		case p.Text != "" && !repeats:
			dst = s.text(dst, n, llm.Event{Text: p.Text, Signature: p.Signature}, llm.Thinking)
		case !p.Signature.IsZero() && s.open == llm.Thinking:
			dst = s.text(dst, n, llm.Event{Signature: p.Signature}, llm.Thinking)
		}
	}
	return dst
}

// content reads a text, or a list of parts.
func (s *decoding) content(dst []llm.Event, n int, r *reader, m *message, probs []llm.Logprob) []llm.Event {
	e := llm.Event{Logprobs: probs, Citations: s.newCitations(m)}
	if given(m.content) && m.content[0] == '[' {
		for _, p := range r.content(nil, "", m.content) {
			switch p.Kind {
			case llm.Text:
				e.Text = p.Text
				dst = s.text(dst, n, e, llm.Text)
				e = llm.Event{}
			case llm.Thinking:
				dst = s.text(dst, n, llm.Event{Text: p.Text, Signature: p.Signature}, llm.Thinking)
			case llm.Refusal:
				s.refuses = true
				dst = s.text(dst, n, llm.Event{Text: p.Text}, llm.Refusal)
			default:
				dst = s.whole(dst, n, p)
			}
		}
	} else {
		e.Text = r.text("", "content", m.content)
	}
	return s.text(dst, n, e, llm.Text)
}

// newCitations are those that did not come before: some hosts send all of them with each chunk.
func (s *decoding) newCitations(m *message) []llm.Citation {
	return slices.DeleteFunc(m.citations(), func(c llm.Citation) bool {
		if slices.Contains(s.cited, c) {
			return true
		}
		if len(s.cited) < maxCited {
			s.cited = append(s.cited, c)
		}
		return false
	})
}

// maxCited is how many citations an answer remembers.
const maxCited = 256

// text goes to the open part if that is of the kind, else to a new one.
func (s *decoding) text(dst []llm.Event, n int, e llm.Event, kind llm.Kind) []llm.Event {
	if e.Text == "" && e.Signature.IsZero() && len(e.Citations) == 0 && len(e.Logprobs) == 0 {
		return dst
	}
	if s.open != kind {
		dst = s.close(dst, n)
		s.open = kind
		dst, s.at = s.begin(dst, n, llm.Part{Kind: kind})
	}
	e.Type, e.Choice, e.Index = llm.Delta, n, s.at
	return append(dst, e)
}

func (s *decoding) begin(dst []llm.Event, n int, p llm.Part) ([]llm.Event, int) {
	s.parts++
	return append(dst, llm.Event{Type: llm.PartBegin, Choice: n, Index: s.parts - 1, Part: p}), s.parts - 1
}

// close ends the part that text goes to.
func (s *decoding) close(dst []llm.Event, n int) []llm.Event {
	if s.open == 0 {
		return dst
	}
	s.open = 0
	return append(dst, llm.Event{Type: llm.PartEnd, Choice: n, Index: s.at})
}

// whole is a part that comes at once.
func (s *decoding) whole(dst []llm.Event, n int, p llm.Part) []llm.Event {
	dst, at := s.begin(s.close(dst, n), n, p)
	return append(dst, llm.Event{Type: llm.PartEnd, Choice: n, Index: at})
}

func (s *decoding) toolCalls(dst []llm.Event, n int, r *reader, m *message, answer string) []llm.Event {
	if r.isObject("", "function_call", m.call) {
		f := r.called("", m.call)
		dst = s.call(dst, n, &llm.Part{Kind: llm.ToolCall, Call: &f}, &jsonedit.Field{}, answer)
	}
	if !r.isList("", "tool_calls", m.calls) {
		return dst
	}
	for raw := range jsonedit.Elements(m.calls) {
		number := [1]jsonedit.Field{{Name: "index"}}
		jsonedit.Find(raw, number[:])
		if p := r.toolCall("", raw); p.Kind != 0 {
			dst = s.call(dst, n, &p, &number[0], answer)
		}
	}
	return dst
}

// call is a tool call, or more of its arguments.
func (s *decoding) call(dst []llm.Event, n int, p *llm.Part, number *jsonedit.Field, answer string) []llm.Event {
	arguments := p.Call.Arguments
	at, known := s.find(number, p.Call)
	if !known {
		dst = s.close(dst, n)
		if p.Call.Arguments = ""; p.Call.ID == "" {
			p.Call.ID = llm.CallID(answer, len(s.calls)-1)
		}
		if p.Call.Name == llm.AnswerTool {
			s.answers = true
			*p = llm.Part{Kind: llm.Text}
		} else {
			s.called = true
		}
		dst, at.part = s.begin(dst, n, *p)
	}
	if arguments != "" {
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: n, Index: at.part, Text: arguments})
	}
	return dst
}

// find tells which call is meant: the one with the number, or of that id. Some hosts send whole calls without numbers, or all with the
// same one: another id is another call. What has neither number, id nor name belongs to the last call.
func (s *decoding) find(number *jsonedit.Field, c *llm.Call) (at *opened, known bool) {
	n, told := number.Int()
	for i := len(s.calls) - 1; i >= 0; i-- {
		at = &s.calls[i]
		if told && at.number == n {
			if c.ID == "" || at.id == "" || c.ID == at.id {
				return at, true
			}
			break
		}
		if !told && (c.ID != "" && c.ID == at.id || c.ID == "" && c.Name == "") {
			return at, true
		}
	}
	if !told {
		n = int64(len(s.calls))
	}
	s.calls = append(s.calls, opened{number: n, id: c.ID})
	return &s.calls[len(s.calls)-1], false
}

// end ends a choice and all of its parts.
func (s *decoding) end(dst []llm.Event, n int, finish llm.Finish) []llm.Event {
	s.ended = true
	dst = s.close(dst, n)
	for i := range s.calls {
		dst = append(dst, llm.Event{Type: llm.PartEnd, Choice: n, Index: s.calls[i].part})
	}
	s.calls = nil
	return append(dst, llm.Event{Type: llm.End, Choice: n, Finish: finishFor(finish, s.called, s.answers, s.refuses)})
}
