package messages

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// decoder reads a streamed answer.
type decoder struct {
	begun    bool
	blocks   map[int]*openBlock
	parts    int // begun so far
	called   bool
	ended    bool
	counts   counts
	progress dialect.Progress
}

var _ dialect.StreamDecoder = (*decoder)(nil)

// openBlock is a block whose end did not come yet.
type openBlock struct {
	part   int // our index, or none if it is left out
	kind   llm.Kind
	given  json.RawMessage // input that came with its start
	json   bool            // its pieces are pieces of input
	filled bool            // something of it came
}

// DecodeStream begins a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &decoder{blocks: map[int]*openBlock{}} }

func (d *decoder) Progress() dialect.Progress { return d.progress }

// streamEvent is any event of a stream.
type streamEvent struct {
	Type    string          `json:"type"`
	Index   int             `json:"index"`
	Message *startMessage   `json:"message"`
	Block   *answerPart     `json:"content_block"`
	Delta   *deltaIn        `json:"delta"`
	Usage   json.RawMessage `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type startMessage struct {
	ID    string          `json:"id"`
	Model string          `json:"model"`
	Usage json.RawMessage `json:"usage"`
}

// deltaIn is what is new of a block, or of the message.
type deltaIn struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	PartialJSON  string          `json:"partial_json"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	Citation     json.RawMessage `json:"citation"`
	StopReason   string          `json:"stop_reason"`
	StopSequence string          `json:"stop_sequence"`
	StopDetails  *stopDetails    `json:"stop_details"`
}

func (d *decoder) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	if len(f.Data) == 0 || d.progress == dialect.Done {
		return dst, nil
	}
	if index, in, ok := quickDelta(f.Data); ok && d.begun {
		return d.more(dst, index, &in)
	}
	var e streamEvent
	if json.Unmarshal(f.Data, &e) != nil {
		return dst, dialect.InvalidAnswer("an event of the stream cannot be read")
	}
	switch e.Type {
	case "message_start":
		return d.start(dst, &e), nil
	case "error":
		return dst, decodeError(0, nil, f.Data)
	case "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		if !d.begun {
			return dst, dialect.InvalidAnswer("the stream does not begin with message_start")
		}
	default: // ping, and what may be new
		if len(e.Error) > 0 && string(e.Error) != "null" {
			return dst, decodeError(0, nil, f.Data)
		}
		return dst, nil
	}
	switch e.Type {
	case "content_block_start":
		return d.open(dst, &e)
	case "content_block_delta":
		return d.more(dst, e.Index, e.Delta)
	case "content_block_stop":
		return d.shut(dst, e.Index), nil
	case "message_delta":
		return d.end(dst, &e), nil
	default:
		dst = d.finish(dst, "", &deltaIn{})
		d.progress = dialect.Done
		return dst, nil
	}
}

// start tells the input's usage without a source: of the output nothing is known yet, so a stream that is cut must be counted.
func (d *decoder) start(dst []llm.Event, e *streamEvent) []llm.Event {
	if d.begun || e.Message == nil {
		return dst
	}
	d.begun = true
	begin := llm.Event{Type: llm.Begin, ID: e.Message.ID, Model: e.Message.Model}
	d.counts.add(e.Message.Usage)
	begin.Tier = d.counts.tier
	if u := d.counts.usage(); u.Source != "" {
		u.Source = ""
		begin.Usage = &u
	}
	return append(dst, begin)
}

func (d *decoder) open(dst []llm.Event, e *streamEvent) ([]llm.Event, error) {
	if e.Block == nil || d.blocks[e.Index] != nil {
		return dst, dialect.InvalidAnswer("a block begins twice or is nothing")
	}
	b := &openBlock{part: none}
	d.blocks[e.Index] = b
	first := deltaIn{Text: e.Block.Text, Thinking: e.Block.Thinking, Signature: e.Block.Signature}
	var p llm.Part
	switch e.Block.Type {
	case "text":
		p = llm.Part{Kind: llm.Text}
	case "tool_use":
		p, _ = e.Block.part()
		if p.Kind == llm.ToolCall {
			p.Call.Arguments, d.called = "", true
		}
		p.Text, b.given, b.json = "", e.Block.Input, true
	case "thinking":
		p = llm.Part{Kind: llm.Thinking}
	case "redacted_thinking":
		p, _ = e.Block.part()
	default: // of Anthropic's own tools, or new
		return d.pieces(dst, b, &first), nil
	}
	b.part, b.kind = d.parts, p.Kind
	d.parts++
	dst = append(dst, llm.Event{Type: llm.PartBegin, Index: b.part, Part: p})
	return d.pieces(dst, b, &first), nil
}

// quickDelta reads the events that streams are full of, without the garbage that reading any event makes. It reports false for others.
func quickDelta(data []byte) (index int, in deltaIn, ok bool) {
	f := [...]jsonedit.Field{{Name: "type"}, {Name: "index"}, {Name: "delta"}}
	if !jsonedit.Find(data, f[:]) || string(f[0].Raw) != `"content_block_delta"` {
		return 0, in, false
	}
	n, whole := f[1].Int()
	d := [...]jsonedit.Field{{Name: "type"}, {Name: "text"}, {Name: "partial_json"}, {Name: "thinking"}}
	if dialect.Within(&f[2], d[:]); !whole || n < 0 || n > 1<<20 {
		return 0, in, false
	}
	switch string(d[0].Raw) {
	case `"text_delta"`:
		in.Text, ok = d[1].Text()
	case `"input_json_delta"`:
		in.PartialJSON, ok = d[2].Text()
	case `"thinking_delta"`:
		in.Thinking, ok = d[3].Text()
	}
	return int(n), in, ok
}

func (d *decoder) more(dst []llm.Event, index int, in *deltaIn) ([]llm.Event, error) {
	b := d.blocks[index]
	if b == nil || in == nil {
		return dst, dialect.InvalidAnswer("a piece belongs to no block")
	}
	return d.pieces(dst, b, in), nil
}

// pieces appends what a delta has.
func (d *decoder) pieces(dst []llm.Event, b *openBlock, in *deltaIn) []llm.Event {
	ev := llm.Event{Type: llm.Delta, Index: b.part, Text: in.PartialJSON}
	switch {
	case b.part == none && in.Text == "":
		return dst
	case b.part == none: // a kind of block that is not known here, but it says something
		b.part, b.kind, ev.Index, ev.Text = d.parts, llm.Text, d.parts, in.Text
		d.parts++
		dst = append(dst, llm.Event{Type: llm.PartBegin, Index: b.part, Part: llm.Part{Kind: llm.Text}})
	case b.kind == llm.Thinking:
		ev.Text, ev.Signature = in.Thinking, llm.ReadSignature(in.Signature, llm.MakerAnthropic)
	case b.kind == llm.Text && !b.json:
		ev.Text = in.Text
		if c, ok := citation(in.Citation); ok {
			ev.Citations = []llm.Citation{c}
		}
	}
	if ev.Text == "" && ev.Signature.IsZero() && len(ev.Citations) == 0 {
		return dst
	}
	b.filled = true
	return append(dst, ev)
}

// shut ends a block. A call without arguments has some of its start, or none.
func (d *decoder) shut(dst []llm.Event, index int) []llm.Event {
	b := d.blocks[index]
	if b == nil {
		return dst
	}
	delete(d.blocks, index)
	if b.part == none {
		return dst
	}
	if !b.filled && b.json {
		dst = append(dst, llm.Event{Type: llm.Delta, Index: b.part, Text: string(arguments(b.given))})
	}
	return append(dst, llm.Event{Type: llm.PartEnd, Index: b.part})
}

// end reads why the answer ended and what it used.
func (d *decoder) end(dst []llm.Event, e *streamEvent) []llm.Event {
	d.counts.add(e.Usage)
	if e.Delta != nil && e.Delta.StopReason != "" {
		dst = d.finish(dst, e.Delta.StopReason, e.Delta)
	}
	u := d.counts.usage()
	if e.Usage == nil || u.Source == "" {
		return dst
	}
	return append(dst, llm.Event{Type: llm.Spent, Usage: &u, Tier: d.counts.tier})
}

// finish ends what is open and the answer, once.
func (d *decoder) finish(dst []llm.Event, reason string, in *deltaIn) []llm.Event {
	if d.ended {
		return dst
	}
	open := make([]int, 0, len(d.blocks))
	for index := range d.blocks {
		open = append(open, index)
	}
	slices.Sort(open)
	for _, index := range open {
		dst = d.shut(dst, index)
	}
	d.ended = true
	f := finish(reason, d.called)
	if p, ok := in.StopDetails.refusal(f); ok {
		text := p.Text
		p.Text = ""
		dst = append(dst, llm.Event{Type: llm.PartBegin, Index: d.parts, Part: p},
			llm.Event{Type: llm.Delta, Index: d.parts, Text: text}, llm.Event{Type: llm.PartEnd, Index: d.parts})
		d.parts++
	}
	return append(dst, llm.Event{Type: llm.End, Finish: f, Stop: in.StopSequence})
}
