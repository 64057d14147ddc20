package converse_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	sonnet45 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	opus46   = "global.anthropic.claude-opus-4-6-v1"
	sonnet5  = "eu.anthropic.claude-sonnet-5"
	fable5   = "anthropic.claude-fable-5"
	novaPro  = "amazon.nova-pro-v1:0"
	nova2    = "us.amazon.nova-2-lite-v1:0"
	llama33  = "us.meta.llama3-3-70b-instruct-v1:0"
	titan    = "amazon.titan-text-express-v1"
	gptOSS   = "openai.gpt-oss-120b-1:0"
)

func ptr[T any](v T) *T { return &v }

func user(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.User, Parts: parts} }

func assistant(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: parts} }

func call(id, name, arguments string) llm.Part {
	return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Arguments: arguments}}
}

func result(id string, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: parts}}
}

func png() llm.Part {
	return llm.Part{Kind: llm.Image, Media: &llm.Media{Type: "image/png", Data: "iVBORw0KGgo="}}
}

func document(name, mime, data string) llm.Part {
	return llm.Part{Kind: llm.Document, Media: &llm.Media{Type: mime, Data: data, Name: name}}
}

func thought(text, signature string) llm.Part {
	return llm.Part{Kind: llm.Thinking, Text: text, Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: signature}}
}

func hello() []llm.Message { return []llm.Message{user(llm.TextPart("Hello"))} }

func weather() []llm.Tool {
	schema := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","description":"<b>&"}},"required":["city"]}`)
	return []llm.Tool{{Name: "weather", Description: "Tells the weather.", Schema: schema}, {Name: "clock"}}
}

// called is a conversation after a tool call.
func called(last ...llm.Part) []llm.Message {
	return []llm.Message{
		user(llm.TextPart("Weather?")),
		assistant(append(slices.Clone(last), call("call_1", "weather", `{"city": "Bern"}`))...),
		user(result("call_1", llm.TextPart("sunny"))),
	}
}

type request struct {
	name    string
	model   string
	r       llm.Request
	clamp   int64
	drop    bool
	dropped string
}

var schema = json.RawMessage(`{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"],"additionalProperties":false}`)

var requests = []request{
	{name: "text", model: novaPro, r: llm.Request{
		Messages: []llm.Message{
			{Role: llm.System, Parts: []llm.Part{llm.TextPart("Be <brief> & kind.")}},
			user(llm.TextPart("Hi"), llm.TextPart("  ")), user(llm.TextPart("there")), assistant(llm.TextPart("Yes?")), user(llm.TextPart("1+1?")),
		},
		MaxOutput: 500, Temperature: ptr(0.5), TopP: ptr(0.9), TopK: ptr[int64](20), Stop: []string{"END", ""}, ServiceTier: "flex",
		Hints: map[string]json.RawMessage{"store": json.RawMessage("true")},
	}},
	{name: "clamped", model: gptOSS, clamp: 64, r: llm.Request{Messages: hello(), Seed: ptr[int64](7), FrequencyPenalty: ptr(0.5)}},
	{name: "no_system", model: titan, r: llm.Request{
		Messages: append([]llm.Message{{Role: llm.System, Parts: []llm.Part{llm.TextPart("Be brief.")}}}, hello()...),
	}},
	{name: "tools", model: sonnet45, r: llm.Request{
		Messages: []llm.Message{
			user(llm.TextPart("Weather?")),
			assistant(llm.TextPart("Let me see."), call("call_1", "weather", `{"city": "Bern"}`),
				call("call|2", "clock", ""), call("c3", "weather", `{"ci`)),
			user(result("call_1", llm.TextPart("sunny"), png())), user(llm.TextPart("Thanks.")),
			user(result("call|2", llm.TextPart("")),
				llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: "c3", IsError: true, Parts: []llm.Part{llm.TextPart("no")}}}),
		},
		Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "weather"}, Stop: []string{"END"},
	}},
	{name: "tools_auto", model: llama33, r: llm.Request{Messages: called(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseAuto}}},
	{name: "tools_named_by_any", model: "deepseek.v3-v1:0", r: llm.Request{
		Messages: hello(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "clock"},
	}},
	{name: "tools_none", model: sonnet45, r: llm.Request{Messages: hello(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseNone}}},
	{name: "tools_none_called", model: sonnet45, drop: true, dropped: "tool_choice", r: llm.Request{
		Messages: called(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseNone},
	}},
	{name: "tools_only_called", model: novaPro, r: llm.Request{Messages: called()}},
	{name: "result_json_moved_image", model: "mistral.pixtral-large-2502-v1:0", r: llm.Request{
		Messages: []llm.Message{
			user(llm.TextPart("Look.")), assistant(call("a", "shot", "{}"), call("b", "shot", "{}")),
			user(result("a", png()), result("b", llm.TextPart(`{"x":1}`)), llm.TextPart("Well?")),
		}, Tools: []llm.Tool{{Name: "shot"}},
	}},
	{name: "media", model: novaPro, r: llm.Request{Messages: []llm.Message{user(
		png(), llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "s3://bucket/cat.JPG"}},
		llm.Part{Kind: llm.Video, Media: &llm.Media{Type: "video/mp4", URL: "s3://bucket/film"}},
		document("Bericht_2025.final (v1)!.pdf", "application/pdf", "JVBERi0="),
		document("Bericht_2025.final (v1)?.pdf", "application/pdf", "JVBERi0="),
		document("", "text/x-python", "cHJpbnQoKQ=="), llm.Part{Kind: llm.Document, Media: &llm.Media{Text: "plain", Cited: true}},
	)}}, dropped: "messages"},
	{name: "text_document_as_text", model: "amazon.nova-micro-v1:0", r: llm.Request{Messages: []llm.Message{
		user(llm.Part{Kind: llm.Document, Media: &llm.Media{Text: "The grass is green.", Name: "facts"}}),
	}}},
	{name: "result_json", model: "mistral.mistral-large-2407-v1:0", r: llm.Request{
		Messages: []llm.Message{
			user(llm.TextPart("?")), assistant(call("a", "clock", "{}"), call("b", "clock", "{}")),
			user(result("a", llm.TextPart(` {"x":1}`)), result("b", llm.TextPart("[1]"))),
		}, Tools: []llm.Tool{{Name: "clock"}},
	}},
	{name: "cited_document", model: sonnet45, r: llm.Request{Messages: []llm.Message{user(
		llm.Part{Kind: llm.Document, Media: &llm.Media{Text: "The grass is green.", Name: "facts", Cited: true}}, llm.TextPart("Colour?"),
	)}}},
	{name: "cache", model: sonnet45, r: llm.Request{
		Messages: []llm.Message{
			{Role: llm.System, Parts: []llm.Part{{Kind: llm.Text, Text: "Long.", Cache: "1h"}}},
			user(llm.Part{Kind: llm.Text, Text: "Longer.", Cache: "5m"}, llm.TextPart("Hi")),
			assistant(call("a", "clock", "{}")), user(result("a", llm.Part{Kind: llm.Text, Text: "noon", Cache: "5m"})),
		},
		Tools: []llm.Tool{{Name: "clock", Cache: "1h"}},
	}},
	{name: "cache_nova", model: novaPro, r: llm.Request{
		Messages: []llm.Message{user(llm.Part{Kind: llm.Text, Text: "Longer.", Cache: "1h"})}, Tools: []llm.Tool{{Name: "clock", Cache: "1h"}},
	}},
	{name: "cache_none", model: llama33, dropped: "messages", r: llm.Request{
		Messages: []llm.Message{user(llm.Part{Kind: llm.Text, Text: "Hi", Cache: "5m"})},
	}},
	{name: "thinking", model: sonnet45, dropped: "temperature top_k", r: llm.Request{
		Messages: called(thought("Hm.", "c2ln"),
			llm.Part{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "c2VhbA=="}},
			llm.Part{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerGemini, Value: "x"}},
			llm.Part{Kind: llm.Thinking, Text: "unsigned"}),
		Tools: weather(), Reasoning: llm.Reasoning{Budget: 4000}, MaxOutput: 3000, Temperature: ptr(0.2),
		TopP: ptr(1.0), TopK: ptr[int64](5), Stop: []string{"X"}, Stream: true,
	}},
	{name: "thinking_word", model: sonnet45, r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Effort: "high"}, MaxOutput: 8000}},
	{name: "thinking_unsigned", model: sonnet45, dropped: "reasoning_effort", r: llm.Request{
		Messages: called(), Tools: weather(), Reasoning: llm.Reasoning{Effort: "low"},
	}},
	{name: "thinking_short", model: sonnet45, dropped: "reasoning_effort", r: llm.Request{
		Messages: hello(), Reasoning: llm.Reasoning{Effort: "low"}, MaxOutput: 1024,
	}},
	{name: "thinking_forced", model: sonnet45, dropped: "reasoning_effort", r: llm.Request{
		Messages: hello(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseAny}, Reasoning: llm.Reasoning{Auto: true},
	}},
	{name: "adaptive", model: opus46, dropped: "temperature", r: llm.Request{
		Messages: called(), Tools: weather(), Reasoning: llm.Reasoning{Effort: "xhigh"}, Temperature: ptr(0.1),
	}},
	{name: "adaptive_shown", model: sonnet5, r: llm.Request{
		Messages: hello(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseAny}, Temperature: ptr(1.0), TopP: ptr(1.0),
		Reasoning: llm.Reasoning{Budget: 2000, Show: ptr(true)},
	}},
	{name: "adaptive_off", model: sonnet5, r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Off: true}}},
	{name: "adaptive_never_off", model: fable5, dropped: "reasoning_effort", r: llm.Request{
		Messages: hello(), Reasoning: llm.Reasoning{Off: true},
	}},
	{name: "reasoning_nova", model: nova2, r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Effort: "high"}, MaxOutput: 9000}},
	{name: "reasoning_nova_high", model: nova2, dropped: "temperature", r: llm.Request{
		Messages: hello(), Reasoning: llm.Reasoning{Effort: "max"}, Temperature: ptr(0.3),
	}},
	{name: "reasoning_gpt_oss", model: gptOSS, r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Effort: "minimal"}}},
	{name: "reasoning_gpt", model: "us.openai.gpt-5.6-sol", r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Off: true}}},
	{name: "reasoning_deepseek", model: "deepseek.v3.2", r: llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Auto: true}}},
	{name: "schema_native", model: sonnet45, r: llm.Request{
		Messages: hello(), Tools: []llm.Tool{{Name: "clock", Strict: ptr(true)}}, Reasoning: llm.Reasoning{Effort: "low"},
		Format: llm.Format{Kind: llm.JSONSchema, Name: "sum", Description: "A sum.", Schema: schema, Strict: ptr(true)},
	}},
	{name: "schema_tool", model: novaPro, dropped: "tools", r: llm.Request{
		Messages: hello(), Tools: []llm.Tool{{Name: "clock", Strict: ptr(true)}},
		Format: llm.Format{Kind: llm.JSONSchema, Description: "A sum.", Schema: schema, Strict: ptr(true)},
	}},
	{name: "json_mode", model: sonnet5, r: llm.Request{Messages: hello(), Format: llm.Format{Kind: llm.JSONObject}}},
	{name: "prefill", model: novaPro, r: llm.Request{Messages: append(hello(), assistant(llm.TextPart("```json \n")))}},
	{name: "extras", model: sonnet45, r: llm.Request{
		Messages: hello(), Stop: []string{"X"}, TopK: ptr[int64](3), Format: llm.Format{Kind: llm.JSONSchema, Schema: schema, Strict: ptr(true)},
		Extra: map[string]json.RawMessage{
			"guardrailConfig":   json.RawMessage(`{"guardrailIdentifier":"g","guardrailVersion":"1"}`),
			"performanceConfig": json.RawMessage(`{"latency":"optimized"}`),
			"request_metadata":  json.RawMessage(`{"a":"b"}`), "serviceTier": json.RawMessage(`{"type":"reserved"}`),
			"promptVariables":              json.RawMessage("null"),
			"additionalModelRequestFields": json.RawMessage(`{"top_k":9,"x":[1]}`), "additionalModelResponseFieldPaths": json.RawMessage(`["/a"]`),
			"outputConfig": json.RawMessage(`{"effort":"low"}`), "anthropic_beta": json.RawMessage(`["b"]`),
			"guardContent": json.RawMessage(`{"text":{"text":"check me","qualifiers":["query"]}}`),
		},
	}},
	{name: "stranger", model: "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", r: llm.Request{
		Messages: called(thought("Hm.", "c2ln")), Tools: weather(), Format: llm.Format{Kind: llm.JSONObject},
	}},
	{name: "dropped", model: llama33, drop: true, dropped: "reasoning_effort response_format json_object seed temperature tools top_k", r: llm.Request{
		Messages: hello(),
		Tools:    append(weather(), llm.Tool{Name: "web_search", Vendor: json.RawMessage(`{"type":"web_search"}`), Dialect: "messages"}),
		Stream:   true, Temperature: ptr(1.5),
		TopK: ptr[int64](4), Seed: ptr[int64](1), Reasoning: llm.Reasoning{Effort: "low"}, Format: llm.Format{Kind: llm.JSONObject},
	}},
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, _ := json.Marshal(tt.r)
			wire, err := out.EncodeRequest(&tt.r, dialect.Target{Model: tt.model, Clamp: tt.clamp, Drop: func(string) bool { return tt.drop }})
			if err != nil {
				t.Fatal(err)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, wire.Body, "", "  "); err != nil {
				t.Fatal(err)
			}
			pretty.WriteByte('\n')
			dialecttest.Golden(t, "requests/"+tt.name+".json", pretty.Bytes())
			if got := strings.Join(wire.Dropped, " "); got != tt.dropped {
				t.Errorf("left out %q, want %q", got, tt.dropped)
			}
			if after, _ := json.Marshal(tt.r); !bytes.Equal(before, after) {
				t.Error("the caller's request was changed")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type refused struct {
		name, model string
		r           llm.Request
		param       string
	}
	extra := func(name, value string) llm.Request {
		return llm.Request{Messages: hello(), Extra: map[string]json.RawMessage{name: json.RawMessage(value)}}
	}
	withURL := func(kind llm.Kind, m *llm.Media) llm.Request {
		return llm.Request{Messages: []llm.Message{user(llm.Part{Kind: kind, Media: m})}}
	}
	for _, tt := range []refused{
		{"image by URL", sonnet45, withURL(llm.Image, &llm.Media{URL: "https://example.com/a.png"}), "messages"},
		{"image of a strange type", sonnet45, withURL(llm.Image, &llm.Media{Type: "image/heic", Data: "AA=="}), "messages"},
		{"image without type", sonnet45, withURL(llm.Image, &llm.Media{URL: "s3://b/x"}), "messages"},
		{"empty image", sonnet45, withURL(llm.Image, &llm.Media{Type: "image/png"}), "messages"},
		{"file id", sonnet45, withURL(llm.Document, &llm.Media{Type: "application/pdf", FileID: "file-1"}), "messages"},
		{"image for a model of text", gptOSS, withURL(llm.Image, png().Media), "messages"},
		{"film for Claude", sonnet45, withURL(llm.Video, &llm.Media{Type: "video/mp4", Data: "AA=="}), "messages"},
		{"document for a model of text", "amazon.nova-micro-v1:0", withURL(llm.Document, document("a", "text/csv", "YQ==").Media), "messages"},
		{"nothing", sonnet45, llm.Request{Messages: []llm.Message{user(llm.TextPart(" "))}}, "messages"},
		{"assistant first", sonnet45, llm.Request{Messages: []llm.Message{assistant(llm.TextPart("Hi")), user(llm.TextPart("Hi"))}}, "messages"},
		{"prefill", opus46, llm.Request{Messages: append(hello(), assistant(llm.TextPart("x")))}, "messages"},
		{"orphan result", sonnet45, llm.Request{Messages: []llm.Message{user(result("x", llm.TextPart("y")))}}, "messages"},
		{"orphan call", sonnet45, llm.Request{Messages: append(called()[:2], user(llm.TextPart("well?")))}, "messages"},
		{"last call", sonnet45, llm.Request{Messages: called()[:2]}, "messages"},
		{"image by the assistant", sonnet45, llm.Request{Messages: append(hello(), assistant(png()), user(llm.TextPart("?")))}, "messages"},
		{"image in the system prompt", sonnet45, llm.Request{
			Messages: append([]llm.Message{{Role: llm.System, Parts: []llm.Part{png()}}}, hello()...),
		}, "messages"},
		{"calls in history", titan, llm.Request{Messages: called()}, "messages"},
		{"tools", titan, llm.Request{Messages: hello(), Tools: weather()}, "tools"},
		{"streamed tools", llama33, llm.Request{Messages: hello(), Tools: weather(), Stream: true}, "tools"},
		{"vendor's tool", sonnet45, llm.Request{Messages: hello(), Tools: []llm.Tool{{Name: "x", Vendor: json.RawMessage("{}")}}}, "tools"},
		{"forced tool", llama33, llm.Request{Messages: hello(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseAny}}, "tool_choice"},
		{"schema", llama33, llm.Request{Messages: hello(), Format: llm.Format{Kind: llm.JSONSchema, Schema: schema}}, string(llm.JSONSchemas)},
		{"JSON", gptOSS, llm.Request{Messages: hello(), Format: llm.Format{Kind: llm.JSONObject}}, string(llm.JSONMode)},
		{"sampling", sonnet5, llm.Request{Messages: hello(), Temperature: ptr(0.5)}, "temperature"},
		{"hot", sonnet45, llm.Request{Messages: hello(), Temperature: ptr(1.5)}, "temperature"},
		{"both samplers", sonnet45, llm.Request{Messages: hello(), Temperature: ptr(0.5), TopP: ptr(0.5)}, "top_p"},
		{"seed", sonnet45, llm.Request{Messages: hello(), Seed: ptr[int64](1)}, "seed"},
		{"top_k", llama33, llm.Request{Messages: hello(), TopK: ptr[int64](1)}, "top_k"},
		{"no calls after calls", sonnet45, llm.Request{Messages: called(), Tools: weather(), Choice: llm.ToolChoice{Mode: llm.ChooseNone}}, "tool_choice"},
		{"service tier", sonnet45, llm.Request{Messages: hello(), ServiceTier: "scale"}, "service_tier"},
		{"bad extra", sonnet45, extra("outputConfig", "1"), "outputConfig"},
		{"bad fields", sonnet45, extra("additionalModelRequestFields", "[]"), "additionalModelRequestFields"},
		{"bad tier", sonnet45, extra("serviceTier", "1"), "serviceTier"},
		{"bad guard", sonnet45, extra("guardContent", "[1]"), "guardContent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := out.EncodeRequest(&tt.r, dialect.Target{Model: tt.model})
			if err == nil {
				t.Fatal("not refused")
			}
			if e := gateway.AsError(err); e.Status() != 400 || e.Param != tt.param {
				t.Errorf("got %d %q: %v; want 400 %q", e.Status(), e.Param, e, tt.param)
			}
		})
	}
}

// A wish for thinking is left out where a model cannot think, and the caller is told.
func TestThinkingOfModelsThatCannot(t *testing.T) {
	t.Parallel()
	r := llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Effort: "low"}}
	wire, err := out.EncodeRequest(&r, dialect.Target{Model: "us.amazon.nova-pro-v1:0"})
	if err != nil || !slices.Contains(wire.Dropped, "reasoning_effort") {
		t.Errorf("dropped %q, %v", wire.Dropped, err)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"anthropic.claude-3-haiku-20240307-v1:0": "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
		"converse/us.amazon.nova-lite-v1:0":      "/model/us.amazon.nova-lite-v1%3A0/converse",
		"invoke/x y":                             "/model/x%20y/converse",
		"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2": "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fanthropic.claude-v2/converse",
	} {
		wire, err := out.EncodeRequest(&llm.Request{Messages: hello()}, dialect.Target{Model: model})
		if err != nil || wire.Path != want {
			t.Errorf("%s: %s, %v; want %s", model, wire.Path, err, want)
		}
	}
	wire, err := out.EncodeRequest(&llm.Request{Messages: hello(), Stream: true}, dialect.Target{Model: "m"})
	if err != nil || wire.Path != "/model/m/converse-stream" {
		t.Errorf("streamed: %s, %v", wire.Path, err)
	}
}

// Prefixes of regions and ARNs lead to the same family as the model's own id.
func TestFamilyOfProfiles(t *testing.T) {
	t.Parallel()
	encode := func(model string) string {
		r := llm.Request{Messages: hello(), Reasoning: llm.Reasoning{Budget: 2000}, TopK: ptr[int64](1)}
		wire, err := out.EncodeRequest(&r, dialect.Target{Model: model, Drop: func(string) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		return string(wire.Body)
	}
	want := encode("anthropic.claude-3-7-sonnet-20250219-v1:0")
	for _, model := range []string{
		"us.anthropic.claude-3-7-sonnet-20250219-v1:0", "apac.anthropic.claude-3-7-sonnet-20250219-v1:0", "us-gov.anthropic.claude-3-7-sonnet",
		"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-7-sonnet-20250219-v1:0", "converse/eu.anthropic.claude-3-7-sonnet",
		"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0",
	} {
		if diff := cmp.Diff(encode(model), want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", model, diff)
		}
	}
	if !strings.Contains(want, "budget_tokens") {
		t.Errorf("no budget in %s", want)
	}
}
