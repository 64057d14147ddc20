package ingress_test

// completionsSpeaker speaks OpenAI's legacy completions (its API reference, read 2026-11).
type completionsSpeaker struct{}

func (completionsSpeaker) name() string { return "completions" }

func (completionsSpeaker) route(string, bool) (string, string) {
	return "/v1/completions", "Authorization"
}

func (completionsSpeaker) ask(model string, t *talk, stream bool) (obj, error) {
	if err := lacks(t.system != "", len(t.turns) != 1, t.tools > 0, t.object, t.schema, t.think, t.turns[0].media != "", t.logprobs); err != nil {
		return nil, err
	}
	body := obj{"model": model, "prompt": t.turns[0].text, "max_tokens": 5000}
	if t.limit > 0 {
		body["max_tokens"] = t.limit
	}
	if stream {
		body["stream"], body["stream_options"] = true, obj{"include_usage": true}
	}
	if t.stop != "" {
		body["stop"] = t.stop
	}
	if t.seed {
		body["seed"] = 7
	}
	if t.n > 0 {
		body["n"] = t.n
	}
	return body, nil
}

func (completionsSpeaker) whole(r *reading, a obj) *result {
	r.word(a, "object", "text_completion")
	r.text(a, "id")
	r.number(a, "created")
	out := &result{id: textIn(a, "model"), usage: chatUsage(r, r.object(a, "usage"))}
	for i, c := range r.list(a, "choices") {
		out.choices++
		text := r.text(c, "text")
		r.want(r.number(c, "index") == int64(i), "choice %d has index %v", i, c["index"])
		if reason := openaiFinish[r.text(c, "finish_reason")]; i == 0 {
			out.text, out.finish = text, reason
		}
	}
	return out
}

func (completionsSpeaker) stream(r *reading, events []frame) *result {
	out, begun := &result{}, map[int64]bool{}
	for _, e := range events {
		r.want(!out.done && out.fault == nil, "an event follows the end: %s", brief{e.data})
		switch {
		case e.done:
			out.done = true
			continue
		case e.data["error"] != nil:
			out.fault = openaiFault(r, e.data)
			continue
		}
		r.word(e.data, "object", "text_completion")
		out.id = textIn(e.data, "model")
		for _, c := range r.list(e.data, "choices") {
			n := r.number(c, "index")
			begun[n] = true
			text := r.text(c, "text")
			if reason := textIn(c, "finish_reason"); reason != "" {
				out.finish = openaiFinish[reason]
			}
			if n == 0 {
				out.text += text
			}
		}
		if u, ok := e.data["usage"].(obj); ok {
			out.usage = chatUsage(r, u)
		}
	}
	out.choices = len(begun)
	return out
}

func (completionsSpeaker) failed(r *reading, body obj) *refusal { return openaiFault(r, body) }

func (completionsSpeaker) kind(_ int, openai string) string { return openai }
