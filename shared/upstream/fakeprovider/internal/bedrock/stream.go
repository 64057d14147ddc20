package bedrock

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// Stream implements wire.Format.
func (converse) Stream(r *wire.Reply) wire.Stream { return stream{writer{r}} }

type stream struct{ writer }

// event is one message. Each has a p, whose length hides that of the rest.
func (s stream) event(kind string, fields object) wire.Event {
	fields["p"] = "abcdefgh"
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

func (s stream) delta(index int, d object) wire.Event {
	return s.event("contentBlockDelta", object{"contentBlockIndex": index, "delta": d})
}

func (s stream) stop(index int) wire.Event {
	return s.event("contentBlockStop", object{"contentBlockIndex": index})
}

func (s stream) Open() []wire.Event {
	events := []wire.Event{s.event("messageStart", object{"role": "assistant"})}
	if b := s.hidden(); b != nil {
		d := b["reasoningContent"].(object)
		if text, ok := d["reasoningText"].(object); ok {
			d = object{"signature": text["signature"]}
		}
		events = append(events, s.delta(0, object{"reasoningContent": d}), s.stop(0))
	}
	return events
}

// Begin says something only of tool uses.
func (s stream) Begin(_, block int) []wire.Event {
	b := s.Blocks[block]
	if b.Kind != wire.Called {
		return nil
	}
	return []wire.Event{s.event("contentBlockStart", object{
		"contentBlockIndex": s.index(block), "start": object{"toolUse": object{"toolUseId": s.callID(block), "name": b.Name}},
	})}
}

func (s stream) Piece(_, block, i int) []wire.Event {
	b := s.Blocks[block]
	d := object{"text": b.Pieces[i]}
	switch b.Kind {
	case wire.Thought:
		d = object{"reasoningContent": d}
	case wire.Called:
		d = object{"toolUse": object{"input": b.Pieces[i]}}
	}
	return []wire.Event{s.delta(s.index(block), d)}
}

func (s stream) End(_, block int) []wire.Event {
	b, at := s.Blocks[block], s.index(block)
	switch {
	case b.Kind == wire.Thought:
		return []wire.Event{s.delta(at, object{"reasoningContent": object{"signature": wire.Sign(maker, b.Text())}}), s.stop(at)}
	case b.Cited:
		return []wire.Event{s.delta(at, object{"citation": citation(b.Text())}), s.stop(at)}
	case len(b.Pieces) == 0:
		return []wire.Event{s.delta(at, object{"text": ""}), s.stop(at)}
	}
	return []wire.Event{s.stop(at)}
}

func (s stream) Finish() []wire.Event {
	fields := object{"stopReason": reasons[s.Reply.Finish]}
	if a := s.additional(); a != nil {
		fields["additionalModelResponseFields"] = a
	}
	stop := s.event("messageStop", fields)
	if s.Reply.Finish == wire.PromptBlocked {
		return []wire.Event{s.delta(0, object{"text": wire.BlockedText}), s.stop(0), stop}
	}
	return []wire.Event{stop}
}

// Report sends nothing but a wrong report; the true one is the end of the stream.
func (s stream) Report(last bool) []wire.Event {
	if last {
		return nil
	}
	return s.Done()
}

func (s stream) Done() []wire.Event {
	fields := object{"metrics": metrics}
	if u := s.Usage(); u != nil {
		fields["usage"] = u
	}
	return []wire.Event{s.event("metadata", fields)}
}

func (stream) Fail() []wire.Event {
	return []wire.Event{{Name: "modelStreamErrorException", Error: true, Data: object{
		"message": "The model failed in the middle of its answer.", "originalStatusCode": 500, "originalMessage": "Internal error",
	}}}
}
