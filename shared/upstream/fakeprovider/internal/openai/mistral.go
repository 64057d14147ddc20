package openai

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// mistralID is how long a tool call's id must be.
const mistralID = 9

var mistralIDs = regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)

// mistralFields are all fields of a chat that Mistral takes (Mistral's API reference, read 2026-11).
var mistralFields = []string{
	"model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "metadata", "response_format", "tools",
	"tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls", "reasoning_effort",
	"prompt_mode", "prompt_cache_key", "guardrails", "safe_prompt",
}

func isMistral(c *wire.Call) bool { return c.Memo == mistral }

type quirk int

const mistral quirk = 1

// checkMistral refuses what Mistral does.
func checkMistral(r *wire.Request) *wire.Refusal {
	for name := range r.Fields {
		if !slices.Contains(mistralFields, name) {
			return &wire.Refusal{Status: http.StatusUnprocessableEntity, Detail: map[string]any{"detail": []any{map[string]any{
				"type": "extra_forbidden", "loc": []string{"body", name}, "msg": "Extra inputs are not permitted",
			}}}}
		}
	}
	messages := wire.Items(r.Fields, "messages")
	for _, m := range messages {
		ids := []string{}
		for _, c := range wire.Items(m, "tool_calls") {
			ids = append(ids, wire.Text(c, "id"))
		}
		if m["role"] == "tool" {
			ids = append(ids, wire.Text(m, "tool_call_id"))
		}
		for _, id := range ids {
			if !mistralIDs.MatchString(id) {
				return mistralError("invalid_function_call", "3280", "Tool call id was "+id+" but must be a-z, A-Z, 0-9, with a length of 9.")
			}
		}
	}
	if n := len(messages); n > 0 {
		last := messages[n-1]
		if role := wire.Text(last, "role"); role != "user" && role != "tool" && !wire.Flag(last, "prefix") {
			return mistralError("invalid_request_message_order", "3230",
				"Expected last role User or Tool (or Assistant with prefix True) for serving but got "+role)
		}
	}
	return nil
}

func mistralError(kind, code, message string) *wire.Refusal {
	return &wire.Refusal{Status: http.StatusBadRequest, Detail: map[string]any{
		"object": "error", "message": message, "type": kind, "param": nil, "code": code,
	}}
}
