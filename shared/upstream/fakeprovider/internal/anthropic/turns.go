package anthropic

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// blocks are the content blocks of a message; a string is one text block.
func blocks(m map[string]any) []map[string]any {
	if s, ok := m["content"].(string); ok {
		return []map[string]any{{"type": "text", "text": s}}
	}
	return wire.Items(m, "content")
}

// checkTurns are the rules about messages and what follows what. Consecutive messages of one role are one turn (API reference of
// messages, read 2026-11).
func checkTurns(r *wire.Request) *wire.Refusal {
	messages := wire.Items(r.Fields, "messages")
	for _, b := range wire.Items(r.Fields, "system") {
		if b["text"] == "" {
			return invalid("system: text content blocks must be non-empty")
		}
	}
	if messages[0]["role"] != "user" {
		return invalid("messages: first message must use the \"user\" role")
	}
	for i, m := range messages {
		last := i == len(messages)-1
		if len(blocks(m)) == 0 && (!last || m["role"] != "assistant") {
			return invalid(fmt.Sprintf("messages.%d: all messages must have non-empty content except for the optional final assistant message", i))
		}
		if no := checkTexts(m, last && m["role"] == "assistant"); no != nil {
			return no
		}
	}
	return checkResults(turns(messages))
}

func checkTexts(m map[string]any, final bool) *wire.Refusal {
	for _, b := range blocks(m) {
		s, isText := b["text"].(string)
		if b["type"] == "tool_result" && b["content"] != "" {
			if no := checkTexts(b, false); no != nil {
				return no
			}
		}
		switch {
		case !isText:
		case s == "":
			return invalid("messages: text content blocks must be non-empty")
		case blank(s):
			return invalid("messages: text content blocks must contain non-whitespace text")
		case final && strings.TrimRight(s, " \n\t") != s:
			return invalid("messages: final assistant content cannot end with trailing whitespace")
		}
	}
	return nil
}

// turn is a row of messages of one role.
type turn struct {
	role   any
	blocks []map[string]any
	at     int // the first message
}

func turns(messages []map[string]any) (list []turn) {
	for i, m := range messages {
		if m["role"] == "system" {
			continue
		}
		if n := len(list); n > 0 && list[n-1].role == m["role"] {
			list[n-1].blocks = append(list[n-1].blocks, blocks(m)...)
			continue
		}
		list = append(list, turn{m["role"], blocks(m), i})
	}
	return list
}

// checkResults wants each tool_use answered at the beginning of the next turn, and no other answers.
func checkResults(list []turn) *wire.Refusal {
	var open []string
	for _, t := range list {
		wanted := map[string]bool{}
		for _, id := range open {
			wanted[id] = true
		}
		leading := true
		for i, b := range t.blocks {
			id := wire.Text(b, "tool_use_id")
			if b["type"] != "tool_result" {
				leading = false
				continue
			}
			if !wanted[id] {
				return invalid(fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each "+
					"`tool_result` block must have a corresponding `tool_use` block in the previous message.", t.at, i, id))
			}
			if leading {
				delete(wanted, id)
			}
		}
		for _, id := range open {
			if wanted[id] {
				return unanswered(t.at-1, id)
			}
		}
		open = nil
		for _, b := range t.blocks {
			if b["type"] == "tool_use" {
				open = append(open, wire.Text(b, "id"))
			}
		}
	}
	if len(open) > 0 {
		return unanswered(list[len(list)-1].at, open[0])
	}
	return nil
}

func unanswered(at int, id string) *wire.Refusal {
	return invalid(fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each "+
		"`tool_use` block must have a corresponding `tool_result` block in the next message.", at, id))
}
