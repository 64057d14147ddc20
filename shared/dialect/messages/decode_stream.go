package messages

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// decoder reads a streamed answer.
type decoder struct {
	begun    bool
	blocks   []openBlock
	parts    int // begun so far
	called   bool
	ended    bool
	counts   counts
	progress dialect.Progress
}

var _ dialect.StreamDecoder = (*decoder)(nil)

// openBlock is a block whose end did not come yet.
type openBlock struct {
	index  int // Anthropic's
	part   int // ours, or none if it is left out
	kind   llm.Kind
	given  json.RawMessage // input that came with its start
	json   bool            // its pieces are pieces of input
	filled bool            // something of it came
}

const maxOpen = 256 // blocks at a time; Anthropic has one

// DecodeStream begins a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &decoder{} }

func (d *decoder) Progress() dialect.Progress { return d.progress }

// Fields of an event.
const (
	eType = iota
	eIndex
	eDelta
	eBlock
	eMessage
	eUsage
	eError
	eventFields
)

var eventNames = [eventFields]string{"type", "index", "delta", "content_block", "message", "usage", "error"}

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
	var e [eventFields]jsonedit.Field
	for i := range e {
		e[i].Name = eventNames[i]
	}
	if !jsonedit.Find(f.Data, e[:]) {
		return dst, unreadable()
	}
	kind := unquoted(&e[eType])
	switch string(kind) {
	case "message_start":
		return d.start(dst, &e[eMessage])
	case "error":
		return dst, decodeError(0, nil, f.Data)
	case "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		if !d.begun {
			return dst, dialect.InvalidAnswer("the stream does not begin with message_start")
		}
	default: // ping, and what may be new
		if e[eError].Given() {
			return dst, decodeError(0, nil, f.Data)
		}
		return dst, nil
	}
	index, ok := e[eIndex].Int()
	if e[eIndex].Given() && (!ok || index < 0 || index > math.MaxInt32) {
		return dst, unreadable()
	}
	switch string(kind) {
	case "content_block_start":
		return d.open(dst, int(index), &e[eBlock])
	case "content_block_delta":
		return d.more(dst, int(index), &e[eDelta])
	case "content_block_stop":
		return d.shut(dst, int(index)), nil
	case "message_delta":
		return d.end(dst, &e[eDelta], &e[eUsage])
	default:
		dst = d.finish(dst, &deltaIn{})
		d.progress = dialect.Done
		return dst, nil
	}
}

func unreadable() error { return dialect.InvalidAnswer("an event of the stream cannot be read") }

// unquoted is a word without its quotes; empty for all but strings.
func unquoted(f *jsonedit.Field) []byte {
	if f.Kind != jsonedit.String {
		return nil
	}
	return f.Raw[1 : len(f.Raw)-1]
}

// start tells the input's usage without a source: of the output nothing is known yet, so a stream that is cut must be counted.
func (d *decoder) start(dst []llm.Event, message *jsonedit.Field) ([]llm.Event, error) {
	if d.begun || !message.Given() {
		return dst, nil
	}
	m := [...]jsonedit.Field{{Name: "id"}, {Name: "model"}, {Name: "usage"}}
	if !jsonedit.Find(message.Raw, m[:]) {
		return dst, unreadable()
	}
	d.begun = true
	begin := llm.Event{Type: llm.Begin}
	begin.ID, _ = m[0].Text()
	begin.Model, _ = m[1].Text()
	d.counts.add(m[2].Raw)
	begin.Tier = d.counts.tier
	if u := d.counts.usage(); u.Source != "" {
		u.Source = ""
		begin.Usage = &u
	}
	return append(dst, begin), nil
}

func (d *decoder) block(index int) *openBlock {
	for i := range d.blocks {
		if d.blocks[i].index == index {
			return &d.blocks[i]
		}
	}
	return nil
}

func (d *decoder) open(dst []llm.Event, index int, block *jsonedit.Field) ([]llm.Event, error) {
	if !block.Given() || d.block(index) != nil || len(d.blocks) == maxOpen {
		return dst, dialect.InvalidAnswer("a block begins twice or is nothing")
	}
	in, ok := quickText(block)
	if !ok {
		whole, err := slow[answerPart](block)
		if err != nil {
			return dst, err
		}
		in = *whole
	}
	d.blocks = append(d.blocks, openBlock{index: index, part: none})
	b := &d.blocks[len(d.blocks)-1]
	first := deltaIn{Text: in.Text, Thinking: in.Thinking, Signature: in.Signature}
	var p llm.Part
	switch in.Type {
	case "text":
		p = llm.Part{Kind: llm.Text}
	case "tool_use":
		p, _ = in.part()
		if p.Kind == llm.ToolCall {
			p.Call.Arguments, d.called = "", true
		}
		p.Text, b.given, b.json = "", in.Input, true
	case "thinking":
		p = llm.Part{Kind: llm.Thinking}
	case "redacted_thinking":
		p, _ = in.part()
	default: // of Anthropic's own tools, or new
		return d.pieces(dst, b, &first), nil
	}
	b.part, b.kind = d.parts, p.Kind
	d.parts++
	dst = append(dst, llm.Event{Type: llm.PartBegin, Index: b.part, Part: p})
	return d.pieces(dst, b, &first), nil
}

func (d *decoder) more(dst []llm.Event, index int, delta *jsonedit.Field) ([]llm.Event, error) {
	b := d.block(index)
	if b == nil || !delta.Given() {
		return dst, dialect.InvalidAnswer("a piece belongs to no block")
	}
	if in, ok := quickDelta(delta); ok {
		return d.pieces(dst, b, &in), nil
	}
	in, err := slow[deltaIn](delta)
	if err != nil {
		return dst, err
	}
	return d.pieces(dst, b, in), nil
}

// slow reads any block or delta.
func slow[T any](f *jsonedit.Field) (*T, error) {
	in := new(T)
	if f.Given() && json.Unmarshal(f.Raw, in) != nil {
		return nil, unreadable()
	}
	return in, nil
}

// quickText reads a block of text, as which most answers begin. It reports false for others.
func quickText(block *jsonedit.Field) (in answerPart, ok bool) {
	f := [...]jsonedit.Field{{Name: "type"}, {Name: "text"}}
	if dialect.Within(block, f[:]); string(unquoted(&f[0])) != "text" {
		return in, false
	}
	in.Type = "text"
	in.Text, ok = f[1].Text()
	return in, ok
}

// quickDelta reads what streams are full of, without the garbage that reading any delta makes. It reports false for others.
func quickDelta(delta *jsonedit.Field) (in deltaIn, ok bool) {
	f := [...]jsonedit.Field{{Name: "type"}, {Name: "text"}, {Name: "partial_json"}, {Name: "thinking"}}
	dialect.Within(delta, f[:])
	switch string(unquoted(&f[0])) {
	case "text_delta":
		in.Text, ok = f[1].Text()
	case "input_json_delta":
		in.PartialJSON, ok = f[2].Text()
	case "thinking_delta":
		in.Thinking, ok = f[3].Text()
	}
	return in, ok
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
	at := slices.IndexFunc(d.blocks, func(b openBlock) bool { return b.index == index })
	if at < 0 {
		return dst
	}
	b := d.blocks[at]
	d.blocks = slices.Delete(d.blocks, at, at+1)
	if b.part == none {
		return dst
	}
	if !b.filled && b.json {
		dst = append(dst, llm.Event{Type: llm.Delta, Index: b.part, Text: string(arguments(b.given))})
	}
	return append(dst, llm.Event{Type: llm.PartEnd, Index: b.part})
}

// end reads why the answer ended and what it used.
func (d *decoder) end(dst []llm.Event, delta, usage *jsonedit.Field) ([]llm.Event, error) {
	in, err := slow[deltaIn](delta)
	if err != nil {
		return dst, err
	}
	d.counts.add(usage.Raw)
	if in.StopReason != "" {
		dst = d.finish(dst, in)
	}
	u := d.counts.usage()
	if !usage.Present() || u.Source == "" {
		return dst, nil
	}
	return append(dst, llm.Event{Type: llm.Spent, Usage: &u, Tier: d.counts.tier}), nil
}

// finish ends what is open and the answer, once.
func (d *decoder) finish(dst []llm.Event, in *deltaIn) []llm.Event {
	if d.ended {
		return dst
	}
	slices.SortFunc(d.blocks, func(a, b openBlock) int { return a.index - b.index })
	for len(d.blocks) > 0 {
		dst = d.shut(dst, d.blocks[0].index)
	}
	d.ended = true
	f := finish(in.StopReason, d.called)
	if p, ok := in.StopDetails.refusal(f); ok {
		text := p.Text
		p.Text = ""
		dst = append(dst, llm.Event{Type: llm.PartBegin, Index: d.parts, Part: p},
			llm.Event{Type: llm.Delta, Index: d.parts, Text: text}, llm.Event{Type: llm.PartEnd, Index: d.parts})
		d.parts++
	}
	return append(dst, llm.Event{Type: llm.End, Finish: f, Stop: in.StopSequence})
}
