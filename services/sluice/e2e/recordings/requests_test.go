package recordings_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// upstreams are models of each vendor, and how to check that its SDK could say the same to them.
var upstreams = []struct {
	op    gateway.Op
	maker string // whose signatures are the vendor's own
	to    dialect.Target
	say   func(t *testing.T, body []byte)
}{
	{gateway.OpChat, llm.MakerOpenAI, dialect.Target{Provider: "openai", Model: "gpt-4o"}, sayable[openai.ChatCompletionNewParams]("tool_choice")},
	{gateway.OpResponses, llm.MakerOpenAI, dialect.Target{Provider: "openai", Model: "gpt-5-codex"}, sayable[responses.ResponseNewParams]("tool_choice")},
	{gateway.OpMessages, llm.MakerAnthropic, dialect.Target{Provider: "anthropic", Model: "claude-sonnet-4-5", MaxOutput: 64000}, sayable[anthropic.MessageNewParams]()},
	{gateway.OpGemini, llm.MakerGemini, dialect.Target{Provider: "gemini", Model: "gemini-2.5-pro"}, sayGenAI},
	{converse.Dialect.Op, llm.MakerAnthropic, dialect.Target{Provider: "bedrock", Model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}, sayBedrock},
}

// What is written for a vendor, its SDK can say.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, up := range upstreams {
		out := all.Of(up.op).Out
		up.to.Drop = func(string) bool { return false }
		for name, r := range dialecttest.Requests(up.maker) {
			t.Run(string(up.op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				if _, err := r.Fit(out.Carries(), func(p llm.Param) string { return string(p) }, up.to.Drop); err != nil {
					t.Skipf("not carried: %v", err) // which cases these are, docs/parameters.md says
				}
				w, err := out.EncodeRequest(r, up.to)
				if e := gateway.AsError(err); err != nil && e.Code == llm.CodeUnsupported {
					t.Skipf("not carried: %v", err)
				} else if err != nil {
					t.Fatal(err)
				}
				up.say(t, w.Body)
			})
		}
	}
}

// What is written for Bedrock's many families is recorded.
func TestRecordedRequests(t *testing.T) {
	t.Parallel()
	for name, body := range recordings(t, "converse/testdata/requests/*.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sayBedrock(t, []byte(body))
		})
	}
}

// ear answers an error to what it is asked, and keeps it.
func ear(t *testing.T) (url string, body *[]byte) {
	t.Helper()
	body = new([]byte)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(s.Close)
	return s.URL, body
}

// same compares a body with what an SDK says in its place, but for what says nothing: nulls, and what is empty.
func same(t *testing.T, gateway, sdk []byte, beside ...string) {
	t.Helper()
	want, got := object(t, gateway), object(t, sdk)
	for _, name := range beside {
		delete(want, name)
		delete(got, name)
	}
	if diff := cmp.Diff(terse(want), terse(got)); diff != "" {
		t.Errorf("(-gateway +SDK):\n%s", diff)
	}
}

func terse(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if v[name] = terse(inner); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = terse(v[i])
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

// fill reads JSON.
func fill(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func raw(t *testing.T, text []byte) (o map[string]json.RawMessage) {
	t.Helper()
	fill(t, text, &o)
	return o
}

func object(t *testing.T, text []byte) (o map[string]any) {
	t.Helper()
	fill(t, text, &o)
	return o
}
