package gemini_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestDecodeRequest(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "requests/*.json", func(t *testing.T, name, text string) {
		r := peek(t, text, dialect.Hint{Model: "m"})
		neutral, err := r.In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.Golden(t, "requests/"+name+".golden", dialecttest.Indented(neutral))
	})
}

func TestDecodeRequestRefuses(t *testing.T) {
	t.Parallel()
	part := func(p string) string {
		return `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[` + p + `]}]}`
	}
	config := func(c string) string { return `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{` + c + `}}` }
	for name, c := range map[string]struct{ body, param string }{
		"content":         {`{"contents":["a"]}`, "contents[0]"},
		"role":            {`{"contents":[{"role":"robot","parts":[{"text":"a"}]}]}`, "contents[0].role"},
		"parts":           {`{"contents":[{"parts":5}]}`, "contents[0].parts"},
		"empty part":      {part(`{}`), "contents[1].parts[0]"},
		"unknown part":    {part(`{"hologram":{}}`), "contents[1].parts[0].hologram"},
		"two kinds":       {part(`{"text":"a","inlineData":{"mimeType":"image/png","data":"A"}}`), "contents[1].parts[0].inlineData"},
		"video metadata":  {part(`{"fileData":{"fileUri":"gs://a","mimeType":"video/mp4"},"videoMetadata":{"fps":1}}`), "contents[1].parts[0].videoMetadata"},
		"text number":     {part(`{"text":5}`), "contents[1].parts[0].text"},
		"thought":         {part(`{"text":"a","thought":"yes"}`), "contents[1].parts[0].thought"},
		"mime":            {part(`{"inlineData":{"mimeType":"png","data":"A"}}`), "contents[1].parts[0].inlineData.mimeType"},
		"no data":         {part(`{"inlineData":{"mimeType":"image/png"}}`), "contents[1].parts[0].inlineData.data"},
		"no uri":          {part(`{"file_data":{"mimeType":"image/png"}}`), "contents[1].parts[0].file_data.fileUri"},
		"no name":         {part(`{"functionCall":{}}`), "contents[1].parts[0].functionCall.name"},
		"args":            {part(`{"functionCall":{"name":"f","args":"x"}}`), "contents[1].parts[0].functionCall.args"},
		"orphan":          {part(`{"functionResponse":{"name":"f","response":{}}}`), "contents[1].parts[0].functionResponse"},
		"response":        {part(`{"functionCall":{"name":"f"}},{"functionResponse":{"name":"f","response":[]}}`), "contents[1].parts[1].functionResponse.response"},
		"answered":        {part(`{"functionCall":{"name":"f"}},{"functionResponse":{"name":"f"}},{"functionResponse":{"name":"f"}}`), "contents[1].parts[2].functionResponse"},
		"spelled twice":   {part(`{"functionCall":{"name":"f"},"function_call":{"name":"g"}}`), "contents[1].parts[0].function_call"},
		"temperature":     {config(`"temperature":"1"`), "generationConfig.temperature"},
		"topK":            {config(`"topK":1.5`), "generationConfig.topK"},
		"stop":            {config(`"stopSequences":[5]`), "generationConfig.stopSequences[0]"},
		"mime type":       {config(`"responseMimeType":"text/x.enum"`), "generationConfig.responseMimeType"},
		"schema alone":    {config(`"responseSchema":{}`), "generationConfig.responseMimeType"},
		"schema":          {config(`"responseMimeType":"application/json","responseSchema":"x"`), "generationConfig.responseSchema"},
		"thinking both":   {config(`"thinkingConfig":{"thinkingBudget":5,"thinkingLevel":"LOW"}`), "generationConfig.thinkingConfig"},
		"thinking level":  {config(`"thinkingConfig":{"thinkingLevel":"HUGE"}`), "generationConfig.thinkingConfig.thinkingLevel"},
		"thinking budget": {config(`"thinkingConfig":{"thinkingBudget":-2}`), "generationConfig.thinkingConfig.thinkingBudget"},
		"thinking new":    {config(`"thinkingConfig":{"newer":1}`), "generationConfig.thinkingConfig.newer"},
		"mode":            {`{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}`, "toolConfig.functionCallingConfig.mode"},
		"allowed":         {`{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}}}`, "toolConfig.functionCallingConfig.allowedFunctionNames"},
		"tool":            {`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"description":"x"}]}]}`, "tools[0].functionDeclarations[0].name"},
		"tool field":      {`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"x","newer":1}]}]}`, "tools[0].functionDeclarations[0].newer"},
		"tier":            {`{"contents":[{"parts":[{"text":"a"}]}],"serviceTier":"gold"}`, "serviceTier"},
		"system":          {`{"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":5}`, "systemInstruction"},
	} {
		_, err := peek(t, c.body, dialect.Hint{Model: "m"}).In.DecodeRequest()
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q), want param %q", name, err, e.Param, c.param)
		}
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]struct {
		choice llm.ToolChoice
		tools  int
	}{
		`{}`:                          {llm.ToolChoice{}, 3},
		`{"mode":"AUTO"}`:             {llm.ToolChoice{Mode: llm.ChooseAuto}, 3},
		`{"mode":"MODE_UNSPECIFIED"}`: {llm.ToolChoice{}, 3},
		`{"mode":"NONE"}`:             {llm.ToolChoice{Mode: llm.ChooseNone}, 3},
		`{"mode":"ANY"}`:              {llm.ToolChoice{Mode: llm.ChooseAny}, 3},
		`{"mode":"ANY","allowedFunctionNames":["a"]}`:         {llm.ToolChoice{Mode: llm.ChooseTool, Name: "a"}, 3},
		`{"mode":"ANY","allowedFunctionNames":["a","b"]}`:     {llm.ToolChoice{Mode: llm.ChooseAny}, 2},
		`{"mode":"VALIDATED","allowed_function_names":["c"]}`: {llm.ToolChoice{Mode: llm.ChooseAuto}, 1},
	} {
		body := `{"contents":[{"parts":["hi"]}],"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}]},{"functionDeclarations":[{"name":"c"}]}],` +
			`"toolConfig":{"functionCallingConfig":` + config + `}}`
		r, err := peek(t, body, dialect.Hint{Model: "m"}).In.DecodeRequest()
		if err != nil || r.Choice != want.choice || len(r.Tools) != want.tools {
			t.Errorf("%s: %v %+v, %d tools", config, err, r.Choice, len(r.Tools))
		}
	}
}

// Every neutral param has a name that a caller of this dialect knows.
func TestFields(t *testing.T) {
	t.Parallel()
	in := peek(t, hello, dialect.Hint{Model: "m"}).In
	for _, p := range llm.AllParams() {
		if in.Field(p) == "" {
			t.Errorf("%s has no name", p)
		}
	}
}

// answerOf is an answer as other vendors give it.
func answerOf(finish llm.Finish) *llm.Response {
	return &llm.Response{
		ID: "msg_1", Model: "claude", Tier: "priority",
		Choices: []llm.Choice{{Finish: finish, Parts: []llm.Part{
			{Kind: llm.Thinking, Text: "Hm.", Signature: llm.Signature{Maker: llm.MakerAnthropic, Value: "EqdA=="}},
			{Kind: llm.Sealed, Signature: llm.Signature{Maker: llm.MakerOpenAI, Value: "gAAAA"}},
			{Kind: llm.Text, Text: "Let me see.", Citations: []llm.Citation{{URL: "https://a", Title: "A", Document: -1, Start: 0, End: 3}}},
			{Kind: llm.ToolCall, Call: &llm.Call{ID: "toolu_1", Name: "f", Arguments: `{"a": 1}`}, Signature: llm.Signature{Maker: llm.MakerGemini, Value: "CsQB"}},
			{Kind: llm.ToolCall, Call: &llm.Call{ID: "toolu_2", Name: "g"}},
		}}},
		Usage: gateway.Usage{InputTokens: 10, CachedTokens: 4, OutputTokens: 20, ReasoningTokens: 5, AudioInputTokens: 2, Source: gateway.UsageReported},
	}
}

const answerWithThoughts = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hm.","thought":true,"thoughtSignature":"YW50aHJvcGljOkVxZEE9PQ=="},` +
	`{"text":"","thought":true,"thoughtSignature":"c2VhbGVkL29wZW5haTpnQUFBQQ=="},{"text":"Let me see."},` +
	`{"thoughtSignature":"CsQB","functionCall":{"id":"toolu_1__thought__Z2VtaW5pOkNzUUI","name":"f","args":{"a":1}}},` +
	`{"functionCall":{"id":"toolu_2","name":"g","args":{}}}]},"finishReason":"STOP","index":0,` +
	`"citationMetadata":{"citationSources":[{"endIndex":3,"uri":"https://a","title":"A"}]}}],` +
	`"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":15,"thoughtsTokenCount":5,"totalTokenCount":30,` +
	`"promptTokensDetails":[{"modality":"TEXT","tokenCount":8},{"modality":"AUDIO","tokenCount":2}],"trafficType":"ON_DEMAND_PRIORITY"},` +
	`"modelVersion":"gemini","responseId":"msg_1"}`

func TestEncodeResponse(t *testing.T) {
	t.Parallel()
	got, err := thoughtful(t).EncodeResponse(answerOf(llm.FinishTools))
	if err != nil || string(got) != answerWithThoughts {
		t.Errorf("%v\n got %s\nwant %s", err, got, answerWithThoughts)
	}
	r := peek(t, hello, dialect.Hint{Model: "gemini"})
	if got, err = r.In.EncodeResponse(answerOf(llm.FinishTools)); err != nil || bytes.Contains(got, []byte(`"thought":true`)) {
		t.Errorf("thoughts go to who did not ask for them: %v %s", err, got)
	}
	for finish, want := range map[llm.Finish]string{
		llm.FinishStop: "STOP", llm.FinishStopSeq: "STOP", llm.FinishLength: "MAX_TOKENS", llm.FinishFilter: "SAFETY", llm.FinishRefusal: "SAFETY",
		llm.FinishPause: "OTHER", "new": "STOP",
	} {
		if got, _ := r.In.EncodeResponse(answerOf(finish)); !bytes.Contains(got, []byte(`"finishReason":"`+want+`"`)) {
			t.Errorf("%s: %s", finish, got)
		}
	}
}

// A call that is no JSON is what Google calls malformed.
func TestGarbledCall(t *testing.T) {
	t.Parallel()
	r := answerOf(llm.FinishTools)
	r.Choices[0].Parts[3].Call.Arguments = `{"a": `
	in := thoughtful(t)
	whole, err := in.EncodeResponse(r)
	if err != nil || !bytes.Contains(whole, []byte(`"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: f({\"a\": )"`)) ||
		bytes.Contains(whole, []byte("toolu_1")) {
		t.Errorf("%v %s", err, whole)
	}
	if streamed := encodeStream(in, r.Events()); !strings.Contains(streamed, "MALFORMED_FUNCTION_CALL") || strings.Contains(streamed, "toolu_1") {
		t.Error(streamed)
	}
	r.Choices[0].Finish = llm.FinishLength
	if streamed := encodeStream(in, r.Events()); !strings.Contains(streamed, "MAX_TOKENS") || strings.Contains(streamed, "toolu_1") {
		t.Error(streamed)
	}
}

func encodeStream(in dialect.Inbound, events []llm.Event) string {
	s := in.EncodeStream()
	var dst []byte
	for i := range events {
		dst = s.Encode(dst, &events[i])
	}
	return string(s.End(dst))
}

// A streamed answer says the same as a whole one, however small its pieces.
func TestEncodeStream(t *testing.T) {
	t.Parallel()
	in := thoughtful(t)
	for _, pieces := range []int{1 << 20, 1} {
		events := answerOf(llm.FinishTools).Events()
		var fine []llm.Event
		for _, e := range events {
			for e.Type == llm.Delta && len(e.Text) > pieces {
				piece := e
				piece.Text, piece.Signature, piece.Citations, e.Text = e.Text[:pieces], llm.Signature{}, nil, e.Text[pieces:]
				fine = append(fine, piece)
			}
			fine = append(fine, e)
		}
		got, progress, err := dialecttest.Read(gemini.Outbound{}, strings.NewReader(encodeStream(in, fine)))
		if err != io.EOF || progress != dialect.MayEnd {
			t.Fatalf("%v, %d, %+v", err, progress, got)
		}
		dialecttest.WellFormed(t, got, progress)
		var c llm.Collector
		for i := range got {
			c.Add(&got[i])
		}
		want, err := gemini.Outbound{}.DecodeResponse([]byte(answerWithThoughts))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(comparable(want), comparable(c.Response())); diff != "" {
			t.Errorf("pieces of %d (-whole +stream):\n%s", pieces, diff)
		}
	}
}

// Until End nothing says that all is well; a failure never says so.
func TestEncodeStreamEnds(t *testing.T) {
	t.Parallel()
	s := thoughtful(t).EncodeStream()
	var dst []byte
	for _, e := range answerOf(llm.FinishTools).Events() {
		dst = s.Encode(dst, &e)
	}
	if strings.Contains(string(dst), "finishReason") {
		t.Errorf("the end came too soon: %s", dst)
	}
	fail := string(s.Fail(nil, gateway.Errorf(gateway.KindTimeout, "slow")))
	if !strings.HasPrefix(fail, `data: {"error":{"code":504,"message":"slow","status":"DEADLINE_EXCEEDED"`) {
		t.Error(fail)
	}
}

// What goes to a caller with signatures of any maker comes back with them, also through clients that read base64 and write it anew.
func TestSignaturesComeBack(t *testing.T) {
	t.Parallel()
	want := answerOf(llm.FinishTools)
	body, err := thoughtful(t).EncodeResponse(want)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Candidates []struct{ Content json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"same":        string(answer.Candidates[0].Content),
		"no padding":  strings.ReplaceAll(string(answer.Candidates[0].Content), "=", ""),
		"own dropped": strings.ReplaceAll(string(answer.Candidates[0].Content), `"thoughtSignature":"CsQB",`, ""),
	} {
		r, err := peek(t, `{"contents":[`+content+`]}`, dialect.Hint{Model: "m"}).In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		got := r.Messages[0].Parts
		for i, p := range want.Choices[0].Parts {
			if got[i].Kind != p.Kind || got[i].Signature != p.Signature || p.Call != nil && got[i].Call.ID != p.Call.ID {
				t.Errorf("%s: part %d: %+v, want %+v", name, i, got[i], p)
			}
		}
	}
}
