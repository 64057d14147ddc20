package openai

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Stream implements wire.Format.
func (c Chat) Stream(r *wire.Reply) wire.Stream { return stream{writer{r, c.Azure}, c.Vendor} }

type stream struct {
	writer
	vendor Vendor
}

// chunk is one event of one choice.
func (s stream) chunk(i int, c choice) []wire.Event {
	e := s.envelope("chat.completion.chunk")
	switch {
	case s.Every:
		e.Usage = s.Usage()
	case s.Call.IncludeUsage:
		e.Usage = json.RawMessage("null")
	}
	c.Index, c.Extra, c.Delta.Extra = i, s.Extra, s.Extra
	e.Choices = []any{c}
	return []wire.Event{{Data: e}}
}

// Open sends, for each choice, the role; Azure's verdict on the prompt comes before.
func (s stream) Open() (events []wire.Event) {
	if s.azure {
		events = []wire.Event{{Data: envelope{Choices: []any{}, Verdicts: promptVerdicts()}}}
	}
	for i := range s.Call.N {
		d := &delta{Role: "assistant", Content: new(string)}
		events = append(events, s.chunk(i, choice{Delta: d})...)
	}
	return events
}

func (s stream) Begin(i, block int) []wire.Event {
	b := s.Blocks[block]
	if b.Kind != wire.Called {
		return nil
	}
	n := s.Calls(block)
	c := call{Index: &n, ID: s.callID(block), Type: "function", Function: function{Name: b.Name}}
	return s.chunk(i, choice{Delta: &delta{ToolCalls: []call{c}}})
}

func (s stream) Piece(i, block, piece int) []wire.Event {
	b := s.Blocks[block]
	text, d, c := b.Pieces[piece], &delta{}, choice{}
	switch b.Kind {
	case wire.Called:
		n := s.Calls(block)
		d.ToolCalls = []call{{Index: &n, Function: function{Arguments: text}}}
	case wire.Thought:
		d.Reasoning = text
	case wire.Declined:
		d.Refusal = text
	case wire.Said:
		c.Logprobs, c.Verdicts = s.logprobs(text), s.verdicts(false)
		d.Content = &text
		if s.Call.Speech {
			d.Content, d.Audio = nil, &speech{ID: "audio_" + s.ID, Data: sound(text), Transcript: text}
		}
	}
	c.Delta = d
	return s.chunk(i, c)
}

func (s stream) End(i, block int) []wire.Event {
	if b := s.Blocks[block]; b.Cited {
		return s.chunk(i, choice{Delta: &delta{Annotations: []any{citation(b.Text())}}})
	}
	return nil
}

func (s stream) Finish() (events []wire.Event) {
	for i := range s.Call.N {
		c := choice{Delta: &delta{}, Finish: finish(s.Reply)}
		if s.Reply.Finish == wire.Filtered {
			c.Verdicts = s.verdicts(true)
		}
		events = append(events, s.chunk(i, c)...)
	}
	if isMistral(s.Call) { // reports usage with the finish, unasked
		last := events[len(events)-1].Data.(envelope)
		last.Usage = s.Usage()
		events[len(events)-1].Data = last
	}
	return events
}

// Report is the event after all choices: it has none, but the usage.
func (s stream) Report(bool) []wire.Event {
	e := s.envelope("chat.completion.chunk")
	if e.Usage = s.Usage(); e.Usage == nil || !s.Call.IncludeUsage {
		return nil
	}
	return []wire.Event{{Data: e}}
}

func (stream) Done() []wire.Event { return []wire.Event{{Data: wire.Raw("[DONE]")}} }

func (s stream) Fail() []wire.Event { return failure(s.vendor) }

func failure(v Vendor) []wire.Event {
	return []wire.Event{{Data: wire.Raw(v.Refuse(&wire.Refusal{Status: 500}, nil))}}
}
