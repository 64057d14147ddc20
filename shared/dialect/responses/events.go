package responses

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// maxOpen is how many items and parts of a stream may be under way at a time.
const maxOpen = 4096

// DecodeStream begins to read a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder {
	return &decoder{parts: map[spot]*streamed{}, heard: map[int64]bool{}}
}

// decoder reads the events of a stream.
type decoder struct {
	begun   bool
	done    bool
	next    int                // the number of the next part
	parts   map[spot]*streamed // those under way
	heard   map[int64]bool     // the items under way of which a part has come
	calls   bool               // the model called something
	refuses bool               // it declined
}

// spot is where a part of the answer stands: in which item, and where in a message's content. What is an item by itself has content 0.
type spot struct{ item, content int64 }

// streamed is a part on its way.
type streamed struct {
	index   int
	kind    llm.Kind
	some    bool   // text of it has come
	summary int64  // the number of the thought's last paragraph
	source  string // the kind of event that brings the thought
}

// event is one of the stream: fields of all kinds.
type event struct {
	Type       string          `json:"type"`
	Response   *answer         `json:"response"`
	Item       *entry          `json:"item"`
	ItemID     string          `json:"item_id"`
	Part       *part           `json:"part"`
	Output     int64           `json:"output_index"`
	Content    int64           `json:"content_index"`
	Summary    int64           `json:"summary_index"`
	Delta      string          `json:"delta"`
	Text       string          `json:"text"`
	Refusal    string          `json:"refusal"`
	Arguments  string          `json:"arguments"`
	Annotation *annotation     `json:"annotation"`
	Logprobs   []logprob       `json:"logprobs"`
	Error      json.RawMessage `json:"error"`
}

// Progress tells how far the stream is.
func (d *decoder) Progress() dialect.Progress {
	if d.done {
		return dialect.Done
	}
	return dialect.Open
}

// handlers are the events that matter; all others say nothing that the neutral form has a place for.
var handlers = map[string]func(d *decoder, dst []llm.Event, e *event) ([]llm.Event, error){
	"response.created": (*decoder).created, "response.in_progress": (*decoder).created,
	"response.output_item.added": (*decoder).itemAdded, "response.output_item.done": (*decoder).itemDone,
	"response.content_part.added":           (*decoder).partAdded,
	"response.content_part.done":            (*decoder).partDone,
	"response.output_text.delta":            texts(llm.Text),
	"response.refusal.delta":                texts(llm.Refusal),
	"response.reasoning_text.delta":         (*decoder).thought,
	"response.reasoning_summary_text.delta": (*decoder).thought,
	"response.output_text.annotation.added": (*decoder).cited,
	"response.function_call_arguments.delta": func(d *decoder, dst []llm.Event, e *event) ([]llm.Event, error) {
		return d.more(dst, spot{item: e.Output}, &llm.Event{Text: e.Delta}), nil
	},
	"response.completed": (*decoder).ended, "response.incomplete": (*decoder).ended,
}

// Decode reads one event.
func (d *decoder) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	data := bytes.TrimSpace(f.Data)
	if len(data) == 0 || bytes.Equal(data, doneMark) || d.done {
		return dst, nil
	}
	var e event
	err := json.Unmarshal(data, &e)
	if e.Type == "" {
		e.Type = f.Name
	}
	handle, known := handlers[e.Type]
	switch {
	case e.Type == "error", e.Type == "" && len(e.Error) > 0:
		return dst, DecodeError(0, nil, data)
	case e.Type == "response.failed", e.Response != nil && hasFailed(e.Response):
		return dst, failureOf(data)
	case err != nil && (known || !json.Valid(data)):
		return dst, dialect.InvalidAnswer("an event of the stream cannot be read")
	case !known:
		return dst, nil
	}
	if !d.begun && e.Response == nil {
		dst = d.begin(dst, &answer{})
	}
	if len(d.parts)+len(d.heard) > maxOpen {
		return dst, dialect.InvalidAnswer("the stream has too many parts at a time")
	}
	return handle(d, dst, &e)
}

func failureOf(data []byte) error {
	var failed struct {
		Response json.RawMessage `json:"response"`
	}
	_ = json.Unmarshal(data, &failed) // without it the error is a general one
	return DecodeError(0, nil, failed.Response)
}

func (d *decoder) created(dst []llm.Event, e *event) ([]llm.Event, error) {
	if e.Response == nil {
		return dst, nil
	}
	return d.begin(dst, e.Response), nil
}

func (d *decoder) begin(dst []llm.Event, a *answer) []llm.Event {
	if d.begun {
		return dst
	}
	d.begun = true
	return append(dst, llm.Event{Type: llm.Begin, ID: a.ID, Model: a.Model, Tier: a.tier()})
}

// open begins a part.
func (d *decoder) open(dst []llm.Event, at spot, p llm.Part) []llm.Event {
	d.parts[at] = &streamed{index: d.next, kind: p.Kind}
	d.calls = d.calls || p.Kind == llm.ToolCall
	d.refuses = d.refuses || p.Kind == llm.Refusal
	d.next++
	d.heard[at.item] = true
	return append(dst, llm.Event{Type: llm.PartBegin, Index: d.next - 1, Part: p})
}

// more adds to a part, if that is under way.
func (d *decoder) more(dst []llm.Event, at spot, e *llm.Event) []llm.Event {
	s := d.parts[at]
	if s == nil || e.Text == "" && e.Signature.IsZero() && len(e.Citations) == 0 && len(e.Logprobs) == 0 {
		return dst
	}
	s.some = s.some || e.Text != ""
	e.Type, e.Index = llm.Delta, s.index
	return append(dst, *e)
}

func (d *decoder) close(dst []llm.Event, at spot) []llm.Event {
	s := d.parts[at]
	if s == nil {
		return dst
	}
	delete(d.parts, at)
	return append(dst, llm.Event{Type: llm.PartEnd, Index: s.index})
}

func (d *decoder) itemAdded(dst []llm.Event, e *event) ([]llm.Event, error) {
	if e.Item == nil || e.Item.Type != "function_call" {
		return dst, nil // a message's parts are told apart, a thought begins with its text, the rest comes whole
	}
	call, err := e.Item.call()
	if err != nil {
		return dst, err
	}
	at, arguments := spot{item: e.Output}, call.Arguments
	if d.parts[at] != nil {
		return dst, nil
	}
	call.Arguments = ""
	dst = d.open(dst, at, llm.Part{Kind: llm.ToolCall, Call: call})
	return d.more(dst, at, &llm.Event{Text: arguments}), nil
}

func (d *decoder) partAdded(dst []llm.Event, e *event) ([]llm.Event, error) {
	at := spot{e.Output, e.Content}
	if e.Part == nil || d.parts[at] != nil {
		return dst, nil
	}
	switch e.Part.Type {
	case "output_text":
		dst = d.open(dst, at, llm.Part{Kind: llm.Text})
		return d.more(dst, at, &llm.Event{Text: e.Part.Text}), nil
	case "refusal":
		dst = d.open(dst, at, llm.Part{Kind: llm.Refusal})
		return d.more(dst, at, &llm.Event{Text: e.Part.Refusal}), nil
	}
	return dst, nil
}

// texts adds to a message's part, and begins it where the vendor does not say so.
func texts(kind llm.Kind) func(*decoder, []llm.Event, *event) ([]llm.Event, error) {
	return func(d *decoder, dst []llm.Event, e *event) ([]llm.Event, error) {
		at := spot{e.Output, e.Content}
		if d.parts[at] == nil {
			dst = d.open(dst, at, llm.Part{Kind: kind})
		}
		return d.more(dst, at, &llm.Event{Text: e.Delta, Logprobs: logprobs(e.Logprobs)}), nil
	}
}

func (d *decoder) cited(dst []llm.Event, e *event) ([]llm.Event, error) {
	if e.Annotation == nil {
		return dst, nil
	}
	return d.more(dst, spot{e.Output, e.Content}, &llm.Event{Citations: citations([]annotation{*e.Annotation})}), nil
}

// partDone ends a message's part; its text is in there once more, for vendors that did not stream it.
func (d *decoder) partDone(dst []llm.Event, e *event) ([]llm.Event, error) {
	at := spot{e.Output, e.Content}
	s := d.parts[at]
	if e.Part == nil || s == nil || s.kind == llm.Thinking {
		return dst, nil
	}
	if !s.some {
		dst = d.more(dst, at, &llm.Event{Text: e.Part.Text + e.Part.Refusal})
	}
	return d.close(dst, at), nil
}

// thought adds to a thought. Its paragraphs become one text. Of a summary and the thought itself, what comes first is taken.
func (d *decoder) thought(dst []llm.Event, e *event) ([]llm.Event, error) {
	at := spot{item: e.Output}
	s := d.parts[at]
	if s == nil {
		dst = d.open(dst, at, llm.Part{Kind: llm.Thinking, ID: e.ItemID})
		s = d.parts[at]
		s.source = e.Type
	}
	if s.source != e.Type {
		return dst, nil
	}
	number := max(e.Summary, e.Content)
	if s.some && number != s.summary {
		dst = d.more(dst, at, &llm.Event{Text: "\n\n"})
	}
	s.summary = number
	return d.more(dst, at, &llm.Event{Text: e.Delta}), nil
}

// itemDone ends an item. What of it did not stream is told now.
func (d *decoder) itemDone(dst []llm.Event, e *event) ([]llm.Event, error) {
	if e.Item == nil {
		return dst, nil
	}
	at := spot{item: e.Output}
	parts, probs, err := e.Item.answered()
	if err != nil {
		return dst, err
	}
	s, heard := d.parts[at], d.heard[e.Output]
	delete(d.heard, e.Output)
	switch {
	case !heard:
		return d.whole(dst, e.Output, parts, probs), nil
	case e.Item.Type == "message":
		return d.closeItem(dst, e.Output), nil
	case s == nil || len(parts) == 0:
	case s.kind == llm.ToolCall && !s.some:
		dst = d.more(dst, at, &llm.Event{Text: parts[0].Call.Arguments})
	case s.kind == llm.Thinking:
		dst = d.more(dst, at, &llm.Event{Signature: parts[0].Signature})
	}
	return d.close(dst, at), nil
}

// closeItem ends what is under way of an item; of all items if the number is negative.
func (d *decoder) closeItem(dst []llm.Event, item int64) []llm.Event {
	var open []spot
	for at := range d.parts {
		if item < 0 || at.item == item {
			open = append(open, at)
		}
	}
	slices.SortFunc(open, func(a, b spot) int { return d.parts[a].index - d.parts[b].index })
	for _, at := range open {
		dst = d.close(dst, at)
	}
	return dst
}

// whole tells an item that came in one piece.
func (d *decoder) whole(dst []llm.Event, item int64, parts []llm.Part, probs []llm.Logprob) []llm.Event {
	for i, p := range parts {
		at := spot{item, int64(i)}
		rest := llm.Event{Text: p.Text, Citations: p.Citations, Logprobs: probs}
		p.Text, p.Citations, probs = "", nil, nil
		switch p.Kind {
		case llm.ToolCall:
			rest.Text, p.Call.Arguments = p.Call.Arguments, ""
		case llm.Thinking:
			rest.Signature, p.Signature = p.Signature, llm.Signature{}
		}
		dst = d.open(dst, at, p)
		dst = d.more(dst, at, &rest)
		dst = d.close(dst, at)
	}
	delete(d.heard, item)
	return dst
}

// ended tells the end. It is reached only by way of a whole event.
func (d *decoder) ended(dst []llm.Event, e *event) ([]llm.Event, error) {
	if e.Response == nil {
		return dst, dialect.InvalidAnswer("the stream's last event has no response")
	}
	dst = d.closeItem(d.begin(dst, e.Response), -1)
	if d.next == 0 && e.Response.Output != nil { // a vendor that streams nothing but the end
		for i := range *e.Response.Output {
			parts, probs, err := (*e.Response.Output)[i].answered()
			if err != nil {
				return dst, err
			}
			dst = d.whole(dst, int64(i), parts, probs)
		}
	}
	d.done = true
	if e.Type == "response.incomplete" {
		e.Response.Status = "incomplete" // some leave it out
	}
	dst = append(dst, llm.Event{Type: llm.End, Finish: e.Response.finish(d.calls, d.refuses)})
	spent := llm.Event{Type: llm.Spent, Tier: e.Response.tier()}
	if u := e.Response.usage(); u.Source != "" {
		spent.Usage = &u
	}
	return append(dst, spent), nil
}
