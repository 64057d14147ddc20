package fakeprovider_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// dig follows names and indexes into a JSON text and returns what is there as JSON.
func dig(t *testing.T, text string, path ...any) string {
	t.Helper()
	var v any = object(t, text)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				t.Fatalf("no %v in %s", path, text)
			}
			v = list[s]
		}
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// callOf finds a family's message with a tool call in an answer, and where in it the id and the arguments are.
var callOf = map[string]struct{ message, id, arguments []any }{
	"chat": {
		[]any{"choices", 0, "message"}, []any{"tool_calls", 0, "id"}, []any{"tool_calls", 0, "function", "arguments"},
	},
	"responses": {[]any{"output", 0}, []any{"call_id"}, []any{"arguments"}},
	"messages":  {nil, []any{"content", 0, "id"}, []any{"content", 0, "input", "city"}},
	"gemini":    {[]any{"candidates", 0, "content"}, []any{"none"}, []any{"parts", 0, "functionCall", "args", "city"}},
	"converse": {
		[]any{"output", "message"}, []any{"content", 0, "toolUse", "toolUseId"}, []any{"content", 0, "toolUse", "input", "city"},
	},
}

// Every wire calls tools with arguments that fit their schema, and repeats their results.
func TestToolsOnEveryWire(t *testing.T) {
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		const model = "m+tools-1"
		talk, at := talks[family[w.Name]], callOf[family[w.Name]]
		status, answer, _ := say(t, url, w, model, false, fill(w, talk.tools, model, false))
		if status != http.StatusOK {
			t.Fatalf("status %d, answer %s", status, answer)
		}
		message := dig(t, answer, at.message...)
		if at.message == nil {
			message = `{"role":"assistant","content":` + dig(t, answer, "content") + `}`
		}
		if args := dig(t, message, at.arguments...); !strings.Contains(args, "city") || strings.Contains(args, "days") {
			t.Errorf("arguments %s in %s", args, message)
		}
		id := strings.Trim(dig(t, message, at.id...), `"`)
		for _, stream := range []bool{false, true} {
			status, answer, _ = say(t, url, w, model, stream, fill(w, talk.result, model, stream, "ANSWER", message, "ID", id))
			if status != http.StatusOK || !strings.Contains(answer, "sunny") {
				t.Errorf("status %d, answer %s", status, answer)
			}
		}
		// The 15 bytes of {"city":"city"} are two tokens.
		if got := p.Bill()[0].CompletionTokens; got != 2 {
			t.Errorf("billed %d tokens for the call", got)
		}
		_, streamed, _ := say(t, url, w, model, true, fill(w, talk.tools, model, true))
		if !strings.Contains(streamed, "weather") || last(p).CompletionTokens != 2 {
			t.Errorf("stream %s, bill %+v", streamed, last(p))
		}
	})
}

// A result that answers no call, and a call without its result, are refused.
func TestResultsMustFitCalls(t *testing.T) {
	answers := map[string]string{
		"chat":      `{"role":"assistant","tool_calls":[{"id":"other","type":"function","function":{"name":"weather","arguments":"{}"}}]}`,
		"responses": `{"type":"function_call","call_id":"other","name":"weather","arguments":"{}"}`,
		"messages":  `{"role":"assistant","content":[{"type":"tool_use","id":"other","name":"weather","input":{}}]}`,
		"gemini":    `{"role":"model","parts":[{"functionCall":{"name":"weather"}},{"functionCall":{"name":"weather"}}]}`,
		"converse":  `{"role":"assistant","content":[{"toolUse":{"toolUseId":"other","name":"weather","input":{}}}]}`,
	}
	each(t, func(t *testing.T, p *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		body := fill(w, talks[family[w.Name]].result, "m", false, "ANSWER", answers[family[w.Name]], "ID", "mine")
		if status, answer, _ := say(t, url, w, "m", false, body); status != 400 || last(p).Outcome != rejected {
			t.Errorf("status %d, answer %s", status, answer)
		}
	})
}

// Reasons for an answer's end, in each family's words.
func TestFinishes(t *testing.T) {
	want := map[string]map[string]string{
		"chat": {"m": `"finish_reason":"stop"`, "m+filter": `"content_filter"`, "m+refuse": `"refusal":"I cannot`, "m+block": "400"},
		"responses": {
			"m": `"status":"completed"`, "m+filter": `"reason":"content_filter"`, "m+refuse": `"type":"refusal"`, "m+block": "invalid_prompt",
		},
		"messages": {
			"m": `"end_turn"`, "m+filter": `"stop_reason":"refusal"`, "m+refuse": `"type":"refusal"`, "m+block": "content filtering policy",
		},
		"gemini":   {"m": `"STOP"`, "m+filter": `"SAFETY"`, "m+refuse": "I cannot", "m+block": `"blockReason"`},
		"converse": {"m": `"end_turn"`, "m+filter": `"content_filtered"`, "m+refuse": "I cannot", "m+block": `"guardrail_intervened"`},
	}
	want["chat"]["m+block"] = `"code":`
	each(t, func(t *testing.T, _ *fakeprovider.Provider, url string, w fakeprovider.Wire) {
		for model, text := range want[family[w.Name]] {
			if model == "m+block" && strings.HasPrefix(w.Name, "azure") {
				text = "ResponsibleAIPolicyViolation"
			}
			for _, stream := range []bool{false, true} {
				_, answer, _ := say(t, url, w, model, stream, fill(w, talks[family[w.Name]].plain, model, stream))
				if stream && model == "m+refuse" {
					text = "help" // comes in pieces
				}
				if !strings.Contains(answer, text) {
					t.Errorf("%s: no %s in %s", model, text, answer)
				}
			}
		}
	})
}
