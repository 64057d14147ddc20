package messages_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var (
	ask    = said(llm.User, llm.TextPart("hi"))
	sealed = llm.Signature{Maker: llm.MakerAnthropic, Value: "EqQB"}
	schema = json.RawMessage(`{"type":"object","properties":{"b":{"type":"integer","minimum":1},"a":{"type":"string"}},"required":["b","a"]}`)
	f      = []llm.Tool{{Name: "f", Schema: json.RawMessage(`{"type":"object"}`)}}
)

const (
	old     = "claude-sonnet-4-20250514"
	budget  = "claude-sonnet-4-5-20250929"
	current = "claude-opus-5-5"
)

func said(role llm.Role, parts ...llm.Part) llm.Message { return llm.Message{Role: role, Parts: parts} }

func calls(ids ...string) (parts []llm.Part) {
	for _, id := range ids {
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "f", Arguments: `{}`}})
	}
	return parts
}

func results(ids ...string) (parts []llm.Part) {
	for _, id := range ids {
		parts = append(parts, llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: []llm.Part{llm.TextPart("r")}}})
	}
	return parts
}

// want is what of a request's body and headers is compared: the fields that are named.
func encode(t *testing.T, r *llm.Request, to dialect.Target) (fields map[string]json.RawMessage, w dialect.Wire) {
	t.Helper()
	w, err := messages.Outbound{}.EncodeRequest(r, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.Body, &fields); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return fields, w
}

func TestEncodeFields(t *testing.T) {
	t.Parallel()
	yes, no, one, half := true, false, 1.0, 0.5
	k := int64(40)
	loop := []llm.Message{ask, said(llm.Assistant, calls("a")...), said(llm.User, results("a")...)}
	thought := append([]llm.Part{{Kind: llm.Thinking, Signature: sealed}}, calls("a")...)
	thoughtful := []llm.Message{ask, said(llm.Assistant, thought...), said(llm.User, results("a")...)}
	const placeholder = `{"role":"user","content":[{"type":"text","text":"..."}]}`
	for name, c := range map[string]struct {
		r       llm.Request
		model   string
		to      dialect.Target
		want    map[string]string // fields of the body; "" is absent
		dropped string
	}{
		"limit: default":      {r: llm.Request{}, model: budget, want: map[string]string{"max_tokens": "4096"}},
		"limit: model's":      {r: llm.Request{}, model: budget, to: dialect.Target{MaxOutput: 64000}, want: map[string]string{"max_tokens": "64000"}},
		"limit: clamp":        {r: llm.Request{}, model: budget, to: dialect.Target{MaxOutput: 64000, Clamp: 7}, want: map[string]string{"max_tokens": "7"}},
		"limit: caller's":     {r: llm.Request{MaxOutput: 9}, model: budget, to: dialect.Target{MaxOutput: 64000, Clamp: 7}, want: map[string]string{"max_tokens": "9"}},
		"thinking: effort":    {r: llm.Request{Reasoning: llm.Reasoning{Effort: "medium"}}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":8192}`, "max_tokens": "12288", "output_config": ""}},
		"thinking: known":     {r: llm.Request{Reasoning: llm.Reasoning{Effort: "high"}}, model: budget, to: dialect.Target{MaxOutput: 64000}, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":24576}`, "max_tokens": "64000"}},
		"thinking: fits":      {r: llm.Request{Reasoning: llm.Reasoning{Budget: 3000}, MaxOutput: 3500}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":3000}`, "max_tokens": "3500"}},
		"thinking: shrinks":   {r: llm.Request{Reasoning: llm.Reasoning{Budget: 9000}, MaxOutput: 4000}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":3000}`, "max_tokens": "4000"}},
		"thinking: no room":   {r: llm.Request{Reasoning: llm.Reasoning{Effort: "low"}, MaxOutput: 1000}, model: budget, want: map[string]string{"thinking": "", "max_tokens": "1000"}},
		"thinking: clamped":   {r: llm.Request{Reasoning: llm.Reasoning{Effort: "high"}}, model: budget, to: dialect.Target{Clamp: 2000}, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":1500}`, "max_tokens": "2000"}},
		"thinking: hidden":    {r: llm.Request{Reasoning: llm.Reasoning{Effort: "low", Show: &no}}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":1024,"display":"omitted"}`}},
		"thinking: off":       {r: llm.Request{Reasoning: llm.Reasoning{Off: true}}, model: budget, want: map[string]string{"thinking": `{"type":"disabled"}`}},
		"thinking: unsigned":  {r: llm.Request{Messages: loop, Reasoning: llm.Reasoning{Effort: "low"}}, model: budget, want: map[string]string{"thinking": ""}},
		"thinking: signed":    {r: llm.Request{Messages: thoughtful, Reasoning: llm.Reasoning{Effort: "low"}}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":1024}`}},
		"thinking: auto":      {r: llm.Request{Reasoning: llm.Reasoning{Auto: true}}, model: budget, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":8192}`}},
		"adaptive: effort":    {r: llm.Request{Reasoning: llm.Reasoning{Effort: "xhigh", Summary: "auto"}}, model: current, to: dialect.Target{MaxOutput: 128000}, want: map[string]string{"thinking": `{"type":"adaptive","display":"summarized"}`, "output_config": `{"effort":"xhigh"}`, "max_tokens": "128000"}},
		"adaptive: 4.6":       {r: llm.Request{Reasoning: llm.Reasoning{Effort: "xhigh"}}, model: "claude-opus-4-6", want: map[string]string{"thinking": `{"type":"adaptive"}`, "output_config": `{"effort":"high"}`, "max_tokens": "36864"}},
		"adaptive: budget":    {r: llm.Request{Reasoning: llm.Reasoning{Budget: 1024}}, model: "claude-sonnet-5", want: map[string]string{"thinking": `{"type":"adaptive"}`, "output_config": `{"effort":"low"}`}},
		"adaptive: minimal":   {r: llm.Request{Reasoning: llm.Reasoning{Effort: "minimal"}}, model: "claude-sonnet-5", want: map[string]string{"output_config": `{"effort":"low"}`}},
		"adaptive: auto":      {r: llm.Request{Reasoning: llm.Reasoning{Auto: true, Effort: "max"}}, model: current, want: map[string]string{"thinking": `{"type":"adaptive"}`, "output_config": `{"effort":"max"}`}},
		"adaptive: off":       {r: llm.Request{Reasoning: llm.Reasoning{Effort: "none"}}, model: "claude-opus-5", want: map[string]string{"thinking": `{"type":"disabled"}`, "output_config": ""}},
		"adaptive: off 5.5":   {r: llm.Request{Reasoning: llm.Reasoning{Off: true}}, model: "claude-sonnet-5-5", want: map[string]string{"thinking": `{"type":"between_tools"}`}},
		"adaptive: always on": {r: llm.Request{Reasoning: llm.Reasoning{Off: true}}, model: current, want: map[string]string{"thinking": "", "output_config": `{"effort":"low"}`}},
		"adaptive: nothing":   {r: llm.Request{}, model: current, want: map[string]string{"thinking": "", "output_config": ""}},
		"adaptive: shown":     {r: llm.Request{Reasoning: llm.Reasoning{Show: &yes}}, model: "claude-haiku-5-5", want: map[string]string{"thinking": `{"type":"adaptive","display":"summarized"}`}},
		"adaptive: bound":     {r: llm.Request{Messages: thoughtful}, model: current, want: map[string]string{"thinking": `{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"drop_block"}}`}},
		"adaptive: not bound": {r: llm.Request{Messages: thoughtful}, model: "claude-opus-5", want: map[string]string{"thinking": ""}},
		"adaptive: vertex":    {r: llm.Request{Messages: thoughtful}, model: current, to: dialect.Target{Provider: "vertex_ai"}, want: map[string]string{"thinking": "", "anthropic_version": `"vertex-2023-10-16"`, "model": ""}},
		"adaptive: unsigned":  {r: llm.Request{Messages: loop, Reasoning: llm.Reasoning{Effort: "low"}}, model: "claude-opus-4-6", want: map[string]string{"thinking": `{"type":"adaptive"}`}},
		"forced: 5":           {r: llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, model: "claude-sonnet-5", want: map[string]string{"thinking": `{"type":"disabled"}`, "tool_choice": `{"type":"any"}`}},
		"forced: 4.8":         {r: llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "f"}, Parallel: &no}, model: "claude-opus-4-8", want: map[string]string{"thinking": "", "tool_choice": `{"type":"tool","name":"f","disable_parallel_tool_use":true}`}},
		"forced: dropped":     {r: llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, model: current, to: dialect.Target{Drop: func(string) bool { return true }}, want: map[string]string{"tool_choice": ""}, dropped: "tool_choice"},
		"forced and thinking": {r: llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseAny}, Reasoning: llm.Reasoning{Effort: "low"}}, model: budget, to: dialect.Target{Drop: func(string) bool { return true }}, want: map[string]string{"thinking": `{"type":"disabled"}`, "tool_choice": `{"type":"any"}`}, dropped: "reasoning"},
		"tools: none":         {r: llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseNone}, Parallel: &no}, model: old, want: map[string]string{"tool_choice": `{"type":"none"}`}},
		"tools: one by one":   {r: llm.Request{Tools: f, Parallel: &no}, model: old, want: map[string]string{"tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`}},
		"tools: parallel":     {r: llm.Request{Tools: f, Parallel: &yes}, model: old, want: map[string]string{"tool_choice": ""}},
		"tools: no schema":    {r: llm.Request{Tools: []llm.Tool{{Name: "f"}, {Name: "g", Schema: json.RawMessage(`{"properties":{}}`)}}}, model: old, want: map[string]string{"tools": `[{"name":"f","input_schema":{"type":"object","properties":{}}},{"name":"g","input_schema":{"properties":{},"type":"object"}}]`}},
		"tools: strict":       {r: llm.Request{Tools: []llm.Tool{{Name: "f", Strict: &yes, Schema: schema}}}, model: budget, want: map[string]string{"tools": `[{"name":"f","input_schema":` + cleaned + `,"strict":true}]`}},
		"tools: not strict":   {r: llm.Request{Tools: []llm.Tool{{Name: "f", Strict: &yes, Schema: schema}}}, model: old, want: map[string]string{"tools": `[{"name":"f","input_schema":` + string(schema) + `}]`}},
		"tools: vendor's":     {r: llm.Request{Tools: []llm.Tool{{Name: "web_search_20250305", Dialect: "messages", Vendor: json.RawMessage(`{"type":"web_search_20250305","max_uses":1}`)}}}, model: old, want: map[string]string{"tools": `[{"type":"web_search_20250305","max_uses":1}]`}},
		"schema: native":      {r: llm.Request{Format: llm.Format{Kind: llm.JSONSchema, Schema: schema}}, model: budget, want: map[string]string{"output_config": `{"format":{"type":"json_schema","schema":` + cleaned + `}}`, "tools": ""}},
		"schema: and effort":  {r: llm.Request{Format: llm.Format{Kind: llm.JSONSchema, Schema: schema}, Reasoning: llm.Reasoning{Effort: "low"}}, model: current, want: map[string]string{"output_config": `{"effort":"low","format":{"type":"json_schema","schema":` + cleaned + `}}`}},
		"schema: forced":      {r: llm.Request{Format: llm.Format{Kind: llm.JSONSchema, Description: "D", Schema: schema}}, model: old, want: map[string]string{"output_config": "", "tools": `[{"name":"sluice_answer","description":"D","input_schema":` + string(schema) + `}]`, "tool_choice": `{"type":"tool","name":"sluice_answer","disable_parallel_tool_use":true}`}},
		"schema: with tools":  {r: llm.Request{Tools: f, Format: llm.Format{Kind: llm.JSONSchema, Description: "D", Schema: schema}}, model: old, want: map[string]string{"tool_choice": `{"type":"any"}`}},
		"schema: thoughts":    {r: llm.Request{Format: llm.Format{Kind: llm.JSONSchema, Schema: schema}, Reasoning: llm.Reasoning{Effort: "low"}}, model: old, want: map[string]string{"thinking": `{"type":"disabled"}`}, dropped: "reasoning"},
		"json: forced":        {r: llm.Request{Format: llm.Format{Kind: llm.JSONObject, Description: "D"}}, model: budget, want: map[string]string{"tools": `[{"name":"sluice_answer","description":"D","input_schema":{"type":"object"}}]`}},
		"json: told":          {r: llm.Request{Format: llm.Format{Kind: llm.JSONObject}}, model: current, want: map[string]string{"tools": "", "system": `[{"type":"text","text":"Answer with one JSON object and with nothing before or after it."}]`}},
		"sampling: default":   {r: llm.Request{Temperature: &one, TopP: &one}, model: current, want: map[string]string{"temperature": "", "top_p": ""}},
		"sampling: both":      {r: llm.Request{Temperature: &half, TopP: &one}, model: budget, want: map[string]string{"temperature": "0.5", "top_p": ""}},
		"sampling: top_p":     {r: llm.Request{Temperature: &one, TopP: &half}, model: budget, want: map[string]string{"temperature": "", "top_p": "0.5"}},
		"sampling: old":       {r: llm.Request{Temperature: &half, TopP: &half, TopK: &k}, model: old, want: map[string]string{"temperature": "0.5", "top_p": "0.5", "top_k": "40"}},
		"sampling: dropped":   {r: llm.Request{Temperature: &half, TopK: &k}, model: current, to: dialect.Target{Drop: func(string) bool { return true }}, want: map[string]string{"temperature": "", "top_k": ""}, dropped: "temperature,top_k"},
		"stop":                {r: llm.Request{Stop: []string{"\n", "END", " "}}, model: old, want: map[string]string{"stop_sequences": `["END"]`}, dropped: "stop"},
		"user and tier":       {r: llm.Request{User: "u", ServiceTier: "default", Stream: true}, model: old, want: map[string]string{"metadata": `{"user_id":"u"}`, "service_tier": `"standard_only"`, "stream": "true"}},
		"long user":           {r: llm.Request{User: strings.Repeat("u", 300)}, model: old, want: map[string]string{"metadata": ""}, dropped: "user"},
		"priority":            {r: llm.Request{ServiceTier: "priority"}, model: old, want: map[string]string{"service_tier": `"auto"`}},
		"extras":              {r: llm.Request{Extra: map[string]json.RawMessage{"inference_geo": json.RawMessage(`"eu"`)}, Hints: map[string]json.RawMessage{"context_management": json.RawMessage(`[]`), "store": json.RawMessage(`true`)}}, model: old, want: map[string]string{"inference_geo": `"eu"`, "context_management": "", "store": ""}, dropped: "context_management"},
		"system only":         {r: llm.Request{Messages: []llm.Message{said(llm.System, llm.TextPart("S"))}}, model: old, want: map[string]string{"system": `[{"type":"text","text":"S"}]`, "messages": "[" + placeholder + "]"}},
		"assistant first":     {r: llm.Request{Messages: []llm.Message{said(llm.Assistant, llm.TextPart("Hello")), ask}}, model: old, want: map[string]string{"messages": "[" + placeholder + `,{"role":"assistant","content":[{"type":"text","text":"Hello"}]},{"role":"user","content":[{"type":"text","text":"hi"}]}]`}},
		"prefill":             {r: llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, llm.TextPart("It is \n"))}, Reasoning: llm.Reasoning{Effort: "low"}}, model: old, want: map[string]string{"thinking": "", "messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"text","text":"It is"}]}]`}},
		"empty texts":         {r: llm.Request{Messages: []llm.Message{said(llm.User, llm.TextPart(" "), llm.TextPart("x")), said(llm.Assistant, llm.TextPart("")), said(llm.User, llm.TextPart("y"))}}, model: old, want: map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"user","content":[{"type":"text","text":"y"}]}]`}},
		"foreign":             {r: llm.Request{Temperature: &half, Reasoning: llm.Reasoning{Budget: 2048}, MaxOutput: 4096, Messages: []llm.Message{ask}}, model: "kimi-k2", to: dialect.Target{Drop: func(string) bool { return true }}, want: map[string]string{"thinking": `{"type":"enabled","budget_tokens":2048}`, "temperature": ""}, dropped: "temperature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.r.Messages == nil {
				c.r.Messages = []llm.Message{ask}
			}
			c.to.Model = c.model
			fields, w := encode(t, &c.r, c.to)
			for field, want := range c.want {
				if got := string(fields[field]); got != want {
					t.Errorf("%s is %s, want %s", field, got, want)
				}
			}
			slices.Sort(w.Dropped)
			if got := strings.Join(w.Dropped, ","); got != c.dropped {
				t.Errorf("dropped %q, want %q", got, c.dropped)
			}
		})
	}
}

const cleaned = `{"type":"object","properties":{"b":{"type":"integer","description":"{minimum: 1}"},"a":{"type":"string"}},"required":["b","a"],"additionalProperties":false}`

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	half, two := 0.5, 2.0
	k := int64(1)
	user := func(parts ...llm.Part) []llm.Message { return []llm.Message{said(llm.User, parts...)} }
	media := func(kind llm.Kind, m llm.Media) []llm.Message { return user(llm.Part{Kind: kind, Media: &m}) }
	for name, c := range map[string]struct {
		r            llm.Request
		model, param string
	}{
		"temperature":           {llm.Request{Temperature: &two}, old, "temperature"},
		"temperature, newer":    {llm.Request{Temperature: &half}, current, "temperature"},
		"temperature, thinking": {llm.Request{Temperature: &half, Reasoning: llm.Reasoning{Effort: "low"}}, budget, "temperature"},
		"top_p, newer":          {llm.Request{TopP: &half}, current, "top_p"},
		"top_p, thinking":       {llm.Request{TopP: &half, Reasoning: llm.Reasoning{Effort: "low"}}, budget, "top_p"},
		"top_p and temperature": {llm.Request{TopP: &half, Temperature: &half}, budget, "top_p"},
		"top_k, thinking":       {llm.Request{TopK: &k, Reasoning: llm.Reasoning{Effort: "low"}}, budget, "top_k"},
		"forced, thinking":      {llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseAny}, Reasoning: llm.Reasoning{Effort: "low"}}, budget, "reasoning"},
		"forced, newer":         {llm.Request{Tools: f, Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, current, "tool_choice"},
		"forced, no tools":      {llm.Request{Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, budget, "tool_choice"},
		"thinking, too old":     {llm.Request{Reasoning: llm.Reasoning{Effort: "low"}}, "claude-3-5-haiku-20241022", "reasoning"},
		"tier":                  {llm.Request{ServiceTier: "flex"}, budget, "service_tier"},
		"tool's name":           {llm.Request{Tools: []llm.Tool{{Name: "a.b"}}}, budget, "tools"},
		"other vendor's tool":   {llm.Request{Tools: []llm.Tool{{Name: "x", Vendor: json.RawMessage(`{}`), Dialect: "responses"}}}, budget, "tools"},
		"prefill":               {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, llm.TextPart("x"))}}, current, "messages"},
		"no result":             {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, calls("a", "b")...), said(llm.User, results("a")...)}}, budget, "messages"},
		"no result at the end":  {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, calls("a")...)}}, budget, "messages"},
		"no result at all":      {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, calls("a")...), ask}}, budget, "messages"},
		"orphan":                {llm.Request{Messages: []llm.Message{said(llm.User, results("a")...)}}, budget, "messages"},
		"orphan beside":         {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, calls("a")...), said(llm.User, results("a", "b")...)}}, budget, "messages"},
		"late result":           {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, calls("a")...), said(llm.User, results("a")...), said(llm.Assistant, llm.TextPart("x")), said(llm.User, results("a")...)}}, budget, "messages"},
		"call of a user":        {llm.Request{Messages: user(calls("a")...)}, budget, "messages"},
		"system image":          {llm.Request{Messages: []llm.Message{said(llm.System, llm.Part{Kind: llm.Image, Media: &llm.Media{}}), ask}}, budget, "messages"},
		"bitmap":                {llm.Request{Messages: media(llm.Image, llm.Media{Type: "image/bmp", Data: "x"})}, budget, "messages"},
		"spreadsheet":           {llm.Request{Messages: media(llm.Document, llm.Media{Type: "application/vnd.ms-excel", Data: "eA=="})}, budget, "messages"},
		"broken text":           {llm.Request{Messages: media(llm.Document, llm.Media{Type: "text/csv", Data: "?"})}, budget, "messages"},
		"empty document":        {llm.Request{Messages: media(llm.Document, llm.Media{Type: "text/plain"})}, budget, "messages"},
		"sound":                 {llm.Request{Messages: media(llm.Audio, llm.Media{Type: "audio/wav", Data: "x"})}, budget, "messages"},
		"assistant's image":     {llm.Request{Messages: []llm.Message{ask, said(llm.Assistant, llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "https://x"}}), ask}}, budget, "messages"},
	} {
		if c.r.Messages == nil {
			c.r.Messages = []llm.Message{ask}
		}
		_, err := messages.Outbound{}.EncodeRequest(&c.r, dialect.Target{Model: c.model, Drop: func(string) bool { return false }})
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q)", name, err, e.Param)
		}
	}
}

// Ids that occur twice in a conversation become different ones, and find their results.
func TestCallIDs(t *testing.T) {
	t.Parallel()
	r := &llm.Request{Tools: f, Messages: []llm.Message{
		ask, said(llm.Assistant, calls("call_1", "functions.f:1")...), said(llm.User, results("functions.f:1", "call_1")...),
		said(llm.Assistant, calls("call_1")...), said(llm.User, append([]llm.Part{llm.TextPart("so?")}, results("call_1")...)...),
	}}
	fields, _ := encode(t, r, dialect.Target{Model: budget})
	odd := llm.FitID("functions.f:1", 128)
	want := `[{"role":"user","content":[{"type":"text","text":"hi"}]},` +
		`{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{}},{"type":"tool_use","id":"` + odd + `","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + odd + `","content":[{"type":"text","text":"r"}]},{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"r"}]}]},` +
		`{"role":"assistant","content":[{"type":"tool_use","id":"call_1_2","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1_2","content":[{"type":"text","text":"r"}]},{"type":"text","text":"so?"}]}]`
	if diff := cmp.Diff(want, string(fields["messages"])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Only four markers may be there: the last ones cover most. Those for an hour cannot come after shorter ones.
func TestCacheMarkers(t *testing.T) {
	t.Parallel()
	marked := func(text, cache string) llm.Part { return llm.Part{Kind: llm.Text, Text: text, Cache: cache} }
	r := &llm.Request{
		Tools: []llm.Tool{{Name: "f", Cache: "1h"}},
		Messages: []llm.Message{
			said(llm.System, marked("s", "1h")), said(llm.User, marked("a", "1h"), marked("b", "5m")),
			said(llm.Assistant, llm.Part{Kind: llm.Thinking, Signature: sealed, Cache: "5m"}, llm.TextPart("c")), said(llm.User, marked("d", "1h"), marked("e", "5m")),
		},
	}
	_, w := encode(t, r, dialect.Target{Model: budget})
	body := string(w.Body)
	if n := strings.Count(body, "cache_control"); n != 4 {
		t.Errorf("%d markers in %s", n, body)
	}
	for _, want := range []string{
		`{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}`, `{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}`,
		`{"type":"text","text":"d","cache_control":{"type":"ephemeral"}}`, `{"type":"text","text":"s"}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

func TestEncodeMedia(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]llm.Part{
		`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"x"}}`:                                      {Kind: llm.Image, Media: &llm.Media{Type: "image/jpg", Data: "x"}},
		`{"type":"image","source":{"type":"url","url":"https://x"}}`:                                                            {Kind: llm.Image, Media: &llm.Media{URL: "https://x"}},
		`{"type":"document","source":{"type":"file","file_id":"f"},"title":"T"}`:                                                {Kind: llm.Document, Media: &llm.Media{FileID: "f", Name: "T"}},
		`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"x"},"citations":{"enabled":true}}`: {Kind: llm.Document, Media: &llm.Media{Data: "x", Cited: true}},
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b"}}`:                                   {Kind: llm.Document, Media: &llm.Media{Type: "text/csv", Data: "YSxi"}},
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"}}`:                                 {Kind: llm.Document, Media: &llm.Media{Text: "plain"}},
		`{"type":"redacted_thinking","data":"EqQB"}`:                                                                            {Kind: llm.Sealed, Signature: sealed},
	} {
		role := llm.User
		if p.Kind == llm.Sealed {
			role = llm.Assistant
		}
		_, w := encode(t, &llm.Request{Messages: []llm.Message{ask, said(role, p), said(llm.User, llm.TextPart("?"))}}, dialect.Target{Model: budget})
		if !strings.Contains(string(w.Body), want) {
			t.Errorf("no %s in %s", want, w.Body)
		}
		if hasBeta := strings.Contains(w.Header.Get("Anthropic-Beta"), "files-api"); hasBeta != (p.Media != nil && p.Media.FileID != "") {
			t.Errorf("headers %v for %s", w.Header, want)
		}
	}
}

// What a caller of this dialect asks for means the same after a translation.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	const said = `"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]`
	for _, body := range []string{
		`{"model":"claude-sonnet-4-5","max_tokens":9,` + said + `}`,
		`{"model":"claude-sonnet-4","max_tokens":9,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}],"temperature":0.5,"top_p":0.5,"top_k":3,"stop_sequences":["E"],"metadata":{"user_id":"u"},"service_tier":"standard_only","stream":true,` + said + `}`,
		`{"model":"claude-sonnet-4-5","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2048},` + said + `}`,
		`{"model":"claude-opus-5-5","max_tokens":9000,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh","format":{"type":"json_schema","schema":{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}},"additionalProperties":false}}},` + said + `}`,
		`{"model":"claude-sonnet-5-5","max_tokens":9,"thinking":{"type":"between_tools"},` + said + `}`,
		`{"model":"claude-opus-4-5","max_tokens":9,"container":"c","context_management":{"edits":[]},"speed":"fast",` + said + `}`,
		`{"model":"claude-opus-4-5","max_tokens":9,"tools":[{"name":"f","description":"D","input_schema":{"type":"object","properties":{"a":{"type":"integer","minimum":3}}},"cache_control":{"type":"ephemeral"}},{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},` + said + `}`,
		`{"model":"claude-opus-4-5","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2048},"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[` +
			`{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"x"}},{"type":"document","source":{"type":"url","url":"https://x"},"title":"T","citations":{"enabled":true}}]},` +
			`{"role":"assistant","content":[{"type":"thinking","thinking":"hm <>","signature":"EqQB"},{"type":"redacted_thinking","data":"Emw"},{"type":"text","text":"so"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":[1,{"b":null}]}},{"type":"tool_use","id":"toolu_2","name":"f","input":{}}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"url","url":"https://y"}}],"cache_control":{"type":"ephemeral"}},{"type":"tool_result","tool_use_id":"toolu_2","is_error":true},{"type":"text","text":"go"}]}]}`,
	} {
		r := decode(t, body)
		var model struct{ Model string }
		if err := json.Unmarshal([]byte(body), &model); err != nil {
			t.Fatal(err)
		}
		_, w := encode(t, r, dialect.Target{Provider: "anthropic", Model: model.Model})
		if diff := cmp.Diff(sorted(t, body), sorted(t, string(w.Body))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func sorted(t *testing.T, body string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWire(t *testing.T) {
	t.Parallel()
	r := &llm.Request{Messages: []llm.Message{ask}, Stream: true, Hints: map[string]json.RawMessage{"anthropic-beta": json.RawMessage(`["b1","b2"]`)}}
	_, w := encode(t, r, dialect.Target{Provider: "anthropic", Model: "m"})
	want := http.Header{"Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"b1,b2"}}
	if diff := cmp.Diff(want, w.Header); w.Path != "/messages" || diff != "" {
		t.Errorf("%s\n%s", w.Path, diff)
	}
	fields, w := encode(t, r, dialect.Target{Provider: "vertex_ai", Model: "claude-opus-4-5@20251101"})
	if w.Path != "/models/claude-opus-4-5@20251101:streamRawPredict" || w.Header != nil || fields["model"] != nil || string(fields["anthropic_beta"]) != `["b1","b2"]` {
		t.Errorf("%s %v %s", w.Path, w.Header, w.Body)
	}
}
