package responses

import (
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// writer puts a Response together from an answer's events, and writes the events of its stream if it has one. It tells the first choice
// only: this dialect has no others.
type writer struct {
	*exchange
	calls  map[string]called // how calls of a tool are told, by the name that the model knows
	stream bool

	shell   shell
	begun   bool
	number  int64 // of the next event
	items   []*item
	open    map[int]*place // of parts that have not ended
	message *item          // that text goes to
	finish  llm.Finish
	refused bool // in words
	usage   *gateway.Usage
	tier    string
}

// place is where a part goes.
type place struct {
	item    *item
	content *content // of a message
}

// EncodeResponse writes a whole answer.
func (in *inbound) EncodeResponse(r *llm.Response) ([]byte, error) {
	w := &writer{exchange: in.exchange, calls: in.calls}
	if r.Created != 0 {
		in.created = r.Created
	}
	events := r.Events()
	for i := range events {
		w.Encode(nil, &events[i])
	}
	w.settle(nil)
	in.final = w.shell.write(nil, w.outcome())
	return in.final, nil
}

// EncodeStream begins a streamed answer.
func (in *inbound) EncodeStream() dialect.StreamEncoder {
	return &writer{exchange: in.exchange, calls: in.calls, stream: true}
}

// Encode appends the events of the stream for one of the answer.
func (w *writer) Encode(dst []byte, e *llm.Event) []byte {
	if e.Choice != 0 {
		return dst
	}
	switch e.Type {
	case llm.Begin:
		w.tier = e.Tier
		dst = w.begin(dst)
	case llm.PartBegin:
		dst = w.partBegin(w.begin(dst), e)
	case llm.Delta:
		dst = w.delta(dst, e)
	case llm.PartEnd:
		dst = w.partEnd(dst, e.Index)
	case llm.End:
		w.finish = e.Finish
		dst = w.settle(dst)
	case llm.Spent:
		if e.Tier != "" {
			w.tier = e.Tier
		}
	}
	if e.Usage != nil && e.Usage.Source != "" {
		w.usage = e.Usage
	}
	return dst
}

// begin tells that the Response is on its way, once.
func (w *writer) begin(dst []byte) []byte {
	if w.begun {
		return dst
	}
	w.begun, w.open, w.shell.exchange = true, map[int]*place{}, w.exchange
	if !w.stream {
		return dst
	}
	now := w.shell.write(nil, &told{status: "in_progress", output: []byte("[]"), tier: w.tier})
	for _, name := range [...]string{"response.created", "response.in_progress"} {
		o := w.event(dst, name)
		o.json("response", now)
		dst = sent(o)
	}
	return dst
}

// event begins an event behind dst.
func (w *writer) event(dst []byte, name string) object {
	dst = append(append(append(dst, "event: "...), name...), "\ndata: "...)
	o := open(dst)
	o.text("type", name)
	o.number("sequence_number", w.number)
	w.number++
	return o
}

func sent(o object) []byte { return append(o.close(), "\n\n"...) }

// about begins an event about an item.
func (w *writer) about(dst []byte, name string, it *item) object {
	o := w.event(dst, name)
	o.text("item_id", it.id)
	o.number("output_index", int64(it.index))
	return o
}

// settle ends all parts and items: the last one is incomplete if the answer is.
func (w *writer) settle(dst []byte) []byte {
	dst = w.begin(dst)
	for index := range w.lastPart() {
		dst = w.partEnd(dst, index)
	}
	w.message = nil
	for i, it := range w.items {
		status := "completed"
		if i == len(w.items)-1 && w.reason() != "" {
			status = "incomplete"
		}
		dst = w.closeItem(dst, it, status)
	}
	return dst
}

// lastPart is one more than the highest number of an open part.
func (w *writer) lastPart() (n int) {
	for index := range w.open {
		n = max(n, index+1)
	}
	return n
}

// reason is why a Response is incomplete; empty if it is not. A refusal is a part of its own here: where the vendor has none and only says
// that the model declined, that is told as the filter's work.
func (w *writer) reason() string {
	switch {
	case w.finish == llm.FinishLength:
		return "max_output_tokens"
	case w.finish == llm.FinishFilter, w.finish == llm.FinishRefusal && !w.refused:
		return "content_filter"
	default:
		return ""
	}
}

func (w *writer) outcome() *told {
	t := &told{status: "completed", reason: w.reason(), output: w.output(), usage: w.usage, tier: w.tier}
	if t.reason != "" {
		t.status = "incomplete"
		return t
	}
	t.ended = max(time.Now().Unix(), w.createdAt())
	return t
}

// output are the items that are finished.
func (w *writer) output() []byte {
	var out []byte
	for i, it := range w.items {
		if it.closed {
			status := "completed"
			if i == len(w.items)-1 && w.reason() != "" {
				status = "incomplete"
			}
			out = joined(out, it.json(status))
		}
	}
	return list(out)
}

// End appends the terminal event.
func (w *writer) End(dst []byte) []byte {
	dst = w.settle(dst)
	t := w.outcome()
	w.final = w.shell.write(nil, t)
	o := w.event(dst, "response."+t.status)
	o.json("response", w.final)
	return sent(o)
}

// Fail appends what OpenAI sends for a failure: an error, whose fields it documents at the top and sends in an object as well, and the
// failed Response.
func (w *writer) Fail(dst []byte, e *gateway.Error) []byte { return w.fail(dst, e, w.output()) }

func (w *writer) fail(dst []byte, e *gateway.Error, output []byte) []byte {
	w.shell.exchange = w.exchange
	if output == nil {
		output = []byte("[]")
	}
	o := w.event(dst, "error")
	o.text("code", codeOf(e))
	o.text("message", e.Message)
	o.textOrNull("param", e.Param)
	o.json("error", appendFault(nil, e))
	dst = sent(o)
	w.final = w.shell.write(nil, &told{status: "failed", output: output, fault: e, tier: w.tier, usage: w.usage})
	o = w.event(dst, "response.failed")
	o.json("response", w.final)
	return sent(o)
}

// itemID is the vendor's own id if it is one of this dialect's; else a new one.
func itemID(prefix, vendors string) string {
	if strings.HasPrefix(vendors, prefix+"_") && len(vendors) <= maxCallID {
		return vendors
	}
	return newID(prefix)
}
