package messages

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// turn is a message of a request.
type turn struct {
	Role    llm.Role `json:"role"`
	Content []block  `json:"content"`
}

// placeholder is what a user says where Anthropic needs a user's turn and there is none: it takes no conversation that begins with the
// assistant, and none without turns.
const placeholder = "..."

// turns writes the conversation: system prompts in front, roles in turn, results right after their calls.
func (e *encoding) turns() error {
	system, turns := llm.Turns(e.r.Messages)
	for i := range system {
		if kind := system[i].Kind; kind != llm.Text {
			return gateway.Invalid("messages", "messages: a system message can have text only.")
		}
		if b, ok := textBlock(&system[i]); ok {
			e.body.System = append(e.body.System, b)
		}
	}
	ids := &callIDs{used: map[string]bool{}}
	for i := range turns {
		content, err := e.content(&turns[i], ids)
		if err != nil {
			return err
		}
		if len(content) > 0 {
			e.body.Messages = append(e.body.Messages, turn{turns[i].Role, content})
		}
	}
	if err := ids.unanswered(); err != nil {
		return err
	}
	if all := e.body.Messages; len(all) == 0 || all[0].Role != llm.User {
		text := placeholder
		e.body.Messages = slices.Insert(all, 0, turn{llm.User, []block{{Type: "text", Text: &text}}})
	}
	return e.ending()
}

// content writes one turn.
func (e *encoding) content(m *llm.Message, ids *callIDs) (all []block, err error) {
	if m.Role == llm.Assistant {
		if err := ids.unanswered(); err != nil {
			return nil, err
		}
		ids.next()
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		b, ok, err := e.part(p, m.Role, ids)
		if err != nil {
			return nil, err
		}
		if ok {
			b.CacheControl = marker(p.Cache)
			all = append(all, b)
		}
	}
	if m.Role == llm.User {
		return all, ids.unanswered()
	}
	return all, nil
}

// part writes a part of a turn; ok is false for what Anthropic takes nothing of.
func (e *encoding) part(p *llm.Part, role llm.Role, ids *callIDs) (b block, ok bool, err error) {
	switch p.Kind {
	case llm.Text, llm.Refusal:
		b, ok = textBlock(p)
		return b, ok, nil
	case llm.Image, llm.Document:
		if role != llm.User {
			return b, false, gateway.Invalid("messages", "messages: images and documents can be in a user's messages only.")
		}
		b, err = e.media(p)
		return b, err == nil, err
	case llm.ToolCall:
		if role != llm.Assistant {
			return b, false, gateway.Invalid("messages", "messages: a tool call can be in an assistant message only.")
		}
		return block{Type: "tool_use", ID: ids.call(p.Call.ID), Name: p.Call.Name, Input: input(p.Call.Arguments)}, true, nil
	case llm.ToolResult:
		b, err = e.result(p.Result, role, ids)
		return b, err == nil, err
	case llm.Thinking:
		signature := p.Signature.By(llm.MakerAnthropic)
		return block{Type: "thinking", Thinking: &p.Text, Signature: &signature}, signature != "" && role == llm.Assistant, nil
	case llm.Sealed:
		data := p.Signature.By(llm.MakerAnthropic)
		return block{Type: "redacted_thinking", Data: data}, data != "" && role == llm.Assistant, nil
	default:
		return b, false, gateway.Invalid("messages", "messages: this model takes text, images and documents only.")
	}
}

// textBlock is a text without the ends that Anthropic refuses: it takes none that is white space only.
func textBlock(p *llm.Part) (block, bool) {
	return block{Type: "text", Text: &p.Text, CacheControl: marker(p.Cache)}, strings.TrimSpace(p.Text) != ""
}

func (e *encoding) result(r *llm.Result, role llm.Role, ids *callIDs) (b block, err error) {
	id, known := ids.answer(r.ID)
	if !known || role != llm.User {
		return b, gateway.Invalid("messages", "messages: the tool result %q answers no call of the assistant message before it.", r.ID)
	}
	b = block{Type: "tool_result", ToolUseID: id, IsError: r.IsError}
	for i := range r.Parts {
		inner, ok, err := e.part(&r.Parts[i], llm.User, ids)
		if err != nil {
			return b, err
		}
		if ok {
			b.Content = append(b.Content, inner)
		}
	}
	return b, nil
}

// ending checks how the conversation ends.
func (e *encoding) ending() error {
	last := &e.body.Messages[len(e.body.Messages)-1]
	if last.Role == llm.Assistant {
		e.unready = true
		if !e.is.prefill {
			return gateway.Invalid("messages", "messages must end with a user message: this model does not go on with an assistant's.")
		}
		if b := &last.Content[len(last.Content)-1]; b.Type == "text" { // white space at the end is refused
			text := strings.TrimRight(*b.Text, " \t\r\n")
			b.Text = &text
		}
		return nil
	}
	if n := len(e.body.Messages); n > 1 && last.Content[0].Type == "tool_result" {
		first := e.body.Messages[n-2].Content[0].Type
		e.unready = first != "thinking" && first != "redacted_thinking"
	}
	return nil
}

// callIDs matches results with the calls of the turn before. Anthropic wants every id once in a conversation.
type callIDs struct {
	used map[string]bool
	open []idPair // calls without a result yet
}

type idPair struct{ theirs, ours string }

// next begins an assistant's turn.
func (c *callIDs) next() { c.open = nil }

func (c *callIDs) call(id string) string {
	fit := llm.FitID(id, idBytes)
	for n := 2; c.used[fit]; n++ {
		fit = fmt.Sprintf("%s_%d", llm.FitID(id, idBytes-8), n)
	}
	c.used[fit] = true
	c.open = append(c.open, idPair{id, fit})
	return fit
}

// answer is what a result's call was named.
func (c *callIDs) answer(id string) (string, bool) {
	for i, pair := range c.open {
		if pair.theirs == id {
			c.open = slices.Delete(c.open, i, i+1)
			return pair.ours, true
		}
	}
	return "", false
}

func (c *callIDs) unanswered() error {
	if len(c.open) == 0 {
		return nil
	}
	return gateway.Invalid("messages", "messages: the tool call %q has no result in the message after it.", c.open[0].theirs)
}
