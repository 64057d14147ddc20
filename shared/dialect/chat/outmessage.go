package chat

import (
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// messages writes the turns. Each tool result becomes a message of its own, right behind the calls; what its format has no place for,
// images above all, follows in a user's message.
func (e *requestEncoder) messages() error {
	e.list("messages")
	var asked map[string]int // how many results are still to come, by id
	for i := 0; i < len(e.r.Messages); {
		m := &e.r.Messages[i]
		if m.Role == llm.Assistant {
			if err := unanswered(asked); err != nil {
				return err
			}
			asked = e.assistant(m)
			i++
			continue
		}
		behind := i
		for i < len(e.r.Messages) && e.r.Messages[i].Role != llm.Assistant {
			i++
		}
		if err := e.answered(e.r.Messages[behind:i], asked); err != nil {
			return err
		}
		asked = nil
	}
	e.end()
	return unanswered(asked)
}

// unanswered is the error for calls without a result: nearly all hosts refuse them.
func unanswered(asked map[string]int) error {
	for id := range asked {
		return gateway.Invalid("messages", "messages: the tool call %.64q has no result behind it.", id)
	}
	return nil
}

// assistant writes what the model said, and returns the ids of its calls.
func (e *requestEncoder) assistant(m *llm.Message) (asked map[string]int) {
	has := kindsOf(m.Parts)
	e.open()
	e.text("role", "assistant")
	e.participant(m)
	switch {
	case has[llm.Text]:
		e.joined("content", m.Parts, llm.Text)
	case has[llm.ToolCall]:
		e.raw("content", "null")
	default:
		e.raw("content", `""`)
	}
	if has[llm.Refusal] {
		e.joined("refusal", m.Parts, llm.Refusal)
	}
	if has[llm.Thinking] && e.quirks.thoughts {
		e.joined("reasoning_content", m.Parts, llm.Thinking)
	}
	if e.quirks.details && (has[llm.Thinking] || has[llm.Sealed]) {
		e.details(m.Parts)
	}
	if has[llm.ToolCall] {
		asked = e.calls(m.Parts)
	}
	e.close()
	return asked
}

func (e *requestEncoder) participant(m *llm.Message) {
	if e.named {
		e.word("name", m.Name)
	}
}

func (e *requestEncoder) details(parts []llm.Part) {
	e.list("reasoning_details")
	n := 0
	for i := range parts {
		if p := &parts[i]; p.Kind == llm.Thinking || p.Kind == llm.Sealed {
			e.detail(p, n)
			n++
		}
	}
	e.end()
}

func (e *requestEncoder) calls(parts []llm.Part) map[string]int {
	asked := map[string]int{}
	e.list("tool_calls")
	for i := range parts {
		p := &parts[i]
		if p.Kind != llm.ToolCall {
			continue
		}
		asked[p.Call.ID]++
		arguments := p.Call.Arguments
		if arguments == "" {
			arguments = "{}"
		}
		e.open()
		e.text("id", e.quirks.fitID(p.Call.ID))
		e.text("type", "function")
		e.into("function")
		e.text("name", p.Call.Name)
		e.text("arguments", arguments)
		e.close()
		if e.quirks.seals {
			e.extra(p.Signature)
		}
		e.close()
	}
	e.end()
	return asked
}

// answered writes all that stands between two of the assistant's messages: first the results of its calls.
func (e *requestEncoder) answered(messages []llm.Message, asked map[string]int) error {
	rests := make([][]llm.Part, len(messages))
	for i := range messages {
		for j := range messages[i].Parts {
			p := &messages[i].Parts[j]
			if p.Kind != llm.ToolResult {
				rests[i] = append(rests[i], *p)
				continue
			}
			if asked[p.Result.ID] == 0 {
				return gateway.Invalid("messages", "messages: the tool result %.64q answers no call of the assistant message before it.", p.Result.ID)
			}
			if asked[p.Result.ID]--; asked[p.Result.ID] == 0 {
				delete(asked, p.Result.ID)
			}
			rests[i] = append(rests[i], e.result(p.Result)...)
		}
	}
	if err := unanswered(asked); err != nil {
		return err
	}
	for i := range messages {
		if len(rests[i]) == 0 && len(messages[i].Parts) > 0 {
			continue // it had results only
		}
		if err := e.turn(&messages[i], rests[i]); err != nil {
			return err
		}
	}
	return nil
}

// result writes a tool result as text, and returns what of it is none.
func (e *requestEncoder) result(r *llm.Result) (media []llm.Part) {
	text := llm.TextOf(r.Parts)
	for i := range r.Parts {
		if r.Parts[i].Media != nil {
			media = append(media, r.Parts[i])
		}
	}
	if text == "" && len(media) > 0 {
		text = "(see the attachment)"
	}
	if r.IsError {
		text = "Error: " + text
	}
	e.open()
	e.text("role", "tool")
	e.text("tool_call_id", e.quirks.fitID(r.ID))
	e.text("content", text)
	e.close()
	return media
}

// turn writes a message of system or user. Its content is a string where there is one text only, as every host knows it.
func (e *requestEncoder) turn(m *llm.Message, parts []llm.Part) error {
	e.open()
	e.text("role", string(m.Role))
	e.participant(m)
	if len(parts) == 0 {
		e.text("content", "")
	} else if len(parts) == 1 && parts[0].Kind == llm.Text && !e.marks(&parts[0]) {
		e.text("content", parts[0].Text)
	} else {
		e.list("content")
		for i := range parts {
			if parts[i].Kind == llm.Thinking || parts[i].Kind == llm.Sealed {
				continue
			}
			if err := e.part(&parts[i]); err != nil {
				return err
			}
		}
		e.end()
	}
	e.close()
	return nil
}
