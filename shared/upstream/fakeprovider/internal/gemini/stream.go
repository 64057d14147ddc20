package gemini

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Stream implements wire.Format. Each event is an answer with what is new; the last has the finish reason, and there is no other
// terminator.
func (f Generate) Stream(r *wire.Reply) wire.Stream { return stream{writer{r, f.Vertex}, f} }

type stream struct {
	writer
	format Generate
}

func (s stream) chunk(candidate object) []wire.Event {
	a := s.answer()
	a.Candidates = []any{candidate}
	return []wire.Event{{Data: a}}
}

func (stream) Open() []wire.Event          { return nil }
func (stream) Begin(int, int) []wire.Event { return nil }

func (s stream) Piece(choice, block, i int) []wire.Event {
	b := s.Blocks[block]
	p := object{"text": b.Pieces[i]}
	switch b.Kind {
	case wire.Called:
		return nil // comes whole at its end
	case wire.Thought:
		p["thought"] = true
	}
	c := s.candidate(choice, []any{p})
	if s.Call.Logprobs >= 0 && b.Kind == wire.Said {
		c["logprobsResult"] = logprobs(s.Call.Logprobs, b.Pieces[i:i+1])
	}
	return s.chunk(c)
}

func (s stream) End(choice, block int) []wire.Event {
	if s.Blocks[block].Kind != wire.Called {
		return nil
	}
	return s.chunk(s.candidate(choice, []any{s.part(block)}))
}

func (stream) Finish() []wire.Event { return nil }

// Report says nothing by itself, since every event reports; but a wrong report is an event of its own.
func (s stream) Report(last bool) []wire.Event {
	if last {
		return nil
	}
	return s.chunk(s.candidate(0, []any{object{"text": ""}}))
}

func (s stream) Done() (events []wire.Event) {
	if s.Reply.Finish == wire.PromptBlocked {
		return []wire.Event{{Data: s.answer()}}
	}
	for i := range s.Call.N {
		p := object{"text": ""}
		if s.TextOf(wire.Said) != "" {
			p = s.signed(p)
		}
		events = append(events, s.chunk(s.finished(s.candidate(i, []any{p}), nil))...)
	}
	return events
}

func (s stream) Fail() []wire.Event {
	return []wire.Event{{Data: wire.Raw(s.format.Refuse(&wire.Refusal{Status: http.StatusServiceUnavailable}, http.Header{}))}}
}
