package anthropic

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// checks are the rules about several fields.
var checks = []func(*wire.Request) *wire.Refusal{
	checkBetas, checkTurns, checkTools, checkThinking, checkThoughts, checkCaching, checkSampling, checkSchemas,
}

func checkBetas(r *wire.Request) *wire.Refusal {
	opened := strings.Join(r.Header.Values("Anthropic-Beta"), ",")
	for field, beta := range betas {
		if r.Fields[field] != nil && !strings.Contains(opened, beta) {
			return invalid(field + ": Extra inputs are not permitted")
		}
	}
	for i, m := range wire.Items(r.Fields, "messages") {
		if m["role"] == "system" && !strings.Contains(opened, "mid-conversation-system-") {
			return invalid(fmt.Sprintf("messages.%d.role: Input should be one of 'assistant', 'user'", i))
		}
	}
	return nil
}

func checkTools(r *wire.Request) *wire.Refusal {
	names := map[string]bool{}
	for _, t := range wire.Items(r.Fields, "tools") {
		name := wire.Text(t, "name")
		if names[name] {
			return invalid("tools: Tool names must be unique.")
		}
		names[name] = true
	}
	choice := wire.Sub(r.Fields, "tool_choice")
	switch name := wire.Text(choice, "name"); {
	case choice != nil && len(names) == 0:
		return invalid("tool_choice: `tool_choice` may only be specified while providing `tools`.")
	case name != "" && !names[name]:
		return invalid("tool_choice.name: Tool '" + name + "' not found in provided tools")
	}
	return nil
}

// checkThinking are the rules about asking for thoughts (guide "Extended thinking", read 2026-11).
func checkThinking(r *wire.Request) *wire.Refusal {
	thinking, choice := wire.Sub(r.Fields, "thinking"), wire.Sub(r.Fields, "tool_choice")
	kind := wire.Text(thinking, "type")
	if kind != "enabled" && kind != "adaptive" {
		return nil
	}
	temperature, hot := wire.Number(r.Fields, "temperature")
	nucleus, narrow := wire.Number(r.Fields, "top_p")
	switch {
	case wire.Count(thinking, "budget_tokens", 0) >= wire.Count(r.Fields, "max_tokens", 0):
		return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case hot && temperature != 1:
		return invalid("`temperature` may only be set to 1 when thinking is enabled.")
	case narrow && nucleus < 0.95:
		return invalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
	case r.Fields["top_k"] != nil:
		return invalid("`top_k` must be unset when thinking is enabled.")
	case choice["type"] == "any" || choice["type"] == "tool":
		return invalid("Thinking may not be enabled when tool_choice forces tool use.")
	case kind == "enabled":
		return checkFinalTurn(turns(wire.Items(r.Fields, "messages")))
	}
	return nil
}

// checkFinalTurn wants thoughts before the last tool calls, if their results are what the request is about.
func checkFinalTurn(list []turn) *wire.Refusal {
	if len(list) < 2 {
		return nil
	}
	last := list[len(list)-1].blocks
	if len(last) == 0 || last[0]["type"] != "tool_result" {
		return nil
	}
	t := list[len(list)-2]
	if kind := wire.Text(t.blocks[0], "type"); kind != "thinking" && kind != "redacted_thinking" {
		return invalid(fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When "+
			"`thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of "+
			"`tool_use` and `tool_result` blocks).", t.at, kind))
	}
	return nil
}

// checkThoughts wants thoughts back as they were.
func checkThoughts(r *wire.Request) *wire.Refusal {
	for i, m := range wire.Items(r.Fields, "messages") {
		for j, b := range blocks(m) {
			switch {
			case b["type"] == "thinking" && wire.Text(b, "signature") != wire.Sign(Maker, wire.Text(b, "thinking")):
				return invalid(fmt.Sprintf("messages.%d.content.%d: Invalid `signature` in `thinking` block", i, j))
			case b["type"] == "redacted_thinking" && !wire.Sealed(Maker, wire.Text(b, "data")):
				return invalid(fmt.Sprintf("messages.%d.content.%d: Invalid `data` in `redacted_thinking` block", i, j))
			}
		}
	}
	return nil
}

const maxMarkers = 4

// checkCaching counts cache markers, in the order in which a prompt is read: those kept for an hour come first (guide "Prompt
// caching", read 2026-11).
func checkCaching(r *wire.Request) *wire.Refusal {
	var ttls []string
	collect := func(b map[string]any) {
		if mark := wire.Sub(b, "cache_control"); mark != nil {
			ttls = append(ttls, wire.First(wire.Text(mark, "ttl"), "5m"))
		}
	}
	for _, part := range []string{"tools", "system"} {
		for _, b := range wire.Items(r.Fields, part) {
			collect(b)
		}
	}
	for _, m := range wire.Items(r.Fields, "messages") {
		for _, b := range blocks(m) {
			for _, inner := range wire.Items(b, "content") {
				collect(inner)
			}
			collect(b)
		}
	}
	collect(r.Fields)
	if len(ttls) > maxMarkers {
		return invalid(fmt.Sprintf("A maximum of %d blocks with cache_control may be provided. Found %d.", maxMarkers, len(ttls)))
	}
	for i, ttl := range ttls {
		if i > 0 && ttl == "1h" && ttls[i-1] == "5m" {
			return invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")
		}
	}
	return nil
}

var (
	oneSampler = regexp.MustCompile(`claude-(opus-4-[1-9]|(sonnet|haiku)-4-[5-9]|[a-z]+-[5-9])`)
	noPrefill  = regexp.MustCompile(`claude-((opus|sonnet)-4-[6-9]|[a-z]+-[5-9])`)
)

// checkSampling are the rules of newer models.
func checkSampling(r *wire.Request) *wire.Refusal {
	messages := wire.Items(r.Fields, "messages")
	switch {
	case oneSampler.MatchString(r.Model) && r.Fields["temperature"] != nil && r.Fields["top_p"] != nil:
		return invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	case noPrefill.MatchString(r.Model) && messages[len(messages)-1]["role"] == "assistant":
		return invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	return nil
}
