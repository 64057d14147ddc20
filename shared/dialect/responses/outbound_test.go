package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var recordedUsage = gateway.Usage{
	InputTokens: 36, CachedTokens: 8, CacheWriteTokens: 4, OutputTokens: 87, ReasoningTokens: 64, Source: gateway.UsageReported,
}

// seal is what a thought was sealed with; sealed has the id of its item before it, for callers of dialects that have no place for ids.
var (
	seal   = llm.Signature{Maker: llm.MakerOpenAI, Value: "gAAAAABoISQ24OyVRYbkYfukdJoqdzWT-3uiErKInHDC"}
	sealed = llm.Signature{Maker: llm.MakerOpenAI, Value: thoughtID + "." + seal.Value}
)

const thoughtID = "rs_67ccf7eca01881908ff0b5146584e408072912b2993db808"

func call(id, name, arguments string) llm.Part {
	return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Arguments: arguments}}
}

// answers are what the recordings say.
var answers = map[string]llm.Choice{
	"text":    {Parts: []llm.Part{llm.TextPart("In a peaceful grove beneath a silver moon – 🌙 it ended.")}, Finish: llm.FinishStop},
	"length":  {Parts: []llm.Part{llm.TextPart("Once upon a")}, Finish: llm.FinishLength},
	"filter":  {Parts: []llm.Part{llm.TextPart("The way")}, Finish: llm.FinishFilter},
	"refusal": {Parts: []llm.Part{{Kind: llm.Refusal, Text: "I'm sorry, I cannot help with that."}}, Finish: llm.FinishRefusal},
	"sealed":  {Parts: []llm.Part{{Kind: llm.Sealed, ID: thoughtID, Signature: sealed}, llm.TextPart("Forty-two.")}, Finish: llm.FinishStop},
	"tools": {Parts: []llm.Part{
		{Kind: llm.Thinking, ID: thoughtID, Text: "**Looking up the weather**\n\nTwo cities are asked for.", Signature: sealed},
		call("call_unLAR8MvFNptuiZK6K6HCy5k", "get_weather", `{"city":"Paris"}`),
		call("call_kQ2YRzn9XLrJ3dSgV0aBfT7h", "get_weather", `{"city":"Rome"}`),
	}, Finish: llm.FinishTools},
	"cited": {
		Parts: []llm.Part{{Kind: llm.Text, Text: "Go is fast.", Citations: []llm.Citation{
			{Title: "The Go language", URL: "https://go.dev/", End: 12, Document: -1}, {Title: "go.txt", Document: -1},
		}}},
		Finish: llm.FinishStop,
		Logprobs: []llm.Logprob{{Token: "Go is", Logprob: -0.25, Bytes: []byte("Go is"), Top: []llm.Logprob{
			{Token: "Go is", Logprob: -0.25, Bytes: []byte("G")}, {Token: "C is", Logprob: -3.5, Bytes: []byte("C")},
		}}},
	},
}

func TestDecodeResponse(t *testing.T) {
	t.Parallel()
	for name, choice := range answers {
		got, err := responses.Outbound{}.DecodeResponse([]byte(recording(t, "answers/"+name+".json")))
		if err != nil {
			t.Fatal(name, err)
		}
		want := &llm.Response{
			ID: "resp_67ccd2bed1ec8190b14f964abc054267", Model: "gpt-5-codex-2025-09-15", Created: 1741476542, Choices: []llm.Choice{choice},
			Usage: recordedUsage, Tier: "default",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(name, diff)
		}
	}
}

// What OpenAI answers.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: responses.Outbound{}}.Run(t)
}

// A stream says what the whole answer says.
func TestDecodeStream(t *testing.T) {
	t.Parallel()
	for name, choice := range answers {
		events, progress, err := eventsOf(recording(t, "streams/"+name+".txt"))
		if err != nil || progress != dialect.Done {
			t.Fatal(name, progress, err)
		}
		if diff := cmp.Diff(collected(events).Choices, []llm.Choice{choice}, cmpopts.EquateEmpty()); diff != "" {
			t.Error(name, diff)
		}
		if last := events[len(events)-1]; last.Type != llm.Spent || *last.Usage != recordedUsage || last.Tier != "default" {
			t.Errorf("%s: the last event is %+v", name, last)
		}
	}
}

// collected puts events together.
func collected(events []llm.Event) *llm.Response {
	var c llm.Collector
	for i := range events {
		c.Add(&events[i])
	}
	return c.Response()
}

func TestDecodeStreamOfImitators(t *testing.T) {
	t.Parallel()
	events, progress, err := eventsOf(recording(t, "streams/imitator.txt"))
	if err != nil || progress != dialect.Done {
		t.Fatal(progress, err)
	}
	want := []llm.Part{
		{Kind: llm.Thinking, ID: "r1", Text: "Hm."}, llm.TextPart("Hi"), call("c1", "f", "{}"), call("c2", "patch", `{"input":"*** Begin\n"}`),
	}
	if diff := cmp.Diff(collected(events).Choices[0].Parts, want); diff != "" {
		t.Error(diff)
	}
	events, progress, err = eventsOf(`data: {"type":"response.completed","response":{"id":"r","output":[{"type":"message","content":[{"type":"output_text","text":"all"}]}]}}` + "\n\n")
	if err != nil || progress != dialect.Done || llm.TextOf(collected(events).Choices[0].Parts) != "all" {
		t.Error(events, err)
	}
}

func TestDecodeBrokenStreams(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"failed": 500, "limited": 429, "toolong": 400} {
		_, progress, err := eventsOf(recording(t, "streams/"+name+".txt"))
		if e := errorOf(t, err); e.Status() != status || progress != dialect.Open {
			t.Errorf("%s: %d %s", name, e.Status(), e.Message)
		}
	}
	text := recording(t, "streams/tools.txt")
	for end := 0; end < len(text)-1; end += 7 {
		if _, progress, _ := eventsOf(text[:end]); progress == dialect.Done {
			t.Fatalf("cut at %d it counts as whole", end)
		}
	}
	for _, data := range []string{`<html>`, `{"type":"response.output_text.delta","delta":3}`, `{"type":"response.completed"}`, `{"error":{"message":"x"}}`} {
		if _, _, err := eventsOf("data: " + data + "\n\n"); errorOf(t, err).Kind != gateway.KindUpstream {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func number[T any](n T) *T { return &n }

func TestEncodeRequest(t *testing.T) {
	t.Parallel()
	r := &llm.Request{
		Messages: []llm.Message{
			{Role: llm.System, Parts: []llm.Part{llm.TextPart("Be brief.")}},
			{Role: llm.System, Parts: []llm.Part{llm.TextPart("Be kind.")}},
			{Role: llm.User, Parts: []llm.Part{
				llm.TextPart("What is this?"),
				{Kind: llm.Image, Media: &llm.Media{Type: "image/png", Data: "iVBO", Detail: "low"}},
				{Kind: llm.Image, Media: &llm.Media{URL: "https://x/y.png"}},
				{Kind: llm.Document, Media: &llm.Media{Type: "application/pdf", Data: "JVBE", Name: "a.pdf"}},
				{Kind: llm.Document, Media: &llm.Media{URL: "https://x/y.pdf"}},
				{Kind: llm.Document, Media: &llm.Media{FileID: "file-1"}},
				{Kind: llm.Document, Media: &llm.Media{Text: "plain", Name: "n.txt"}},
			}},
			{Role: llm.System, Parts: []llm.Part{llm.TextPart("Later.")}},
			{Role: llm.Assistant, Parts: []llm.Part{
				{Kind: llm.Thinking, ID: thoughtID, Text: "Hm.", Signature: seal},
				{Kind: llm.Thinking, Text: "foreign", Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "x"}},
				{Kind: llm.Sealed, ID: "rs_sl_1", Signature: seal},
				{Kind: llm.Sealed, Signature: sealed},
				{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "x"}},
				llm.TextPart("A cat?"), {Kind: llm.Refusal, Text: "No."},
				call("call:with/odd signs", "look", ""),
			}},
			{Role: llm.User, Parts: []llm.Part{
				{Kind: llm.ToolResult, Result: &llm.Result{ID: "call:with/odd signs", Parts: []llm.Part{llm.TextPart("a "), llm.TextPart("cat")}}},
				{Kind: llm.ToolResult, Result: &llm.Result{ID: "c2", Parts: []llm.Part{llm.TextPart("x"), {Kind: llm.Image, Media: &llm.Media{URL: "https://x/z.png"}}}}},
			}},
		},
		Tools: []llm.Tool{
			{Name: "look", Description: "Looks", Schema: json.RawMessage(`{"type":"object"}`), Strict: number(true)}, {Name: "nop"},
		},
		Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "look"}, Parallel: number(false),
		Format:    llm.Format{Kind: llm.JSONSchema, Schema: json.RawMessage(`{"type":"object"}`), Strict: number(true)},
		MaxOutput: 5, Temperature: number(0.5), TopP: number(0.9), TopLogprobs: 2,
		Reasoning: llm.Reasoning{Budget: 9000, Show: number(true)}, Verbosity: "low", ServiceTier: "flex", User: "u", Stream: true,
		Hints: map[string]json.RawMessage{"metadata": json.RawMessage(`{"tags":["x"],"k":"v"}`), "store": json.RawMessage("true"), "prompt_cache_key": json.RawMessage(`"p"`)},
	}
	w, err := responses.Outbound{}.EncodeRequest(r, target())
	if err != nil || w.Path != "/responses" {
		t.Fatal(w.Path, err)
	}
	id := llm.FitID("call:with/odd signs", 64)
	want := `{"model":"vendor-model","instructions":"Be brief.\n\nBe kind.","input":[
	{"type":"message","role":"user","content":[{"type":"input_text","text":"What is this?"},
		{"type":"input_image","image_url":"data:image/png;base64,iVBO","detail":"low"},{"type":"input_image","image_url":"https://x/y.png"},
		{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"},{"type":"input_file","file_url":"https://x/y.pdf"},
		{"type":"input_file","file_id":"file-1"},{"type":"input_text","text":"n.txt:\nplain"}]},
	{"type":"message","role":"developer","content":[{"type":"input_text","text":"Later."}]},
	{"type":"reasoning","id":"` + thoughtID + `","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"` + seal.Value + `"},
	{"type":"reasoning","summary":[],"encrypted_content":"` + seal.Value + `"},
	{"type":"reasoning","id":"` + thoughtID + `","summary":[],"encrypted_content":"` + seal.Value + `"},
	{"type":"message","role":"assistant","content":[{"type":"output_text","text":"A cat?"},{"type":"refusal","refusal":"No."}]},
	{"type":"function_call","call_id":"` + id + `","name":"look","arguments":"{}"},
	{"type":"function_call_output","call_id":"` + id + `","output":"a cat"},
	{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"https://x/z.png"}]}],
	"tools":[{"type":"function","name":"look","description":"Looks","parameters":{"type":"object"},"strict":true},
		{"type":"function","name":"nop","parameters":{"type":"object","properties":{}},"strict":false}],
	"tool_choice":{"type":"function","name":"look"},"parallel_tool_calls":false,
	"text":{"format":{"type":"json_schema","name":"answer","schema":{"type":"object"},"strict":true},"verbosity":"low"},
	"reasoning":{"effort":"high","summary":"auto"},"store":false,"include":["reasoning.encrypted_content","message.output_text.logprobs"],
	"max_output_tokens":16,"temperature":0.5,"top_p":0.9,"top_logprobs":2,"service_tier":"flex","user":"u","stream":true,
	"metadata":{"k":"v"},"prompt_cache_key":"p"}`
	if diff := cmp.Diff(object(t, w.Body), object(t, []byte(want))); diff != "" {
		t.Error(diff)
	}
}

func TestEncodeSmallRequests(t *testing.T) {
	t.Parallel()
	hi := []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart("hi")}}}
	const input = `"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}],"store":false`
	for _, c := range []struct {
		r    *llm.Request
		to   dialect.Target
		want string
	}{
		{&llm.Request{Messages: hi}, dialect.Target{Model: "openai/gpt-4o", Clamp: 40}, `{"model":"openai/gpt-4o",` + input + `,"max_output_tokens":40}`},
		{&llm.Request{Messages: hi, Reasoning: llm.Reasoning{Off: true}, Choice: llm.ToolChoice{Mode: llm.ChooseAny}, Format: llm.Format{Kind: llm.JSONObject}}, dialect.Target{Model: "gpt-5"},
			`{"model":"gpt-5",` + input + `,"include":["reasoning.encrypted_content"],"reasoning":{"effort":"none"},"text":{"format":{"type":"json_object"}}}`},
		{&llm.Request{Messages: []llm.Message{{Role: llm.System, Parts: []llm.Part{llm.TextPart("s")}}}}, dialect.Target{Model: "gpt-4.1"},
			`{"model":"gpt-4.1","input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"s"}]}],"store":false}`},
	} {
		w, err := responses.Outbound{}.EncodeRequest(c.r, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, w.Body), object(t, []byte(c.want))); diff != "" {
			t.Error(diff)
		}
	}
	vendor := &llm.Request{Messages: hi, Tools: []llm.Tool{{Name: "computer", Vendor: json.RawMessage(`{}`), Dialect: "messages"}}}
	_, err := responses.Outbound{}.EncodeRequest(vendor, target())
	if e := errorOf(t, err); e.Param != "tools" || !strings.Contains(e.Message, "computer") {
		t.Error(e)
	}
	to := target()
	to.Drop = func(string) bool { return true }
	if w, err := (responses.Outbound{}).EncodeRequest(vendor, to); err != nil || len(w.Dropped) != 1 {
		t.Error(w.Dropped, err)
	}
}

// Of a summary and the thought itself only one is told.
func TestDecodeStreamWithThoughtAndSummary(t *testing.T) {
	t.Parallel()
	events, _, err := eventsOf(`data: {"type":"response.reasoning_text.delta","item_id":"r","output_index":0,"content_index":0,"delta":"thought"}

data: {"type":"response.reasoning_summary_text.delta","item_id":"r","output_index":0,"summary_index":0,"delta":"summary"}

data: {"type":"response.completed","response":{"id":"x","output":[]}}

`)
	if err != nil || collected(events).Choices[0].Parts[0].Text != "thought" {
		t.Errorf("%+v, %v", events, err)
	}
}
