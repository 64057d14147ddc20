package gemini_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func user(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.User, Parts: parts} }

func model(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: parts} }

func hi() []llm.Message { return []llm.Message{user(llm.TextPart("hi"))} }

func calling(id, name, args, signature string) llm.Part {
	p := llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Arguments: args}}
	if signature != "" {
		p.Signature = llm.Signature{Maker: llm.MakerGemini, Value: signature}
	}
	return p
}

func resulting(id string, isError bool, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: parts, IsError: isError}}
}

func image(m llm.Media) llm.Part { return llm.Part{Kind: llm.Image, Media: &m} }

func of[T any](v T) *T { return &v }

const (
	hiOut  = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
	schema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
)

// outbound are requests and what of them goes to which model.
var outbound = map[string]struct {
	r        llm.Request
	model    string
	provider string
	want     string
}{
	"text": {llm.Request{Messages: hi()}, "", "", `{` + hiOut + `}`},
	"system": {llm.Request{Messages: []llm.Message{
		{Role: llm.System, Parts: []llm.Part{llm.TextPart("a")}}, user(llm.TextPart("hi")), {Role: llm.System, Parts: []llm.Part{llm.TextPart("b")}}}},
		"", "", `{` + hiOut + `,"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]}}`},
	"only system": {llm.Request{Messages: []llm.Message{{Role: llm.System, Parts: []llm.Part{llm.TextPart("hi")}}}}, "", "", `{` + hiOut + `}`},
	"neighbours": {llm.Request{Messages: []llm.Message{user(llm.TextPart("a")), user(llm.TextPart("b"), llm.TextPart("")), model(llm.TextPart("c"))}},
		"", "", `{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]}]}`},
	"media": {llm.Request{Messages: []llm.Message{user(
		image(llm.Media{Type: "image/png", Data: "AAAA", Detail: "low"}), image(llm.Media{URL: "https://a.example/b.WEBP?x=1.png", Detail: "low"}),
		image(llm.Media{URL: "https://a.example/b", Detail: "low"}), llm.Part{Kind: llm.Document, Media: &llm.Media{URL: "gs://b/c.pdf"}},
		llm.Part{Kind: llm.Document, Media: &llm.Media{FileID: "files/x", Type: "text/plain"}}, llm.Part{Kind: llm.Document, Media: &llm.Media{Text: "plain"}},
		llm.Part{Kind: llm.Audio, Media: &llm.Media{Type: "audio/wav", Data: "UklG"}})}}, "", "",
		`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"mimeType":"image/webp","fileUri":"https://a.example/b.WEBP?x=1.png"}},` +
			`{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.example/b"}},{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/c.pdf"}},` +
			`{"fileData":{"mimeType":"text/plain","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}},{"text":"plain"},` +
			`{"inlineData":{"mimeType":"audio/wav","data":"UklG"}}]}],"generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}}`},
	"config": {llm.Request{Messages: hi(), MaxOutput: 5, N: 2, Stop: []string{"x"}, Temperature: of(0.0), TopP: of(0.5), TopK: of(int64(3)), Seed: of(int64(0)),
		PresencePenalty: of(0.1), FrequencyPenalty: of(0.2), Logprobs: true, TopLogprobs: 2, ServiceTier: "flex"}, "", "",
		`{` + hiOut + `,"generationConfig":{"candidateCount":2,"frequencyPenalty":0.2,"logprobs":2,"maxOutputTokens":5,"presencePenalty":0.1,` +
			`"responseLogprobs":true,"seed":0,"stopSequences":["x"],"temperature":0,"topK":3,"topP":0.5},"serviceTier":"flex"}`},
	"extra": {llm.Request{Messages: hi(), Extra: map[string]json.RawMessage{"safety_settings": []byte(`[{"category":"X"}]`), "cachedContent": []byte(`"c"`),
		"media_resolution": []byte(`"MEDIA_RESOLUTION_HIGH"`), "generationConfig.imageConfig": []byte(`{"aspectRatio":"1:1"}`),
		"toolConfig.retrievalConfig": []byte(`{"languageCode":"de"}`), "web_search_options": []byte(`{}`)}, Hints: map[string]json.RawMessage{"labels": []byte(`{"a":"b"}`), "store": []byte("true")}}, "", "",
		`{"cachedContent":"c",` + hiOut + `,"generationConfig":{"imageConfig":{"aspectRatio":"1:1"},"mediaResolution":"MEDIA_RESOLUTION_HIGH"},"labels":{"a":"b"},` +
			`"safetySettings":[{"category":"X"}],"toolConfig":{"retrievalConfig":{"languageCode":"de"}},"tools":[{"googleSearch":{}}]}`},
	"json": {llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONObject}}, "", "",
		`{` + hiOut + `,"generationConfig":{"responseMimeType":"application/json"}}`},
	"schema": {llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONSchema, Name: "x", Schema: []byte(schema)}}, "", "",
		`{` + hiOut + `,"generationConfig":{"responseJsonSchema":` + schema + `,"responseMimeType":"application/json"}}`},
	"schema with tools": {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f"}}, Format: llm.Format{Kind: llm.JSONSchema, Description: "d", Schema: []byte(schema)}}, "", "",
		`{` + hiOut + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"tools":[{"functionDeclarations":[{"name":"f"},{"name":"sluice_answer","description":"d","parametersJsonSchema":` + schema + `}]}]}`},
	"schema without calls": {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f"}}, Choice: llm.ToolChoice{Mode: llm.ChooseNone}, Format: llm.Format{Kind: llm.JSONObject, Description: "d"}}, "", "",
		`{` + hiOut + `,"toolConfig":{"functionCallingConfig":{"allowedFunctionNames":["sluice_answer"],"mode":"ANY"}},"tools":[{"functionDeclarations":[{"name":"f"},{"name":"sluice_answer","description":"d","parametersJsonSchema":{"type":"object"}}]}]}`},
	"schema with tools 3": {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f"}}, Format: llm.Format{Kind: llm.JSONObject}}, "gemini-3-pro", "",
		`{` + hiOut + `,"generationConfig":{"responseMimeType":"application/json"},"tools":[{"functionDeclarations":[{"name":"f"}]}]}`},
	"no tools": {llm.Request{Messages: hi(), Choice: llm.ToolChoice{Mode: llm.ChooseNone}}, "", "", `{` + hiOut + `}`},
	"tools": {llm.Request{Messages: hi(), Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "7zip"}, Tools: []llm.Tool{
		{Name: "7zip", Description: "d", Schema: []byte(schema)}, {Name: "none", Schema: []byte(`{"type":"object","properties":{}}`)},
		{Name: "googleSearch", Vendor: []byte(`{"googleSearch":{}}`), Dialect: "gemini"}}}, "", "",
		`{` + hiOut + `,"toolConfig":{"functionCallingConfig":{"allowedFunctionNames":["fn__7zip"],"mode":"ANY"}},"tools":[{"functionDeclarations":[` +
			`{"name":"fn__7zip","description":"d","parametersJsonSchema":` + schema + `},{"name":"none"}]},{"googleSearch":{}}]}`},
	"calls 2.5": {toolTalk(), "gemini-2.5-pro", "",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"g","args":{"arguments":"{brok"}}}]},` +
			`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"n":1}}},{"functionResponse":{"name":"g","response":{"error":"no"}}},{"text":"go on"}]},` +
			`{"role":"model","parts":[{"text":"so","thoughtSignature":"T"},{"thoughtSignature":"S","functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"plain"}}}]}]}`},
	"calls 3": {toolTalk(), "gemini-3-pro-preview", "",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"thoughtSignature":"skip_thought_signature_validator","functionCall":{"id":"c1","name":"f","args":{"a":1}}},{"functionCall":{"id":"c2","name":"g","args":{"arguments":"{brok"}}}]},` +
			`{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"n":1}}},{"functionResponse":{"id":"c2","name":"g","response":{"error":"no"}}},{"text":"go on"}]},` +
			`{"role":"model","parts":[{"text":"so","thoughtSignature":"T"},{"thoughtSignature":"S","functionCall":{"id":"c3","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c3","name":"f","response":{"result":"plain"}}}]}]}`},
	"calls 3 on vertex": {llm.Request{Messages: []llm.Message{user(llm.TextPart("hi")), model(calling("c1", "f", "", ""))}}, "gemini-3-pro-preview", "vertex_ai",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"thoughtSignature":"skip_thought_signature_validator","functionCall":{"name":"f","args":{}}}]}]}`},
	"image results 3": {llm.Request{Messages: []llm.Message{user(llm.TextPart("hi")), model(calling("c1", "f", "", "S")),
		user(resulting("c1", false, llm.TextPart("see"), image(llm.Media{Type: "image/png", Data: "AAAA"})))}}, "gemini-3-pro", "vertex_ai",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"thoughtSignature":"S","functionCall":{"name":"f","args":{}}}]},` +
			`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"see"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}]}`},
	"image results 2.5": {llm.Request{Messages: []llm.Message{user(llm.TextPart("hi")), model(calling("c1", "f", "", "")),
		user(resulting("c1", false, llm.TextPart("see"), image(llm.Media{Type: "image/png", Data: "AAAA"})), llm.TextPart("so"))}}, "gemini-2.5-pro", "",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},` +
			`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"see"}}},{"text":"so"}]},` +
			`{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`},
	"foreign thoughts": {llm.Request{Messages: []llm.Message{user(llm.TextPart("hi")), model(
		llm.Part{Kind: llm.Thinking, Text: "hm", Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "x"}}, llm.Part{Kind: llm.Thinking, Text: "hm"},
		llm.Part{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerOpenAI, Value: "y"}}, llm.Part{Kind: llm.Refusal, Text: "no"})}}, "", "",
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"no"}]}]}`},
	"speech": {llm.Request{Messages: hi(), Modalities: []string{"text", "audio"}, Voice: []byte(`{"voice":"Kore","format":"pcm16"}`)}, "gemini-2.5-flash-preview-tts", "",
		`{` + hiOut + `,"generationConfig":{"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}}}`},
	"images": {llm.Request{Messages: hi(), Modalities: []string{"text", "image"}}, "gemini-2.5-flash-image", "",
		`{` + hiOut + `,"generationConfig":{"responseModalities":["TEXT","IMAGE"]}}`},
}

// toolTalk is a conversation with parallel calls whose results come in another order, from messages of their own.
func toolTalk() llm.Request {
	signed := llm.TextPart("so")
	signed.Signature = llm.Signature{Maker: llm.MakerGemini, Value: "T"}
	foreign := calling("c1", "f", `{"a":1}`, "")
	foreign.Signature = llm.Signature{Maker: llm.MakerAnthropic, Value: "x"}
	return llm.Request{Messages: []llm.Message{
		user(llm.TextPart("hi")), model(foreign, calling("c2", "g", `{brok`, "")),
		user(resulting("c2", true, llm.TextPart("no"))), user(resulting("c1", false, llm.TextPart(`{"n":1}`))), user(llm.TextPart("go on")),
		model(signed, calling("c3", "f", "", "S")), user(resulting("c3", false, llm.TextPart("plain"))),
	}}
}

func TestEncodeRequest(t *testing.T) {
	t.Parallel()
	for name, c := range outbound {
		if c.model == "" {
			c.model = "gemini-2.5-flash"
		}
		before, _ := json.Marshal(c.r)
		w, err := gemini.Outbound{}.EncodeRequest(&c.r, dialect.Target{Provider: c.provider, Model: c.model})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tree(t, c.want), tree(t, string(w.Body))); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, w.Body)
		}
		if after, _ := json.Marshal(c.r); !bytes.Equal(before, after) {
			t.Errorf("%s: the request was changed", name)
		}
		if w.Path != "/models/"+c.model+":generateContent" || len(w.Dropped) > 0 {
			t.Errorf("%s: %s %v", name, w.Path, w.Dropped)
		}
	}
}

func tree(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// The order of a schema's properties is the order in which a model writes them.
func TestSchemaKeepsOrder(t *testing.T) {
	t.Parallel()
	const ordered = `{"type":"object","properties":{"z":{"type":"string"},"reason":{"type":"string"},"a":{"type":"string"}}}`
	r := llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONSchema, Schema: []byte(ordered)}}
	w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Model: "gemini-2.5-flash"})
	if err != nil || !bytes.Contains(w.Body, []byte(ordered)) {
		t.Errorf("%v: %s", err, w.Body)
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r     llm.Request
		param string
	}{
		"empty":          {llm.Request{}, "messages"},
		"system image":   {llm.Request{Messages: []llm.Message{{Role: llm.System, Parts: []llm.Part{image(llm.Media{Data: "A"})}}}}, "messages"},
		"orphan":         {llm.Request{Messages: []llm.Message{user(resulting("x", false, llm.TextPart("a")))}}, "messages"},
		"openai file":    {llm.Request{Messages: []llm.Message{user(llm.Part{Kind: llm.Document, Media: &llm.Media{FileID: "file-abc"}})}}, "messages"},
		"no media":       {llm.Request{Messages: []llm.Message{user(llm.Part{Kind: llm.Image})}}, "messages"},
		"call name":      {llm.Request{Messages: []llm.Message{user(llm.TextPart("a")), model(calling("c", "f g", "", ""))}}, "messages"},
		"tool name":      {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f g"}}}, "tools"},
		"long name":      {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: strings.Repeat("f", 129)}}}, "tools"},
		"tool schema":    {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f", Schema: []byte(`[]`)}}}, "tools"},
		"foreign tool":   {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "web_search", Vendor: []byte(`{}`), Dialect: "responses"}}}, "tools"},
		"choice":         {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f"}}, Choice: llm.ToolChoice{Mode: llm.ChooseTool}}, "tool_choice"},
		"schema":         {llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONSchema, Schema: []byte(`{"$ref":"https://evil.example/s"}`)}}, "response_format"},
		"list and tools": {llm.Request{Messages: hi(), Tools: []llm.Tool{{Name: "f"}}, Format: llm.Format{Kind: llm.JSONSchema, Schema: []byte(`{"type":"array"}`)}}, "response_format"},
		"seed":           {llm.Request{Messages: hi(), Seed: of(int64(1) << 40)}, "seed"},
		"tier":           {llm.Request{Messages: hi(), ServiceTier: "scale"}, "service_tier"},
		"voice":          {llm.Request{Messages: hi(), Voice: []byte(`{"voice":{}}`)}, "audio.voice"},
		"sound format":   {llm.Request{Messages: hi(), Voice: []byte(`{"voice":"Kore","format":"mp3"}`)}, "audio.format"},
	} {
		_, err := gemini.Outbound{}.EncodeRequest(&c.r, dialect.Target{Model: "gemini-2.5-flash"})
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q), want param %q", name, err, e.Param, c.param)
		}
	}
}

// What may be left out is, and is told.
func TestEncodeRequestDrops(t *testing.T) {
	t.Parallel()
	r := llm.Request{Messages: hi(), Seed: of(int64(1) << 40), ServiceTier: "scale", Reasoning: llm.Reasoning{Effort: "high"},
		Tools: []llm.Tool{{Name: "web_search", Vendor: []byte(`{}`), Dialect: "responses"}}}
	w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Model: "gemini-2.0-flash", Drop: func(string) bool { return true }})
	slices.Sort(w.Dropped)
	if err != nil || string(w.Body) != `{`+hiOut+`}` || !slices.Equal(w.Dropped, []string{"reasoning", "seed", "service_tier", "tools"}) {
		t.Errorf("%v: %s %v", err, w.Body, w.Dropped)
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	r := llm.Request{Messages: hi(), Stream: true, ServiceTier: "priority"}
	w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Provider: "vertex_ai", Model: "gemini-2.5-flash", Clamp: 7})
	want := http.Header{"X-Vertex-Ai-Llm-Shared-Request-Type": {"priority"}}
	if err != nil || w.Path != "/models/gemini-2.5-flash:streamGenerateContent?alt=sse" || !cmp.Equal(w.Header, want) ||
		string(w.Body) != `{`+hiOut+`,"generationConfig":{"maxOutputTokens":7}}` {
		t.Errorf("%v: %+v %s", err, w, w.Body)
	}
}

func TestThinking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model string
		r     llm.Reasoning
		want  string
	}{
		{"gemini-2.5-flash", llm.Reasoning{}, ``},
		{"gemini-2.5-flash", llm.Reasoning{Effort: "low"}, `{"includeThoughts":true,"thinkingBudget":1024}`},
		{"gemini-2.5-flash", llm.Reasoning{Effort: "max"}, `{"includeThoughts":true,"thinkingBudget":24576}`},
		{"gemini-2.5-flash", llm.Reasoning{Budget: 77, Show: of(false)}, `{"thinkingBudget":77}`},
		{"gemini-2.5-flash", llm.Reasoning{Off: true}, `{"thinkingBudget":0}`},
		{"gemini-2.5-flash", llm.Reasoning{Effort: "none"}, `{"thinkingBudget":0}`},
		{"gemini-2.5-flash", llm.Reasoning{Auto: true}, `{"includeThoughts":true,"thinkingBudget":-1}`},
		{"gemini-2.5-flash", llm.Reasoning{Show: of(true)}, `{"includeThoughts":true}`},
		{"gemini-2.5-flash-lite", llm.Reasoning{Budget: 77}, `{"includeThoughts":true,"thinkingBudget":512}`},
		{"gemini-2.5-pro", llm.Reasoning{Off: true}, `{"thinkingBudget":128}`},
		{"gemini-2.5-pro", llm.Reasoning{Effort: "xhigh"}, `{"includeThoughts":true,"thinkingBudget":32768}`},
		{"gemini-2.5-flash-image", llm.Reasoning{Off: true}, ``},
		{"gemini-2.0-flash", llm.Reasoning{Off: true}, ``},
		{"gemini-3-pro-preview", llm.Reasoning{Effort: "medium"}, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`},
		{"gemini-3.1-pro-preview", llm.Reasoning{Effort: "medium"}, `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`},
		{"gemini-3.1-pro-preview", llm.Reasoning{Off: true}, `{"thinkingLevel":"LOW"}`},
		{"models/gemini-3-flash-preview", llm.Reasoning{Effort: "minimal"}, `{"includeThoughts":true,"thinkingLevel":"MINIMAL"}`},
		{"gemini-3.7-flash", llm.Reasoning{Effort: "minimal"}, `{"includeThoughts":true,"thinkingLevel":"LOW"}`},
		{"gemini-3-flash-preview", llm.Reasoning{Off: true}, `{"thinkingLevel":"MINIMAL"}`},
		{"gemini-3-flash-preview", llm.Reasoning{Budget: 8000}, `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`},
		{"gemini-3-flash-preview", llm.Reasoning{Auto: true}, `{"includeThoughts":true}`},
		{"gemini-flash-latest", llm.Reasoning{Effort: "max"}, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`},
		{"my-tuned-model", llm.Reasoning{Effort: "low"}, `{"includeThoughts":true,"thinkingBudget":1024}`},
	} {
		r := llm.Request{Messages: hi(), Reasoning: c.r}
		w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Model: c.model})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			GenerationConfig struct{ ThinkingConfig json.RawMessage }
		}
		if err := json.Unmarshal(w.Body, &got); err != nil || string(got.GenerationConfig.ThinkingConfig) != c.want {
			t.Errorf("%s %+v: %s, want %s", c.model, c.r, got.GenerationConfig.ThinkingConfig, c.want)
		}
	}
}

// A caller's request of this dialect that is translated for it says the same as before.
func TestRequestRoundTrip(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "requests/*.json", func(t *testing.T, _, text string) {
		want, err := peek(t, text, dialect.Hint{Model: "m"}).In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		delete(want.Extra, "newField")
		w, err := gemini.Outbound{}.EncodeRequest(want, dialect.Target{Model: "gemini-3-pro"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := peek(t, string(w.Body), dialect.Hint{Model: "m"}).In.DecodeRequest()
		if err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
		if diff := cmp.Diff(slices.Sorted(calls(want)), slices.Sorted(calls(got))); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if got.Choice != want.Choice || got.MaxOutput != want.MaxOutput || len(got.Tools) != len(want.Tools) ||
			len(got.Extra) != len(want.Extra) || got.ServiceTier != want.ServiceTier || !cmp.Equal(got.Temperature, want.Temperature) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
}

// calls are all calls and results, without white space.
func calls(r *llm.Request) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, m := range r.Messages {
			for _, p := range m.Parts {
				line := ""
				switch {
				case p.Call != nil:
					line = "call " + p.Call.Name + p.Call.Arguments
				case p.Result != nil:
					line = "result " + p.Result.Name + llm.TextOf(p.Result.Parts)
				}
				if line != "" && !yield(strings.ReplaceAll(line, " ", "")) {
					return
				}
			}
		}
	}
}

// What Carries promises the whole way through package dialect.
func TestTranslate(t *testing.T) {
	t.Parallel()
	r := peek(t, hello, dialect.Hint{Model: "mine", Stream: true})
	p := dialect.Translate(r, gemini.Outbound{})
	w, err := p.Outgoing(dialect.Target{Model: "gemini-2.5-flash", Drop: func(string) bool { return false }})
	if err != nil || string(w.Body) != `{`+hiOut+`}` || !strings.Contains(w.Path, "alt=sse") {
		t.Fatalf("%v: %+v", err, w)
	}
	for _, param := range llm.AllParams() {
		carries := slices.Contains(gemini.Outbound{}.Carries().Params, param)
		if lacks := slices.Contains([]llm.Param{llm.ParallelTools, llm.LogitBias, llm.StrictTools, llm.Verbosity, llm.UserParam, llm.Prediction,
			llm.ParticipantNames, llm.CacheMarkers, llm.CitationsWanted}, param); carries == lacks {
			t.Errorf("%s: carried %t", param, carries)
		}
	}
}
