package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
	"github.com/sluice-gateway/sluice/shared/sse"
)

func peek(t testing.TB, op gateway.Op, body string) *dialect.Request {
	t.Helper()
	r, err := chat.Peek(op, []byte(body), dialect.Hint{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const hello = `"messages":[{"role":"user","content":"hi"}]`

func TestPeekRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op          gateway.Op
		body        string
		param, code string
	}{
		"empty":           {gateway.OpChat, ``, "", "empty_body"},
		"not json":        {gateway.OpChat, `hello`, "", "invalid_json"},
		"list":            {gateway.OpChat, `[]`, "", "invalid_type"},
		"two objects":     {gateway.OpChat, `{}{}`, "", "invalid_json"},
		"bom":             {gateway.OpChat, "\ufeff{}", "", "invalid_json"},
		"depth bomb":      {gateway.OpChat, `{"a":` + strings.Repeat("[", 100_000), "", "json_too_deep"},
		"bad utf-8":       {gateway.OpChat, "{\"a\":\"\xff\"}", "", "invalid_utf8"},
		"nan":             {gateway.OpChat, `{"temperature": NaN}`, "", "invalid_json"},
		"model twice":     {gateway.OpChat, `{"model":"a","model":"b",` + hello + `}`, "model", "duplicate_key"},
		"model escaped":   {gateway.OpChat, `{"model":"a","mod\u0065l":"b",` + hello + `}`, "model", "duplicate_key"},
		"no model":        {gateway.OpChat, `{` + hello + `}`, "model", ""},
		"Model":           {gateway.OpChat, `{"Model":"a",` + hello + `}`, "model", ""},
		"model number":    {gateway.OpChat, `{"model":1,` + hello + `}`, "model", "invalid_type"},
		"model long":      {gateway.OpChat, `{"model":"` + strings.Repeat("x", 513) + `",` + hello + `}`, "model", ""},
		"no messages":     {gateway.OpChat, `{"model":"a"}`, "messages", ""},
		"messages null":   {gateway.OpChat, `{"model":"a","messages":null}`, "messages", ""},
		"messages empty":  {gateway.OpChat, `{"model":"a","messages":[ ]}`, "messages", ""},
		"messages object": {gateway.OpChat, `{"model":"a","messages":{}}`, "messages", "invalid_type"},
		"stream string":   {gateway.OpChat, `{"model":"a","stream":"true",` + hello + `}`, "stream", "invalid_type"},
		"stream one":      {gateway.OpChat, `{"model":"a","stream":1,` + hello + `}`, "stream", "invalid_type"},
		"stream_options":  {gateway.OpChat, `{"model":"a","stream_options":[],` + hello + `}`, "stream_options", "invalid_type"},
		"include_usage":   {gateway.OpChat, `{"model":"a","stream_options":{"include_usage":1},` + hello + `}`, "stream_options.include_usage", ""},
		"max_tokens 0":    {gateway.OpChat, `{"model":"a","max_tokens":0,` + hello + `}`, "max_tokens", ""},
		"max_tokens -1":   {gateway.OpChat, `{"model":"a","max_tokens":-1,` + hello + `}`, "max_tokens", ""},
		"max_tokens 1.5":  {gateway.OpChat, `{"model":"a","max_tokens":1.5,` + hello + `}`, "max_tokens", ""},
		"max_tokens 2^63": {gateway.OpChat, `{"model":"a","max_tokens":9223372036854775808,` + hello + `}`, "max_tokens", ""},
		"max_tokens text": {gateway.OpChat, `{"model":"a","max_tokens":"5",` + hello + `}`, "max_tokens", "invalid_type"},
		"max_completion":  {gateway.OpChat, `{"model":"a","max_completion_tokens":0,` + hello + `}`, "max_completion_tokens", ""},
		"n 0":             {gateway.OpChat, `{"model":"a","n":0,` + hello + `}`, "n", ""},
		"n 10^9":          {gateway.OpChat, `{"model":"a","n":1000000000,` + hello + `}`, "n", ""},
		"user":            {gateway.OpChat, `{"model":"a","user":5,` + hello + `}`, "user", "invalid_type"},
		"api_base":        {gateway.OpChat, `{"model":"a","api_base":"http://evil",` + hello + `}`, "api_base", "field_not_allowed"},
		"api_key null":    {gateway.OpChat, `{"model":"a","api_key":null,` + hello + `}`, "api_key", "field_not_allowed"},
		"no input":        {gateway.OpEmbeddings, `{"model":"a"}`, "input", ""},
		"input number":    {gateway.OpEmbeddings, `{"model":"a","input":5}`, "input", "invalid_type"},
		"prompt object":   {gateway.OpCompletions, `{"model":"a","prompt":{}}`, "prompt", "invalid_type"},
	} {
		_, err := chat.Peek(c.op, []byte(c.body), dialect.Hint{})
		e := gateway.AsError(err)
		if err == nil || e.Status() != 400 || e.Param != c.param || e.Code != c.code {
			t.Errorf("%s: %v (status %d, param %q, code %q); want param %q, code %q", name, err, e.Status(), e.Param, e.Code, c.param, c.code)
		}
	}
}

// Every byte survives but those that must differ.
func TestOutgoing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, vendor, want string }{
		"same":     {`{"model":"a", "unknown": {"x": 1e2}, ` + hello + `}`, "a", `{"model":"a", "unknown": {"x": 1e2}, ` + hello + `}`},
		"model":    {`{ "model" : "a",` + hello + `,"temperature":0.70}`, `b"c`, `{ "model" : "b\"c",` + hello + `,"temperature":0.70}`},
		"usage":    {`{"model":"a","stream":true,` + hello + `}`, "a", `{"model":"a","stream":true,` + hello + `,"stream_options":{"include_usage":true}}`},
		"asked":    {`{"model":"a","stream":true,"stream_options":{"include_usage":true},` + hello + `}`, "a", `{"model":"a","stream":true,"stream_options":{"include_usage":true},` + hello + `}`},
		"declined": {`{"model":"a","stream":true,"stream_options":{"x":1,"include_usage":false},` + hello + `}`, "a", `{"model":"a","stream":true,"stream_options":{"x":1,"include_usage":true},` + hello + `}`},
		"null":     {`{"model":"a","stream":true,"stream_options":null,` + hello + `}`, "a", `{"model":"a","stream":true,"stream_options":{"include_usage":true},` + hello + `}`},
		"tags":     {`{"model":"a","tags":["x"],` + hello + `}`, "a", `{"model":"a",` + hello + `}`},
		"metadata": {`{"model":"a",` + hello + `,"metadata":{"tags":["x"],"k":"v"},"litellm_metadata":{"user":"u"}}`, "a", `{"model":"a",` + hello + `,"metadata":{"k":"v"}}`},
		"ours":     {`{"model":"a","metadata":{"tags":["x"]},` + hello + `}`, "a", `{"model":"a",` + hello + `}`},
		"theirs":   {`{"model":"a","metadata":{"k":"v"},` + hello + `}`, "a", `{"model":"a","metadata":{"k":"v"},` + hello + `}`},
	} {
		r, err := chat.Peek(gateway.OpChat, []byte(c.body), dialect.Hint{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, outgoing(t, r, dialect.Target{Provider: "openai", Model: c.vendor})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A limit of ours is set where the caller set none, by the name that the provider takes.
func TestOutgoingLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op                   gateway.Op
		provider, body, want string
	}{
		{gateway.OpChat, "openai", `{"model":"a",` + hello + `}`, `{"model":"a",` + hello + `,"max_completion_tokens":7}`},
		{gateway.OpChat, "groq", `{"model":"a",` + hello + `}`, `{"model":"a",` + hello + `,"max_tokens":7}`},
		{gateway.OpChat, "openai", `{"model":"a","max_tokens":9,` + hello + `}`, `{"model":"a","max_tokens":9,` + hello + `}`},
		{gateway.OpChat, "groq", `{"model":"a","max_tokens":null,` + hello + `}`, `{"model":"a","max_tokens":7,` + hello + `}`},
		{gateway.OpCompletions, "openai", `{"model":"a","prompt":"x"}`, `{"model":"a","prompt":"x","max_tokens":7}`},
		{gateway.OpEmbeddings, "openai", `{"model":"a","input":"x"}`, `{"model":"a","input":"x"}`},
		{gateway.OpChat, "mistral", `{"model":"a","max_completion_tokens":9,"seed":1,` + hello + `}`, `{"model":"a",` + hello + `,"max_tokens":9,"random_seed":1}`},
	} {
		r, err := chat.Peek(c.op, []byte(c.body), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, outgoing(t, r, dialect.Target{Provider: c.provider, Model: "a", Clamp: 7})); diff != "" {
			t.Errorf("%s at %s (-want +got):\n%s", c.body, c.provider, diff)
		}
	}
}

// A tool call's id that carries a signature for another vendor is unpacked, and one that a vendor does not take is made to fit.
func TestOutgoingIDs(t *testing.T) {
	t.Parallel()
	id := llm.Pack("call_1", llm.Signature{Maker: llm.MakerGemini, Value: "c2VhbA=="})
	body := `{"model":"a","messages":[{"role":"user","content":"x"},{"role":"assistant","x":1,"tool_calls":[{"id":"%s","type":"function"},null]},{"role":"tool","tool_call_id":"%s"}]}`
	for provider, want := range map[string]string{"openai": "call_1", "mistral": "74196fe72"} {
		r, err := chat.Peek(gateway.OpChat, fmt.Appendf(nil, body, id, id), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprintf(body, want, want), outgoing(t, r, dialect.Target{Provider: provider, Model: "a"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", provider, diff)
		}
	}
}

// What a call can use is never taken for less than it is.
func TestBounds(t *testing.T) {
	t.Parallel()
	peek := func(op gateway.Op, body string) *dialect.Request {
		r, err := chat.Peek(op, []byte(body), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := peek(gateway.OpChat, `{"model":"a","max_tokens":5,"max_completion_tokens":3,`+hello+`}`); r.MaxOutput != 5 {
		t.Errorf("of two output limits %d counts, want the larger", r.MaxOutput)
	}
	if r := peek(gateway.OpCompletions, `{"model":"a","prompt":["x","y","z"],"n":2,"best_of":4}`); r.N != 12 {
		t.Errorf("three prompts and four answers to each make %d, want 12", r.N)
	}
	if r := peek(gateway.OpCompletions, `{"model":"a","prompt":[1,2,3],"n":2}`); r.N < 2 {
		t.Errorf("a prompt of tokens makes %d answers, want 2 or more", r.N)
	}
	for body, least := range map[string]int64{
		`{"model":"a","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`: 48_169,
		`{"model":"a","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}`:                     100_000,
		`{"model":"a","messages":[{"role":"user","content":[{"type":"im\u0061ge_url"}]}]}`:                                  48_169,
	} {
		r := peek(gateway.OpChat, body)
		if got := r.InputBound(0); got < least {
			t.Errorf("%s is bound by %d tokens, want %d at least", body, got, least)
		}
		if got := r.InputBound(50); got != 50 {
			t.Errorf("%s is bound by %d tokens at a model that takes 50", body, got)
		}
	}
}

// Whom a call serves and how it is tagged is told in several places.
func TestCountedFor(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		user string
		tags []string
	}{
		`{"model":"a",` + hello + `}`:                                                            {},
		`{"model":"a","user":"u",` + hello + `}`:                                                 {user: "u"},
		`{"model":"a","safety_identifier":"s",` + hello + `}`:                                    {user: "s"},
		`{"model":"a","metadata":{"user_id":"m","tags":["x","y"]},"tags":["z"],` + hello + `}`:   {user: "m", tags: []string{"z", "x", "y"}},
		`{"model":"a","litellm_metadata":{"user":"l"},"metadata":{"user_id":"m"},` + hello + `}`: {user: "l"},
	} {
		r, err := chat.Peek(gateway.OpChat, []byte(body), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.tags, r.Tags); r.User != want.user || diff != "" {
			t.Errorf("%s: user %q, want %q; tags (-want +got):\n%s", body, r.User, want.user, diff)
		}
	}
	for _, body := range []string{
		`{"model":"a","tags":"x",` + hello + `}`, `{"model":"a","tags":[1],` + hello + `}`, `{"model":"a","metadata":{"tags":{}},` + hello + `}`,
		`{"model":"a","tags":["` + strings.Repeat("x", 300) + `"],` + hello + `}`,
		`{"model":"a","tags":[` + strings.Repeat(`"x",`, 40) + `"y"],` + hello + `}`,
	} {
		if _, err := chat.Peek(gateway.OpChat, []byte(body), dialect.Hint{}); err == nil || gateway.AsError(err).Status() != 400 {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	r, err := chat.Peek(gateway.OpChat, []byte(`{"model":"public",`+hello+`}`), dialect.Hint{})
	if err != nil {
		t.Fatal(err)
	}
	counted := gateway.Usage{InputTokens: r.CountInput(), Source: gateway.UsageCounted}
	type answer = struct {
		body, want string
		usage      gateway.Usage
	}
	reported := func(usage string, want gateway.Usage) answer { // what has no model passes as it is
		want.Source = gateway.UsageReported
		body := `{"id":"x","usage":` + usage + `}`
		return answer{body, body, want}
	}
	for name, c := range map[string]answer{
		"all": {
			`{"id":"x","model":"vendor-2024","system_fingerprint":"f","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":3}}}`,
			`{"id":"x","model":"public","system_fingerprint":"f","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":3}}}`,
			gateway.Usage{InputTokens: 10, CachedTokens: 4, AudioInputTokens: 1, OutputTokens: 5, ReasoningTokens: 3, Source: gateway.UsageReported},
		},
		"images": reported(`{"prompt_tokens":1000,"completion_tokens":1310,"prompt_tokens_details":{"text_tokens":42,"image_tokens":958},"completion_tokens_details":{"reasoning_tokens":8,"image_tokens":1290}}`,
			gateway.Usage{InputTokens: 1000, ImageInputTokens: 958, OutputTokens: 1310, ReasoningTokens: 8, ImageOutputTokens: 1290}),
		"images, null": reported(`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"image_tokens":null},"completion_tokens_details":null}`,
			gateway.Usage{InputTokens: 10, OutputTokens: 5}),
		"more images than tokens": reported(`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"image_tokens":11},"completion_tokens_details":{"image_tokens":6}}`,
			gateway.Usage{InputTokens: 10, ImageInputTokens: 10, OutputTokens: 5, ImageOutputTokens: 5}),
		"images beside cached and audio": reported(`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":3,"image_tokens":9},"completion_tokens_details":{"audio_tokens":4,"image_tokens":4}}`,
			gateway.Usage{InputTokens: 10, CachedTokens: 4, AudioInputTokens: 3, ImageInputTokens: 3, OutputTokens: 5, AudioOutputTokens: 4, ImageOutputTokens: 1}),
		"all cached": reported(`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":12,"audio_tokens":3,"image_tokens":9}}`,
			gateway.Usage{InputTokens: 10, CachedTokens: 10, OutputTokens: 5}),
		"negative images": {`{"usage":{"prompt_tokens":1,"completion_tokens_details":{"image_tokens":-1}}}`, `{"usage":{"prompt_tokens":1,"completion_tokens_details":{"image_tokens":-1}}}`, gateway.Usage{InputTokens: counted.InputTokens, OutputTokens: 19, Source: gateway.UsageCounted}},
		"images in words": {`{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"image_tokens":"9"}}}`, `{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"image_tokens":"9"}}}`, gateway.Usage{InputTokens: counted.InputTokens, OutputTokens: 18, Source: gateway.UsageCounted}},
		"none":            {`{"id":"0123456"}`, `{"id":"0123456"}`, gateway.Usage{InputTokens: counted.InputTokens, OutputTokens: 4, Source: gateway.UsageCounted}},
		"negative":        {`{"usage":{"prompt_tokens":-1,"completion_tokens":5}}`, `{"usage":{"prompt_tokens":-1,"completion_tokens":5}}`, gateway.Usage{InputTokens: counted.InputTokens, OutputTokens: 13, Source: gateway.UsageCounted}},
		"huge":            {`{"usage":{"prompt_tokens":1e18}}`, `{"usage":{"prompt_tokens":1e18}}`, gateway.Usage{InputTokens: counted.InputTokens, OutputTokens: 8, Source: gateway.UsageCounted}},
	} {
		got, err := r.Native.Answer([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(got.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.usage, got.Usage); diff != "" {
			t.Errorf("%s: usage (-want +got):\n%s", name, diff)
		}
	}
	for name, body := range map[string]string{"html": "<html>", "empty": "", "cut": `{"id":"x","choices":[{`, "list": `[]`, "error": `{"error":{"message":"no","code":500}}`} {
		if _, err := r.Native.Answer([]byte(body)); gateway.AsError(err).Kind != gateway.KindUpstream {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func outgoing(t *testing.T, r *dialect.Request, to dialect.Target) string {
	t.Helper()
	w, err := r.Native.Outgoing(to)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.Body)
}

func tapAll(t *testing.T, body, stream string) (string, dialect.Tap, error) {
	t.Helper()
	r, err := chat.Peek(gateway.OpChat, []byte(body), dialect.Hint{})
	if err != nil {
		t.Fatal(err)
	}
	tap := r.Native.Tap()
	var out []byte
	for e, err := range sse.NewReader(strings.NewReader(stream)).All() {
		if err != nil {
			return string(out), tap, err
		}
		if out, err = tap.Frame(out, dialect.Frame{Raw: e.Raw, Data: e.Data}); err != nil {
			return string(out), tap, err
		}
	}
	return string(out), tap, nil
}

func TestTap(t *testing.T) {
	t.Parallel()
	const upstream = `: keep-alive

data: {"id":"c","model":"m","x":{"y":[1]},"choices":[{"delta":{"content":"a"}}],"usage":null}

data: {"id":"c","model":"m-2024","choices":[{"delta":{"content":"b"}}],"usage":null}

data: {"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}

data: [DONE]

`
	want := gateway.Usage{InputTokens: 3, OutputTokens: 2, Source: gateway.UsageReported}
	asked, tap, err := tapAll(t, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`, upstream)
	if err != nil || tap.Progress() != dialect.Done || tap.Seen().Usage != want || tap.Seen().Chunks != 2 {
		t.Errorf("asked: done %t, usage %+v, %d chunks, %v", tap.Progress() == dialect.Done, tap.Seen().Usage, tap.Seen().Chunks, err)
	}
	if diff := cmp.Diff(strings.Replace(strings.Replace(upstream, "data: [DONE]\n\n", "", 1), "m-2024", "m", 1), asked); diff != "" {
		t.Errorf("asked for usage (-want +got):\n%s", diff)
	}
	unasked, tap, err := tapAll(t, `{"model":"m","stream":true,`+hello+`}`, upstream)
	if err != nil || tap.Progress() != dialect.Done || tap.Seen().Usage != want {
		t.Errorf("not asked: done %t, usage %+v, %v", tap.Progress() == dialect.Done, tap.Seen().Usage, err)
	}
	const stripped = `: keep-alive

data: {"id":"c","model":"m","x":{"y":[1]},"choices":[{"delta":{"content":"a"}}]}

data: {"id":"c","model":"m","choices":[{"delta":{"content":"b"}}]}

`
	if diff := cmp.Diff(stripped, unasked); diff != "" {
		t.Errorf("did not ask for usage (-want +got):\n%s", diff)
	}
}

func TestTapEndsOnErrors(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"in-band": `data: {"error":{"message":"overloaded","type":"server_error","code":503}}`,
		"rubbish": `data: <html>`,
	} {
		out, tap, err := tapAll(t, `{"model":"m","stream":true,`+hello+`}`, "data: {\"choices\":[{}]}\n\n"+event+"\n\ndata: [DONE]\n\n")
		if err == nil || tap.Progress() == dialect.Done || strings.Contains(out, "DONE") {
			t.Errorf("%s: %q, done %t, %v", name, out, tap.Progress() == dialect.Done, err)
		}
		if u := tap.Seen().Counted(&dialect.Request{}); u.OutputTokens != 1 || u.Source != gateway.UsageCounted {
			t.Errorf("%s: counted %+v", name, u)
		}
	}
}

func FuzzTap(f *testing.F) {
	f.Add([]byte(`{"model":"m","choices":[{}],"usage":null}`))
	f.Add([]byte(`[DONE]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := chat.Peek(gateway.OpChat, []byte(`{"model":"m","stream":true,`+hello+`}`), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Native.Tap().Frame(nil, dialect.Frame{Raw: data, Data: data})
		_, _ = r.Native.Answer(data)
		chat.DecodeError(500, nil, data)
		_, _ = chat.Peek(gateway.OpChat, data, dialect.Hint{})
	})
}

// Cache markers are left out where a host may refuse them, and the caller is told; other hosts get them.
func TestOutgoingCacheMarkers(t *testing.T) {
	t.Parallel()
	const (
		marked   = `{"model":"a","tools":[{"type":"function","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"\"cache_control\"","cache_control":{}}]}`
		unmarked = `{"model":"a","tools":[{"type":"function"}],"messages":[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"user","content":"\"cache_control\""}]}`
	)
	for provider, want := range map[string]string{"openai": unmarked, "mistral": unmarked, "openrouter": marked, "hosted_vllm": marked} {
		r, err := chat.Peek(gateway.OpChat, []byte(marked), dialect.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := r.Native.Outgoing(dialect.Target{Provider: provider, Model: "a"})
		if err != nil || (len(w.Dropped) == 1) != (want == unmarked) {
			t.Errorf("%s: dropped %q, %v", provider, w.Dropped, err)
		}
		if diff := cmp.Diff(want, string(w.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", provider, diff)
		}
	}
}
