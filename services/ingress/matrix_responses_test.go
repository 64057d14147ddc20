package ingress_test

import (
	"strings"
)

// responsesSpeaker speaks OpenAI's responses (its API reference, read 2026-11). It keeps no state at the vendor's.
type responsesSpeaker struct{}

func (responsesSpeaker) name() string { return "responses" }

func (responsesSpeaker) route(string, bool) (string, string) { return "/v1/responses", "Authorization" }

func (s responsesSpeaker) ask(model string, t *talk, stream bool) (obj, error) {
	if err := lacks(t.cache != "", t.stop != "", t.seed, t.n > 0); err != nil {
		return nil, err
	}
	input := []obj{}
	for _, turn := range t.turns {
		items, err := s.turn(turn)
		if err != nil {
			return nil, err
		}
		input = append(input, items...)
	}
	body, include := obj{"model": model, "input": input, "store": false}, []string{}
	if t.system != "" {
		body["instructions"] = t.system
	}
	if stream {
		body["stream"] = true
	}
	if t.limit > 0 {
		body["max_output_tokens"] = max(t.limit, 16)
	}
	if t.think {
		body["reasoning"] = obj{"effort": "low", "summary": "auto"}
		include = append(include, "reasoning.encrypted_content")
	}
	if t.logprobs {
		body["top_logprobs"] = 2
		include = append(include, "message.output_text.logprobs")
	}
	if len(include) > 0 {
		body["include"] = include
	}
	if t.object {
		body["text"] = obj{"format": obj{"type": "json_object"}}
	}
	if t.schema {
		body["text"] = obj{"format": obj{"type": "json_schema", "name": "weather", "strict": true, "schema": weather()}}
	}
	s.tools(body, t)
	return body, nil
}

func (responsesSpeaker) tools(body obj, t *talk) {
	var tools []obj
	for _, name := range toolNames[:t.tools] {
		tools = append(tools, obj{"type": "function", "name": name, "description": toolText, "parameters": weather(), "strict": false})
	}
	openaiTools(body, t, tools, obj{"type": "function", "name": t.choice})
}

func (responsesSpeaker) turn(t turn) ([]obj, error) {
	switch {
	case t.said != nil:
		return t.said.history.([]obj), nil
	case t.answers != nil:
		var list []obj
		for _, a := range t.answers {
			if err := lacks(a.failed); err != nil {
				return nil, err
			}
			var output any = a.text
			if a.image {
				output = []obj{{"type": "input_text", "text": a.text}, {"type": "input_image", "image_url": "data:image/png;base64," + pixel}}
			}
			list = append(list, obj{"type": "function_call_output", "call_id": a.call.id, "output": output})
		}
		return list, nil
	case t.media == "":
		return []obj{{"type": "message", "role": "user", "content": t.text}}, nil
	}
	parts := map[string]obj{
		"image": {"type": "input_image", "image_url": "data:image/png;base64," + pixel},
		"pdf":   {"type": "input_file", "filename": "paper.pdf", "file_data": "data:application/pdf;base64," + paper},
	}
	if parts[t.media] == nil {
		return nil, errUnsayable
	}
	return []obj{{"type": "message", "role": "user", "content": []obj{{"type": "input_text", "text": t.text}, parts[t.media]}}}, nil
}

func (s responsesSpeaker) whole(r *reading, a obj) *result {
	out := &result{id: textIn(a, "model"), choices: 1}
	s.response(r, a, "completed", "incomplete", "failed")
	if f, ok := a["error"].(obj); ok {
		out.fault = &refusal{kind: "", code: r.text(f, "code"), message: r.text(f, "message")}
		return out
	}
	s.finished(r, out, a)
	return out
}

// response checks what every response object has.
func (responsesSpeaker) response(r *reading, a obj, states ...string) {
	r.word(a, "object", "response")
	r.want(strings.HasPrefix(r.text(a, "id"), "resp_"), "id is %v", a["id"])
	r.number(a, "created_at")
	r.text(a, "model")
	r.word(a, "status", states...)
	for _, name := range []string{
		"error", "incomplete_details", "instructions", "metadata", "parallel_tool_calls", "temperature", "top_p", "tools", "tool_choice", "output",
	} {
		_, has := a[name]
		r.want(has, "no %s in the response", name)
	}
}

// finished reads a response that has ended.
func (s responsesSpeaker) finished(r *reading, out *result, a obj) {
	kept := []obj{}
	for _, it := range r.list(a, "output") {
		if k := s.item(r, out, it); k != nil {
			kept = append(kept, k)
		}
	}
	out.history = kept
	out.finish = "stop"
	switch reason := textIn(objectIn(a, "incomplete_details"), "reason"); {
	case reason == "max_output_tokens":
		out.finish = "length"
	case reason == "content_filter":
		out.finish = "filter"
	case len(out.calls) > 0:
		out.finish = "calls"
	}
	cut := out.finish == "length" || out.finish == "filter"
	r.want((a["status"] == "incomplete") == cut, "status %v with %s", a["status"], brief{a["incomplete_details"]})
	u := r.object(a, "usage")
	out.usage = tokens{
		in: r.number(u, "input_tokens"), out: r.number(u, "output_tokens"), written: -1,
		cached: r.number(r.object(u, "input_tokens_details"), "cached_tokens"), thought: r.number(r.object(u, "output_tokens_details"), "reasoning_tokens"),
	}
	r.want(r.number(u, "total_tokens") == out.usage.in+out.usage.out, "the total is wrong in %s", brief{u})
}

func objectIn(o obj, name string) obj { v, _ := o[name].(obj); return v }

// item reads an output item and returns it as a client sends it back: standard fields only.
func (s responsesSpeaker) item(r *reading, out *result, it obj) obj {
	id := r.text(it, "id")
	switch it["type"] {
	case "reasoning":
		r.want(strings.HasPrefix(id, "rs"), "a reasoning item has id %s", id)
		for _, p := range r.list(it, "summary") {
			r.word(p, "type", "summary_text")
			out.thoughts += r.text(p, "text")
		}
		k := obj{"type": "reasoning", "id": id, "summary": it["summary"]}
		if it["encrypted_content"] != nil {
			k["encrypted_content"] = r.text(it, "encrypted_content")
		}
		return k
	case "message":
		r.want(strings.HasPrefix(id, "msg"), "a message has id %s", id)
		r.word(it, "role", "assistant")
		r.word(it, "status", "completed", "incomplete")
		for _, p := range r.list(it, "content") {
			s.part(r, out, p)
		}
		return obj{"type": "message", "id": id, "role": "assistant", "status": it["status"], "content": it["content"]}
	case "function_call":
		r.want(strings.HasPrefix(id, "fc"), "a call has id %s", id)
		out.calls = append(out.calls, called{r.text(it, "call_id"), r.text(it, "name"), r.text(it, "arguments")})
		return obj{"type": "function_call", "id": id, "call_id": it["call_id"], "name": it["name"], "arguments": it["arguments"], "status": it["status"]}
	}
	r.want(false, "an item is %s", brief{it})
	return nil
}

func (responsesSpeaker) part(r *reading, out *result, p obj) {
	if p["type"] == "refusal" {
		out.refusal += r.text(p, "refusal")
		return
	}
	r.word(p, "type", "output_text")
	out.text += r.text(p, "text")
	r.list(p, "annotations")
	if p["logprobs"] != nil {
		for _, l := range r.list(p, "logprobs") {
			r.text(l, "token")
			r.want(len(r.list(l, "top_logprobs")) == 2, "a logprob is %s", brief{l})
			out.logprobs++
		}
	}
}

func (responsesSpeaker) failed(r *reading, body obj) *refusal { return openaiFault(r, body) }

func (responsesSpeaker) kind(_ int, openai string) string { return openai }
