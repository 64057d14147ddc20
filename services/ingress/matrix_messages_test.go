package ingress_test

import (
	"encoding/json"
	"strings"
)

// messagesSpeaker speaks Anthropic's messages (its API reference, read 2026-11).
type messagesSpeaker struct{}

func (messagesSpeaker) name() string { return "messages" }

func (messagesSpeaker) route(string, bool) (string, string) { return "/v1/messages", "X-Api-Key" }

func (s messagesSpeaker) ask(model string, t *talk, stream bool) (obj, error) {
	if err := lacks(t.object, t.seed, t.n > 0, t.logprobs); err != nil {
		return nil, err
	}
	messages := []obj{}
	for _, turn := range t.turns {
		m, err := s.turn(turn)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	body := obj{"model": model, "messages": messages, "max_tokens": 4096}
	if t.limit > 0 {
		body["max_tokens"] = t.limit
	}
	if stream {
		body["stream"] = true
	}
	switch {
	case t.cache != "":
		body["system"] = []obj{{"type": "text", "text": t.system, "cache_control": cacheMark(t.cache)}}
	case t.system != "":
		body["system"] = t.system
	}
	if t.stop != "" {
		body["stop_sequences"] = []string{t.stop}
	}
	if t.think {
		body["thinking"] = obj{"type": "enabled", "budget_tokens": 1024}
	}
	if t.schema {
		body["output_config"] = obj{"format": obj{"type": "json_schema", "schema": weather()}}
	}
	s.tools(body, t)
	return body, nil
}

func (messagesSpeaker) tools(body obj, t *talk) {
	var tools []obj
	for _, name := range toolNames[:t.tools] {
		tools = append(tools, obj{"name": name, "description": toolText, "input_schema": weather()})
	}
	if len(tools) == 0 {
		return
	}
	body["tools"] = tools
	choice := obj{"type": "auto"}
	switch t.choice {
	case "":
	case "none", "any":
		choice["type"] = t.choice
	default:
		choice = obj{"type": "tool", "name": t.choice}
	}
	if t.single {
		choice["disable_parallel_tool_use"] = true
	}
	if t.choice != "" || t.single {
		body["tool_choice"] = choice
	}
}

func (messagesSpeaker) turn(t turn) (obj, error) {
	picture := obj{"type": "image", "source": obj{"type": "base64", "media_type": "image/png", "data": pixel}}
	switch {
	case t.said != nil:
		return obj{"role": "assistant", "content": t.said.history}, nil
	case t.answers != nil:
		var blocks []obj
		for _, a := range t.answers {
			content := []obj{{"type": "text", "text": a.text}}
			if a.image {
				content = append(content, picture)
			}
			b := obj{"type": "tool_result", "tool_use_id": a.call.id, "content": content}
			if a.failed {
				b["is_error"] = true
			}
			blocks = append(blocks, b)
		}
		return obj{"role": "user", "content": blocks}, nil
	case t.media == "":
		return obj{"role": "user", "content": t.text}, nil
	case t.media == "audio":
		return nil, errUnsayable
	case t.media == "pdf":
		picture = obj{"type": "document", "title": "paper", "source": obj{"type": "base64", "media_type": "application/pdf", "data": paper}}
	}
	return obj{"role": "user", "content": []obj{{"type": "text", "text": t.text}, picture}}, nil
}

// stopReasons maps stop_reason.
var stopReasons = map[string]string{
	"end_turn": "stop", "max_tokens": "length", "stop_sequence": "stop", "tool_use": "calls", "refusal": "refusal",
}

func (s messagesSpeaker) whole(r *reading, a obj) *result {
	s.head(r, a)
	out := &result{id: textIn(a, "model"), choices: 1}
	s.ended(r, out, a)
	s.blocks(r, out, r.list(a, "content"))
	out.usage = messagesUsage(r, r.object(a, "usage"))
	return out
}

func (messagesSpeaker) head(r *reading, m obj) {
	r.word(m, "type", "message")
	r.word(m, "role", "assistant")
	r.want(strings.HasPrefix(r.text(m, "id"), "msg_"), "id is %v", m["id"])
	r.text(m, "model")
	for _, name := range []string{"stop_reason", "stop_sequence"} {
		_, has := m[name]
		r.want(has, "no %s in %s", name, brief{m})
	}
}

func (messagesSpeaker) ended(r *reading, out *result, d obj) {
	reason := r.text(d, "stop_reason")
	out.finish, out.stopped = stopReasons[reason], textIn(d, "stop_sequence")
	r.want((reason == "stop_sequence") == (out.stopped != ""), "stop_reason %s has stop_sequence %q", reason, out.stopped)
}

// blocks reads content, and keeps of it what the documentation has.
func (messagesSpeaker) blocks(r *reading, out *result, blocks []obj) {
	kept := []obj{}
	for _, b := range blocks {
		switch b["type"] {
		case "text":
			out.text += r.text(b, "text")
			kept = append(kept, obj{"type": "text", "text": b["text"]})
		case "thinking":
			out.thoughts += r.text(b, "thinking")
			kept = append(kept, obj{"type": "thinking", "thinking": b["thinking"], "signature": r.text(b, "signature")})
		case "redacted_thinking":
			kept = append(kept, obj{"type": "redacted_thinking", "data": r.text(b, "data")})
		case "tool_use":
			args, _ := json.Marshal(r.object(b, "input"))
			out.calls = append(out.calls, called{r.text(b, "id"), r.text(b, "name"), string(args)})
			kept = append(kept, obj{"type": "tool_use", "id": b["id"], "name": b["name"], "input": b["input"]})
		default:
			r.want(false, "a block is %s", brief{b})
		}
	}
	out.history = kept
}

func messagesUsage(r *reading, u obj) tokens {
	t := tokens{
		in: r.number(u, "input_tokens"), out: r.number(u, "output_tokens"), cached: maybe(u, "cache_read_input_tokens"),
		written: maybe(u, "cache_creation_input_tokens"), thought: -1,
	}
	t.in += t.cached + t.written
	return t
}

// stream wants message_start, blocks one after the other with their starts, deltas and stops, message_delta, and message_stop.
func (s messagesSpeaker) stream(r *reading, events []frame) *result {
	out := &result{choices: 1}
	var blocks []obj
	var input string
	open, begun, ended := false, false, false
	for _, e := range events {
		kind := textIn(e.data, "type")
		r.want(e.name == kind, "event %q is a %q", e.name, kind)
		r.want(!out.done && out.fault == nil, "an event follows the end: %s", brief{e.data})
		r.want(begun || kind == "message_start" || kind == "ping" || kind == "error", "%s comes before message_start", kind)
		switch kind {
		case "ping":
		case "error":
			out.fault = s.failed(r, e.data)
		case "message_start":
			r.want(!begun, "a second message_start")
			m := r.object(e.data, "message")
			s.head(r, m)
			r.want(m["stop_reason"] == nil && len(r.list(m, "content")) == 0, "message_start says more: %s", brief{m})
			out.id, begun = textIn(m, "model"), true
			messagesUsage(r, r.object(m, "usage"))
		case "content_block_start":
			r.want(!open && !ended && r.number(e.data, "index") == int64(len(blocks)), "out of turn: %s", brief{e.data})
			blocks, open, input = append(blocks, r.object(e.data, "content_block")), true, ""
		case "content_block_delta":
			r.want(open && r.number(e.data, "index") == int64(len(blocks)-1), "out of turn: %s", brief{e.data})
			if open {
				s.delta(r, blocks[len(blocks)-1], r.object(e.data, "delta"), &input)
			}
		case "content_block_stop":
			r.want(open && r.number(e.data, "index") == int64(len(blocks)-1), "out of turn: %s", brief{e.data})
			if b := blocks[len(blocks)-1]; b["type"] == "tool_use" && input != "" {
				args, err := parseObject(input)
				r.want(err == nil, "input is %q", input)
				b["input"] = args
			}
			open = false
		case "message_delta":
			r.want(!open, "message_delta within a block")
			s.ended(r, out, r.object(e.data, "delta"))
			out.usage, ended = messagesUsage(r, r.object(e.data, "usage")), true
		case "message_stop":
			r.want(ended, "message_stop before message_delta")
			out.done = true
		default:
			r.want(false, "event %s", kind)
		}
	}
	s.blocks(r, out, blocks)
	return out
}

// delta adds to a block, whose kind must fit.
func (messagesSpeaker) delta(r *reading, block, d obj, input *string) {
	fits := map[string][3]string{
		"text_delta": {"text", "text", "text"}, "thinking_delta": {"thinking", "thinking", "thinking"},
		"signature_delta": {"thinking", "signature", "signature"}, "input_json_delta": {"tool_use", "partial_json", ""},
	}
	kind := r.text(d, "type")
	fit, known := fits[kind]
	if kind == "citations_delta" {
		return
	}
	if r.want(known && block["type"] == fit[0], "%s in a block %v", kind, block["type"]); !known {
		return
	}
	if text := r.text(d, fit[1]); fit[2] == "" {
		*input += text
	} else {
		block[fit[2]] = textIn(block, fit[2]) + text
	}
}

func (messagesSpeaker) failed(r *reading, body obj) *refusal {
	r.word(body, "type", "error")
	e := r.object(body, "error")
	f := &refusal{kind: r.text(e, "type"), message: r.text(e, "message")}
	f.param, _, _ = strings.Cut(f.message, " ")
	f.param = strings.TrimSuffix(f.param, ":")
	return f
}

// messagesKinds are Anthropic's (its page on errors, read 2026-11).
var messagesKinds = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 408: "timeout_error",
	413: "request_too_large", 422: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 502: "api_error",
	503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}

func (messagesSpeaker) kind(status int, _ string) string { return messagesKinds[status] }
