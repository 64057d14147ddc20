package messages_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func decode(t *testing.T, body string, header ...string) *llm.Request {
	t.Helper()
	got, err := peek(t, gateway.OpMessages, body, header...).In.DecodeRequest()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Whatever a coding agent sends is read.
func TestDecodeRequest(t *testing.T) {
	t.Parallel()
	for name, body := range dialecttest.Texts(t, "requests/*.json") {
		got := decode(t, body, "Anthropic-Beta", "claude-code-20250219,context-1m-2025-08-07")
		dialecttest.Golden(t, "requests/"+name+".golden", dialecttest.Indented(got))
	}
}

func TestDecodeReasoning(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for fields, want := range map[string]llm.Reasoning{
		`"thinking":{"type":"enabled","budget_tokens":2048}`:                                   {Budget: 2048, Show: &yes},
		`"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}`:                      {Auto: true, Effort: "max"},
		`"thinking":{"type":"adaptive","display":"omitted"}`:                                   {Auto: true, Show: &no},
		`"thinking":{"type":"disabled"},"output_config":{"effort":"low"}`:                      {Off: true},
		`"thinking":{"type":"between_tools"}`:                                                  {Off: true},
		`"output_config":{"effort":"xhigh"}`:                                                   {Effort: "xhigh"},
		`"thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"high"}`: {Budget: 1024, Show: &yes},
		`"thinking":null,"output_config":null`:                                                 {},
	} {
		if diff := cmp.Diff(want, decode(t, `{"model":"a",`+fields+`,`+hello+`}`).Reasoning); diff != "" {
			t.Errorf("%s (-want +got):\n%s", fields, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	said := func(content string) string {
		return `"max_tokens":1,"messages":[{"role":"user","content":` + content + `}]`
	}
	replied := func(content string) string {
		return `"max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":` + content + `}]`
	}
	for body, param := range map[string]string{
		`"max_tokens":0,"messages":[{"role":"user","content":"x"}]`: "max_tokens",
		`"max_tokens":1,"messages":[5]`:                             "messages[0]",
		`"max_tokens":1,"messages":[{"content":"x"}]`:               "messages[0].role",
		`"max_tokens":1,"messages":[{"role":"tool","content":"x"}]`: "messages[0].role",
		`"max_tokens":1,"messages":[{"role":"user"}]`:               "messages[0].content",
		said(`5`):                          "messages[0].content",
		said(`[5]`):                        "messages[0].content[0]",
		said(`""`):                         "messages",
		said(`[{}]`):                       "messages[0].content[0].type",
		said(`[{"type":"video"}]`):         "messages[0].content[0].type",
		said(`[{"type":"tool_use"}]`):      "messages[0].content[0].type",
		said(`[{"type":"thinking"}]`):      "messages[0].content[0].type",
		said(`[{"type":"text","text":5}]`): "messages[0].content[0].text",
		said(`[{"type":"image"}]`):         "messages[0].content[0].source",
		said(`[{"type":"image","source":{"type":"cloud"}}]`):                                       "messages[0].content[0].source.type",
		said(`[{"type":"image","source":{"type":"base64","media_type":"png","data":"x"}}]`):        "messages[0].content[0].source.media_type",
		said(`[{"type":"image","source":{"type":"base64","media_type":"text/plain","data":"x"}}]`): "messages[0].content[0].source.media_type",
		said(`[{"type":"image","source":{"type":"base64","media_type":"image/png"}}]`):             "messages[0].content[0].source.data",
		said(`[{"type":"image","source":{"type":"url","url":"data:image/png,x"}}]`):                "messages[0].content[0].source.url",
		said(`[{"type":"image","source":{"type":"text","data":"x"}}]`):                             "messages[0].content[0].source.type",
		said(`[{"type":"container_upload","file_id":"f"}]`):                                        "messages[0].content[0].type",
		said(`[{"type":"text","text":"x","cache_control":{"type":"forever"}}]`):                    "messages[0].content[0].cache_control.type",
		said(`[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1d"}}]`):       "messages[0].content[0].cache_control.ttl",
		said(`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"tool_result"}]}]`):      "messages[0].content[0].content[0].type",
		said(`[{"type":"tool_result"}]`):                                                           "messages[0].content[0].tool_use_id",
		said(`[{"type":"tool_result","tool_use_id":"a","is_error":"yes"}]`):                        "messages[0].content[0].is_error",
		replied(`[{"type":"tool_use","name":"f"}]`):                                                "messages[1].content[0].id",
		replied(`[{"type":"tool_use","id":"a","name":"f","input":"x"}]`):                           "messages[1].content[0].input",
		replied(`[{"type":"tool_result","tool_use_id":"a"}]`):                                      "messages[1].content[0].type",
		replied(`[{"type":"redacted_thinking"}]`):                                                  "messages[1].content[0].data",
		`"system":5,` + said(`"x"`):                                                                "system",
		`"system":[{"type":"image"}],` + said(`"x"`):                                               "system[0].type",
		`"temperature":1.5,` + said(`"x"`):                                                         "temperature",
		`"temperature":"hot",` + said(`"x"`):                                                       "temperature",
		`"top_k":-1,` + said(`"x"`):                                                                "top_k",
		`"stop_sequences":[1],` + said(`"x"`):                                                      "stop_sequences[0]",
		`"stop_sequences":"x",` + said(`"x"`):                                                      "stop_sequences",
		`"service_tier":"flex",` + said(`"x"`):                                                     "service_tier",
		`"thinking":{"type":"enabled"},` + said(`"x"`):                                             "thinking.budget_tokens",
		`"thinking":{"type":"enabled","budget_tokens":10},` + said(`"x"`):                          "thinking.budget_tokens",
		`"thinking":{"type":"hard"},` + said(`"x"`):                                                "thinking.type",
		`"thinking":true,` + said(`"x"`):                                                           "thinking",
		`"output_config":{"effort":"none"},` + said(`"x"`):                                         "output_config.effort",
		`"output_config":{"format":{"type":"yaml"}},` + said(`"x"`):                                "output_config.format.type",
		`"output_format":{"type":"json_schema"},` + said(`"x"`):                                    "output_format.schema",
		`"tools":{},` + said(`"x"`):                                                                "tools",
		`"tools":[{"input_schema":{}}],` + said(`"x"`):                                             "tools[0].name",
		`"tools":[{"name":"f"}],` + said(`"x"`):                                                    "tools[0].input_schema",
		`"tools":[{"name":"f","input_schema":[]}],` + said(`"x"`):                                  "tools[0].input_schema",
		`"tool_choice":{"type":"tool"},` + said(`"x"`):                                             "tool_choice.name",
		`"tool_choice":{"type":"must"},` + said(`"x"`):                                             "tool_choice.type",
		`"tool_choice":"auto",` + said(`"x"`):                                                      "tool_choice",
	} {
		_, err := peekAny(t, `{"model":"a",`+body+`}`).In.DecodeRequest()
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != param {
			t.Errorf("%s: %v (param %q, want %q)", body, err, e.Param, param)
		}
	}
}

func peekAny(t *testing.T, body string) *dialect.Request { return peek(t, gateway.OpMessages, body) }

// What other vendors sign comes back to them, through fields and ids that Anthropic's clients keep.
func TestSignatures(t *testing.T) {
	t.Parallel()
	in := peekAny(t, `{"model":"a",`+hello+`}`).In
	gemini := llm.Signature{Maker: llm.MakerGemini, Value: "c2ln+/="}
	openai := llm.Signature{Maker: llm.MakerOpenAI, Value: "gAAA=="}
	sent, err := in.EncodeResponse(&llm.Response{ID: "r", Choices: []llm.Choice{{Finish: llm.FinishTools, Parts: []llm.Part{
		{Kind: llm.Thinking, Text: "hm", Signature: openai}, {Kind: llm.Sealed, Signature: openai},
		{Kind: llm.ToolCall, Call: &llm.Call{ID: "functions.f:0", Name: "f", Arguments: `{"a":1}`}, Signature: gemini},
		{Kind: llm.ToolCall, Call: &llm.Call{Name: "g", Arguments: `{"a":`}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Content []map[string]any }
	if err := json.Unmarshal(sent, &answer); err != nil {
		t.Fatal(err)
	}
	for _, b := range answer.Content {
		if id, ok := b["id"].(string); ok && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			t.Errorf("id %q", id)
		}
	}
	content, _ := json.Marshal(answer.Content)
	back := decode(t, `{"model":"a","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":`+string(content)+`}]}`)
	parts := back.Messages[1].Parts
	if parts[0].Signature != openai || parts[1].Signature != openai || parts[2].Signature != gemini || !parts[3].Signature.IsZero() {
		t.Errorf("signatures are lost: %+v", parts)
	}
	if parts[2].Call.ID != llm.FitID("functions.f:0", 128) || parts[3].Call.Arguments != `{"INVALID_JSON":"{\"a\":"}` {
		t.Errorf("calls are changed: %+v %+v", parts[2].Call, parts[3].Call)
	}
}

func TestFieldNames(t *testing.T) {
	t.Parallel()
	in := peekAny(t, `{"model":"a",`+hello+`}`).In
	for p, want := range map[llm.Param]string{
		llm.Stop: "stop_sequences", llm.ReasoningParam: "thinking", llm.Temperature: "temperature", llm.ParallelTools: "tool_choice.disable_parallel_tool_use",
	} {
		if got := in.Field(p); got != want {
			t.Errorf("%s is called %q", p, got)
		}
	}
	if messages.Dialect.Out == nil || messages.Dialect.Op != gateway.OpMessages {
		t.Error("the dialect is not whole")
	}
}
