package ingress_test

import "strings"

// chatSpeaker speaks OpenAI's chat completions (its API reference, read 2026-11).
type chatSpeaker struct{}

func (chatSpeaker) name() string { return "chat" }

func (chatSpeaker) route(string, bool) (string, string) {
	return "/v1/chat/completions", "Authorization"
}

func (s chatSpeaker) ask(model string, t *talk, stream bool) (obj, error) {
	messages := []obj{}
	if t.system != "" {
		var content any = t.system
		if t.cache != "" { // OpenAI has no markers; clients of gateways write Anthropic's
			content = []obj{{"type": "text", "text": t.system, "cache_control": cacheMark(t.cache)}}
		}
		messages = append(messages, obj{"role": "system", "content": content})
	}
	for _, turn := range t.turns {
		more, err := s.turn(turn)
		if err != nil {
			return nil, err
		}
		messages = append(messages, more...)
	}
	body := obj{"model": model, "messages": messages}
	if stream {
		body["stream"], body["stream_options"] = true, obj{"include_usage": true}
	}
	s.options(body, t)
	s.tools(body, t)
	return body, nil
}

func cacheMark(ttl string) obj {
	if ttl == "5m" {
		return obj{"type": "ephemeral"}
	}
	return obj{"type": "ephemeral", "ttl": ttl}
}

func (chatSpeaker) turn(t turn) ([]obj, error) {
	switch {
	case t.said != nil:
		return []obj{t.said.history.(obj)}, nil
	case t.answers != nil:
		var list []obj
		for _, a := range t.answers {
			if err := lacks(a.failed, a.image); err != nil {
				return nil, err
			}
			list = append(list, obj{"role": "tool", "tool_call_id": a.call.id, "content": a.text})
		}
		return list, nil
	case t.media == "":
		return []obj{{"role": "user", "content": t.text}}, nil
	}
	parts := map[string]obj{
		"image": {"type": "image_url", "image_url": obj{"url": "data:image/png;base64," + pixel}},
		"pdf":   {"type": "file", "file": obj{"filename": "paper.pdf", "file_data": "data:application/pdf;base64," + paper}},
		"audio": {"type": "input_audio", "input_audio": obj{"data": sound, "format": "wav"}},
	}
	return []obj{{"role": "user", "content": []obj{{"type": "text", "text": t.text}, parts[t.media]}}}, nil
}

func (chatSpeaker) options(body obj, t *talk) {
	if t.limit > 0 {
		body["max_completion_tokens"] = t.limit
	}
	if t.stop != "" {
		body["stop"] = []string{t.stop}
	}
	if t.think {
		body["reasoning_effort"] = "low"
	}
	if t.seed {
		body["seed"] = 7
	}
	if t.n > 0 {
		body["n"] = t.n
	}
	if t.logprobs {
		body["logprobs"], body["top_logprobs"] = true, 2
	}
	if t.object {
		body["response_format"] = obj{"type": "json_object"}
	}
	if t.schema {
		body["response_format"] = obj{"type": "json_schema", "json_schema": obj{"name": "weather", "strict": true, "schema": weather()}}
	}
}

func (chatSpeaker) tools(body obj, t *talk) {
	var tools []obj
	for _, name := range toolNames[:t.tools] {
		tools = append(tools, obj{"type": "function", "function": obj{"name": name, "description": toolText, "parameters": weather()}})
	}
	openaiTools(body, t, tools, obj{"type": "function", "function": obj{"name": t.choice}})
}

// openaiTools writes tools and which of them is wanted: OpenAI's two interfaces differ in what a tool looks like, and in how one is named.
func openaiTools(body obj, t *talk, tools []obj, chosen obj) {
	if len(tools) == 0 {
		return
	}
	body["tools"] = tools
	switch t.choice {
	case "":
	case "none":
		body["tool_choice"] = "none"
	case "any":
		body["tool_choice"] = "required"
	default:
		body["tool_choice"] = chosen
	}
	if t.single {
		body["parallel_tool_calls"] = false
	}
}

// openaiFinish maps finish_reason.
var openaiFinish = map[string]string{"stop": "stop", "length": "length", "tool_calls": "calls", "content_filter": "filter"}

func (s chatSpeaker) whole(r *reading, a obj) *result {
	r.word(a, "object", "chat.completion")
	r.want(strings.HasPrefix(r.text(a, "id"), "chatcmpl-"), "id is %v", a["id"])
	r.number(a, "created")
	out := &result{id: textIn(a, "model"), usage: chatUsage(r, r.object(a, "usage"))}
	for i, c := range r.list(a, "choices") {
		out.choices++
		r.want(r.number(c, "index") == int64(i), "choice %d has index %v", i, c["index"])
		m := r.object(c, "message")
		r.word(m, "role", "assistant")
		_, has := m["content"]
		r.want(has, "no content in %s", brief{m})
		if i > 0 {
			continue
		}
		out.finish = openaiFinish[r.text(c, "finish_reason")]
		out.text, out.refusal, out.thoughts = textIn(m, "content"), textIn(m, "refusal"), textIn(m, "reasoning_content")
		if m["tool_calls"] != nil {
			for _, call := range r.list(m, "tool_calls") {
				r.word(call, "type", "function")
				f := r.object(call, "function")
				out.calls = append(out.calls, called{r.text(call, "id"), r.text(f, "name"), r.text(f, "arguments")})
			}
		}
		out.logprobs = countLogprobs(r, c)
	}
	out.history = s.history(out)
	return out
}

// history is the message as a client keeps it that knows OpenAI's fields only.
func (chatSpeaker) history(a *result) obj {
	m := obj{"role": "assistant", "content": a.text}
	var calls []obj
	for _, c := range a.calls {
		calls = append(calls, obj{"id": c.id, "type": "function", "function": obj{"name": c.name, "arguments": c.args}})
	}
	if calls != nil {
		m["tool_calls"] = calls
		if a.text == "" {
			m["content"] = nil
		}
	}
	return m
}

func countLogprobs(r *reading, choice obj) int {
	l, _ := choice["logprobs"].(obj)
	if l == nil || l["content"] == nil {
		return 0
	}
	list := r.list(l, "content")
	for _, p := range list {
		r.text(p, "token")
		_, ok := p["logprob"].(float64)
		r.want(ok && len(r.list(p, "top_logprobs")) == 2, "a logprob is %s", brief{p})
	}
	return len(list)
}

func chatUsage(r *reading, u obj) tokens {
	t := tokens{
		in: r.number(u, "prompt_tokens"), out: r.number(u, "completion_tokens"), cached: maybe(u, "prompt_tokens_details", "cached_tokens"),
		thought: maybe(u, "completion_tokens_details", "reasoning_tokens"), written: -1,
	}
	r.want(r.number(u, "total_tokens") == t.in+t.out, "the total is wrong in %s", brief{u})
	return t
}

func (s chatSpeaker) stream(r *reading, events []frame) *result {
	out, begun, finished := &result{}, map[int64]bool{}, map[int64]bool{}
	for _, e := range events {
		r.want(!out.done && out.fault == nil, "an event follows the end: %s", brief{e.data})
		switch {
		case e.done:
			out.done = true
			continue
		case e.data["error"] != nil:
			out.fault = s.failed(r, e.data)
			continue
		}
		if list, _ := e.data["choices"].([]any); len(list) == 0 && e.data["usage"] == nil {
			continue // Azure's verdict on the prompt
		}
		r.word(e.data, "object", "chat.completion.chunk")
		out.id = textIn(e.data, "model")
		for _, c := range r.list(e.data, "choices") {
			n := r.number(c, "index")
			d := r.object(c, "delta")
			if !begun[n] {
				r.word(d, "role", "assistant")
				begun[n] = true
			}
			r.want(!finished[n], "choice %d goes on after its end: %s", n, brief{c})
			if reason := textIn(c, "finish_reason"); reason != "" {
				finished[n] = true
				out.finish = openaiFinish[reason]
			}
			if n == 0 {
				s.delta(r, out, d)
				out.logprobs += countLogprobs(r, c)
			}
		}
		if u, ok := e.data["usage"].(obj); ok {
			out.usage = chatUsage(r, u)
		}
	}
	out.choices = len(begun)
	r.want(!out.done || len(finished) == len(begun) && len(begun) > 0, "%d of %d choices have ended", len(finished), len(begun))
	out.history = s.history(out)
	return out
}

func (chatSpeaker) delta(r *reading, out *result, d obj) {
	out.text += textIn(d, "content")
	out.refusal += textIn(d, "refusal")
	out.thoughts += textIn(d, "reasoning_content")
	if d["tool_calls"] == nil {
		return
	}
	for _, call := range r.list(d, "tool_calls") {
		n, f := int(r.number(call, "index")), r.object(call, "function")
		if n == len(out.calls) {
			r.word(call, "type", "function")
			out.calls = append(out.calls, called{r.text(call, "id"), r.text(f, "name"), ""})
		}
		if r.want(n == len(out.calls)-1, "tool call %d comes out of turn", n); n < len(out.calls) {
			out.calls[n].args += textIn(f, "arguments")
		}
	}
}

func (chatSpeaker) failed(r *reading, body obj) *refusal { return openaiFault(r, body) }

func openaiFault(r *reading, body obj) *refusal {
	e := r.object(body, "error")
	for _, name := range []string{"param", "code", "type"} {
		_, has := e[name]
		r.want(has, "no %s in %s", name, brief{body})
	}
	return &refusal{kind: r.text(e, "type"), code: r.text(e, "code"), message: r.text(e, "message"), param: textIn(e, "param")}
}

func (chatSpeaker) kind(_ int, openai string) string { return openai }
