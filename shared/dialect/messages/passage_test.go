package messages_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func peek(t testing.TB, op gateway.Op, body string, header ...string) *dialect.Request {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	r, err := messages.Peek(op, []byte(body), dialect.Hint{Header: h})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeekRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, param string }{
		"no limit":       {`{"model":"a","messages":[{}]}`, "max_tokens"},
		"null limit":     {`{"model":"a","max_tokens":null,"messages":[{}]}`, "max_tokens"},
		"negative limit": {`{"model":"a","max_tokens":-1,"messages":[{}]}`, "max_tokens"},
		"limit in words": {`{"model":"a","max_tokens":"9","messages":[{}]}`, "max_tokens"},
		"limit twice":    {`{"model":"a","max_tokens":1,"max_tokens":2,"messages":[{}]}`, "max_tokens"},
		"no messages":    {`{"model":"a","max_tokens":1}`, "messages"},
		"empty":          {`{"model":"a","max_tokens":1,"messages":[ ]}`, "messages"},
		"text":           {`{"model":"a","max_tokens":1,"messages":"hi"}`, "messages"},
		"no model":       {`{` + hello + `}`, "model"},
		"api_key":        {`{"model":"a","api_key":"x",` + hello + `}`, "api_key"},
	} {
		_, err := messages.Peek(gateway.OpMessages, []byte(c.body), dialect.Hint{})
		if e := gateway.AsError(err); err == nil || e.Status() != 400 || e.Param != c.param {
			t.Errorf("%s: %v (param %q)", name, err, e.Param)
		}
	}
	r := peek(t, gateway.OpMessages, `{"model":"a","max_tokens":0,"messages":[{}]}`)
	if r.MaxOutput != 0 {
		t.Error("a limit of zero fills the cache")
	}
	if _, err := messages.Peek(messages.OpCountTokens, []byte(`{"model":"a","messages":[{}]}`), dialect.Hint{}); err != nil {
		t.Errorf("a count needs no limit: %v", err)
	}
}

// Every byte survives but those that must differ.
func TestOutgoing(t *testing.T) {
	t.Parallel()
	const beta = "Anthropic-Beta"
	for name, c := range map[string]struct {
		op                     gateway.Op
		provider, body, target string
		path, want             string
		header                 []string
		wantHeader             http.Header
	}{
		"same": {
			body: `{"model":"a", "unknown": {"x": 1e2}, ` + hello + `}`, target: "a", path: "/messages",
			want: `{"model":"a", "unknown": {"x": 1e2}, ` + hello + `}`, wantHeader: http.Header{"Anthropic-Version": {"2023-06-01"}},
		},
		"model and own": {
			body: `{ "model" : "a","tags":["x"],` + hello + `,"metadata":{"user_id":"u"}}`, target: "b", path: "/messages",
			want:       `{ "model" : "b",` + hello + `,"metadata":{"user_id":"u"}}`,
			header:     []string{beta, "new-thing-2027-01-01, x", beta, "y", "Anthropic-Version", "2026-10-21", "X-Api-Key", "secret"},
			wantHeader: http.Header{"Anthropic-Version": {"2026-10-21"}, beta: {"new-thing-2027-01-01, x", "y"}},
		},
		"vertex": {
			provider: "vertex_ai", body: `{"model":"a",` + hello + `}`, target: "claude-opus-4-5@20251101",
			path: "/models/claude-opus-4-5@20251101:rawPredict", header: []string{beta, "b1,b2"},
			want: `{` + hello + `,"anthropic_version":"vertex-2023-10-16","anthropic_beta":["b1","b2"]}`,
		},
		"vertex stream": {
			provider: "vertex_ai", body: `{"stream":true,"anthropic_beta":["b2"],"model":"a",` + hello + `}`, target: "claude/x",
			path: "/models/claude%2Fx:streamRawPredict", header: []string{beta, "b1,b2"},
			want: `{"stream":true,"anthropic_beta":["b2","b1"],` + hello + `,"anthropic_version":"vertex-2023-10-16"}`,
		},
		"count": {
			op: messages.OpCountTokens, body: `{"model":"a","messages":[1]}`, target: "b", path: "/messages/count_tokens",
			want: `{"model":"b","messages":[1]}`, wantHeader: http.Header{"Anthropic-Version": {"2023-06-01"}},
		},
		"count on vertex": {
			op: messages.OpCountTokens, provider: "vertex_ai", body: `{"model":"a","messages":[1]}`, target: "b", path: "/models/count-tokens:rawPredict",
			want: `{"model":"b","messages":[1],"anthropic_version":"vertex-2023-10-16"}`,
		},
	} {
		if c.op == "" {
			c.op = gateway.OpMessages
		}
		w, err := peek(t, c.op, c.body, c.header...).Native.Outgoing(dialect.Target{Provider: c.provider, Model: c.target, Clamp: 7})
		if err != nil || w.Path != c.path {
			t.Errorf("%s: %q, %v", name, w.Path, err)
		}
		if diff := cmp.Diff(c.want, string(w.Body)) + cmp.Diff(c.wantHeader, w.Header); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpMessages, `{"model":"public",`+hello+`}`)
	for name, c := range map[string]struct {
		usage string
		want  gateway.Usage
		tier  string
	}{
		"cache": {
			`{"input_tokens":50,"cache_read_input_tokens":1800,"cache_creation_input_tokens":556,"cache_creation":{"ephemeral_5m_input_tokens":456,"ephemeral_1h_input_tokens":100},"output_tokens":503,"service_tier":"priority"}`,
			gateway.Usage{InputTokens: 2406, CachedTokens: 1800, CacheWriteTokens: 456, CacheWrite1hTokens: 100, OutputTokens: 503, Source: gateway.UsageReported}, "priority",
		},
		"no split": {
			`{"input_tokens":50,"cache_read_input_tokens":null,"cache_creation_input_tokens":6,"output_tokens":3,"service_tier":"standard"}`,
			gateway.Usage{InputTokens: 56, CacheWriteTokens: 6, OutputTokens: 3, Source: gateway.UsageReported}, "standard",
		},
		"none":     {`null`, gateway.Usage{InputTokens: r.CountInput(), OutputTokens: 24, Source: gateway.UsageCounted}, ""},
		"negative": {`{"input_tokens":-1,"output_tokens":3}`, gateway.Usage{InputTokens: r.CountInput(), OutputTokens: 32, Source: gateway.UsageCounted}, ""},
	} {
		body := `{"type":"message","model":"claude-x","content":[{"type":"text","text":"hi"}],"new":1,"usage":` + c.usage + `}`
		got, err := r.Native.Answer([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Replace(body, "claude-x", "public", 1), string(got.Body)) + cmp.Diff(c.want, got.Usage); diff != "" || got.Tier != c.tier {
			t.Errorf("%s: tier %q (-want +got):\n%s", name, got.Tier, diff)
		}
	}
	count := peek(t, messages.OpCountTokens, `{"model":"public","messages":[1]}`)
	got, err := count.Native.Answer([]byte(`{"input_tokens": 2095}`))
	if err != nil || string(got.Body) != `{"input_tokens": 2095}` || got.Usage != (gateway.Usage{Source: gateway.UsageReported}) {
		t.Errorf("a count: %s %+v %v", got.Body, got.Usage, err)
	}
	if _, err := count.Native.Answer([]byte(`{}`)); err == nil {
		t.Error("an answer without a count is none")
	}
	if got := string(messages.EncodeCount(7)); got != `{"input_tokens":7}` {
		t.Error(got)
	}
}

// pass sends a stream through a tap.
func pass(r *dialect.Request, stream string) (out string, tap dialect.Tap, err error) {
	tap = r.Native.Tap()
	frames := r.Native.Framing().Open(strings.NewReader(stream))
	defer frames.Close()
	var text []byte
	for {
		f, end := frames.Next()
		if end != nil {
			return string(text), tap, nil
		}
		if text, err = tap.Frame(text, f); err != nil {
			return string(text), tap, err
		}
	}
}

// A stream passes as it came, with the caller's name of the model, and its end is held back.
func TestTap(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpMessages, `{"model":"public","stream":true,`+hello+`}`)
	for name, stream := range dialecttest.Texts(t, "streams/*.txt") {
		got, tap, err := pass(r, stream)
		if err != nil || tap.Progress() != dialect.Done || strings.Contains(got, "message_stop") {
			t.Errorf("%s: progress %d, %v", name, tap.Progress(), err)
		}
		want := strings.ReplaceAll(stream, "claude-opus-4-5-20251101", "public")
		if diff := cmp.Diff(want, string(tap.End([]byte(got)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		seen := tap.Seen()
		if seen.Usage.Source != gateway.UsageReported || seen.Usage.OutputTokens < 2 || seen.Chunks < 1 {
			t.Errorf("%s: %+v", name, seen)
		}
		switch filepath.Base(name) {
		case "cache":
			want := gateway.Usage{InputTokens: 1353, CachedTokens: 1000, CacheWriteTokens: 250, CacheWrite1hTokens: 100, OutputTokens: 20, Source: gateway.UsageReported}
			if seen.Usage != want || seen.Tier != "priority" {
				t.Errorf("%s: %+v", name, seen)
			}
		case "web_search":
			if seen.Usage.InputTokens != 10682 {
				t.Errorf("%s: %+v", name, seen)
			}
		}
	}
}

func TestTapOfBadStreams(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpMessages, `{"model":"public","stream":true,`+hello+`}`)
	cut, tap, err := pass(r, begin)
	if u := tap.Seen().Usage; err != nil || tap.Progress() != dialect.Open || u.Source != gateway.UsageCounted || u.InputTokens != 9 || u.OutputTokens != 1 {
		t.Errorf("cut: %+v, %v", u, err)
	}
	end := string(tap.Fail([]byte(cut), gateway.Errorf(gateway.KindUpstream, "gone")))
	if !strings.HasSuffix(end, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"gone\"}}\n\n") {
		t.Errorf("cut: %s", end)
	}
	for event, status := range map[string]int{
		`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`: 529, `{"error":{"type":"rate_limit_error"}}`: 429, `<html>`: 502,
	} {
		if _, _, err := pass(r, begin+"data: "+event+"\n\n"); err == nil || gateway.AsError(err).Status() != status {
			t.Errorf("%s: %v", event, err)
		}
	}
}
