package echo_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	weather = `{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "required": ["city", "days"],
		"properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}, "unit": {"enum": ["C", "F"]}}}}}`
	clock  = `{"type": "function", "function": {"name": "clock"}}`
	tools  = `"tools": [` + weather + `, ` + clock + `]`
	person = `"response_format": {"type": "json_schema", "json_schema": {"name": "person", "strict": true, "schema": {"type": "object",
		"properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["age", "name"], "additionalProperties": false}}}`
	forecast = `weather {"city": "text", "days": 2}`
)

// Each marker does what it says, plain and streamed alike.
func TestMarkers(t *testing.T) {
	t.Parallel()
	thought := "I think about what was said, and how"
	for name, c := range map[string]struct {
		user, more string
		want       said
	}{
		"nothing":           {"Hello", "", said{Content: "You said: Hello", Finish: "stop", Usage: "1+3 0 0"}},
		"no text":           {"", "", said{Content: "You said: (nothing)", Finish: "stop", Usage: "0+3 0 0"}},
		"say":               {"a [[say It is  late.]] b", "", said{Content: "It is  late.", Finish: "stop", Usage: "6+3 0 0"}},
		"words":             {"[[words 12]]", "", said{Content: "1 2 3 4 5 6 7 8 9 10 11 12", Finish: "stop", Usage: "2+12 0 0"}},
		"empty":             {"[[empty]]", "", said{Finish: "stop", Usage: "1+0 0 0"}},
		"json":              {"a <b> [[json]]", "", said{Content: `{"echo": "a <b>"}`, Finish: "stop", Usage: "3+5 0 0"}},
		"json given":        {`[[json {"a": [[1]], "b": "]]"}]]`, "", said{Content: `{"a": [[1]], "b": "]]"}`, Finish: "stop", Usage: "5+6 0 0"}},
		"json list":         {`[[json [[1]]]]`, "", said{Content: `[[1]]`, Finish: "stop", Usage: "2+2 0 0"}},
		"json said":         {`[[json]][[say it]]`, "", said{Content: `{"echo": "it"}`, Finish: "stop", Usage: "2+4 0 0"}},
		"json object":       {"a", `"response_format": {"type": "json_object"}`, said{Content: `{"echo": "a"}`, Finish: "stop", Usage: "1+4 0 0"}},
		"schema":            {"a", person, said{Content: `{"name": "text", "age": 1}`, Finish: "stop", Usage: "1+7 0 0"}},
		"no schema":         {"a", `"response_format": {"type": "json_schema"}`, said{Content: `{"echo": "a"}`, Finish: "stop", Usage: "1+4 0 0"}},
		"schema cut":        {"a", person + `, "max_tokens": 2`, said{Content: `{"name":`, Finish: "length", Usage: "1+2 0 0"}},
		"text format":       {"a", `"response_format": {"type": "text"}`, said{Content: `You said: a`, Finish: "stop", Usage: "1+3 0 0"}},
		"tool":              {"[[tool]]", tools, said{Calls: []string{forecast}, Finish: "tool_calls", Usage: "1+8 0 0"}},
		"tool named":        {"[[tool clock]]", tools, said{Calls: []string{"clock {}"}, Finish: "tool_calls", Usage: "2+2 0 0"}},
		"tool given":        {`[[tool clock {"a": "]]"} ]]`, tools, said{Calls: []string{`clock {"a": "]]"}`}, Finish: "tool_calls", Usage: "5+4 0 0"}},
		"tool invented":     {`[[tool nosuch]]`, tools, said{Calls: []string{"nosuch {}"}, Finish: "tool_calls", Usage: "2+2 0 0"}},
		"tool cut":          {"[[tool]]", tools + `, "max_tokens": 3`, said{Calls: []string{`weather {"city":`}, Finish: "length", Usage: "1+3 0 0"}},
		"first step":        {`[[tool clock]] [[tool]]`, tools, said{Calls: []string{"clock {}"}, Finish: "tool_calls", Usage: "3+2 0 0"}},
		"tool without any":  {`a [[tool]]`, "", said{Content: "You said: a", Finish: "stop", Usage: "2+3 0 0"}},
		"tool forbidden":    {`a [[tool]]`, tools + `, "tool_choice": "none"`, said{Content: "You said: a", Finish: "stop", Usage: "2+3 0 0"}},
		"tools":             {"[[tools]]", tools, said{Calls: []string{forecast, "clock {}"}, Finish: "tool_calls", Usage: "1+10 0 0"}},
		"tools 3":           {"[[tools 3]]", tools, said{Calls: []string{forecast, "clock {}", forecast}, Finish: "tool_calls", Usage: "2+18 0 0"}},
		"tools one by one":  {"[[tools 3]]", tools + `, "parallel_tool_calls": false`, said{Calls: []string{forecast}, Finish: "tool_calls", Usage: "2+8 0 0"}},
		"tools, if it will": {"a", tools + `, "tool_choice": "auto"`, said{Content: "You said: a", Finish: "stop", Usage: "1+3 0 0"}},
		"tools required":    {"a", tools + `, "tool_choice": "required"`, said{Calls: []string{forecast}, Finish: "tool_calls", Usage: "1+8 0 0"}},
		"tool required": {"a", tools + `, "tool_choice": {"type": "function", "function": {"name": "clock"}}`,
			said{Calls: []string{"clock {}"}, Finish: "tool_calls", Usage: "1+2 0 0"}},
		"tool allowed": {"a", tools + `, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [` + clock + `]}}`,
			said{Calls: []string{"clock {}"}, Finish: "tool_calls", Usage: "1+2 0 0"}},
		"think":        {"[[think 3]]a", "", said{Thought: "I think about", Content: "You said: a", Finish: "stop", Usage: "2+6 0 3"}},
		"think only":   {"[[think 3]]a", `"max_tokens": 2`, said{Thought: "I think", Finish: "length", Usage: "2+2 0 2"}},
		"effort":       {"a", `"reasoning_effort": "low"`, said{Thought: thought, Content: "You said: a", Finish: "stop", Usage: "1+11 0 8"}},
		"no effort":    {"a", `"reasoning_effort": "none"`, said{Content: "You said: a", Finish: "stop", Usage: "1+3 0 0"}},
		"think, call":  {"[[think 2]] [[tool clock]]", tools, said{Thought: "I think", Calls: []string{"clock {}"}, Finish: "tool_calls", Usage: "4+4 0 2"}},
		"refuse":       {"[[refuse]]", "", said{Refusal: "I am sorry, but I cannot help with that.", Finish: "stop", Usage: "1+9 0 0"}},
		"refuse so":    {"[[refuse No.]]", person, said{Refusal: "No.", Finish: "stop", Usage: "2+1 0 0"}},
		"filter":       {"[[filter]]", "", said{Finish: "content_filter", Usage: "1+0 0 0"}},
		"filter 2":     {"[[filter 2]]", "", said{Content: "You said:", Finish: "content_filter", Usage: "2+2 0 0"}},
		"filter 99":    {"[[filter 99]]a", "", said{Content: "You said: a", Finish: "content_filter", Usage: "2+3 0 0"}},
		"length":       {"[[length 1]]", "", said{Content: "You", Finish: "length", Usage: "2+1 0 0"}},
		"length 99":    {"[[length 99]]a", "", said{Content: "You said: a", Finish: "stop", Usage: "2+3 0 0"}},
		"limits":       {"a", `"max_tokens": 1, "max_completion_tokens": 2`, said{Content: "You said:", Finish: "length", Usage: "1+2 0 0"}},
		"stop":         {"one two three", `"stop": " two"`, said{Content: "You said: one", Finish: "stop", Usage: "3+3 0 0"}},
		"stops":        {"one two three", `"stop": ["x", "", "tw", "one"]`, said{Content: "You said: ", Finish: "stop", Usage: "3+3 0 0"}},
		"stop at all":  {"one", `"stop": "You", "max_tokens": 1`, said{Finish: "stop", Usage: "1+0 0 0"}},
		"usage":        {"[[usage 1000 200]]a", "", said{Content: "You said: a", Finish: "stop", Usage: "1000+200 0 0"}},
		"usage in all": {"[[usage 10 20 3 4]]a", `"n": 3`, said{Content: "You said: a", Finish: "stop", Usage: "10+20 3 4"}},
		"no usage":     {"[[usage none]]a", "", said{Content: "You said: a", Finish: "stop"}},
		"n":            {"a", `"n": 3`, said{Content: "You said: a", Finish: "stop", Usage: "1+9 0 0"}},
		"slow":         {"[[slow 1h]]a", "", said{Content: "You said: a", Finish: "stop", Usage: "2+3 0 0"}},
		"wait":         {"[[wait 1h]]a", "", said{Content: "You said: a", Finish: "stop", Usage: "2+3 0 0"}},
		"unknown": {"[[nosuch 3]] [[ tool]] [[Tool]] [[toolbox]] [[[[", tools,
			said{Content: "You said: [[nosuch 3]] [[ tool]] [[Tool]] [[toolbox]] [[[[", Finish: "stop", Usage: "7+9 0 0"}},
		"open":      {"[[say a", "", said{Content: "You said: [[say a", Finish: "stop", Usage: "2+4 0 0"}},
		"brackets":  {"[[[say a]]]", "", said{Content: "a", Finish: "stop", Usage: "2+1 0 0"}},
		"last wins": {"[[say a]][[say b]]", "", said{Content: "b", Finish: "stop", Usage: "3+1 0 0"}},
	} {
		inNoTime(t, name, func(t *testing.T) {
			body := request(c.user, c.more)
			if diff := cmp.Diff(c.want, plain(t, body)); diff != "" {
				t.Errorf("plain (-want +got):\n%s", diff)
			}
			got, _, err := streamed(t, body)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("streamed: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// What a marker cannot obey is refused with an example.
func TestBadMarkers(t *testing.T) {
	t.Parallel()
	for _, marker := range []string{
		"say", "say ", "words", "words 0", "words 100001", "words x", "words +1", "empty 1", "json {", `json {"a"`, "tool a b", `tool a {"b"`, `tool a {} {}`, "tools 0",
		"tools 17", "think", "think 10001", "filter -1", "filter 1.5", "length 0", "usage", "usage 1", "usage 1 2 3 4 5", "usage 1 2 3", "usage 1 2 1 3",
		"usage 1000000001 1", "usage a b", "wait", "wait 5", "wait 0s", "slow 61m", "slow fast", "stall x", "cut -1", "fail x", "fail 1 nosuch", "fail 1 200",
		"error", "error 200", "error 600", "error nosuch", "error 429 x", "error 429 3601",
	} {
		status, _, o := refused(t, "chat/completions", request("a [["+marker+"]] b", tools))
		name, _, _ := strings.Cut(marker, " ")
		if status != 400 || *o.Error.Param != "messages" || !strings.Contains(o.Error.Message, "[["+name) || strings.Count(o.Error.Message, "[[") != 2 {
			t.Errorf("[[%s]] is answered with %d: %s", marker, status, o.Error.Message)
		}
	}
	long := "[[words " + strings.Repeat("ä", 1000) + "]]"
	if _, _, o := refused(t, "chat/completions", request(long, "")); len(o.Error.Message) > 200 {
		t.Errorf("too much is quoted: %s", o.Error.Message)
	}
}

// The system's markers count as well, and the user's before them.
func TestSystemMarkers(t *testing.T) {
	t.Parallel()
	ask := func(system, user string) string {
		return `{"model": "echo", ` + tools + `, "messages": [{"role": "system", "content": "be brief [[say a]]"},
			{"role": "developer", "content": "` + system + `"}, {"role": "user", "content": "` + user + `"}]}`
	}
	for name, c := range map[string]struct{ system, user, want string }{
		"alone":        {"", "hi", "a"},
		"developer's":  {"[[say b]]", "hi", "b"},
		"user's":       {"[[say b]]", "[[say c]]", "c"},
		"tool":         {"[[tool clock]]", "hi", "clock {}"},
		"user's tools": {"[[tool clock]] [[tool]]", "[[tool weather {}]]", "weather {}"},
	} {
		got := plain(t, ask(c.system, c.user))
		if text := got.Content + strings.Join(got.Calls, ""); text != c.want {
			t.Errorf("%s: %q", name, text)
		}
	}
}
