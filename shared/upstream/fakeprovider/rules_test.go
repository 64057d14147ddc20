package fakeprovider_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

func wireNamed(name string) fakeprovider.Wire {
	for _, w := range fakeprovider.Wires() {
		if w.Name == name {
			return w
		}
	}
	panic(name)
}

// rule is a request that a vendor refuses, or accepts if want is empty.
type rule struct{ name, model, body, want string }

func checkRules(t *testing.T, wire string, rules []rule) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	w := wireNamed(wire)
	for _, r := range rules {
		status, answer, _ := say(t, url, w, r.model, false, fill(w, r.body, r.model, false))
		answer = strings.ReplaceAll(strings.ReplaceAll(answer, `\u003e`, ">"), `\"`, `"`)
		if r.want == "" && status != 200 || r.want != "" && (status < 400 || !strings.Contains(answer, r.want)) {
			t.Errorf("%s: status %d, answer %s", r.name, status, answer)
		}
	}
	if v := p.Violations(); len(v) > 0 {
		t.Errorf("violations: %+v", v)
	}
}

func TestAnthropicRules(t *testing.T) {
	const user, hi = `{"role":"user","content":"hi"}`, `"max_tokens":9,"messages":[{"role":"user","content":"hi"}]`
	const tool = `"tools":[{"name":"f","input_schema":{"type":"object"}}]`
	call := func(first string) string {
		return `{VERSION,"max_tokens":3000,` + tool + `,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[` + user + `,
			{"role":"assistant","content":[` + first +
			`{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}`
	}
	mark := `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	checkRules(t, "anthropic", []rule{
		{"good", "m", `{VERSION,` + hi + `}`, ""},
		{"no max_tokens", "m", `{VERSION,"messages":[` + user + `]}`, "max_tokens: Field required"},
		{"unknown field", "m", `{VERSION,` + hi + `,"n":1}`, "n: Extra inputs are not permitted"},
		{"unknown in a block", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x","foo":1}]}]}`,
			"messages.0.content.0.foo: Extra inputs"},
		{"same role twice", "m", `{VERSION,"max_tokens":9,"messages":[` + user + `,` + user + `]}`, ""},
		{"assistant first", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"assistant","content":"x"}]}`, "first message"},
		{"system role", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"system","content":"x"}]}`, "messages.0.role"},
		{"empty text", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, "must be non-empty"},
		{"blank text", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"user","content":" \n"}]}`, "non-whitespace"},
		{"temperature", "m", `{VERSION,` + hi + `,"temperature":1.1}`, "temperature: Input should be"},
		{
			"small budget", "m",
			`{VERSION,"max_tokens":2000,"messages":[` + user + `],"thinking":{"type":"enabled","budget_tokens":1000}}`,
			"budget_tokens",
		},
		{"budget over limit", "m", `{VERSION,"max_tokens":2000,"messages":[` + user + `],"thinking":{"type":"enabled","budget_tokens":2000}}`,
			"must be greater than `thinking.budget_tokens`"},
		{"hot thinking", "m", `{VERSION,"max_tokens":2000,"temperature":0.5,"messages":[` + user + `],"thinking":{"type":"enabled",
			"budget_tokens":1024}}`,
			"may only be set to 1 when thinking"},
		{"forced thinking", "m", `{VERSION,"max_tokens":2000,` + tool + `,"tool_choice":{"type":"any"},"messages":[` + user +
			`],"thinking":{"type":"enabled","budget_tokens":1024}}`, "tool_choice forces tool use"},
		{"no thoughts before a call", "m", call(""), "Expected `thinking` or `redacted_thinking`, but found `tool_use`"},
		{"altered thoughts", "m", call(`{"type":"thinking","thinking":"x","signature":"sig-0"},`), "Invalid `signature` in `thinking` block"},
		{"foreign seal", "m", call(`{"type":"redacted_thinking","data":"eHg="},`), "Invalid `data`"},
		{
			"five marks", "m",
			`{VERSION,"max_tokens":9,"messages":[{"role":"user","content":[` + strings.Repeat(mark+",", 4) + mark + `]}]}`,
			"maximum of 4 blocks",
		},
		{"hour after minutes", "m", `{VERSION,"max_tokens":9,"messages":[{"role":"user","content":[` + mark + `,` +
			strings.Replace(mark, `l"}`, `l","ttl":"1h"}`, 1) + `]}]}`, "must not come after"},
		{"tool name", "m", `{VERSION,` + hi + `,"tools":[{"name":"a b","input_schema":{"type":"object"}}]}`, "tools.0.name"},
		{"schema type", "m", `{VERSION,` + hi + `,"tools":[{"name":"f","input_schema":{"type":"string"}}]}`, "tools.0.input_schema.type"},
		{"choice without tools", "m", `{VERSION,` + hi + `,"tool_choice":{"type":"auto"}}`, "while providing `tools`"},
		{"call id", "m", `{VERSION,"max_tokens":9,` + tool + `,"messages":[` + user + `,{"role":"assistant","content":[{"type":"tool_use",
			"id":"a.b","name":"f","input":{}}]}]}`,
			"messages.1.content.0.id"},
		{"late result", "m", `{VERSION,"max_tokens":9,` + tool + `,"messages":[` + user + `,{"role":"assistant",
			"content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"a"}]}]}`,
			"without `tool_result` blocks immediately after"},
		{
			"open schema", "m",
			`{VERSION,` + hi + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}`,
			"additionalProperties",
		},
		{
			"image data", "m",
			`{VERSION,"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png",
				"data":"?"}}]}]}`,
			"base64",
		},
		{"two samplers", "claude-sonnet-4-5", `{VERSION,` + hi + `,"temperature":1,"top_p":1}`, "cannot both be specified"},
		{"prefill", "claude-opus-4-6", `{VERSION,"max_tokens":9,"messages":[` + user + `,{"role":"assistant","content":"x"}]}`, "prefill"},
	})
}

func TestVertexAnthropicRules(t *testing.T) {
	const hi = `"max_tokens":9,"messages":[{"role":"user","content":"hi"}]`
	checkRules(t, "vertex-anthropic", []rule{
		{"no version", "m", `{` + hi + `}`, "anthropic_version: Field required"},
		{"model in body", "m", `{VERSION,"model":"m",` + hi + `}`, "model: Extra inputs"},
		{"stream by the wrong method", "m", `{VERSION,"stream":true,` + hi + `}`, "stream"},
	})
}

func TestGeminiRules(t *testing.T) {
	const hi = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
	schema := func(s string) string {
		return `{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":` + s + `}}}]}]}`
	}
	call := `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}SIG}]},
		{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`
	rules := []rule{
		{"good", "m", `{` + hi + `}`, ""},
		{"snake case", "m", `{` + hi + `,"generation_config":{"max_output_tokens":5},"system_instruction":{"parts":[{"text":"x"}]}}`, ""},
		{"no contents", "m", `{"contents":[]}`, "contents is not specified"},
		{"unknown field", "m", `{` + hi + `,"messages":[]}`, `Unknown name "messages"`},
		{"unknown in a part", "m", `{"contents":[{"role":"user","parts":[{"text":"x",
			"cacheControl":{}}]}]}`, `Unknown name "cacheControl" at 'contents[0].parts[0]'`},
		{"role", "m", `{"contents":[{"role":"assistant","parts":[{"text":"x"}]}]}`, "valid role"},
		{"no data", "m", `{"contents":[{"role":"user","parts":[{}]}]}`, "exactly one of"},
		{
			"two kinds of data", "m",
			`{"contents":[{"role":"user","parts":[{"text":"x","inlineData":{"mimeType":"image/png","data":"eA=="}}]}]}`,
			"exactly one of",
		},
		{"empty text", "m", `{"contents":[{"role":"user","parts":[{"text":""}]}]}`, "required oneof field 'data'"},
		{"additionalProperties", "m", schema(`{"type":"OBJECT","additionalProperties":false}`), `Unknown name "additionalProperties"`},
		{"$ref", "m", schema(`{"$ref":"#/x"}`), `Unknown name "$ref"`},
		{"list of types", "m", schema(`{"type":["STRING","NULL"]}`), "a type"},
		{"lower case type", "m", schema(`{"type":"string","description":"d"}`), ""},
		{"format", "m", schema(`{"type":"STRING","format":"uri"}`), "only 'enum' and 'date-time'"},
		{"array without items", "m", schema(`{"type":"ARRAY"}`), "items"},
		{"no properties", "m", schema(`{"type":"OBJECT","properties":{}}`), "non-empty for OBJECT"},
		{
			"JSON schema is free", "m",
			`{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","additionalProperties":false}}]}]}`,
			"",
		},
		{"unsigned call, old model", "gemini-2.5-flash", strings.Replace(call, "SIG", "", 1), ""},
		{"unsigned call", "gemini-3-pro", strings.Replace(call, "SIG", "", 1), "missing a thought_signature"},
		{
			"altered signature", "gemini-2.5-flash",
			strings.Replace(call, "SIG", `,"thoughtSignature":"c2lnLTA="`, 1),
			"Invalid thought signature",
		},
		{
			"pardoned signature", "gemini-3-pro",
			strings.Replace(call, "SIG", `,"thoughtSignature":"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="`, 1),
			"",
		},
		{
			"ends with the model", "m",
			`{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[{"text":"y"}]}]}`,
			"end with a user role",
		},
		{
			"budget and level", "m",
			`{` + hi + `,"generationConfig":{"thinkingConfig":{"thinkingBudget":5,"thinkingLevel":"LOW"}}}`,
			"only one of",
		},
		{
			"tools and JSON", "gemini-2.5-flash",
			`{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f"}]}],"generationConfig":{"responseMimeType":"application/json"}}`,
			"is unsupported",
		},
		{
			"allowed names", "m",
			`{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO",
				"allowedFunctionNames":["f"]}}}`,
			"mode is ANY",
		},
	}
	checkRules(t, "gemini", rules)
}

func TestConverseRules(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":[{"text":"hi"}]}]`
	const tool = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`
	content := func(b string) string { return `{"messages":[{"role":"user","content":[` + b + `]}]}` }
	call := `"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[FIRST{"toolUse":{"toolUseId":"a",
		"name":"f","input":{}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"x"}]}}]}]`
	thinking := `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`
	checkRules(t, "bedrock", []rule{
		{"good", "m", `{` + hi + `}`, ""},
		{"unknown field", "m", `{` + hi + `,"max_tokens":5}`, "'max_tokens' is not a known member"},
		{
			"two in a row", "m",
			`{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"}]}]}`,
			"must alternate",
		},
		{"assistant first", "m", `{"messages":[{"role":"assistant","content":[{"text":"a"}]}]}`, "start with a user message"},
		{"blank text", "m", content(`{"text":" "}`), "messages.0.content.0 is blank"},
		{"no content", "m", `{"messages":[{"role":"user","content":[]}]}`, "messages.0.content"},
		{"no toolConfig", "m", `{` + strings.Replace(call, "FIRST", "", 1) + `}`, "toolConfig field must be defined"},
		{"good call", "m", `{` + tool + `,` + strings.Replace(call, "FIRST", "", 1) + `}`, ""},
		{"call id", "m", `{` + tool + `,` + strings.ReplaceAll(strings.Replace(call, "FIRST", "", 1), `"a"`, `"a b"`) + `}`, "toolUseId"},
		{"empty error", "m", `{` + tool + `,` +
			strings.Replace(strings.Replace(call, "FIRST", "", 1), `"content":[{"text":"x"}]`, `"content":[],"status":"error"`, 1) + `}`,
			"cannot be empty when status value is error"},
		{"document name", "m", content(`{"text":"a"},{"document":{"name":"a.pdf","format":"pdf","source":{"bytes":"eA=="}}}`), "document.name"},
		{"document alone", "m", content(`{"document":{"name":"a","format":"pdf","source":{"bytes":"eA=="}}}`), "text field is required"},
		{"image format", "m", content(`{"image":{"format":"bmp","source":{"bytes":"eA=="}}}`), "image.format"},
		{"image bytes", "m", content(`{"image":{"format":"png","source":{"bytes":"?"}}}`), "base64"},
		{"image URL", "m", content(`{"image":{"format":"png","source":{"url":"https://x"}}}`), "not a known member"},
		{"five cache points", "m", content(`{"text":"a"}` + strings.Repeat(`,{"cachePoint":{"type":"default"}}`, 5)), "maximum of 4 blocks"},
		{"extra of the model", "anthropic.claude-x", `{` + hi + `,"additionalModelRequestFields":{"foo":1}}`, "foo: Extra inputs"},
		{
			"no thoughts before a call", "anthropic.claude-x",
			`{` + thinking + `,` + tool + `,` + strings.Replace(call, "FIRST", "", 1) + `}`,
			"Expected `thinking`",
		},
		{"altered thoughts", "anthropic.claude-x", `{` + thinking + `,` + tool + `,` +
			strings.Replace(call, "FIRST", `{"reasoningContent":{"reasoningText":{"text":"x","signature":"y"}}},`, 1) +
			`}`, "Invalid `signature`"},
		{"temperature", "m", `{` + hi + `,"inferenceConfig":{"temperature":1.5}}`, "inferenceConfig.temperature"},
	})
}

func TestChatRules(t *testing.T) {
	const hi = `"model":"MODEL","messages":[{"role":"user","content":"hi"}]`
	format := func(s string) string {
		return `{` + hi + `,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":` + s + `}}}`
	}
	const call = `{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	checkRules(t, "openai", []rule{
		{"max_tokens of a reasoning model", "gpt-5-mini", `{` + hi + `,"max_tokens":5}`, "Use 'max_completion_tokens' instead"},
		{"temperature of a reasoning model", "o3", `{` + hi + `,"temperature":0.5}`, "Only the default (1) value"},
		{
			"open schema", "m",
			format(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`),
			"'additionalProperties' is required",
		},
		{
			"optional property", "m",
			format(`{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}`),
			"Missing 'a'",
		},
		{
			"strict schema", "m",
			format(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`),
			"",
		},
		{"JSON unsaid", "m", `{` + hi + `,"response_format":{"type":"json_object"}}`, "must contain the word 'json'"},
		{
			"image form", "m",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///x"}}]}]}`,
			"messages[0].content[0].image_url.url",
		},
		{
			"long id", "m",
			`{"model":"m","messages":[{"role":"user","content":"x"},` + strings.Replace(call, `"a"`, `"`+strings.Repeat("a", 41)+`"`, 1) + `]}`,
			"at most 40",
		},
		{
			"unanswered", "m",
			`{"model":"m","messages":[{"role":"user","content":"x"},` + call + `,{"role":"user","content":"y"}]}`,
			"did not have response messages: a",
		},
		{"choice without tools", "m", `{` + hi + `,"tool_choice":"auto"}`, "only allowed when 'tools' are specified"},
		{
			"foreign cache mark", "m",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}`,
			"Unknown parameter",
		},
		{
			"thoughts lost", "m+think-3",
			`{"model":"MODEL","messages":[{"role":"user","content":"x"},` + call + `,{"role":"tool","tool_call_id":"a","content":"y"}]}`,
			"reasoning_content",
		},
		{"Mistral's limit", "m+mistral", `{` + hi + `,"max_completion_tokens":5}`, "extra_forbidden"},
		{
			"Mistral's ids", "m+mistral",
			`{"model":"MODEL","messages":[{"role":"user","content":"x"},` + call + `,{"role":"tool","tool_call_id":"a","content":"y"}]}`,
			"length of 9",
		},
	})
}

func TestResponsesRules(t *testing.T) {
	const hi = `"model":"MODEL","input":"hi"`
	input := func(items string) string {
		return `{"model":"MODEL","input":[{"role":"user","content":"x"},` + items + `]}`
	}
	const call, output = `{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}`, `{"type":"function_call_output",
		"call_id":"a","output":"x"}`
	checkRules(t, "responses", []rule{
		{"unknown field", "m", `{` + hi + `,"messages":[]}`, "Unknown parameter: 'messages'"},
		{"small limit", "m", `{` + hi + `,"max_output_tokens":15}`, "Expected a value >= 16"},
		{"no input", "m", `{"model":"MODEL"}`, "must be provided"},
		{"output without call", "m", input(output), "No tool call found"},
		{"call without output", "m", input(call), "No tool output found for function call a"},
		{"both", "m", input(call + "," + output), ""},
		{"long call_id", "m", input(strings.Replace(call, `"a"`, `"`+strings.Repeat("a", 65)+`"`, 1)), "at most 64"},
		{"item id", "m", input(strings.Replace(call, `{`, `{"id":"call_1",`, 1) + "," + output), "matches '^fc'"},
		{"assistant's input_text", "m", input(`{"role":"assistant","content":[{"type":"input_text","text":"x"}]}`), "output_text"},
		{
			"altered thoughts", "m",
			input(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"eA=="},` + call + "," + output),
			"invalid_encrypted_content",
		},
		{"thoughts not kept", "m", input(`{"type":"reasoning","id":"rs_1","summary":[]},` + call + "," + output), "not persisted"},
		{
			"call without its thoughts", "m",
			input(strings.Replace(call, `{`, `{"id":"fc_r1_2",`, 1) + "," + output),
			"required 'reasoning' item: 'rs_1'",
		},
		{"unknown previous", "m", `{` + hi + `,"previous_response_id":"resp_9"}`, "previous_response_not_found"},
		{"reasoning", "gpt-4o", `{` + hi + `,"reasoning":{"effort":"low"}}`, "'reasoning.effort' is not supported"},
		{"chat's tool", "m", `{` + hi + `,"tools":[{"type":"function","function":{"name":"f"}}]}`, "tools[0]"},
	})
}
