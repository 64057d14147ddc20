package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestDecodeCompletion(t *testing.T) {
	t.Parallel()
	prompt := []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart("Once")}}}
	for body, want := range map[string]*llm.Request{
		`"prompt":"Once"`:                                      {MaxOutput: 16, N: 1},
		`"prompt":["Once"],"max_tokens":9,"n":3`:               {MaxOutput: 9, N: 3},
		`"prompt":"Once","echo":false,"suffix":"","best_of":1`: {MaxOutput: 16, N: 1},
		`"prompt":"Once","n":2,"best_of":2,"stream":true,"stream_options":{"include_usage":true},"user":"u"`:                                   {MaxOutput: 16, N: 2, Stream: true, User: "u"},
		`"prompt":"Once","echo":null,"suffix":null,"best_of":null,"logprobs":null`:                                                             {MaxOutput: 16, N: 1},
		`"prompt":"Once","temperature":0.5,"top_p":0.1,"stop":["E"],"seed":3,"presence_penalty":1,"frequency_penalty":1,"logit_bias":{"1":-1}`: {MaxOutput: 16, N: 1, Temperature: new(0.5), TopP: new(0.1), Stop: []string{"E"}, Seed: new(int64(3)), PresencePenalty: new(1.0), FrequencyPenalty: new(1.0), LogitBias: json.RawMessage(`{"1":-1}`)},
	} {
		got, err := peek(t, gateway.OpCompletions, `{"model":"m",`+body+`}`).In.DecodeRequest()
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		want.Messages = prompt
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// What chats have nothing like is refused, or left out if that is allowed.
func TestCompletionRefuses(t *testing.T) {
	t.Parallel()
	for body, c := range map[string]struct {
		param string
		drops bool
	}{
		`"prompt":["a","b"]`: {"prompt", false}, `"prompt":[1,2,3]`: {"prompt", false}, `"prompt":[[1,2]]`: {"prompt", false}, `"prompt":[]`: {"prompt", false}, `"prompt":""`: {"prompt", false},
		`"prompt":[""]`: {"prompt", false}, `"prompt":"x","echo":true`: {"echo", true}, `"prompt":"x","echo":1`: {"echo", false}, `"prompt":"x","suffix":"y"`: {"suffix", true},
		`"prompt":"x","suffix":5`: {"suffix", false}, `"prompt":"x","best_of":3`: {"best_of", true}, `"prompt":"x","n":2,"best_of":3`: {"best_of", true}, `"prompt":"x","best_of":"3"`: {"best_of", false},
		`"prompt":"x","logprobs":2`: {"logprobs", true}, `"prompt":"x","logprobs":0`: {"logprobs", true}, `"prompt":"x","logprobs":9`: {"logprobs", false}, `"prompt":"x","temperature":9`: {"temperature", false},
		`"prompt":"x","top_k":5`: {"top_k", true}, `"prompt":"x","tools":[]`: {"tools", true},
	} {
		r, err := chat.Peek(gateway.OpCompletions, []byte(`{"model":"m",`+body+`}`), dialect.Hint{})
		if err == nil {
			_, err = encode(t, r, hosts["openai"], false)
		}
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q)", body, err, e.Param)
		}
		if r == nil {
			continue
		}
		w, err := encode(t, r, hosts["openai"], true)
		if c.drops != (err == nil) || c.drops && (len(w.Dropped) != 1 || w.Dropped[0] != c.param) {
			t.Errorf("%s: dropped %q, %v", body, w.Dropped, err)
		}
	}
}

func TestEncodeCompletion(t *testing.T) {
	t.Parallel()
	in := peek(t, gateway.OpCompletions, `{"model":"m","prompt":"x","stream":true}`).In
	answer := &llm.Response{
		ID: "x", Model: "m", Created: 7, Usage: gateway.Usage{InputTokens: 1, OutputTokens: 2, Source: gateway.UsageReported},
		Choices: []llm.Choice{
			{Finish: llm.FinishLength, Parts: []llm.Part{{Kind: llm.Thinking, Text: "Hm."}, llm.TextPart("a\n\"b\"")}},
			{Finish: llm.FinishTools, Parts: []llm.Part{callPart("c"), {Kind: llm.Refusal, Text: "No."}}},
			{Finish: llm.FinishRefusal},
		},
	}
	const choices = `"choices":[{"text":"a\n\"b\"","index":0,"logprobs":null,"finish_reason":"length"},{"text":"No.","index":1,"logprobs":null,"finish_reason":"stop"},{"text":"","index":2,"logprobs":null,"finish_reason":"content_filter"}]`
	const want = `{"id":"cmpl-x","object":"text_completion","created":7,"model":"m",` + choices +
		`,"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`
	got, err := in.EncodeResponse(answer)
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	out := in.EncodeStream()
	var text []byte
	for _, e := range answer.Events() {
		text = out.Encode(text, &e)
	}
	var pieces []string
	for frame := range strings.SplitSeq(strings.TrimSpace(string(out.End(text))), "\n\n") {
		data := strings.TrimPrefix(frame, "data: ")
		if _, rest, found := strings.Cut(data, `"choices":[`); found {
			if !json.Valid([]byte(data)) || !strings.Contains(data, `"object":"text_completion"`) {
				t.Errorf("not a chunk: %s", data)
			}
			data = strings.TrimSuffix(rest, "]}")
		}
		pieces = append(pieces, data)
	}
	wanted := []string{
		`{"index":0,"text":"a\n\"b\"","logprobs":null,"finish_reason":null}`, `{"index":0,"text":"","logprobs":null,"finish_reason":"length"}`,
		`{"index":1,"text":"No.","logprobs":null,"finish_reason":null}`, `{"index":1,"text":"","logprobs":null,"finish_reason":"stop"}`,
		`{"index":2,"text":"","logprobs":null,"finish_reason":"content_filter"}`, "[DONE]",
	}
	if diff := cmp.Diff(wanted, pieces); diff != "" {
		t.Errorf("streamed (-want +got):\n%s", diff)
	}
	if failed := string(out.Fail(nil, gateway.Invalid("n", "No."))); failed != `data: {"error":{"message":"No.","type":"invalid_request_error","param":"n","code":"400"}}`+"\n\n" {
		t.Errorf("failed: %s", failed)
	}
	if in.Field(llm.ImageURLs) != "prompt" || in.Field(llm.TopK) != "top_k" {
		t.Error("the fields have other names")
	}
}
