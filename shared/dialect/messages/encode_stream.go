package messages

import (
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
	"github.com/sluice-gateway/sluice/shared/sse"
)

// encoder writes a streamed answer. Anthropic's blocks come one after the other: events of parts that overlap the one that is open
// wait until it ends.
type encoder struct {
	in      *inbound
	id      string
	next    int      // Anthropic's index of the next block
	open    int      // our index of the part that is open, or none
	part    llm.Part // what is open
	begun   bool     // its block was begun
	calls   int      // tool calls so far
	waiting []llm.Event
	finish  llm.Finish
	stop    string
	usage   gateway.Usage
	tier    string
}

const none = -1

// EncodeStream begins a streamed answer.
func (in *inbound) EncodeStream() dialect.StreamEncoder { return &encoder{in: in, open: none} }

func (e *encoder) Encode(dst []byte, ev *llm.Event) []byte {
	if ev.Choice != 0 {
		return dst
	}
	if ev.Usage != nil {
		e.usage = *ev.Usage
	}
	if ev.Tier != "" {
		e.tier = ev.Tier
	}
	switch ev.Type {
	case llm.Begin:
		return e.start(dst, ev)
	case llm.End:
		e.finish, e.stop = ev.Finish, ev.Stop
	case llm.PartBegin, llm.Delta, llm.PartEnd:
		if e.open != none && ev.Index != e.open || e.open == none && ev.Type != llm.PartBegin {
			e.waiting = append(e.waiting, *ev)
			return dst
		}
		return e.drain(e.apply(dst, ev))
	}
	return dst
}

func (e *encoder) start(dst []byte, ev *llm.Event) []byte {
	e.id = e.in.id(ev.ID)
	return sse.Append(dst, "message_start", marshal(struct {
		Type    string  `json:"type"`
		Message message `json:"message"`
	}{"message_start", message{
		ID: e.id, Type: "message", Role: "assistant", Model: ev.Model, Content: []block{}, Usage: encodeUsage(e.usage, e.tier),
	}}))
}

// drain writes what waited, part by part, as long as none is open.
func (e *encoder) drain(dst []byte) []byte {
	for e.open == none && len(e.waiting) > 0 {
		index, whole := e.waiting[0].Index, e.waiting[0].Type == llm.PartBegin
		var rest []llm.Event
		for i := range e.waiting {
			switch {
			case e.waiting[i].Index != index:
				rest = append(rest, e.waiting[i])
			case whole:
				dst = e.apply(dst, &e.waiting[i])
			}
		}
		e.waiting = rest
	}
	return dst
}

// apply writes an event of the part that is open or opens.
func (e *encoder) apply(dst []byte, ev *llm.Event) []byte {
	switch ev.Type {
	case llm.PartBegin:
		e.open, e.part, e.begun = ev.Index, ev.Part, false
		first := llm.Event{Text: ev.Part.Text, Citations: ev.Part.Citations}
		if ev.Part.Kind == llm.ToolCall {
			e.calls++
			first.Text = ev.Part.Call.Arguments
			dst = e.begin(dst)
		}
		if ev.Part.Kind == llm.Thinking {
			first.Signature = ev.Part.Signature
		}
		return e.delta(dst, &first)
	case llm.Delta:
		return e.delta(dst, ev)
	default:
		if e.part.Kind == llm.Sealed && !e.part.Signature.IsZero() {
			dst = e.begin(dst)
		}
		e.open = none
		if !e.begun {
			return dst // it had nothing in it
		}
		e.next++
		dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
		return append(strconv.AppendInt(dst, int64(e.next-1), 10), "}\n\n"...)
	}
}

// begin writes the start of the block that is open, once there is something in it.
func (e *encoder) begin(dst []byte) []byte {
	if e.begun {
		return dst
	}
	e.begun = true
	var b block
	switch e.part.Kind {
	case llm.ToolCall:
		b = block{Type: "tool_use", ID: callID(&e.part, e.id, e.calls), Name: e.part.Call.Name, Input: input("")}
	case llm.Thinking:
		b = block{Type: "thinking", Thinking: new(string), Signature: new(string)}
	case llm.Sealed:
		b = block{Type: "redacted_thinking", Data: e.part.Signature.Text(llm.MakerAnthropic)}
	default:
		b = block{Type: "text", Text: new(string)}
	}
	return sse.Append(dst, "content_block_start", marshal(struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
		Block block  `json:"content_block"`
	}{"content_block_start", e.next, b}))
}

// delta writes more of the block that is open.
func (e *encoder) delta(dst []byte, ev *llm.Event) []byte {
	switch e.part.Kind {
	case llm.Text, llm.Refusal:
		dst = e.piece(dst, "text_delta", "text", ev.Text)
		for _, c := range citations(ev.Citations) {
			dst = e.frame(e.begin(dst), "citations_delta", "citation", marshal(c))
		}
	case llm.ToolCall:
		dst = e.piece(dst, "input_json_delta", "partial_json", ev.Text)
	case llm.Thinking:
		dst = e.piece(dst, "thinking_delta", "thinking", ev.Text)
		dst = e.piece(dst, "signature_delta", "signature", ev.Signature.Text(llm.MakerAnthropic))
	case llm.Sealed:
		if !ev.Signature.IsZero() {
			e.part.Signature = ev.Signature
		}
	}
	return dst
}

// piece writes a delta of text, if there is any.
func (e *encoder) piece(dst []byte, kind, field, text string) []byte {
	if text == "" {
		return dst
	}
	return e.frame(e.begin(dst), kind, field, jsonedit.Quote(text))
}

func (e *encoder) frame(dst []byte, kind, field string, value []byte) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(e.next), 10)
	dst = append(append(append(dst, `,"delta":{"type":"`...), kind...), `","`...)
	dst = append(append(append(dst, field...), `":`...), value...)
	return append(dst, "}}\n\n"...)
}

// End closes what is open and says why the answer ended and what it used: only now all of that is known.
func (e *encoder) End(dst []byte) []byte {
	for e.open != none || len(e.waiting) > 0 {
		if e.open != none {
			dst = e.apply(dst, &llm.Event{Type: llm.PartEnd, Index: e.open})
		}
		dst = e.drain(dst)
	}
	type delta struct {
		StopReason   string  `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"`
	}
	d := delta{StopReason: stopReason(e.finish, e.calls > 0)}
	if e.finish == llm.FinishStopSeq {
		d.StopSequence = e.in.stopped(e.stop)
	}
	dst = sse.Append(dst, "message_delta", marshal(struct {
		Type  string   `json:"type"`
		Delta delta    `json:"delta"`
		Usage usageOut `json:"usage"`
	}{"message_delta", d, encodeUsage(e.usage, e.tier)}))
	return append(dst, stopFrame...)
}

func (e *encoder) Fail(dst []byte, err *gateway.Error) []byte { return fail(dst, err) }
