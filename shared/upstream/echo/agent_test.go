package echo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// An agent's loop comes to an end: the user asks, tools are called step by step, and echo says what they answered.
func TestAgent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user, more string
		want       []string // what each request is answered with
	}{
		"marker":        {"[[tool clock]]", tools, []string{"clock {}", "You said: it is 1"}},
		"two at once":   {"[[tools 2]] go", tools, []string{forecast + ", clock {}", "You said: it is 1\nit is 2"}},
		"two steps":     {`[[tool clock {"a": 1}]] [[tool]]`, tools, []string{`clock {"a": 1}`, forecast, "You said: it is 1"}},
		"last word":     {"[[tool clock]] [[say done]]", tools, []string{"clock {}", "done"}},
		"required":      {"go", tools + `, "tool_choice": "required"`, []string{forecast, "You said: it is 1"}},
		"then JSON":     {"[[tool clock]]", tools + ", " + person, []string{"clock {}", `{"name": "text", "age": 1}`}},
		"then a mode":   {"[[tool clock]]", tools + `, "response_format": {"type": "json_object"}`, []string{"clock {}", `{"echo": "it is 1"}`}},
		"nothing asked": {"go", tools, []string{"You said: go"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user, _ := json.Marshal(c.user)
			messages := `{"role": "user", "content": ` + string(user) + `}`
			seen := map[string]bool{}
			for i, want := range c.want {
				var more string
				got, calls := turn(t, `{"model": "echo", `+c.more+`, "messages": [`+messages+`]}`)
				if got != want {
					t.Fatalf("request %d is answered with %q, not %q", i, got, want)
				}
				messages += `, {"role": "assistant", "content": null, "tool_calls": ` + calls + `}`
				for n, id := range ids(t, calls) {
					more += fmt.Sprintf(`, {"role": "tool", "tool_call_id": %q, "content": "it is %d"}`, id, n+1)
					if seen[id] {
						t.Errorf("id %s is given twice", id)
					}
					seen[id] = true
				}
				messages += more
			}
		})
	}
}

// turn makes one request of an agent and returns the text or the calls, and the calls as they are to be sent back.
func turn(t *testing.T, body string) (got, calls string) {
	t.Helper()
	answer, err := post(t.Context(), "chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	var o struct {
		Choices []struct {
			Message struct {
				Calls json.RawMessage `json:"tool_calls"`
			}
		}
	}
	if err := json.Unmarshal(text, &o); err != nil || len(o.Choices) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	var s said
	s.add(t, decode(t, text), map[string]bool{})
	if calls = string(o.Choices[0].Message.Calls); calls == "" {
		calls = "[]"
	}
	return s.Content + strings.Join(s.Calls, ", "), calls
}

func ids(t *testing.T, calls string) (out []string) {
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(calls), &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		out = append(out, c.ID)
	}
	return out
}

// What an agent adds to its tools' results asks for nothing, unless it has markers; what the user says next does.
func TestBesideResults(t *testing.T) {
	t.Parallel()
	const loop = `{"role": "user", "content": "[[tool clock]] go"}, {"role": "assistant", "tool_calls": [{"id": "1", "type": "function",
		"function": {"name": "clock", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "noon [[say x]]"}]}`
	for name, c := range map[string]struct{ more, want string }{
		"result":      {"", "You said: noon [[say x]]"},
		"note":        {`, {"role": "user", "content": "be brief [["}`, "You said: noon [[say x]]\nbe brief [["},
		"image":       {`, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]}`, "You said: noon [[say x]]\n(1 image)"},
		"marker":      {`, {"role": "user", "content": "[[say b]]"}`, "b"},
		"its answer":  {`, {"role": "assistant", "content": "noon"}`, "You said: go"},
		"next":        {`, {"role": "assistant", "content": "noon"}, {"role": "user", "content": "thanks"}`, "You said: thanks"},
		"next call":   {`, {"role": "assistant", "content": "noon"}, {"role": "user", "content": "[[tool weather {}]]"}`, "weather {}"},
		"second step": {`, {"role": "user", "content": "[[tool weather {}]]"}`, "weather {}"},
	} {
		if got, _ := turn(t, `{"model": "echo", `+tools+`, "messages": [`+loop+c.more+`]}`); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// Each choice has calls of its own.
func TestCallsOfChoices(t *testing.T) {
	t.Parallel()
	answer, err := post(t.Context(), "chat/completions", request("[[tools]]", tools+`, "n": 2`))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	seen := map[string]bool{}
	for _, c := range decode(t, text).Choices {
		for _, call := range c.Message.Calls {
			seen[call.ID] = true
		}
	}
	if len(seen) != 4 || strings.Count(string(text), `"content":null`) != 2 {
		t.Errorf("%d different ids in %s", len(seen), text)
	}
}

func TestRefusedTools(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ more, param string }{
		"unknown":     {tools + `, "tool_choice": {"type": "function", "function": {"name": "nosuch"}}`, "tool_choice"},
		"none":        {`"tool_choice": "required"`, "tool_choice"},
		"number":      {tools + `, "tool_choice": 5`, "tool_choice"},
		"schema":      {`"tools": [{"type": "function", "function": {"name": "a", "parameters": {"$ref": "#/$defs/no"}}}], "tool_choice": "required"`, "tools[0].function.parameters"},
		"format":      {`"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}}`, "response_format"},
		"n":           {`"n": 129`, "n"},
		"top":         {`"logprobs": true, "top_logprobs": 21`, "top_logprobs"},
		"many":        {`"logprobs": true, "top_logprobs": 20, "n": 128`, "logprobs"},
		"wrong types": {`"max_tokens": "5"`, ""},
	} {
		status, _, o := refused(t, "chat/completions", request(strings.Repeat("a ", 200), c.more))
		param := ""
		if o.Error.Param != nil {
			param = *o.Error.Param
		}
		if status != 400 || param != c.param {
			t.Errorf("%s: %d, %q: %s", name, status, param, o.Error.Message)
		}
	}
}
