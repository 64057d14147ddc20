package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestPeek(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"m","input":"hi","stream":true,"max_output_tokens":50,"safety_identifier":"u","metadata":{"tags":["a"],"k":"v"},"store":false,"previous_response_id":"resp_1"}`)
	if r.Model != "m" || !r.Stream || r.MaxOutput != 50 || r.User != "u" || r.N != 1 || len(r.Tags) != 1 {
		t.Errorf("Peek = %+v", r)
	}
	s, ok := responses.Of(r)
	if !ok || s.Store() || s.Previous() != "resp_1" || !strings.HasPrefix(s.ID(), "resp_") || s.ID() != s.ID() {
		t.Errorf("Of = %v, %v", s, ok)
	}
	if r.InputBound(1000) != 1000 {
		t.Error("what an earlier response adds is not in the bound")
	}
	if bound := peek(t, `{"model":"m","input":"hi"}`).InputBound(1000); bound >= 1000 {
		t.Errorf("the bound of a short text is %d", bound)
	}
	if _, ok := responses.Of(&dialect.Request{}); ok {
		t.Error("Of knows a request of another dialect")
	}
}

func TestPeekRefuses(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`{"model":"m"}`: "input", `{"model":"m","input":[]}`: "input", `{"model":"m","input":3}`: "input", `{"input":"x"}`: "model",
		`{"model":"m","input":"x","background":true}`: "background", `{"model":"m","input":"x","background":"yes"}`: "background",
		`{"model":"m","input":"x","max_output_tokens":0}`: "max_output_tokens", `{"model":"m","input":"x","store":1}`: "store",
		`{"model":"m","input":"x","previous_response_id":1}`: "previous_response_id", `{"model":"m","input":"x","stream":"x"}`: "stream",
		`{"model":"m","input":"x","api_base":"http://x"}`: "api_base", `{"model":"m","input":"x","input":"y"}`: "input", `[]`: "", ``: "",
	} {
		_, err := responses.Peek(gateway.OpResponses, []byte(body), dialect.Hint{})
		if e := errorOf(t, err); e.Param != param || e.Status() != 400 {
			t.Errorf("Peek(%s) = %d %q %s", body, e.Status(), e.Param, e.Message)
		}
	}
}

func TestPassageKeepsEveryByte(t *testing.T) {
	t.Parallel()
	const body = `{ "model":"vendor-model", "input":[{"type":"reasoning","id":"rs_1","encrypted_content":"gAAA","summary":[]},{"role":"user","content":"é"}],` + "\n" + `"unknown":{"a":[1,2 ]}}`
	w, err := peek(t, body).Native.Outgoing(target())
	if err != nil || w.Path != "/responses" || string(w.Body) != body {
		t.Errorf("Outgoing = %s, %v", w.Body, err)
	}
	changed := `{"model":"m","input":"x","tags":["t"],"drop_params":true,"x":1}`
	to := target()
	to.Clamp = 99
	w, err = peek(t, changed).Native.Outgoing(to)
	if want := `{"model":"vendor-model","input":"x","x":1,"max_output_tokens":99}`; err != nil || string(w.Body) != want {
		t.Errorf("Outgoing = %s, %v; want %s", w.Body, err, want)
	}
}

// What another vendor's model left in a conversation would be refused by OpenAI.
func TestPassageTakesOutWhatIsNotOpenAIs(t *testing.T) {
	t.Parallel()
	packed := llm.Pack("toolu_1", llm.Signature{Maker: llm.MakerGemini, Value: strings.Repeat("s", 99)})
	body := `{"model":"m","input":[{"role":"user","content":"x"},` +
		`{"type":"reasoning","summary":[],"encrypted_content":"anthropic:abc"},` +
		`{"type":"reasoning","summary":[],"encrypted_content":"sealed:anthropic:abc"},` +
		`{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":null},` +
		`{"type":"reasoning","id":"rs_ab","summary":[],"encrypted_content":"gAAA"},` +
		`{"type":"function_call","id":"fc_sl_1","call_id":"` + packed + `","name":"f","arguments":"{}"},` +
		`{"type":"function_call_output","call_id":"` + packed + `","output":"1"}]}`
	w, err := peek(t, body).Native.Outgoing(target())
	want := `{"model":"vendor-model","input":[{"role":"user","content":"x"},` +
		`{"type":"reasoning","id":"rs_ab","summary":[],"encrypted_content":"gAAA"},` +
		`{"type":"function_call","call_id":"toolu_1","name":"f","arguments":"{}"},` +
		`{"type":"function_call_output","call_id":"toolu_1","output":"1"}]}`
	if diff := cmp.Diff(string(w.Body), want); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestPassageAnswer(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x"}`)
	text := recording(t, "answers/text.json")
	a, err := r.Native.Answer([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(text, "gpt-5-codex-2025-09-15", "public", 1); string(a.Body) != want {
		t.Error(cmp.Diff(string(a.Body), want))
	}
	want := gateway.Usage{InputTokens: 36, CachedTokens: 8, CacheWriteTokens: 4, OutputTokens: 87, ReasoningTokens: 64, Source: gateway.UsageReported}
	if diff := cmp.Diff(a.Usage, want); diff != "" || a.Tier != "default" {
		t.Error(a.Tier, diff)
	}
	s, _ := responses.Of(r)
	if s.ID() != "resp_67ccd2bed1ec8190b14f964abc054267" || string(s.Body()) != string(a.Body) {
		t.Errorf("stored under %s", s.ID())
	}
}

func TestPassageAnswerWithChosenID(t *testing.T) {
	t.Parallel()
	r := peek(t, `{"model":"public","input":"x"}`)
	responses.SetID(r, "resp_mine")
	responses.SetPrevious(r, "resp_before")
	a, err := r.Native.Answer([]byte(recording(t, "answers/text.json")))
	if err != nil {
		t.Fatal(err)
	}
	if got := object(t, a.Body); got["id"] != "resp_mine" || got["previous_response_id"] != "resp_before" {
		t.Errorf("Answer = %s", a.Body)
	}
	before, after, err := passed(t, r.Native.Tap(), recording(t, "streams/text.txt"), false)
	if err != nil || strings.Contains(before+after, "resp_67cc") {
		t.Error("the vendor's id goes out", err)
	}
}

func TestPassageRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{
		"<html>": 502, `{"id":"x"`: 502, `{"id":"x"}`: 502, `{"output":{}}`: 502, "": 502,
		`{"error":{"message":"no","code":"rate_limit_exceeded"},"status":"failed","output":[]}`: 429,
		`{"error":{"message":"no","type":"server_error"}}`:                                      500,
	} {
		_, err := peek(t, `{"model":"m","input":"x"}`).Native.Answer([]byte(body))
		if e := errorOf(t, err); e.Status() != status {
			t.Errorf("Answer(%s) = %d %s", body, e.Status(), e.Message)
		}
		_, err = responses.Outbound{}.DecodeResponse([]byte(body))
		if e := errorOf(t, err); e.Status() != status {
			t.Errorf("DecodeResponse(%s) = %d %s", body, e.Status(), e.Message)
		}
	}
}

func TestTap(t *testing.T) {
	t.Parallel()
	for _, name := range [...]string{"text", "cited", "tools", "sealed", "refusal", "length", "filter"} {
		stream := recording(t, "streams/"+name+".txt")
		r := peek(t, `{"model":"public","input":"x","stream":true}`)
		tap := r.Native.Tap()
		before, after, err := passed(t, tap, stream, false)
		if want := strings.ReplaceAll(stream, "gpt-5-codex-2025-09-15", "public"); err != nil || before+after != want {
			t.Error(name, err, cmp.Diff(before+after, want))
		}
		if !strings.HasPrefix(after, "event: response.completed\n") && !strings.HasPrefix(after, "event: response.incomplete\n") {
			t.Errorf("%s: End = %.60q", name, after)
		}
		seen := tap.Seen()
		if seen.Usage.OutputTokens != 87 || seen.Tier != "default" || (seen.Chunks == 0) {
			t.Errorf("%s: Seen = %+v", name, seen)
		}
		s, _ := responses.Of(r)
		if got := object(t, s.Body()); got["model"] != "public" || got["id"] != s.ID() || got["status"] == "in_progress" {
			t.Errorf("%s: stored %s", name, s.Body())
		}
		again := peek(t, `{"model":"public","input":"x"}`).Native.Tap()
		splitBefore, splitAfter, err := passed(t, again, stream, true)
		if err != nil || splitBefore != before || splitAfter != after {
			t.Errorf("%s: split at every byte it is another stream: %v", name, err)
		}
	}
}

func TestTapOfAFailedStream(t *testing.T) {
	t.Parallel()
	stream := recording(t, "streams/failed.txt")
	r := peek(t, `{"model":"public","input":"x"}`)
	before, after, err := passed(t, r.Native.Tap(), stream, false)
	if e := errorOf(t, err); e.Status() != 500 || e.Code != "server_error" {
		t.Errorf("%d %s", e.Status(), e.Code)
	}
	if want := strings.ReplaceAll(stream, "gpt-5-codex-2025-09-15", "public"); before != want || after != "" {
		t.Error("the failure is not told once, as the provider does", cmp.Diff(before+after, want))
	}
}

func TestTapOfAnError(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"limited": 429, "toolong": 400} {
		r := peek(t, `{"model":"public","input":"x","tools":[{"type":"function","name":"f"}]}`)
		before, after, err := passed(t, r.Native.Tap(), recording(t, "streams/"+name+".txt"), false)
		e := errorOf(t, err)
		if e.Status() != want {
			t.Errorf("%s: %d %s", name, e.Status(), e.Message)
		}
		if name == "toolong" && e.Code != dialect.CodeContextLength {
			t.Errorf("%s: code %s", name, e.Code)
		}
		events := told(t, before+after)
		checkEvents(t, events)
		last := events[len(events)-1]
		if n := len(events); events[n-2]["type"] != "error" || last["type"] != "response.failed" || n != 4 {
			t.Errorf("%s: events %v", name, events)
		}
		s, _ := responses.Of(r)
		if failed := last["response"].(map[string]any); failed["status"] != "failed" || failed["id"] != s.ID() || failed["error"] == nil {
			t.Errorf("%s: %v", name, failed)
		}
	}
}

func TestTapOfACutStream(t *testing.T) {
	t.Parallel()
	stream := recording(t, "streams/text.txt")
	for end := range len(stream) - 1 {
		tap := peek(t, `{"model":"public","input":"x"}`).Native.Tap()
		if _, _, err := passed(t, tap, stream[:end], false); err == nil {
			t.Fatalf("cut at %d of %d it counts as whole", end, len(stream))
		}
	}
	tap := peek(t, `{"model":"public","input":"x"}`).Native.Tap()
	half := stream[strings.LastIndex(stream, "data: ")+6:]
	half = half[:len(half)/2]
	if _, err := tap.Frame(nil, dialect.Frame{Name: "response.completed", Raw: []byte(half), Data: []byte(half)}); err == nil || tap.Progress() == dialect.Done {
		t.Error("half a terminal event ends a stream")
	}
}

func TestTapToleratesImitators(t *testing.T) {
	t.Parallel()
	tap := peek(t, `{"model":"public","input":"x"}`).Native.Tap()
	out, err := tap.Frame(nil, dialect.Frame{Raw: []byte(": hi\n\n")})
	if err != nil || string(out) != ": hi\n\n" {
		t.Errorf("a comment becomes %q, %v", out, err)
	}
	before, after, err := passed(t, tap, recording(t, "streams/imitator.txt"), false)
	if err != nil || strings.Contains(before+after, "[DONE]") || !strings.HasPrefix(after, "event: response.completed") {
		t.Error(err, after)
	}
	if _, err := tap.Frame(nil, dialect.Frame{Raw: []byte("data: x\n\n"), Data: []byte("x")}); err == nil {
		t.Error("no error for what is no JSON")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		body       string
		want       int
		code, text string
	}{
		{429, `{"error":{"message":"slow","type":"tokens","code":"rate_limit_exceeded","param":null}}`, 429, "rate_limit_exceeded", "slow"},
		{400, `{"error":{"message":"Your input exceeds the context window of this model.","param":"input","code":"context_length_exceeded"}}`, 400, dialect.CodeContextLength, "Your input"},
		{400, `{"error":{"message":"This model's maximum context length is 8 tokens","code":null}}`, 400, dialect.CodeContextLength, "This"},
		{400, `{"error":{"message":"Invalid prompt: flagged","code":"invalid_prompt"}}`, 400, dialect.CodeContentFilter, "Invalid"},
		{0, `{"type":"error","code":"server_error","message":"flat","param":null}`, 500, "server_error", "flat"},
		{0, `{"type":"error","error":{"type":"service_unavailable_error","code":null,"message":"nested"}}`, 503, "", "nested"},
		{0, `{"error":"bare"}`, 502, "", "bare"},
		{401, `nonsense`, 401, "", "The provider refused"},
		{503, ``, 503, "", "The provider failed"},
	} {
		e := responses.DecodeError(c.status, nil, []byte(c.body))
		if e.Status() != c.want || e.Code != c.code || !strings.HasPrefix(e.Message, c.text) {
			t.Errorf("DecodeError(%d, %s) = %d %q %q", c.status, c.body, e.Status(), e.Code, e.Message)
		}
	}
	var got map[string]map[string]any
	if err := json.Unmarshal(responses.EncodeError(gateway.Invalid("input", "no \"x\"")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"message": `no "x"`, "type": "invalid_request_error", "param": "input", "code": "400"}
	if diff := cmp.Diff(got["error"], want); diff != "" {
		t.Error(diff)
	}
}

// The id that takes a packed one's place may be as long as that: 29 bytes.
func TestPassageUnpacksAnIDOfTheSameLength(t *testing.T) {
	t.Parallel()
	packed := llm.Pack("a:b", llm.Signature{Maker: llm.MakerGemini, Value: "1234"})
	fitted := llm.FitID("a:b", 64)
	if len(packed) != len(fitted) {
		t.Fatalf("the case is not met: %d and %d bytes", len(packed), len(fitted))
	}
	w, err := peek(t, `{"model":"m","input":[{"type":"function_call","call_id":"`+packed+`","name":"f","arguments":"{}"}]}`).Native.Outgoing(target())
	want := `{"model":"vendor-model","input":[{"type":"function_call","call_id":"` + fitted + `","name":"f","arguments":"{}"}]}`
	if diff := cmp.Diff(string(w.Body), want); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
