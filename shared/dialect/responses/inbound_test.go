package responses_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func decode(t *testing.T, body string) *llm.Request {
	t.Helper()
	r, err := peek(t, body).In.DecodeRequest()
	if err != nil {
		t.Fatalf("DecodeRequest: %v", err)
	}
	return r
}

func user(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.User, Parts: parts} }

func model(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: parts} }

func system(text string) llm.Message {
	return llm.Message{Role: llm.System, Parts: []llm.Part{llm.TextPart(text)}}
}

func result(id, name string, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Name: name, Parts: parts}}
}

func TestDecodeRequest(t *testing.T) {
	t.Parallel()
	r := decode(t, `{"model":"m","instructions":"Be brief.","input":"hi","temperature":0.5,"top_p":1,"top_logprobs":3,"max_output_tokens":100,
		"parallel_tool_calls":false,"service_tier":"flex","safety_identifier":"u","store":false,"metadata":{"tags":["x"],"k":"v"},"include":["reasoning.encrypted_content"],
		"reasoning":{"effort":"high","generate_summary":"detailed"},"truncation":"auto","max_tool_calls":3,"stream":true,"user":null,"future":1,
		"text":{"verbosity":"low","format":{"type":"json_schema","name":"n","description":"d","schema":{"type":"object"},"strict":true}},
		"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},{"type":"file_search","vector_store_ids":["v"]}],
		"tool_choice":{"type":"function","name":"f"}}`)
	want := &llm.Request{
		Messages: []llm.Message{system("Be brief."), user(llm.TextPart("hi"))}, Temperature: number(0.5), TopP: number(1.0), Logprobs: true, TopLogprobs: 3,
		MaxOutput: 100, Parallel: number(false), ServiceTier: "flex", User: "u", N: 1, Stream: true, Verbosity: "low",
		Reasoning: llm.Reasoning{Effort: "high", Summary: "detailed", Show: number(true)},
		Format:    llm.Format{Kind: llm.JSONSchema, Name: "n", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: number(true)},
		Tools: []llm.Tool{
			{Name: "f", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: number(true)},
			{Name: "file_search", Vendor: json.RawMessage(`{"type":"file_search","vector_store_ids":["v"]}`), Dialect: "responses"},
		},
		Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "f"},
		Extra:  map[string]json.RawMessage{"future": json.RawMessage("1")},
		Hints: map[string]json.RawMessage{
			"store": json.RawMessage("false"), "metadata": json.RawMessage(`{"k":"v"}`), "truncation": json.RawMessage(`"auto"`), "max_tool_calls": json.RawMessage("3"),
		},
	}
	if diff := cmp.Diff(r, want); diff != "" {
		t.Error(diff)
	}
	if r := decode(t, `{"model":"m","input":"hi","reasoning":{"effort":"none","summary":null},"text":{"format":{"type":"json_object"}},"include":["message.output_text.logprobs"],"tool_choice":"required"}`); !r.Reasoning.Off ||
		r.Format.Kind != llm.JSONObject || !r.Logprobs || r.Choice.Mode != llm.ChooseAny {
		t.Errorf("DecodeRequest = %+v", r)
	}
}

func TestDecodeItems(t *testing.T) {
	t.Parallel()
	packed := llm.Pack("c9", llm.Signature{Maker: llm.MakerGemini, Value: "sig"})
	r := decode(t, `{"model":"m","input":[
		{"role":"developer","content":"Rules."},
		{"role":"user","content":[{"type":"input_text","text":"see","prompt_cache_breakpoint":{}},{"type":"input_image","image_url":"data:image/png;base64,iVBO","detail":"high"},
			{"type":"input_image","file_id":"file-1"},{"type":"input_file","file_data":"data:application/pdf;base64,JVBE","filename":"a.pdf"},
			{"type":"input_file","file_data":"SGk=","filename":"a.TXT"},{"type":"input_file","file_url":"https://x/y.pdf"},{"type":"input_file","file_id":"file-2"},
			{"type":"input_audio","input_audio":{"data":"SUQz","format":"mp3"}}]},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAAA"},
		{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAB"},
		{"type":"reasoning","summary":[],"encrypted_content":"anthropic:x"},
		{"type":"reasoning","summary":[],"encrypted_content":"sealed:anthropic:y"},
		{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"open"}]},
		{"type":"reasoning","summary":[],"encrypted_content":null},
		{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Go.","annotations":[{"type":"url_citation","url":"https://go.dev","title":"Go","start_index":0,"end_index":2}]},{"type":"refusal","refusal":"No."}]},
		{"type":"function_call","call_id":"`+packed+`","name":"f","arguments":"{\"a\":1}"},
		{"type":"custom_tool_call","call_id":"c2","name":"patch","input":"a\nb"},
		{"type":"local_shell_call","id":"lsh_1","call_id":"c3","status":"completed","action":{"type":"exec","command":["ls"],"env":{}}},
		{"type":"shell_call","call_id":"c4","action":{"commands":["ls"]}},
		{"type":"apply_patch_call","call_id":"c5","status":"completed","operation":{"type":"delete_file","path":"x"}},
		{"type":"function_call_output","call_id":"`+packed+`","output":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"https://x/y.png"}]},
		{"type":"custom_tool_call_output","call_id":"c2","output":"ok"},
		{"type":"local_shell_call_output","id":"c3","call_id":"c3","output":"{\"output\":\"x\"}"},
		{"type":"shell_call_output","call_id":"c4","output":[{"stdout":"x","stderr":"","outcome":{"type":"exit","exit_code":0}}]},
		{"type":"apply_patch_call_output","call_id":"c5","status":"failed","output":"no such file"},
		{"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBO"},
		{"type":"web_search_call","id":"ws_1","status":"completed"},
		{"role":"user","content":"more"}]}`)
	failed := result("c5", "apply_patch", llm.TextPart("no such file"))
	failed.Result.IsError = true
	signed := call("c9", "f", `{"a":1}`)
	signed.Signature = llm.Signature{Maker: llm.MakerGemini, Value: "sig"}
	want := []llm.Message{
		system("Rules."),
		user(llm.Part{Kind: llm.Text, Text: "see", Cache: "5m"}, llm.Part{Kind: llm.Image, Media: &llm.Media{Type: "image/png", Data: "iVBO", Detail: "high"}},
			llm.Part{Kind: llm.Image, Media: &llm.Media{FileID: "file-1"}}, llm.Part{Kind: llm.Document, Media: &llm.Media{Type: "application/pdf", Data: "JVBE", Name: "a.pdf"}},
			llm.Part{Kind: llm.Document, Media: &llm.Media{Type: "text/plain", Data: "SGk=", Name: "a.TXT"}}, llm.Part{Kind: llm.Document, Media: &llm.Media{URL: "https://x/y.pdf"}},
			llm.Part{Kind: llm.Document, Media: &llm.Media{FileID: "file-2"}}, llm.Part{Kind: llm.Audio, Media: &llm.Media{Type: "audio/mp3", Data: "SUQz"}}),
		model(
			llm.Part{Kind: llm.Thinking, ID: "rs_1", Text: "a\n\nb", Signature: llm.Signature{Maker: llm.MakerOpenAI, Value: "gAAA"}},
			llm.Part{Kind: llm.Sealed, ID: "rs_2", Signature: llm.Signature{Maker: llm.MakerOpenAI, Value: "gAAB"}},
			llm.Part{Kind: llm.Thinking, Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "x"}},
			llm.Part{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "y"}},
			llm.Part{Kind: llm.Thinking, Text: "open"},
			llm.Part{Kind: llm.Text, Text: "Go.", Citations: []llm.Citation{{Title: "Go", URL: "https://go.dev", End: 2, Document: -1}}},
			llm.Part{Kind: llm.Refusal, Text: "No."},
			signed, call("c2", "patch", `{"input":"a\nb"}`), call("c3", "local_shell", `{"command":["ls"],"env":{}}`),
			call("c4", "shell", `{"commands":["ls"]}`), call("c5", "apply_patch", `{"type":"delete_file","path":"x"}`)),
		user(result("c9", "f", llm.TextPart("t"), llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "https://x/y.png"}}), result("c2", "patch", llm.TextPart("ok")),
			result("c3", "local_shell", llm.TextPart(`{"output":"x"}`)), result("c4", "shell", llm.TextPart(`[{"stdout":"x","stderr":"","outcome":{"type":"exit","exit_code":0}}]`)), failed),
		model(llm.Part{Kind: llm.Image, ID: "ig_1", Media: &llm.Media{Type: "image/png", Data: "iVBO"}}),
		user(llm.TextPart("more")),
	}
	if diff := cmp.Diff(r.Messages, want); diff != "" {
		t.Error(diff)
	}
	if _, hinted := r.Hints["input.web_search_call"]; !hinted {
		t.Error("an item that is left out is not told")
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for fields, param := range map[string]string{
		`"input":"x","temperature":3`: "temperature", `"input":"x","temperature":"x"`: "temperature", `"input":"x","top_logprobs":21`: "top_logprobs",
		`"input":"x","reasoning":{"effort":"huge"}`: "reasoning.effort", `"input":"x","reasoning":{"summary":"x"}`: "reasoning.summary",
		`"input":"x","reasoning":{"effort":3}`:         "reasoning.effort",
		`"input":"x","text":{"format":{"type":"xml"}}`: "text.format.type", `"input":"x","text":{"format":{"type":"json_schema"}}`: "text.format.schema",
		`"input":"x","text":{"verbosity":"loud"}`: "text.verbosity", `"input":"x","include":["everything"]`: "include[0]",
		`"input":"x","previous_response_id":"resp_1"`: "previous_response_id", `"input":"x","conversation":"conv_1"`: "conversation", `"prompt":{"id":"p"}`: "prompt",
		`"input":"x","tools":[{"name":"f"}]`: "tools[0].type", `"input":"x","tools":[{"type":"function"}]`: "tools[0].name",
		`"input":"x","tools":[{"type":"function","name":"f","parameters":[]}]`: "tools[0].parameters", `"input":"x","tools":{}`: "tools",
		`"input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"custom"}]}]`: "tools[0].tools[0].name",
		`"input":"x","tool_choice":"maybe"`:                                                 "tool_choice", `"input":"x","tool_choice":{"type":"function"}`: "tool_choice.name",
		`"input":"x","tool_choice":{"type":"allowed_tools","mode":"x","tools":[]}`: "tool_choice.mode",
		`"input":[3]`: "input[0]", `"input":[{}]`: "input[0].id", `"input":[{"type":"item_reference","id":"msg_1"}]`: "input[0].id", `"input":[{"type":"magic"}]`: "input[0].type",
		`"input":[{"role":"tool","content":"x"}]`: "input[0].role", `"input":[{"role":"user","content":3}]`: "input[0].content",
		`"input":[{"role":"user","content":[{"type":"video"}]}]`: "input[0].content[0].type", `"input":[{"role":"user","content":[{"type":"input_image","image_url":"ftp://x"}]}]`: "input[0].content[0].image_url",
		`"input":[{"role":"user","content":[{"type":"input_file"}]}]`: "input[0].content[0]", `"input":[{"role":"user","content":[{"type":"input_audio"}]}]`: "input[0].content[0].input_audio",
		`"input":[{"type":"function_call","name":"f"}]`: "input[0].call_id", `"input":[{"type":"function_call","call_id":"c"}]`: "input[0].name",
		`"input":[{"type":"function_call","call_id":"c","name":"f","arguments":{}}]`: "input[0].arguments", `"input":[{"type":"function_call_output","output":"x"}]`: "input[0].call_id",
		`"input":[{"role":"user","content":""}]`: "input",
	} {
		_, err := peek(t, `{"model":"m",`+fields+`}`).In.DecodeRequest()
		if err == nil {
			t.Errorf("%s is taken", fields)
			continue
		}
		if e := errorOf(t, err); e.Param != param || e.Status() != 400 {
			t.Errorf("%s: %d %q %s", fields, e.Status(), e.Param, e.Message)
		}
	}
	r := decode(t, `{"model":"m","input":[{"role":"user","content":"x"},{"type":"computer_call","id":"c","action":{}}]}`)
	if _, err := r.Fit(llm.Carries{}, peek(t, `{"model":"m","input":"x"}`).In.Field, func(string) bool { return false }); errorOf(t, err).Param != "input.computer_call" {
		t.Error(err)
	}
}

func TestAllowedTools(t *testing.T) {
	t.Parallel()
	r := decode(t, `{"model":"m","input":"x","tools":[{"type":"function","name":"a"},{"type":"function","name":"b"},{"type":"shell"}],
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"},{"type":"shell"}]}}`)
	if len(r.Tools) != 2 || r.Tools[0].Name != "b" || r.Tools[1].Name != "shell" || r.Choice.Mode != llm.ChooseAny {
		t.Errorf("Tools = %v, Choice = %v", r.Tools, r.Choice)
	}
}

// Codex must be able to use any model.
func TestCodex(t *testing.T) {
	t.Parallel()
	in, err := responses.Peek(gateway.OpResponses, []byte(recording(t, "requests/codex.json")), dialect.Hint{Header: fromCodex()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := in.In.DecodeRequest()
	if err != nil {
		t.Fatal(err)
	}
	var tools []string
	for _, tool := range r.Tools {
		if tool.Vendor != nil || tool.Name != "nop" && len(tool.Schema) == 0 {
			t.Errorf("not a function: %+v", tool)
		}
		tools = append(tools, tool.Name)
	}
	want := []string{"exec_command", "apply_patch", "mcp__gmail__send", "tool_search", "mcp__calendar__list"}
	if diff := cmp.Diff(tools, want); diff != "" {
		t.Error(diff)
	}
	if d := r.Tools[1].Description; !strings.Contains(d, "lark grammar:\nstart: begin_patch") {
		t.Errorf("the grammar is not told: %s", d)
	}
	if len(r.Extra) > 0 {
		t.Errorf("what Codex always sends would be refused: %v", r.Extra)
	}
	var roles []string
	for _, m := range r.Messages {
		roles = append(roles, string(m.Role))
	}
	if got := strings.Join(roles, " "); got != "system system user user assistant user assistant user assistant user" {
		t.Errorf("roles: %s", got)
	}
	codexAnswer(t, in)
}

func codexAnswer(t *testing.T, in *dialect.Request) {
	t.Helper()
	body, err := in.In.EncodeResponse(&llm.Response{ID: "msg_01", Choices: []llm.Choice{{Finish: llm.FinishTools, Parts: []llm.Part{
		{Kind: llm.Thinking, Text: "Now.", Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "EqQB"}},
		llm.TextPart("Patching."),
		call("a", "apply_patch", `{"input":"*** Begin Patch"}`), call("b", "mcp__gmail__send", `{"to":"x"}`), call("c", "tool_search", `{"query":"q"}`), call("d", "exec_command", `{"cmd":"ls"}`),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	r := object(t, body)
	checkResponse(t, r)
	var got []map[string]any
	for _, it := range r["output"].([]any) {
		it := it.(map[string]any)
		delete(it, "id")
		got = append(got, it)
	}
	want := []map[string]any{
		{"type": "reasoning", "summary": []any{map[string]any{"type": "summary_text", "text": "Now."}}, "encrypted_content": "anthropic:EqQB"},
		{"type": "message", "status": "completed", "role": "assistant", "content": []any{map[string]any{"type": "output_text", "text": "Patching.", "annotations": []any{}, "logprobs": []any{}}}},
		{"type": "custom_tool_call", "status": "completed", "call_id": "a", "name": "apply_patch", "input": "*** Begin Patch"},
		{"type": "function_call", "status": "completed", "call_id": "b", "name": "send", "namespace": "mcp__gmail", "arguments": `{"to":"x"}`},
		{"type": "tool_search_call", "status": "completed", "call_id": "c", "execution": "client", "arguments": map[string]any{"query": "q"}},
		{"type": "function_call", "status": "completed", "call_id": "d", "name": "exec_command", "arguments": `{"cmd":"ls"}`},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// Only Codex's own tools are left out unasked: anybody else who names one wants it.
func TestWhoIsCodex(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]int{"codex_cli_rs": 0, "codex-tui": 0, "codex_vscode": 0, "Codex Desktop": 0, "": 1, "my-codex": 1} {
		r, err := responses.Peek(gateway.OpResponses, []byte(`{"model":"m","input":"x","tools":[{"type":"web_search"}]}`), dialect.Hint{Header: http.Header{"Originator": {name}}})
		if err != nil {
			t.Fatal(err)
		}
		neutral, err := r.In.DecodeRequest()
		if err != nil || len(neutral.Tools) != left || (len(neutral.Hints) == 0) != (left == 1) {
			t.Errorf("%q: tools %v, hints %v, %v", name, neutral.Tools, neutral.Hints, err)
		}
	}
}
