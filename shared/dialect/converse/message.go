package converse

import (
	"cmp"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// maxID is the length of a toolUseId (vendor API reference, read 2026-11).
const maxID = 64

// readTurns makes turns of alternating roles of the messages. Bedrock refuses blank texts, and Claude thoughts without its signature:
// both are taken out before, so that no turn is empty.
func (e *encoder) readTurns() {
	kept := make([]llm.Message, 0, len(e.Messages))
	for _, m := range e.Messages {
		var parts []llm.Part
		for i := range m.Parts {
			if e.keeps(&m.Parts[i]) {
				parts = append(parts, m.Parts[i])
			}
		}
		if m.Parts = parts; len(parts) > 0 {
			kept = append(kept, m)
		}
	}
	e.system, e.turns = llm.Turns(kept)
	if len(e.system) > 0 && !e.takes(system) && len(e.turns) > 0 && e.turns[0].Role == llm.User {
		e.turns[0].Parts = append(e.system[:len(e.system):len(e.system)], e.turns[0].Parts...)
		e.system = nil
	}
}

func (e *encoder) keeps(p *llm.Part) bool {
	switch p.Kind {
	case llm.Text, llm.Refusal:
		return strings.TrimSpace(p.Text) != ""
	case llm.Thinking, llm.Sealed:
		return e.takes(signed) && p.Signature.By(llm.MakerAnthropic) != ""
	default:
		return true
	}
}

// checkTurns refuses what Bedrock would: a conversation that does not begin with the user, calls without results, results without calls.
func (e *encoder) checkTurns() error {
	if len(e.turns) == 0 || e.turns[0].Role != llm.User {
		return gateway.Invalid("messages", "messages must begin with a message of the user that is not empty.")
	}
	open := map[string]bool{}
	for i := range e.turns {
		turn := &e.turns[i]
		for j := range turn.Parts {
			if p := &turn.Parts[j]; p.Kind == llm.ToolResult {
				if !open[p.Result.ID] {
					return gateway.Invalid("messages", "messages: the tool result %.64q answers no call of the assistant message before it.", p.Result.ID)
				}
				delete(open, p.Result.ID)
			}
		}
		if err := unanswered(open); err != nil {
			return err
		}
		for j := range turn.Parts {
			if p := &turn.Parts[j]; p.Kind == llm.ToolCall {
				open[p.Call.ID] = true
			}
		}
	}
	if e.hasCalls() && !e.toolsFit() {
		return unsupported("tool calls")
	}
	return unanswered(open)
}

func unanswered(open map[string]bool) error {
	for id := range open {
		return gateway.Invalid("messages", "messages: the tool call %.64q has no result in the message after it.", id)
	}
	return nil
}

// messages writes the system prompt and all turns.
func (e *encoder) messages() (systems []block, all []message, err error) {
	if systems, err = e.systemBlocks(); err != nil {
		return nil, nil, err
	}
	guards, err := e.guards()
	if err != nil {
		return nil, nil, err
	}
	for i := range e.turns {
		m := message{Role: e.turns[i].Role}
		if m.Content, err = e.turn(&e.turns[i]); err != nil {
			return nil, nil, err
		}
		all = append(all, m)
	}
	for i := len(all) - 1; i >= 0 && len(guards) > 0; i-- {
		if all[i].Role == llm.User {
			all[i].Content, guards = append(all[i].Content, guards...), nil
		}
	}
	if last := all[len(all)-1]; last.Role == llm.Assistant {
		trimEnd(last.Content)
	}
	return systems, all, nil
}

// trimEnd takes white space off the end of what the model is to go on from: Claude refuses it there.
func trimEnd(blocks []block) {
	if last := &blocks[len(blocks)-1]; last.Text != nil {
		text := strings.TrimRight(*last.Text, " \t\r\n")
		last.Text = &text
	}
}

func (e *encoder) systemBlocks() (blocks []block, err error) {
	for i := range e.system {
		p := &e.system[i]
		if p.Kind != llm.Text {
			return nil, gateway.Invalid("messages", "messages: system messages may have text only.")
		}
		blocks = e.marked(append(blocks, block{Text: &p.Text}), p.Cache)
	}
	return blocks, nil
}

// turn writes the blocks of one turn. Media of tool results stand behind all results where a family does not take them inside.
func (e *encoder) turn(m *llm.Message) (blocks []block, err error) {
	var moved []block
	hasText, hasDocument := false, false
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Kind != llm.ToolResult && len(moved) > 0 {
			blocks, moved = append(blocks, moved...), nil
		}
		b, behind, err := e.block(m.Role, p)
		if err != nil {
			return nil, err
		}
		blocks = e.marked(append(blocks, b), cacheOf(p))
		moved = append(moved, behind...)
	}
	blocks = append(blocks, moved...)
	for i := range blocks {
		hasText, hasDocument = hasText || blocks[i].Text != nil, hasDocument || blocks[i].Document != nil
	}
	if hasDocument && !hasText { // Bedrock wants a text beside a document
		text := "See the document."
		blocks = append(blocks, block{Text: &text})
	}
	return blocks, nil
}

// marked adds a cache point behind what is to be cached.
func (e *encoder) marked(blocks []block, cache string) []block {
	if cache == "" || !e.takes(caching) || blocks[len(blocks)-1].Reasoning != nil {
		return blocks
	}
	return append(blocks, block{Cache: e.cachePoint(cache)})
}

// cacheOf is a part's mark; what is marked inside a tool result marks the result, as nothing smaller can be.
func cacheOf(p *llm.Part) string {
	cache := p.Cache
	if p.Kind == llm.ToolResult {
		for i := range p.Result.Parts {
			cache = cmp.Or(cache, p.Result.Parts[i].Cache)
		}
	}
	return cache
}

// cachePoint keeps for five minutes unless its ttl says an hour.
func (e *encoder) cachePoint(cache string) *cachePoint {
	point := &cachePoint{Type: "default"}
	if cache == "1h" && e.takes(cacheHour) {
		point.TTL = cache
	}
	return point
}
