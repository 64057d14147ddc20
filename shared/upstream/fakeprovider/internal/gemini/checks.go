package gemini

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// checks are the rules about several fields.
var checks = []func(*wire.Request) *wire.Refusal{checkTurns, checkSignatures, checkTools, checkConfig, checkThinking}

func checkTools(r *wire.Request) *wire.Refusal {
	var names []string
	for _, t := range wire.Items(r.Fields, "tools") {
		for _, d := range wire.Items(t, "functionDeclarations") {
			if slices.Contains(names, wire.Text(d, "name")) {
				return invalid("Duplicate function declaration found: " + wire.Text(d, "name"))
			}
			names = append(names, wire.Text(d, "name"))
		}
	}
	calling := wire.Sub(wire.Sub(r.Fields, "toolConfig"), "functionCallingConfig")
	allowed, mode := wire.Strings(calling, "allowedFunctionNames"), wire.Text(calling, "mode")
	if len(allowed) > 0 && mode != "ANY" && mode != "VALIDATED" {
		return invalid("Allowed function names should only be set when function calling mode is ANY.")
	}
	for _, name := range allowed {
		if !slices.Contains(names, name) {
			return invalid("Function '" + name + "' in allowed function names is not declared.")
		}
	}
	if (mode == "ANY" || mode == "VALIDATED") && len(names) == 0 {
		return invalid("Function calling config is set without function_declarations.")
	}
	return nil
}

func checkConfig(r *wire.Request) *wire.Refusal {
	g := wire.Sub(r.Fields, "generationConfig")
	schemas := 0
	for _, name := range []string{"responseSchema", "responseJsonSchema", "_responseJsonSchema"} {
		if g[name] != nil {
			schemas++
		}
	}
	mime := wire.Text(g, "responseMimeType")
	switch {
	case schemas > 1:
		return invalid("Only one of response_schema and response_json_schema may be set.")
	case schemas > 0 && (mime == "" || mime == "text/plain"):
		return invalid("Unable to submit request because response_schema requires response_mime_type application/json or text/x.enum.")
	case mime == "application/json" && len(wire.Items(r.Fields, "tools")) > 0 && !third(r.Model):
		return invalid("Function calling with a response mime type: 'application/json' is unsupported")
	case g["logprobs"] != nil && !wire.Flag(g, "responseLogprobs"):
		return invalid("logprobs can only be set when response_logprobs is true.")
	}
	return nil
}

// checkThinking are the rules about budgets and levels (guide "Gemini thinking", read 2026-11).
func checkThinking(r *wire.Request) *wire.Refusal {
	t := wire.Sub(wire.Sub(r.Fields, "generationConfig"), "thinkingConfig")
	switch {
	case t["thinkingBudget"] != nil && t["thinkingLevel"] != nil:
		return invalid("You can only set only one of thinking budget and thinking level.")
	case t["thinkingLevel"] != nil && strings.Contains(r.Model, "gemini-2"):
		return invalid("Thinking level is not supported for this model.")
	case wire.Count(t, "thinkingBudget", -1) == 0 && strings.Contains(r.Model, "pro"):
		return invalid("Budget 0 is invalid. This model only works in thinking mode.")
	}
	return nil
}
