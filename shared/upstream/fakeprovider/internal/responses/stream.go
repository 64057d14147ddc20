package responses

import (
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Stream implements wire.Format.
func (f Create) Stream(r *wire.Reply) wire.Stream {
	return &stream{writer: newWriter(r, f.store), vendor: f.Vendor}
}

type stream struct {
	writer
	vendor openai.Vendor
	events int
}

// event numbers an event.
func (s *stream) event(kind string, fields object) wire.Event {
	fields["type"], fields["sequence_number"] = "response."+kind, s.events
	if s.Extra != nil {
		fields["x_unknown"] = s.Extra
	}
	s.events++
	return wire.Event{Name: "response." + kind, Data: fields}
}

// about is an event about the item at an index, and perhaps a part of it.
func (s *stream) about(kind string, index int, id any, more object) wire.Event {
	more["output_index"], more["item_id"] = index, id
	return s.event(kind, more)
}

// index is where a block's item stands: after the hidden thoughts, if there are any.
func (s *stream) index(block int) int {
	if s.Hidden > 0 {
		return block + 1
	}
	return block
}

func (s *stream) added(index int, item object) wire.Event {
	return s.event("output_item.added", object{"output_index": index, "item": item})
}

func (s *stream) done(index int, item object) wire.Event {
	return s.event("output_item.done", object{"output_index": index, "item": item})
}

func (s *stream) Open() []wire.Event {
	events := []wire.Event{
		s.event("created", object{"response": s.response("in_progress")}), s.event("in_progress", object{"response": s.response("in_progress")}),
	}
	if s.Hidden > 0 {
		events = append(events, s.added(0, s.thought("in_progress", "")), s.done(0, s.thought("completed", "")))
	}
	return events
}

func (s *stream) Begin(_, block int) []wire.Event {
	at := s.index(block)
	empty := s.item(block, "in_progress")
	switch s.Blocks[block].Kind {
	case wire.Thought:
		empty["summary"] = []any{}
		return []wire.Event{s.added(at, empty), s.about("reasoning_summary_part.added", at, empty["id"], object{
			"summary_index": 0, "part": object{"type": "summary_text", "text": ""},
		})}
	case wire.Called:
		empty["arguments"] = ""
		return []wire.Event{s.added(at, empty)}
	}
	empty["content"] = []any{}
	part := object{"type": "output_text", "text": "", "annotations": []any{}, "logprobs": []any{}}
	if s.Blocks[block].Kind == wire.Declined {
		part = object{"type": "refusal", "refusal": ""}
	}
	return []wire.Event{s.added(at, empty), s.about("content_part.added", at, empty["id"], object{"content_index": 0, "part": part})}
}

func (s *stream) Piece(_, block, i int) []wire.Event {
	b, at, id := s.Blocks[block], s.index(block), s.item(block, "")["id"]
	switch b.Kind {
	case wire.Thought:
		return []wire.Event{s.about("reasoning_summary_text.delta", at, id, object{"summary_index": 0, "delta": b.Pieces[i]})}
	case wire.Called:
		return []wire.Event{s.about("function_call_arguments.delta", at, id, object{"delta": b.Pieces[i]})}
	case wire.Declined:
		return []wire.Event{s.about("refusal.delta", at, id, object{"content_index": 0, "delta": b.Pieces[i]})}
	}
	return []wire.Event{s.about("output_text.delta", at, id, object{
		"content_index": 0, "delta": b.Pieces[i], "logprobs": s.logprobs(b.Pieces[i]),
	})}
}

func (s *stream) End(_, block int) []wire.Event {
	b, at, whole := s.Blocks[block], s.index(block), s.item(block, s.status())
	id := whole["id"]
	switch b.Kind {
	case wire.Thought:
		return []wire.Event{
			s.about("reasoning_summary_text.done", at, id, object{"summary_index": 0, "text": b.Text()}),
			s.about("reasoning_summary_part.done", at, id, object{"summary_index": 0, "part": object{"type": "summary_text", "text": b.Text()}}),
			s.done(at, whole),
		}
	case wire.Called:
		return []wire.Event{
			s.about("function_call_arguments.done", at, id, object{"arguments": b.Text(), "name": b.Name}), s.done(at, whole),
		}
	}
	var events []wire.Event
	if b.Cited {
		events = append(events, s.about("output_text.annotation.added", at, id, object{
			"content_index": 0, "annotation_index": 0, "annotation": citation(b.Text()),
		}))
	}
	text := s.about("output_text.done", at, id, object{"content_index": 0, "text": b.Text(), "logprobs": s.logprobs(b.Pieces...)})
	if b.Kind == wire.Declined {
		s.events--
		text = s.about("refusal.done", at, id, object{"content_index": 0, "refusal": b.Text()})
	}
	return append(events, text, s.about("content_part.done", at, id, object{"content_index": 0, "part": s.part(block)}), s.done(at, whole))
}

func (*stream) Finish() []wire.Event     { return nil }
func (*stream) Report(bool) []wire.Event { return nil }

// Done is the terminator, which has the whole response.
func (s *stream) Done() []wire.Event {
	return []wire.Event{s.event(s.status(), object{"response": s.finished()})}
}

// Fail is the event error, whose fields are beside its type.
func (s *stream) Fail() []wire.Event {
	e := openai.Error(&wire.Refusal{Status: 500})
	return []wire.Event{{Name: "error", Data: object{
		"type": "error", "code": wire.First(wire.Text(e, "code"), "server_error"), "message": e["message"], "param": nil,
		"sequence_number": s.events,
	}}}
}
