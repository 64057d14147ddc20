package responses

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// writer writes one response, whole or as a stream.
type writer struct {
	*wire.Reply
	memo
	keep *Store
}

func newWriter(r *wire.Reply, s *Store) writer {
	m, _ := r.Call.Memo.(memo)
	return writer{r, m, s}
}

// Whole implements wire.Format.
func (f Create) Whole(r *wire.Reply) any { return newWriter(r, f.store).finished() }

// response is the response so far, without output.
func (w writer) response(status string) object {
	m := w.echo()
	for name, v := range map[string]any{
		"id": "resp_" + w.id(), "object": "response", "created_at": openai.Created, "status": status, "background": false, "error": nil,
		"incomplete_details": nil, "model": w.Call.Model, "output": []any{}, "service_tier": "default", "usage": nil,
	} {
		m[name] = v
	}
	if w.Extra != nil {
		m["x_unknown"] = w.Extra
	}
	return m
}

// id is what the ids of a response and of its items have in common.
func (w writer) id() string { return w.CallID("", 0) }

// incomplete are the reasons for a response that is not complete.
var incomplete = map[wire.Finish]string{wire.Length: "max_output_tokens", wire.Filtered: "content_filter"}

func (w writer) status() string {
	if incomplete[w.Finish] != "" {
		return "incomplete"
	}
	return "completed"
}

// finished is the whole response. It is kept, unless the request did not want that.
func (w writer) finished() object {
	m := w.response(w.status())
	if reason := incomplete[w.Finish]; reason != "" {
		m["incomplete_details"] = object{"reason": reason}
	} else {
		m["completed_at"] = openai.Created
	}
	output := []any{}
	if w.Hidden > 0 {
		output = append(output, w.thought("completed", ""))
	}
	for i := range w.Blocks {
		output = append(output, w.item(i, w.status()))
	}
	m["output"] = output
	if u := w.Usage(); u != nil {
		m["usage"] = u
	}
	if w.store {
		w.keep.put("resp_"+w.id(), kept{m, w.input, output})
	}
	return m
}

// item is the output item of a block.
func (w writer) item(i int, status string) object {
	b := w.Blocks[i]
	switch b.Kind {
	case wire.Thought:
		return w.thought(status, b.Text())
	case wire.Called:
		return w.call(i, status, b.Text())
	}
	return object{"id": "msg_" + w.id(), "type": "message", "status": status, "role": "assistant", "content": []any{w.part(i)}}
}

// part is the content of a message.
func (w writer) part(i int) object {
	b := w.Blocks[i]
	if b.Kind == wire.Declined {
		return object{"type": "refusal", "refusal": b.Text()}
	}
	annotations := []any{}
	if b.Cited {
		annotations = []any{citation(b.Text())}
	}
	return object{"type": "output_text", "text": b.Text(), "annotations": annotations, "logprobs": w.logprobs(b.Pieces...)}
}

func (w writer) logprobs(pieces ...string) []any {
	if w.Call.Logprobs < 0 {
		return []any{}
	}
	return openai.Logprobs(w.Call.Logprobs, pieces)
}

func citation(text string) object {
	return object{
		"type": "url_citation", "start_index": 0, "end_index": len([]rune(text)), "url": wire.SourceURL, "title": wire.SourceTitle,
	}
}

// thought is a reasoning item; an empty summary is none.
func (w writer) thought(status, summary string) object {
	list := []any{}
	if summary != "" {
		list = append(list, object{"type": "summary_text", "text": summary})
	}
	m := object{"id": thoughtID(w.id()), "type": "reasoning", "summary": list}
	if w.encrypts && status != "in_progress" {
		m["encrypted_content"] = wire.Seal(maker, wire.First(summary, wire.ThoughtText(w.Hidden)))
	}
	return m
}

func (w writer) call(i int, status, arguments string) object {
	n := w.Calls(i)
	prefix := "fc_"
	if w.Hidden > 0 || w.TextOf(wire.Thought) != "" {
		prefix = afterThought + w.id() + "_"
	}
	return object{
		"id": w.CallID(prefix, n), "type": "function_call", "status": status, "call_id": w.CallID("call_", n), "name": w.Blocks[i].Name,
		"arguments": arguments,
	}
}

// afterThought begins the id of a call that followed thoughts; theirs follows.
const afterThought = "fc_r"

func thoughtID(id string) string { return "rs_" + id }

// thoughtBefore is the id of the thoughts that a call followed, if it did.
func thoughtBefore(id string) (string, bool) {
	rest, ok := strings.CutPrefix(id, afterThought)
	source, _, found := strings.Cut(rest, "_")
	return thoughtID(source), ok && found
}
