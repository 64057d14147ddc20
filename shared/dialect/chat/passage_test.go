package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// What hosts call otherwise, or do not take, is edited where a body passes through; all else stays as it is.
func TestOutgoingQuirks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op             gateway.Op
		provider       string
		given, want    string
		model, content string
	}{
		{op: gateway.OpChat, provider: "mistral", given: `"stream":true,"stream_options":{"include_usage":true},`, want: `"stream":true,`},
		{op: gateway.OpChat, provider: "mistral", given: `"stream_options":null,"seed":null,`, want: `"seed":null,`},
		{op: gateway.OpChat, provider: "cohere", given: `"stream":true,`, want: `"stream":true,`},
		{op: gateway.OpChat, provider: "deepseek", given: `"max_tokens":5,"max_completion_tokens":3,`, want: `"max_tokens":5,`},
		{op: gateway.OpChat, provider: "deepseek", given: `"max_tokens":5,"max_completion_tokens":null,`, want: `"max_tokens":5,`},
		{op: gateway.OpChat, provider: "deepseek", given: `"max_tokens":null,"max_completion_tokens":3,`, want: `"max_tokens":3,`},
		{op: gateway.OpChat, provider: "groq", given: `"max_tokens":5,"max_completion_tokens":3,`, want: `"max_tokens":5,"max_completion_tokens":3,`},
		{op: gateway.OpChat, provider: "mistral", given: `"seed":1,"random_seed":2,`, want: `"seed":1,"random_seed":2,`},
		{op: gateway.OpEmbeddings, provider: "mistral", given: `"dimensions":256,`, want: ``, content: `,"output_dimension":256`},
		{op: gateway.OpEmbeddings, provider: "voyage", given: `"dimensions":256,`, want: ``, content: `,"output_dimension":256`},
		{op: gateway.OpEmbeddings, provider: "openai", given: `"dimensions":256,`, want: `"dimensions":256,`},
		{op: gateway.OpChat, provider: "openai", given: `"x":{"y":[1, 2]},"temperature":1e0,`, want: `"x":{"y":[1, 2]},"temperature":1e0,`},
	} {
		content := map[gateway.Op]string{gateway.OpChat: hello, gateway.OpEmbeddings: `"input":"x"`}[c.op]
		r := peek(t, c.op, `{"model":"a",`+c.given+content+`}`)
		for range 10 {
			got := outgoing(t, r, dialect.Target{Provider: c.provider, Model: "a"})
			if diff := cmp.Diff(`{"model":"a",`+c.want+content+c.content+`}`, got); diff != "" {
				t.Fatalf("%s at %s (-want +got):\n%s", c.given, c.provider, diff)
			}
		}
	}
}

// Mistral's ids are rewritten on Vertex AI as well, and those of other models there are not.
func TestOutgoingIDsOnVertex(t *testing.T) {
	t.Parallel()
	body := `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"call_1"}]},{"role":"tool","tool_call_id":"call_1"}]}`
	for model, want := range map[string]string{"mistral-large-2411": "74196fe72", "codestral-2501": "74196fe72", "meta/llama-4": "call_1"} {
		got := outgoing(t, peek(t, gateway.OpChat, body), dialect.Target{Provider: "vertex_ai", Model: model})
		if n := strings.Count(got, `"`+want+`"`); n != 2 {
			t.Errorf("%s: %s", model, got)
		}
	}
}

// Media whose tokens nobody can count bound a request by what the model takes.
func TestBoundOfFilms(t *testing.T) {
	t.Parallel()
	for _, part := range []string{`{"type":"video_url","video_url":{"url":"https://x"}}`, `{"type":"document_url","document_url":"https://x"}`} {
		if got := peek(t, gateway.OpChat, `{"model":"m",`+user(part)+`}`).InputBound(1_000_000); got != 1_000_000 {
			t.Errorf("%s is bound by %d tokens", part, got)
		}
	}
}

func TestPeekSpaces(t *testing.T) {
	t.Parallel()
	peek(t, gateway.OpChat, `{"model":"m","messages":[`+strings.Repeat(" ", 200)+`{"role":"user","content":"x"}]}`)
}

// Chunks with content are counted, whatever stands beside it: about as many tokens are paid for where no usage is told.
func TestTapCounts(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpChat, `{"model":"m","stream":true,`+hello+`}`)
	for delta, want := range map[string]int64{
		`{"role":"assistant","content":""}`:      0,
		`{}`:                                     0,
		`{"content":"a"}`:                        1,
		`{"content":"","reasoning":"a"}`:         1,
		`{"content":"","reasoning_content":"a"}`: 1,
		`{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"a"}]}`: 1,
		`{"role":"assistant","content":"","tool_calls":null}`:                   0,
	} {
		_, tap := passed(r, fmt.Sprintf("data: {\"choices\":[{\"delta\":%s}]}\n\n", delta))
		if got := tap.Seen().Chunks; got != want {
			t.Errorf("%s counts %d, want %d", delta, got, want)
		}
	}
}

// What vendors tell of usage, by their own names.
func TestUsageOfVendors(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpChat, `{"model":"m",`+hello+`}`)
	for usage, want := range map[string]gateway.Usage{
		`{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}`:    {InputTokens: 32, OutputTokens: 103, ReasoningTokens: 94},
		`{"prompt_tokens":32,"completion_tokens":103,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}`:  {InputTokens: 32, OutputTokens: 103, ReasoningTokens: 94},
		`{"prompt_tokens":30,"completion_tokens":4,"prompt_cache_hit_tokens":16,"prompt_cache_miss_tokens":14}`:                {InputTokens: 30, CachedTokens: 16, OutputTokens: 4},
		`{"prompt_tokens":30,"completion_tokens":4,"prompt_cache_hit_tokens":16,"prompt_tokens_details":{"cached_tokens":16}}`: {InputTokens: 30, CachedTokens: 16, OutputTokens: 4},
		`{"prompt_tokens":100,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":50}}`:     {InputTokens: 100, CachedTokens: 40, CacheWriteTokens: 50, OutputTokens: 3},
		`{"prompt_tokens":100,"completion_tokens":null,"total_tokens":100,"prompt_tokens_details":null}`:                       {InputTokens: 100},
	} {
		a, err := r.Native.Answer([]byte(`{"usage":` + usage + `}`))
		want.Source = gateway.UsageReported
		if diff := cmp.Diff(want, a.Usage); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", usage, err, diff)
		}
	}
}

// Errors inside a stream end it, however the host writes them; without the terminator it is never whole.
func TestTapOfRecordings(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpChat, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`)
	for path, stream := range dialecttest.Texts(t, "streams/*.txt") {
		text, tap := passed(r, stream)
		_, progress, _ := replay(strings.NewReader(stream))
		isCut := strings.Contains(path, "cut") || strings.Contains(path, "error_")
		if strings.HasSuffix(path, "error_choice") || strings.HasSuffix(path, "error_capacity") || strings.HasSuffix(path, "error_index") {
			continue // what is within choices is the caller's to read
		}
		if isCut && tap.Progress() == dialect.Done || progress == dialect.Done && tap.Progress() != dialect.Done {
			t.Errorf("%s: passed through it is %d, translated %d", path, tap.Progress(), progress)
		}
		if strings.Contains(text, "[DONE]") || strings.Contains(text, "prompt_filter_results") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// A signature of Gemini's comes back in the id of its call, from clients that drop what they do not know.
func TestSignatureInID(t *testing.T) {
	t.Parallel()
	seal := llm.Signature{Maker: llm.MakerGemini, Value: "CvcBAQ=="}
	p := callPart("call_1")
	p.Signature = seal
	answer := &llm.Response{Choices: []llm.Choice{{Parts: []llm.Part{p}, Finish: llm.FinishTools}}}
	body, err := peek(t, gateway.OpChat, `{"model":"m",`+hello+`}`).In.EncodeResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(body), `"tool_calls":[{"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	history := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":%q,"type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":%q,"content":"y"}]}`, id, id)
	r, err := peek(t, gateway.OpChat, history).In.DecodeRequest()
	if err != nil {
		t.Fatal(err)
	}
	call, result := r.Messages[1].Parts[0], r.Messages[2].Parts[0]
	if call.Signature != seal || call.Call.ID != "call_1" || result.Result.ID != "call_1" {
		t.Errorf("%+v %+v of %s", call, result, id)
	}
}
