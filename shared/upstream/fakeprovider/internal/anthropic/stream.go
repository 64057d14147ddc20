package anthropic

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// Stream implements wire.Format.
func (f Messages) Stream(r *wire.Reply) wire.Stream { return stream{writer{r}} }

type stream struct{ writer }

type object = map[string]any

func (s stream) event(kind string, fields object) wire.Event {
	fields["type"] = kind
	if s.Extra != nil {
		fields["x_unknown"] = s.Extra
	}
	return wire.Event{Name: kind, Data: fields}
}

// index is where a block stands: after the hidden thoughts, if there are any.
func (s stream) index(block int) int {
	if s.Hidden > 0 {
		return block + 1
	}
	return block
}

func (s stream) start(index int, block object) wire.Event {
	return s.event("content_block_start", object{"index": index, "content_block": block})
}

func (s stream) delta(index int, d object) wire.Event {
	return s.event("content_block_delta", object{"index": index, "delta": d})
}

func (s stream) stop(index int) wire.Event {
	return s.event("content_block_stop", object{"index": index})
}

func (s stream) Open() []wire.Event {
	a := s.answer()
	a.Usage = s.Usage()
	events := []wire.Event{s.event("message_start", object{"message": a}), s.event("ping", object{})}
	b := s.hidden()
	switch {
	case b == nil:
		return events
	case b["signature"] == nil:
		return append(events, s.start(0, b), s.stop(0))
	}
	return append(events, s.start(0, object{"type": "thinking", "thinking": "", "signature": ""}),
		s.delta(0, object{"type": "signature_delta", "signature": b["signature"]}), s.stop(0))
}

func (s stream) Begin(_, block int) []wire.Event {
	at := s.index(block)
	switch b := s.Blocks[block]; b.Kind {
	case wire.Thought:
		return []wire.Event{s.start(at, object{"type": "thinking", "thinking": "", "signature": ""})}
	case wire.Called:
		return []wire.Event{
			s.start(at, object{"type": "tool_use", "id": s.callID(block), "name": b.Name, "input": object{}}),
			s.delta(at, object{"type": "input_json_delta", "partial_json": ""}),
		}
	default:
		start := object{"type": "text", "text": ""}
		if b.Cited {
			start["citations"] = []any{}
		}
		return []wire.Event{s.start(at, start)}
	}
}

func (s stream) Piece(_, block, i int) []wire.Event {
	b := s.Blocks[block]
	d := object{"type": "text_delta", "text": b.Pieces[i]}
	switch b.Kind {
	case wire.Thought:
		d = object{"type": "thinking_delta", "thinking": b.Pieces[i]}
	case wire.Called:
		d = object{"type": "input_json_delta", "partial_json": b.Pieces[i]}
	}
	return []wire.Event{s.delta(s.index(block), d)}
}

func (s stream) End(_, block int) []wire.Event {
	b, at := s.Blocks[block], s.index(block)
	switch {
	case b.Kind == wire.Thought:
		return []wire.Event{s.delta(at, object{"type": "signature_delta", "signature": wire.Sign(Maker, b.Text())}), s.stop(at)}
	case b.Cited:
		return []wire.Event{s.delta(at, object{"type": "citations_delta", "citation": citation(b.Text())}), s.stop(at)}
	}
	return []wire.Event{s.stop(at)}
}

func (stream) Finish() []wire.Event { return nil }

// Report is message_delta, with the reason of the end unless the truth follows.
func (s stream) Report(last bool) []wire.Event {
	d := object{"stop_reason": nil, "stop_sequence": nil}
	if last {
		d = object{"stop_reason": reasons[s.Reply.Finish], "stop_sequence": wire.OrNull(s.Stopped), "stop_details": s.details()}
	}
	fields := object{"delta": d}
	if u := deltaUsage(s.Usage()); u != nil {
		fields["usage"] = u
	}
	return []wire.Event{s.event("message_delta", fields)}
}

func (s stream) Done() []wire.Event { return []wire.Event{s.event("message_stop", object{})} }

// Fail is an overload, which Anthropic tells of in streams.
func (stream) Fail() []wire.Event {
	return []wire.Event{{Name: "error", Data: Error(&wire.Refusal{Status: 529})}}
}
