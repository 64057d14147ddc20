package ingress_test

import (
	"reflect"
	"strings"
)

// responsesStream follows the events of one response: each item is added, grows and is done, and the response that ends the stream has
// them all.
type responsesStream struct {
	*reading
	out   *result
	open  map[int64]*growing // items by output_index
	items []any
	begun bool
}

// growing is an item on its way.
type growing struct {
	id, kind string
	parts    map[string]string // texts by field and index
}

func (s responsesSpeaker) stream(r *reading, events []frame) *result {
	st := &responsesStream{reading: r, out: &result{choices: 1}, open: map[int64]*growing{}}
	for i, e := range events {
		kind := textIn(e.data, "type")
		r.want(e.name == kind, "event %q is a %q", e.name, kind)
		r.want(!st.out.done && (st.out.fault == nil || kind == "response.failed"), "an event follows the end: %s", brief{e.data})
		r.want(r.number(e.data, "sequence_number") == int64(i), "event %d is %v", i, e.data["sequence_number"])
		r.want((i == 0) == (kind == "response.created"), "event %d is %s", i, kind)
		st.event(s, kind, e.data)
	}
	return st.out
}

func (st *responsesStream) event(s responsesSpeaker, kind string, e obj) {
	switch kind {
	case "error": // whose fields stand at the top
		st.out.fault = &refusal{code: textIn(e, "code"), message: st.text(e, "message"), param: textIn(e, "param")}
	case "response.created", "response.in_progress":
		a := st.object(e, "response")
		s.response(st.reading, a, "in_progress", "queued")
		st.out.id, st.begun = textIn(a, "model"), true
	case "response.failed":
		a := st.object(e, "response")
		s.response(st.reading, a, "failed")
		f := st.object(a, "error")
		st.out.fault = &refusal{code: st.text(f, "code"), message: st.text(f, "message")}
	case "response.completed", "response.incomplete":
		a := st.object(e, "response")
		s.response(st.reading, a, strings.TrimPrefix(kind, "response."))
		st.want(len(st.open) == 0, "%d items are not done", len(st.open))
		st.want(reflect.DeepEqual(a["output"], st.items) || len(st.items) == 0 && len(st.list(a, "output")) == 0, "the response has %s, streamed were %s",
			brief{a["output"]}, brief{st.items})
		s.finished(st.reading, st.out, a)
		st.out.done = true
	case "response.output_item.added":
		it, at := st.object(e, "item"), st.number(e, "output_index")
		st.want(st.open[at] == nil && at == int64(len(st.items)+len(st.open)), "item %d is out of turn", at)
		st.open[at] = &growing{st.text(it, "id"), textIn(it, "type"), map[string]string{}}
	case "response.output_item.done":
		st.itemDone(e)
	default:
		st.inside(strings.TrimPrefix(kind, "response."), e)
	}
}

func (st *responsesStream) itemDone(e obj) {
	at, it := st.number(e, "output_index"), st.object(e, "item")
	g := st.open[at]
	if g == nil {
		st.want(false, "item %d is done and was never added", at)
		return
	}
	delete(st.open, at)
	st.items = append(st.items, it)
	st.want(g.id == it["id"] && g.kind == it["type"], "item %d was %s %s and is %s", at, g.kind, g.id, brief{it})
	text, whole := "", ""
	for _, name := range []string{"output_text", "refusal", "reasoning_summary_text", "function_call_arguments"} {
		text += g.parts[name]
	}
	for _, list := range []string{"content", "summary"} {
		if it[list] != nil {
			for _, p := range st.list(it, list) {
				whole += textIn(p, "text") + textIn(p, "refusal")
			}
		}
	}
	whole += textIn(it, "arguments")
	st.want(text == whole, "item %d grew to %.200q and is %.200q", at, text, whole)
}

// inside is about an item that is open: a part that is added or done, a piece of text, or a whole text.
func (st *responsesStream) inside(kind string, e obj) {
	at := st.number(e, "output_index")
	g := st.open[at]
	if g == nil || st.text(e, "item_id") != g.id {
		st.want(false, "%s is about an item that is not open: %s", kind, brief{e})
		return
	}
	name, step := kind[:strings.LastIndexByte(kind, '.')], kind[strings.LastIndexByte(kind, '.')+1:]
	fits := map[string]string{
		"output_text": "message", "refusal": "message", "content_part": "message", "function_call_arguments": "function_call",
		"reasoning_summary_text": "reasoning", "reasoning_summary_part": "reasoning", "output_text.annotation": "message",
	}
	st.want(fits[name] == g.kind, "%s in an item %s", kind, g.kind)
	field := map[string]string{
		"output_text": "text", "refusal": "refusal", "function_call_arguments": "arguments", "reasoning_summary_text": "text",
	}[name]
	switch {
	case field == "": // parts and annotations
	case step == "delta":
		g.parts[name] += st.text(e, "delta")
	case step == "done":
		st.want(strings.HasSuffix(g.parts[name], st.text(e, field)), "%s is %s, streamed was %.200q", kind, brief{e}, g.parts[name])
	default:
		st.want(false, "event %s", kind)
	}
}
