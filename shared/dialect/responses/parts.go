package responses

import (
	"github.com/sluice-gateway/sluice/shared/llm"
)

// partBegin finds the item for a part: text goes on in the message that is open, all else is an item of its own.
func (w *writer) partBegin(dst []byte, e *llm.Event) []byte {
	p := &e.Part
	switch p.Kind {
	case llm.Text, llm.Refusal:
		w.refused = w.refused || p.Kind == llm.Refusal
		return w.textBegin(dst, e)
	case llm.Thinking, llm.Sealed:
		it := &item{kind: "reasoning", id: itemID("rs", p.ID), part: *p, signature: p.Signature}
		dst = w.add(dst, it, e.Index)
		return w.thinks(dst, it, p.Text)
	case llm.ToolCall:
		return w.callBegin(dst, e)
	case llm.Image:
		if p.Media == nil || p.Media.Data == "" {
			return dst
		}
		return w.add(dst, &item{kind: "image_generation_call", id: itemID("ig", p.ID), part: *p}, e.Index)
	}
	return dst // there is no item for it
}

// add makes room in the output for an item with the part.
func (w *writer) add(dst []byte, it *item, part int) []byte {
	dst = w.closeEnded(dst)
	it.index, it.opened = len(w.items), 1
	w.items = append(w.items, it)
	w.open[part] = &place{item: it}
	w.message = nil
	if it.kind == "message" {
		w.message = it
	}
	if !w.stream {
		return dst
	}
	o := w.event(dst, "response.output_item.added")
	o.number("output_index", int64(it.index))
	o.json("item", it.json("in_progress"))
	return sent(o)
}

// closeEnded closes the items whose parts have all ended: no more goes to them.
func (w *writer) closeEnded(dst []byte) []byte {
	for _, it := range w.items {
		if it.opened == 0 {
			dst = w.closeItem(dst, it, "completed")
		}
	}
	return dst
}

func (w *writer) closeItem(dst []byte, it *item, status string) []byte {
	if it.closed {
		return dst
	}
	it.closed = true
	if !w.stream {
		return dst
	}
	o := w.event(dst, "response.output_item.done")
	o.number("output_index", int64(it.index))
	o.json("item", it.json(status))
	return sent(o)
}

func (w *writer) textBegin(dst []byte, e *llm.Event) []byte {
	if w.message == nil {
		dst = w.add(dst, &item{kind: "message", id: newID("msg")}, e.Index)
	} else {
		w.message.opened++
	}
	it := w.message
	c := &content{index: len(it.content), refusal: e.Part.Kind == llm.Refusal}
	if w.stream {
		o := w.about(dst, "response.content_part.added", it)
		o.number("content_index", int64(c.index))
		o.json("part", c.json())
		dst = sent(o)
	}
	it.content = append(it.content, c)
	w.open[e.Index] = &place{item: it, content: c}
	return w.says(dst, it, c, &llm.Event{Text: e.Part.Text, Citations: e.Part.Citations})
}

func (w *writer) callBegin(dst []byte, e *llm.Event) []byte {
	call := e.Part.Call
	if call == nil {
		return dst
	}
	as, known := w.calls[call.Name]
	if !known {
		as = called{name: call.Name}
	}
	id := call.ID
	if id == "" {
		id = llm.CallID(w.ID(), e.Index)
	}
	kind := ways[as.way]
	it := &item{kind: kind, id: newID(prefixes[kind]), part: e.Part, call: as, callID: llm.Pack(id, e.Part.Signature)}
	dst = w.add(dst, it, e.Index)
	return w.argues(dst, it, call.Arguments)
}

// delta adds to a part.
func (w *writer) delta(dst []byte, e *llm.Event) []byte {
	at := w.open[e.Index]
	if at == nil {
		return dst
	}
	it := at.item
	if !e.Signature.IsZero() {
		it.signature = e.Signature
	}
	switch {
	case at.content != nil:
		return w.says(dst, it, at.content, e)
	case it.kind == "reasoning":
		return w.thinks(dst, it, e.Text)
	default:
		return w.argues(dst, it, e.Text)
	}
}

func (w *writer) says(dst []byte, it *item, c *content, e *llm.Event) []byte {
	probs := logprobsOf(e.Logprobs, true)
	c.text = append(c.text, e.Text...)
	if len(probs) > 0 && !c.refusal {
		c.logprobs = joined(c.logprobs, probs)
	}
	if w.stream && (e.Text != "" || len(probs) > 0) {
		name := "response.output_text.delta"
		if c.refusal {
			name = "response.refusal.delta"
		}
		o := w.about(dst, name, it)
		o.number("content_index", int64(c.index))
		o.text("delta", e.Text)
		if !c.refusal {
			o.json("logprobs", list(probs))
		}
		dst = sent(o)
	}
	for i := range e.Citations {
		dst = w.cites(dst, it, c, &e.Citations[i])
	}
	return dst
}

func (w *writer) cites(dst []byte, it *item, c *content, cited *llm.Citation) []byte {
	if c.refusal {
		return dst
	}
	text := annotationOf(cited)
	c.cited = joined(c.cited, text)
	c.citeds++
	if !w.stream {
		return dst
	}
	o := w.about(dst, "response.output_text.annotation.added", it)
	o.number("content_index", int64(c.index))
	o.number("annotation_index", int64(c.citeds-1))
	o.json("annotation", text)
	return sent(o)
}

func (w *writer) thinks(dst []byte, it *item, text string) []byte {
	if text == "" {
		return dst
	}
	first := !it.summed
	it.summed = true
	it.text = append(it.text, text...)
	if !w.stream {
		return dst
	}
	if first {
		o := w.about(dst, "response.reasoning_summary_part.added", it)
		o.number("summary_index", 0)
		o.json("part", summaryOf(nil))
		dst = sent(o)
	}
	o := w.about(dst, "response.reasoning_summary_text.delta", it)
	o.number("summary_index", 0)
	o.text("delta", text)
	return sent(o)
}

// argues adds to a call's arguments. Only those of a function stream: others are told otherwise, once they are whole.
func (w *writer) argues(dst []byte, it *item, text string) []byte {
	it.text = append(it.text, text...)
	if !w.stream || text == "" || it.kind != "function_call" {
		return dst
	}
	o := w.about(dst, "response.function_call_arguments.delta", it)
	o.text("delta", text)
	return sent(o)
}

func (w *writer) partEnd(dst []byte, index int) []byte {
	at := w.open[index]
	if at == nil {
		return dst
	}
	delete(w.open, index)
	it := at.item
	it.opened--
	if !w.stream {
		return dst
	}
	switch it.kind {
	case "message":
		return w.textEnd(dst, it, at.content)
	case "reasoning":
		return w.thoughtEnd(dst, it)
	case "function_call":
		o := w.about(dst, "response.function_call_arguments.done", it)
		o.text("name", it.call.name)
		o.bytes("arguments", it.text)
		return sent(o)
	case "custom_tool_call":
		return w.customEnd(dst, it)
	}
	return dst
}

func (w *writer) textEnd(dst []byte, it *item, c *content) []byte {
	name, field := "response.output_text.done", "text"
	if c.refusal {
		name, field = "response.refusal.done", "refusal"
	}
	o := w.about(dst, name, it)
	o.number("content_index", int64(c.index))
	o.bytes(field, c.text)
	if !c.refusal {
		o.json("logprobs", list(c.logprobs))
	}
	o = w.about(sent(o), "response.content_part.done", it)
	o.number("content_index", int64(c.index))
	o.json("part", c.json())
	return sent(o)
}

func (w *writer) thoughtEnd(dst []byte, it *item) []byte {
	if !it.summed {
		return dst
	}
	o := w.about(dst, "response.reasoning_summary_text.done", it)
	o.number("summary_index", 0)
	o.bytes("text", it.text)
	o = w.about(sent(o), "response.reasoning_summary_part.done", it)
	o.number("summary_index", 0)
	o.json("part", summaryOf(it.text))
	return sent(o)
}

func (w *writer) customEnd(dst []byte, it *item) []byte {
	input := freeform(it.text)
	if input != "" {
		o := w.about(dst, "response.custom_tool_call_input.delta", it)
		o.text("delta", input)
		dst = sent(o)
	}
	o := w.about(dst, "response.custom_tool_call_input.done", it)
	o.text("input", input)
	return sent(o)
}
