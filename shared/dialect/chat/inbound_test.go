package chat_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// What callers ask for, in the neutral form.
func TestDecodeRequest(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "requests/*.json", func(t *testing.T, name, text string) {
		r, err := peek(t, gateway.OpChat, text).In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.Golden(t, "requests/"+name+".golden", dialecttest.Indented(r))
	})
}

func user(parts string) string {
	return `"messages":[{"role":"user","content":[` + parts + `]}]`
}

func said(fields string) string {
	return `"messages":[` + `{"role":"user","content":"hi"},{"role":"assistant",` + fields + `}]`
}

// What a caller gets wrong is refused, and the error says where.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"messages":[1]`: "messages[0]", `"messages":[{"content":"x"}]`: "messages[0].role", `"messages":[{"role":"robot","content":"x"}]`: "messages[0].role",
		`"messages":[{"role":5,"content":"x"}]`: "messages[0].role", `"messages":[{"role":"user","content":5}]`: "messages[0].content",
		`"messages":[{"role":"user","content":{}}]`: "messages[0].content", `"messages":[{"role":"user","name":[],"content":"x"}]`: "messages[0].name",
		`"messages":[{"role":"user","content":"x"},{"role":"tool","content":"y"}]`: "messages[1].tool_call_id",
		`"messages":[{"role":"tool","tool_call_id":7,"content":"y"}]`:              "messages[0].tool_call_id",
		`"messages":[{"role":"function","content":"y"}]`:                           "messages[0].name",
		`"messages":[{"role":"user","content":"x","cache_control":5}]`:             "messages[0].cache_control",
		`"messages":[{"role":"user","content":"x","cache_control":{"ttl":"2h"}}]`:  "messages[0].cache_control.ttl",
		user(`5`): "messages[0].content[0]", user(`{"text":"x"}`): "messages[0].content[0].type", user(`{"type":"tool_use"}`): "messages[0].content[0].type",
		user(`{"type":7}`): "messages[0].content[0].type", user(`{"type":"text"}`): "messages[0].content[0].text", user(`{"type":"text","text":5}`): "messages[0].content[0].text",
		user(`{"type":"text","text":"x"},null`): "messages[0].content[1]", user(`{"type":"refusal"}`): "messages[0].content[0].refusal",
		user(`{"type":"image_url"}`): "messages[0].content[0].image_url", user(`{"type":"image_url","image_url":5}`): "messages[0].content[0].image_url",
		user(`{"type":"image_url","image_url":{"url":"ftp://x"}}`):                       "messages[0].content[0].image_url.url",
		user(`{"type":"image_url","image_url":{"url":"data:image/png,x"}}`):              "messages[0].content[0].image_url.url",
		user(`{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}`):            "messages[0].content[0].image_url.url",
		user(`{"type":"image_url","image_url":{"url":"https://x","detail":5}}`):          "messages[0].content[0].image_url.detail",
		user(`{"type":"video_url"}`):                                                     "messages[0].content[0].video_url",
		user(`{"type":"input_audio"}`):                                                   "messages[0].content[0].input_audio",
		user(`{"type":"input_audio","input_audio":{"format":"wav"}}`):                    "messages[0].content[0].input_audio.data",
		user(`{"type":"input_audio","input_audio":{"data":"x"}}`):                        "messages[0].content[0].input_audio.format",
		user(`{"type":"input_audio","input_audio":{"data":"x","format":"wav\r\nx: y"}}`): "messages[0].content[0].input_audio.format",
		user(`{"type":"file"}`):                                                          "messages[0].content[0].file",
		user(`{"type":"file","file":{}}`):                                                "messages[0].content[0].file",
		user(`{"type":"file","file":{"file_data":"file:///x"}}`):                         "messages[0].content[0].file.file_data",
		user(`{"type":"file","file":{"file_id":5}}`):                                     "messages[0].content[0].file.file_id",
		said(`"tool_calls":{}`):                                                          "messages[1].tool_calls",
		said(`"tool_calls":[1]`):                                                         "messages[1].tool_calls[0]",
		said(`"tool_calls":[{"function":{"name":"f"}}]`):                                 "messages[1].tool_calls[0].id",
		said(`"tool_calls":[{"id":"a"}]`):                                                "messages[1].tool_calls[0].function",
		said(`"tool_calls":[{"id":"a","function":5}]`):                                   "messages[1].tool_calls[0].function",
		said(`"tool_calls":[{"id":"a","function":{}}]`):                                  "messages[1].tool_calls[0].function.name",
		said(`"tool_calls":[{"id":"a","function":{"name":"f","arguments":5}}]`):          "messages[1].tool_calls[0].function.arguments",
		said(`"tool_calls":[{"id":"a","type":"custom","custom":{"name":"f"}}]`):          "messages[1].tool_calls[0].type",
		said(`"function_call":"x"`):                                                      "messages[1].function_call",
		said(`"refusal":5`):                                                              "messages[1].refusal",
		said(`"reasoning_content":[]`):                                                   "messages[1].reasoning_content",
		said(`"thinking_blocks":5`):                                                      "messages[1].thinking_blocks",
		said(`"thinking_blocks":[5]`):                                                    "messages[1].thinking_blocks[0]",
		said(`"thinking_blocks":[{"type":"x"}]`):                                         "messages[1].thinking_blocks[0].type",
		said(`"thinking_blocks":[{"type":"thinking","thinking":5}]`):                     "messages[1].thinking_blocks[0].thinking",
		`"tools":{}`: "tools", `"tools":[5]`: "tools[0]", `"tools":[{}]`: "tools[0].type", `"tools":[{"type":"function"}]`: "tools[0].function",
		`"tools":[{"type":"function","function":{}}]`:                                             "tools[0].function.name",
		`"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`:                   "tools[0].function.parameters",
		`"tools":[{"type":"function","function":{"name":"f","strict":1}}]`:                        "tools[0].function.strict",
		`"tools":[` + strings.Repeat(`{"type":"function","function":{"name":"f"}},`, 512) + `{}]`: "tools",
		`"functions":[{}]`: "functions[0].name", `"functions":5`: "functions",
		`"tool_choice":"maybe"`: "tool_choice", `"tool_choice":5`: "tool_choice", `"tool_choice":{}`: "tool_choice.name", `"tool_choice":{"type":"function","function":{}}`: "tool_choice.function.name",
		`"tool_choice":{"allowed_tools":{"mode":"none","tools":[]}}`:                    "tool_choice.allowed_tools.mode",
		`"tool_choice":{"allowed_tools":{"mode":"auto","tools":[]}}`:                    "tool_choice.allowed_tools.tools",
		`"tool_choice":{"allowed_tools":{"mode":"auto","tools":[{"type":"function"}]}}`: "tool_choice.allowed_tools.tools[0]",
		`"function_call":{"name":5}`:                                                    "function_call.name",
		`"response_format":"json"`:                                                      "response_format", `"response_format":{}`: "response_format.type", `"response_format":{"type":"xml"}`: "response_format.type",
		`"response_format":{"type":"json_schema"}`:                              "response_format.json_schema.schema",
		`"response_format":{"type":"json_schema","json_schema":{"schema":"x"}}`: "response_format.json_schema.schema",
		`"parallel_tool_calls":"yes"`:                                           "parallel_tool_calls", `"modalities":"audio"`: "modalities", `"modalities":[1]`: "modalities[0]", `"audio":[]`: "audio", `"prediction":"x"`: "prediction",
		`"verbosity":"loud"`: "verbosity", `"service_tier":5`: "service_tier", `"service_tier":"` + strings.Repeat("x", 40) + `"`: "service_tier",
		`"temperature":2.1`: "temperature", `"temperature":-1`: "temperature", `"temperature":"1"`: "temperature", `"top_p":1.5`: "top_p", `"top_k":-1`: "top_k", `"top_k":1.5`: "top_k",
		`"seed":1e40`: "seed", `"seed":"1"`: "seed", `"presence_penalty":3`: "presence_penalty", `"frequency_penalty":-3`: "frequency_penalty", `"temperature":1e999`: "temperature",
		`"logit_bias":[]`: "logit_bias", `"logit_bias":{"1":101}`: "logit_bias.1", `"logit_bias":{"1":"x"}`: "logit_bias.1", `"logprobs":1`: "logprobs", `"top_logprobs":21`: "top_logprobs",
		`"stop":5`: "stop", `"stop":["a",5]`: "stop[1]", `"stop":"` + strings.Repeat("x", 5000) + `"`: "stop[0]", `"stop":[` + strings.Repeat(`"x",`, 64) + `"x"]`: "stop",
		`"reasoning_effort":"much"`: "reasoning_effort", `"reasoning_effort":5`: "reasoning_effort", `"reasoning_effort":{"effort":"much"}`: "reasoning_effort.effort",
		`"reasoning":5`: "reasoning", `"reasoning":{"max_tokens":-1}`: "reasoning.max_tokens", `"reasoning":{"enabled":1}`: "reasoning.enabled", `"reasoning":{"summary":"x"}`: "reasoning.summary",
		`"thinking":"on"`: "thinking", `"thinking":{}`: "thinking.type", `"thinking":{"type":"much"}`: "thinking.type", `"thinking":{"type":"enabled"}`: "thinking.budget_tokens",
		`"thinking":{"type":"enabled","budget_tokens":0}`: "thinking.budget_tokens",
	} {
		if !strings.Contains(body, `"messages"`) {
			body += "," + hello
		}
		_, err := peek(t, gateway.OpChat, `{"model":"m",`+body+`}`).In.DecodeRequest()
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != want || !strings.Contains(e.Message, e.Param) && e.Param != "stop[0]" {
			t.Errorf("%.100s: %v (param %q), want %q", body, err, e.Param, want)
		}
	}
}

func TestTooManyMessages(t *testing.T) {
	t.Parallel()
	body := `{"model":"m","messages":[` + strings.Repeat(`{"role":"user","content":"x"},`, 100_000) + `{"role":"user","content":"x"}]}`
	if _, err := peek(t, gateway.OpChat, body).In.DecodeRequest(); gateway.AsError(err).Param != "messages" {
		t.Errorf("100,001 messages: %v", err)
	}
}

// Of a field that is there twice the last one counts, within objects the last one as well, and it is the same each time.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	body := `{"model":"m","temperature":0.1,"temperature":0.2,"tools":[{"type":"function","function":{"name":"b","name":"c"}}],` +
		`"reasoning_effort":"low","reasoning_effort":"high","stop":"x","stop":["y"],"messages":[{"role":"system","role":"user","content":"x","content":[{"type":"text","text":"y","text":"z"}]}]}`
	for range 20 {
		got, err := peek(t, gateway.OpChat, body).In.DecodeRequest()
		if err != nil {
			t.Fatal(err)
		}
		want := &llm.Request{
			N: 1, Temperature: new(0.2), Tools: []llm.Tool{{Name: "c"}}, Reasoning: llm.Reasoning{Effort: "high"}, Stop: []string{"y"},
			Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart("z")}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// If a caller says twice how much to think, one counts.
func TestHowMuchToThink(t *testing.T) {
	t.Parallel()
	hidden := false
	for body, want := range map[string]llm.Reasoning{
		`"reasoning_effort":"high","thinking":{"type":"disabled"}`: {Off: true},
		`"reasoning_effort":"none","reasoning":{"max_tokens":7}`:   {Budget: 7},
		`"reasoning":{"exclude":true},"reasoning_effort":"low"`:    {Effort: "low"},
		`"reasoning":{"exclude":true}`:                             {Show: &hidden},
		`"reasoning":{"enabled":false,"effort":"high"}`:            {Off: true},
		`"reasoning":{"enabled":true}`:                             {Auto: true},
		`"reasoning_effort":{"effort":"low","summary":"detailed"}`: {Effort: "low", Summary: "detailed"},
		`"thinking":{"type":"adaptive"},"reasoning_effort":"max"`:  {Auto: true},
		`"reasoning_effort":null,"reasoning":null,"thinking":null`: {},
	} {
		r, err := peek(t, gateway.OpChat, `{"model":"m",`+body+`,`+hello+`}`).In.DecodeRequest()
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want, r.Reasoning); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// Each param has a name that a caller of this dialect knows.
func TestField(t *testing.T) {
	t.Parallel()
	in := peek(t, gateway.OpChat, `{"model":"m",`+hello+`}`).In
	for param, want := range map[llm.Param]string{
		llm.MaxOutput: "max_tokens", llm.JSONSchemas: "response_format", llm.ReasoningParam: "reasoning_effort", llm.ImageURLs: "messages", llm.TopK: "top_k",
	} {
		if got := in.Field(param); got != want {
			t.Errorf("%s is called %s, want %s", param, got, want)
		}
	}
	for _, p := range llm.AllParams() {
		if name := in.Field(p); strings.ContainsAny(name, " .") {
			t.Errorf("%s is called %q", p, name)
		}
	}
}

// Events of a stream come to callers as OpenAI writes them: usage only if it was asked for, and null before the end.
func TestStreamUsage(t *testing.T) {
	t.Parallel()
	events := []llm.Event{
		{Type: llm.Begin, ID: "x", Model: "m"}, {Type: llm.PartBegin, Part: llm.Part{Kind: llm.Text}}, {Type: llm.Delta, Text: "a"}, {Type: llm.PartEnd},
		{Type: llm.End, Finish: llm.FinishStop}, {Type: llm.Spent, Usage: &gateway.Usage{InputTokens: 3, OutputTokens: 2, Source: gateway.UsageReported}, Tier: "flex"},
	}
	write := func(op gateway.Op, body string) string {
		out := peek(t, op, body).In.EncodeStream()
		var text []byte
		for i := range events {
			text = out.Encode(text, &events[i])
		}
		return string(out.End(text))
	}
	for _, op := range []gateway.Op{gateway.OpChat, gateway.OpCompletions} {
		content := map[gateway.Op]string{gateway.OpChat: hello, gateway.OpCompletions: `"prompt":"x"`}[op]
		if got := write(op, `{"model":"m","stream":true,`+content+`}`); strings.Contains(got, "usage") || !strings.HasSuffix(got, "data: [DONE]\n\n") {
			t.Errorf("%s: usage that nobody asked for: %s", op, got)
		}
		got := write(op, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+content+`}`)
		chunks := strings.Split(strings.TrimSpace(got), "\n\n")
		for i, c := range chunks {
			last := i == len(chunks)-2
			if hasNull := strings.Contains(c, `"usage":null`); i < len(chunks)-1 && hasNull == last {
				t.Errorf("%s: chunk %d: %s", op, i, c)
			}
			if last && !strings.Contains(c, `"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,`) {
				t.Errorf("%s: the last chunk is %s", op, c)
			}
		}
	}
}

// A content is null where something takes its place, and else a text.
func TestContentIsNull(t *testing.T) {
	t.Parallel()
	call := llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: "c", Name: "f", Arguments: "{}"}}
	refusal := llm.Part{Kind: llm.Refusal, Text: "No."}
	thought := llm.Part{Kind: llm.Thinking, Text: "Hm."}
	in := peek(t, gateway.OpChat, `{"model":"m","stream":true,`+hello+`}`).In
	for name, c := range map[string]struct {
		parts []llm.Part
		want  string
		first string
	}{
		"text":            {[]llm.Part{llm.TextPart("x")}, `"content":"x","refusal":null`, `"content":""`},
		"call":            {[]llm.Part{call}, `"content":null,"refusal":null`, `"content":null`},
		"text and call":   {[]llm.Part{llm.TextPart("x"), call}, `"content":"x","refusal":null`, `"content":""`},
		"empty, and call": {[]llm.Part{llm.TextPart(""), call}, `"content":null`, `"content":null`},
		"refusal":         {[]llm.Part{refusal}, `"content":null,"refusal":"No."`, `"content":""`},
		"thought":         {[]llm.Part{thought}, `"content":"","refusal":null,"reasoning_content":"Hm."`, `"content":""`},
		"nothing":         {nil, `"content":"","refusal":null`, `"content":""`},
	} {
		r := &llm.Response{Choices: []llm.Choice{{Parts: c.parts, Finish: llm.FinishStop}}}
		body, err := in.EncodeResponse(r)
		if err != nil || !strings.Contains(string(body), `"message":{"role":"assistant",`+c.want) {
			t.Errorf("%s: %v in %s", name, err, body)
		}
		out := in.EncodeStream()
		var text []byte
		for _, e := range r.Events() {
			text = out.Encode(text, &e)
		}
		if !strings.Contains(string(text), `"delta":{"role":"assistant",`+c.first+`,"refusal":null}`) {
			t.Errorf("%s: streamed as %s", name, text)
		}
	}
}

func TestFinishes(t *testing.T) {
	t.Parallel()
	in := peek(t, gateway.OpChat, `{"model":"m",`+hello+`}`).In
	for finish, want := range map[llm.Finish]string{
		llm.FinishStop: "stop", llm.FinishStopSeq: "stop", llm.FinishLength: "length", llm.FinishTools: "tool_calls", llm.FinishFilter: "content_filter",
		llm.FinishRefusal: "content_filter", llm.FinishPause: "stop", "": "stop",
	} {
		body, err := in.EncodeResponse(&llm.Response{Choices: []llm.Choice{{Finish: finish}}})
		if err != nil || !strings.Contains(string(body), `"finish_reason":"`+want+`"`) {
			t.Errorf("%s: %v in %s", finish, err, body)
		}
	}
	for reason, want := range map[string]llm.Finish{
		`"stop"`: llm.FinishStop, `"length"`: llm.FinishLength, `"tool_calls"`: llm.FinishTools, `"function_call"`: llm.FinishTools, `"content_filter"`: llm.FinishFilter,
		`"eos_token"`: llm.FinishStop, `"stop_sequence"`: llm.FinishStopSeq, `"model_length"`: llm.FinishLength, `"MAX_TOKENS"`: llm.FinishLength, `"new"`: llm.FinishStop,
		`null`: llm.FinishStop, `""`: llm.FinishStop, `7`: llm.FinishStop,
	} {
		r, err := chat.Outbound{}.DecodeResponse([]byte(`{"choices":[{"message":{"content":"x"},"finish_reason":` + reason + `}]}`))
		if err != nil || r.Choices[0].Finish != want {
			t.Errorf("%s: %v, %v", reason, r, err)
		}
	}
}

// A thought that is too long to be kept comes in words only, and the others are not hurt.
func TestThoughtTooLong(t *testing.T) {
	t.Parallel()
	out := peek(t, gateway.OpChat, `{"model":"m","stream":true,`+hello+`}`).In.EncodeStream()
	seal := llm.Signature{Maker: llm.MakerAnthropic, Value: "EqQB"}
	write := func(index, pieces int) (text []byte) {
		text = out.Encode(text, &llm.Event{Type: llm.PartBegin, Index: index, Part: llm.Part{Kind: llm.Thinking}})
		piece := strings.Repeat("x", 1<<20)
		for range pieces {
			text = out.Encode(text[:0], &llm.Event{Type: llm.Delta, Index: index, Text: piece})
		}
		text = out.Encode(text, &llm.Event{Type: llm.Delta, Index: index, Signature: seal})
		return out.Encode(text, &llm.Event{Type: llm.PartEnd, Index: index})
	}
	out.Encode(nil, &llm.Event{Type: llm.Begin})
	if text := string(write(0, 9)); strings.Contains(text, "thinking_blocks") {
		t.Error("9 MiB of thoughts were kept")
	}
	for index := range 3 {
		if text := string(write(1+index, 3)); !strings.Contains(text, `"signature":"EqQB"`) {
			t.Errorf("thought %d was not kept", index)
		}
	}
}

// A stream keeps nothing of what it has written, however many parts there are.
func TestEncoderKeepsNothing(t *testing.T) {
	out := peek(t, gateway.OpChat, `{"model":"m","stream":true,`+hello+`}`).In.EncodeStream()
	dst := out.Encode(make([]byte, 0, 4096), &llm.Event{Type: llm.Begin, ID: "x", Model: "m"})
	part, kinds := 0, []llm.Kind{llm.Text, llm.Thinking, llm.Refusal}
	events := []llm.Event{{Type: llm.PartBegin}, {Type: llm.Delta, Text: "some words"}, {Type: llm.PartEnd}}
	piece := func() {
		events[0].Part.Kind = kinds[part%len(kinds)]
		for i := range events {
			events[i].Index = part
			dst = out.Encode(dst[:0], &events[i])
		}
		part++
	}
	if n := testing.AllocsPerRun(3000, piece); n > 1 {
		t.Errorf("%v allocations for each part", n)
	}
}
