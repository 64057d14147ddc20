package bedrock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// checks are the rules about several fields.
var checks = []func(*wire.Request) *wire.Refusal{
	checkTurns, checkResults, checkTools, checkCaching, checkExtras, checkThinking, checkThoughts,
}

func checkTools(r *wire.Request) *wire.Refusal {
	var names []string
	config := wire.Sub(r.Fields, "toolConfig")
	for _, t := range wire.Items(config, "tools") {
		name := wire.Text(wire.Sub(t, "toolSpec"), "name")
		if name != "" && slices.Contains(names, name) {
			return invalid("The tool name " + name + " is used more than once.")
		}
		names = append(names, name)
	}
	if name := wire.Text(wire.Sub(wire.Sub(config, "toolChoice"), "tool"), "name"); name != "" && !slices.Contains(names, name) {
		return invalid("The tool " + name + " in toolConfig.toolChoice is not in toolConfig.tools.")
	}
	return nil
}

const maxCachePoints = 4

func checkCaching(r *wire.Request) *wire.Refusal {
	n := 0
	count := func(blocks []map[string]any) {
		for _, b := range blocks {
			if b["cachePoint"] != nil {
				n++
			}
		}
	}
	count(wire.Items(r.Fields, "system"))
	count(wire.Items(wire.Sub(r.Fields, "toolConfig"), "tools"))
	for _, m := range wire.Items(r.Fields, "messages") {
		count(wire.Items(m, "content"))
	}
	if n > maxCachePoints {
		return model(fmt.Sprintf("A maximum of %d blocks with cache_control may be provided. Found %d.", maxCachePoints, n))
	}
	return nil
}

// claude is whether a model is one of Anthropic's.
func claude(id string) bool {
	return strings.Contains(id, "anthropic") || strings.Contains(id, "claude")
}

// extras are the fields of Anthropic's API that Converse passes to its models.
var extras = []string{"thinking", "top_k", "anthropic_beta", "output_config", "reasoning_config", "tools", "tool_choice"}

func checkExtras(r *wire.Request) *wire.Refusal {
	for name := range wire.Sub(r.Fields, "additionalModelRequestFields") {
		if claude(r.Model) && !slices.Contains(extras, name) {
			return model(name + ": Extra inputs are not permitted")
		}
	}
	return nil
}

// thinking is what asks one of Anthropic's models to think, or nil.
func thinking(fields map[string]any) map[string]any {
	t := wire.Sub(wire.Sub(fields, "additionalModelRequestFields"), "thinking")
	if kind := t["type"]; kind == "enabled" || kind == "adaptive" {
		return t
	}
	return nil
}

func checkThinking(r *wire.Request) *wire.Refusal {
	t := thinking(r.Fields)
	if t == nil {
		return nil
	}
	inference := wire.Sub(r.Fields, "inferenceConfig")
	choice := wire.Sub(wire.Sub(r.Fields, "toolConfig"), "toolChoice")
	temperature, hot := wire.Number(inference, "temperature")
	budget := wire.Count(t, "budget_tokens", 0)
	switch {
	case t["type"] == "enabled" && budget < 1024:
		return model("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	case budget >= wire.Count(inference, "maxTokens", 1<<31):
		return model("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case hot && temperature != 1:
		return model("`temperature` may only be set to 1 when thinking is enabled.")
	case choice["any"] != nil || choice["tool"] != nil:
		return model("Thinking may not be enabled when tool_choice forces tool use.")
	case t["type"] == "enabled":
		return checkFinalTurn(wire.Items(r.Fields, "messages"))
	}
	return nil
}

// checkFinalTurn wants thoughts before the last tool uses, if their results are what the request is about.
func checkFinalTurn(messages []map[string]any) *wire.Refusal {
	n := len(messages)
	if n < 2 || !slices.ContainsFunc(wire.Items(messages[n-1], "content"), func(b map[string]any) bool { return b["toolResult"] != nil }) {
		return nil
	}
	if first := wire.Items(messages[n-2], "content")[0]; first["reasoningContent"] == nil {
		return model(fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When "+
			"`thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of "+
			"`tool_use` and `tool_result` blocks).", n-2))
	}
	return nil
}

// checkThoughts wants thoughts back as they were; only Anthropic's models must have them signed.
func checkThoughts(r *wire.Request) *wire.Refusal {
	for i, m := range wire.Items(r.Fields, "messages") {
		for j, b := range wire.Items(m, "content") {
			thought := wire.Sub(b, "reasoningContent")
			at := fmt.Sprintf("messages.%d.content.%d", i, j)
			if t := wire.Sub(thought, "reasoningText"); t != nil {
				given := wire.Text(t, "signature")
				if (given != "" || claude(r.Model)) && given != wire.Sign(maker, wire.Text(t, "text")) {
					return model(at + ": Invalid `signature` in `thinking` block")
				}
			}
			if data := wire.Text(thought, "redactedContent"); data != "" && !wire.Sealed(maker, data) {
				return model(at + ": Invalid `data` in `redacted_thinking` block")
			}
		}
	}
	return nil
}
