package gemini_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func TestPeekRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, param, code string }{
		"empty":            {``, "", "empty_body"},
		"not json":         {`hello`, "", "invalid_json"},
		"list":             {`[]`, "", "invalid_type"},
		"depth bomb":       {`{"a":` + strings.Repeat("[", 100_000), "", "json_too_deep"},
		"no contents":      {`{}`, "contents", ""},
		"contents null":    {`{"contents":null}`, "contents", ""},
		"contents empty":   {`{"contents":[ ]}`, "contents", ""},
		"contents text":    {`{"contents":"hi"}`, "contents", "invalid_type"},
		"config list":      {`{"contents":[{}],"generationConfig":[]}`, "generationConfig", "invalid_type"},
		"config twice":     {`{"contents":[{}],"generationConfig":{},"generation_config":{}}`, "generation_config", "duplicate_key"},
		"limit twice":      {`{"contents":[{}],"generationConfig":{"maxOutputTokens":1,"maxOutputTokens":2}}`, "generationConfig.maxOutputTokens", "duplicate_key"},
		"limit spelled":    {`{"contents":[{}],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}`, "generationConfig.max_output_tokens", "duplicate_key"},
		"limit zero":       {`{"contents":[{}],"generationConfig":{"maxOutputTokens":0}}`, "generationConfig.maxOutputTokens", ""},
		"limit text":       {`{"contents":[{}],"generation_config":{"max_output_tokens":"5"}}`, "generation_config.max_output_tokens", "invalid_type"},
		"limit huge":       {`{"contents":[{}],"generationConfig":{"maxOutputTokens":1e18}}`, "generationConfig.maxOutputTokens", ""},
		"candidates":       {`{"contents":[{}],"generationConfig":{"candidateCount":9}}`, "generationConfig.candidateCount", ""},
		"api_base":         {`{"contents":[{}],"api_base":"http://evil"}`, "api_base", "field_not_allowed"},
		"contents twice":   {`{"contents":[{}],"contents":[{}]}`, "contents", "duplicate_key"},
		"tags":             {`{"contents":[{}],"tags":5}`, "tags", "invalid_type"},
		"escaped contents": {`{"contents":[{}],"\u0063ontents":[{}]}`, "contents", "duplicate_key"},
	} {
		_, err := gemini.Peek(gateway.OpGemini, []byte(c.body), dialect.Hint{Model: "m"})
		e := gateway.AsError(err)
		if err == nil || e.Status() != 400 || e.Param != c.param || e.Code != c.code {
			t.Errorf("%s: %v (status %d, param %q, code %q); want param %q, code %q", name, err, e.Status(), e.Param, e.Code, c.param, c.code)
		}
	}
	if _, err := gemini.Peek(gateway.OpGemini, []byte(hello), dialect.Hint{}); gateway.AsError(err).Param != "model" {
		t.Errorf("a call without a model: %v", err)
	}
}

func TestPeek(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"contents":{"parts":{"text":"hi"}},"generation_config":{"max_output_tokens":5e1,"candidate_count":3},"stream":true,`+
		`"model":"other","tags":["a"],"user":"u","drop_params":true}`, dialect.Hint{Model: "models/gemini-x"})
	if r.Model != "gemini-x" || r.Stream || r.MaxOutput != 50 || r.N != 3 || r.User != "u" || len(r.Tags) != 1 || r.Drop == nil || !*r.Drop {
		t.Errorf("%+v", r)
	}
	if r := peek(t, hello, dialect.Hint{Model: "m", Stream: true}); !r.Stream || r.N != 1 || r.MaxOutput != 0 {
		t.Errorf("%+v", r)
	}
}

// Every byte survives but those that must differ.
func TestOutgoing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, want string
		stream     bool
		target     dialect.Target
		path       string
	}{
		"same":       {` {"contents": [ {} ], "x": 1e2} `, ` {"contents": [ {} ], "x": 1e2} `, false, dialect.Target{Model: "g"}, "/models/g:generateContent"},
		"stream":     {`{"contents":[{}]}`, `{"contents":[{}]}`, true, dialect.Target{Model: "models/g"}, "/models/g:streamGenerateContent?alt=sse"},
		"strip":      {`{"contents":[{}],"tags":["x"],"model":"y","drop_params":false}`, `{"contents":[{}]}`, false, dialect.Target{Model: "g"}, "/models/g:generateContent"},
		"clamp":      {`{"contents":[{}]}`, `{"contents":[{}],"generationConfig":{"maxOutputTokens":9}}`, false, dialect.Target{Model: "g", Clamp: 9}, "/models/g:generateContent"},
		"clamp null": {`{"generationConfig":null,"contents":[{}]}`, `{"generationConfig":{"maxOutputTokens":9},"contents":[{}]}`, false, dialect.Target{Model: "g", Clamp: 9}, "/models/g:generateContent"},
		"clamp in":   {`{"contents":[{}],"generation_config":{"top_p":1}}`, `{"contents":[{}],"generation_config":{"top_p":1,"maxOutputTokens":9}}`, false, dialect.Target{Model: "g", Clamp: 9}, "/models/g:generateContent"},
		"clamp out":  {`{"contents":[{}],"generationConfig":{"maxOutputTokens":5}}`, `{"contents":[{}],"generationConfig":{"maxOutputTokens":5}}`, false, dialect.Target{Model: "g", Clamp: 9}, "/models/g:generateContent"},
		"tuned":      {`{"contents":[{}]}`, `{"contents":[{}]}`, false, dialect.Target{Model: "tunedModels/a"}, "/tunedModels/a:generateContent"},
		"segments":   {`{"contents":[{}]}`, `{"contents":[{}]}`, false, dialect.Target{Model: "../../secret"}, "/models/..%2F..%2Fsecret:generateContent"},
		"query":      {`{"contents":[{}]}`, `{"contents":[{}]}`, false, dialect.Target{Model: "g?key=x#y%2f"}, "/models/g%3Fkey=x%23y%252f:generateContent"},
		"verb":       {`{"contents":[{}]}`, `{"contents":[{}]}`, false, dialect.Target{Model: "g:countTokens"}, "/models/g%3AcountTokens:generateContent"},
		"version":    {`{"contents":[{}]}`, `{"contents":[{}]}`, false, dialect.Target{Model: "g@001"}, "/models/g@001:generateContent"},
	} {
		r := peek(t, c.body, dialect.Hint{Model: "m", Stream: c.stream})
		w, err := r.Native.Outgoing(c.target)
		if err != nil || string(w.Body) != c.want || w.Path != c.path {
			t.Errorf("%s: %v\n got %s %s\nwant %s %s", name, err, w.Path, w.Body, c.path, c.want)
		}
	}
}

func TestCountTokens(t *testing.T) {
	t.Parallel()
	body := `{"generateContentRequest":{"model":"models/public","contents":[{"parts":[{"text":"hi"}]}]}}`
	r, err := gemini.Peek(gemini.OpCountTokens, []byte(body), dialect.Hint{Model: "public", Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Native.Outgoing(dialect.Target{Model: "gemini-2.5-flash", Clamp: 5})
	want := `{"generateContentRequest":{"model":"models/gemini-2.5-flash","contents":[{"parts":[{"text":"hi"}]}]}}`
	if err != nil || w.Path != "/models/gemini-2.5-flash:countTokens" || string(w.Body) != want || r.Stream || r.In != nil {
		t.Errorf("%v: %s %s", err, w.Path, w.Body)
	}
	answer := `{"totalTokens": 3, "promptTokensDetails": []}`
	a, err := r.Native.Answer([]byte(answer))
	if err != nil || string(a.Body) != answer || a.Usage != (gateway.Usage{Source: gateway.UsageReported}) {
		t.Errorf("%v: %+v", err, a)
	}
	if _, err := r.Native.Answer([]byte(`{}`)); err == nil {
		t.Error("an answer without a count passes")
	}
	if got := string(gemini.EncodeCount(7)); got != `{"totalTokens":7}` {
		t.Error(got)
	}
	if _, err := gemini.Peek(gemini.OpCountTokens, []byte(`{}`), dialect.Hint{Model: "m"}); err == nil {
		t.Error("a count of nothing passes")
	}
}

func TestNativeAnswer(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "answers/*.json", func(t *testing.T, _, text string) {
		r := peek(t, hello, dialect.Hint{Model: `my"model`})
		a, err := r.Native.Answer([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		neutral, err := gemini.Outbound{}.DecodeResponse([]byte(text))
		if err != nil || a.Usage != neutral.Usage || a.Tier != neutral.Tier {
			t.Errorf("usage %+v tier %q, want %+v %q", a.Usage, a.Tier, neutral.Usage, neutral.Tier)
		}
		want := strings.Replace(text, `"`+neutral.Model+`"`, `"my\"model"`, 1)
		if diff := cmp.Diff(want, string(a.Body)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	r := peek(t, hello, dialect.Hint{Model: "m"})
	a, err := r.Native.Answer([]byte(`{"candidates":[{"content":{"parts":[{"text":"no usage"}]}}]}`))
	if err != nil || a.Usage.Source != gateway.UsageCounted || a.Usage.InputTokens == 0 || a.Usage.OutputTokens == 0 {
		t.Errorf("%v: %+v", err, a.Usage)
	}
}

// tapped is what a caller gets of a stream before its end and at it.
type tapped struct {
	Before, End string
	Progress    dialect.Progress
	Seen        dialect.Seen
	Error       string
}

func tapStream(t *testing.T, r *dialect.Request, fs []dialect.Frame) (out tapped) {
	t.Helper()
	tap := r.Native.Tap()
	var dst []byte
	for _, f := range fs {
		var err error
		if dst, err = tap.Frame(dst, f); err != nil {
			out.Error = err.Error()
			break
		}
	}
	out.Before, out.Progress, out.Seen = string(dst), tap.Progress(), tap.Seen()
	if out.Error == "" {
		out.End = string(tap.End(nil))
	}
	return out
}

func TestTap(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "streams/*.txt", func(t *testing.T, _, text string) {
		body := strings.Replace(hello, "}]}]", `}]}],"generationConfig":{"candidateCount":2}`, 1)
		r := peek(t, body, dialect.Hint{Model: "mine", Stream: true})
		whole, _ := frames(t, strings.NewReader(text))
		got := tapStream(t, r, whole)
		events, progress, err := dialecttest.Read(gemini.Outbound{}, strings.NewReader(text))
		if got.Progress != progress || (got.Error == "") != (err == io.EOF) {
			t.Errorf("progress %d, error %q; the decoder says %d, %v", got.Progress, got.Error, progress, err)
		}
		if strings.Contains(got.Before, "inishReason\": \"STOP") || got.Progress == dialect.MayEnd && got.End == "" {
			t.Errorf("the end was not held back:\n%s\n---\n%s", got.Before, got.End)
		}
		var model string
		for _, e := range events {
			if e.Model != "" {
				model = e.Model
			}
			if e.Usage != nil && got.Seen.Usage != *e.Usage && got.Progress == dialect.MayEnd && e.Type == 6 {
				t.Errorf("usage %+v, want %+v", got.Seen.Usage, *e.Usage)
			}
		}
		if got.Error == "" {
			want := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), `"`+model+`"`, `"mine"`)
			want = strings.ReplaceAll(want, ": keep-alive\n\n", "") // Google's clients know no comments
			if diff := cmp.Diff(want, strings.ReplaceAll(got.Before+got.End, "\r\n", "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		pieces, _ := frames(t, iotest.OneByteReader(strings.NewReader(text)))
		if diff := cmp.Diff(got, tapStream(t, r, pieces)); diff != "" {
			t.Errorf("another reading byte by byte:\n%s", diff)
		}
	})
}

// Frames that need no edit go on byte by byte, comments left out.
func TestTapKeepsBytes(t *testing.T) {
	t.Parallel()
	r := peek(t, hello, dialect.Hint{Model: "gemini-2.5-flash", Stream: true})
	text := ": ping\r\n\r\nevent: x\r\ndata: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"finishReason\"}]}}],\r\ndata:  \"modelVersion\":\"gemini-2.5-flash\"}\r\n\r\n"
	fs, err := frames(t, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := tapStream(t, r, fs); got.Before != strings.TrimPrefix(text, ": ping\r\n\r\n") || got.Progress != dialect.Open || got.Seen.Chunks != 1 {
		t.Errorf("%+v", got)
	}
}

// A failure after the end has come must not look like a good end.
func TestTapFails(t *testing.T) {
	t.Parallel()
	r := peek(t, hello, dialect.Hint{Model: "m", Stream: true})
	tap := r.Native.Tap()
	data := []byte(`{"candidates":[{"finishReason":"STOP"}]}`)
	dst, err := tap.Frame(nil, dialect.Frame{Raw: append(append([]byte("data: "), data...), "\n\n"...), Data: data})
	if err != nil || len(dst) != 0 || tap.Progress() != dialect.MayEnd {
		t.Fatalf("%v %s", err, dst)
	}
	got := string(tap.Fail(nil, gateway.Errorf(gateway.KindUnavailable, "no ledger")))
	if !strings.HasPrefix(got, `data: {"error":{"code":503,"message":"no ledger","status":"UNAVAILABLE"`) || strings.Contains(got, "STOP") {
		t.Error(got)
	}
	if _, err := tap.Frame(nil, dialect.Frame{Data: []byte("[DONE]")}); err != nil || tap.Progress() != dialect.Done {
		t.Errorf("%v, %d", err, tap.Progress())
	}
}

// What has no bytes in a body is never bounded by its bytes.
func TestInputBound(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	image := `{"contents":[{"parts":[{"%s":{"mimeType":"image/png","data":"AAAA"}}]}]}`
	for body, want := range map[string]func(int64) bool{
		hello: func(n int64) bool { return n < 1000 },
		strings.Replace(image, "%s", "inlineData", 1):                                            func(n int64) bool { return n > 50_000 && n < most },
		strings.Replace(image, "%s", "inline_data", 1):                                           func(n int64) bool { return n > 50_000 && n < most },
		strings.Replace(image, "%s", `inline\u0044ata`, 1):                                       func(n int64) bool { return n == most },
		strings.Replace(image, "image/png", "IMAGE/png", 1):                                      func(n int64) bool { return n < 1000 },
		`{"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"A"}}]}]}`:    func(n int64) bool { return n == most },
		`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/x","mime_type":"video/x"}}]}]}`: func(n int64) bool { return n == most },
		`{"contents":[{"parts":[{"fileData":{"fileUri":"gs://a"}}]}]}`:                           func(n int64) bool { return n == most },
		`{"contents":[{"parts":[{"text":"a"}]}],"cached_content":"x"}`:                           func(n int64) bool { return n == most },
		`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"urlContext":{}}]}`:                    func(n int64) bool { return n == most },
		`{"contents":[{"parts":[{"text":"caf\u00e9"}]}]}`:                                        func(n int64) bool { return n < 1000 },
	} {
		r := peek(t, body, dialect.Hint{Model: "m"})
		if n := r.InputBound(most); !want(n) {
			t.Errorf("%s: %d", body, n)
		}
	}
}

func TestArray(t *testing.T) {
	t.Parallel()
	var a gemini.Array
	dst := a.Append(nil, []byte("data: {\"a\":1}\n\n: ping\n\ndata: {\"b\":2}\r\n\r\n"))
	dst = a.Append(dst, nil)
	dst = a.Append(dst, []byte("data: {\"x\":\ndata: [1]}\n\n"))
	dst = a.End(a.Append(dst, []byte("data: {\"c\":3}\n\n")))
	if want := "[{\"a\":1},\r\n{\"b\":2},\r\n{\"x\":\n[1]},\r\n{\"c\":3}]"; string(dst) != want {
		t.Errorf("%q", dst)
	}
	if got := new(gemini.Array).End(nil); string(got) != "[]" {
		t.Errorf("%q", got)
	}
}
