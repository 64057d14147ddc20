package ingress_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

func ask(model, text, more string) string {
	return `{"model": "` + model + `", "messages": [{"role": "user", "content": "` + text + `"}]` + more + `}`
}

// A plain call: bytes pass, the public name shows, the cost is on the answer, in the ledger and in the key's spend, and all
// are what the provider's bill says.
func TestPlainCallIsBilledExactly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["public-name"], "user_id": "u", "metadata": {"user": "foo@autoize.com"}}`)
	for i, path := range []string{"/v1/chat/completions", "/chat/completions"} {
		answer, text := h.do("POST", path, key, ask("public-name", "one two three", `, "temperature": 0.7`))
		if answer.StatusCode != 200 || !strings.Contains(text, `"model":"public-name"`) {
			t.Fatalf("%s: %d %s", path, answer.StatusCode, text)
		}
		entry := h.entries(key, i+1)[0]
		line := h.bill(entry.ID)
		want := priced(t, line)
		if entry.Outcome != gateway.BilledActual || entry.Cost != want || entry.Usage.InputTokens != line.PromptTokens ||
			entry.Usage.OutputTokens != line.CompletionTokens || !entry.Priced || want == 0 {
			t.Errorf("entry %+v does not fit the bill %+v (cost %s)", entry, line, want)
		}
		if got := answer.Header.Get("x-litellm-response-cost"); got != want.String() {
			t.Errorf("x-litellm-response-cost = %q, want %q", got, want)
		}
		if answer.Header.Get("x-litellm-call-id") != entry.CallID || answer.Header.Get("x-request-id") != entry.ID {
			t.Errorf("ids in the header %v do not fit the entry's %s, %s", answer.Header, entry.CallID, entry.ID)
		}
	}
	var info struct{ Info struct{ Spend float64 } }
	_, text := h.do("GET", "/key/info", key, "")
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatal(err)
	}
	var sum gateway.NanoUSD
	for _, line := range h.provider.Bill() {
		sum += priced(t, line)
	}
	if info.Info.Spend != sum.Dollars() {
		t.Errorf("/key/info shows %v, the bill is %v", info.Info.Spend, sum.Dollars())
	}
}

// The body arrives as it was sent, and the answer as the provider gave it to somebody who asked it directly; only the
// answer's own id differs from call to call.
func TestUnknownFieldsSurviveBothWays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := ask("fault-unknown-fields", "hi", `,  "x_new": {"deep": [1e2, null], "text": "\u00e9"}`)
	_, text := h.do("POST", "/v1/chat/completions", h.key(`{}`), body)
	seen := h.provider.Seen()
	if got := string(seen[len(seen)-1].Body); got != body {
		t.Errorf("the provider got %s, sent was %s", got, body)
	}
	_, direct := h.at(h.vendor).do("POST", "/v1/chat/completions", fakeprovider.DefaultKey, body, "Content-Type", "application/json")
	id := regexp.MustCompile(`"chatcmpl-\d+"`)
	if diff := cmp.Diff(id.ReplaceAllString(direct, `""`), id.ReplaceAllString(text, `""`)); diff != "" || !strings.Contains(text, "x_") {
		t.Errorf("through the gateway (-direct +gateway):\n%s", diff)
	}
	if v := h.provider.Violations(); len(v) > 0 {
		t.Errorf("the provider complains: %v", v)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, c := range map[string]struct {
		model, more string
		outcome     gateway.Outcome
		done        bool   // ends in the success terminator
		contains    string // in what the caller sees
		exact       bool   // the entry's cost is the bill's
	}{
		"good":           {"gpt-4o-mini", "", gateway.BilledActual, true, `"content":"one`, true},
		"usage asked":    {"gpt-4o-mini", `, "stream_options": {"include_usage": true}`, gateway.BilledActual, true, `"usage":{`, true},
		"crlf":           {"fault-crlf", "", gateway.BilledActual, true, "one", false},
		"comments":       {"fault-comments", "", gateway.BilledActual, true, "one", false},
		"split":          {"fault-split", "", gateway.BilledActual, true, "one", false},
		"multi-data":     {"fault-multi-data", "", gateway.BilledActual, true, "one", false},
		"no newline":     {"fault-no-final-newline", "", gateway.BilledActual, true, "one", false},
		"usage twice":    {"fault-usage-twice", "", gateway.BilledActual, true, "one", false},
		"big event":      {"fault-big-event-1000", "", gateway.BilledActual, true, "four", false},
		"no usage":       {"fault-no-usage", "", gateway.BilledActual, true, "one", false},
		"cut":            {"fault-cut-after-2", "", gateway.BilledPartial, false, `"error":{`, false},
		"reset":          {"fault-reset-after-2", "", gateway.BilledPartial, false, `"error":{`, false},
		"before done":    {"fault-cut-before-done", "", gateway.BilledPartial, false, `"code":"upstream_stream_cut"`, false},
		"before end":     {"fault-cut-before-end", "", gateway.BilledPartial, false, `"code":"upstream_stream_cut"`, false},
		"no done":        {"fault-no-done", "", gateway.BilledPartial, false, `"code":"upstream_stream_cut"`, false},
		"error in":       {"fault-error-in-stream", "", gateway.BilledPartial, false, `"error":{`, false},
		"falls silent":   {"fault-silent-after-2", "", gateway.BilledPartial, false, `"type":"timeout"`, false},
		"truncated json": {"fault-truncated-json", "", gateway.BilledPartial, false, `"error":{`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			key := h.key(`{}`)
			answer, text := h.do("POST", "/v1/chat/completions", key, ask(c.model, "one two three four", `, "stream": true`+c.more))
			if answer.StatusCode != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
				t.Fatalf("%d %v %s", answer.StatusCode, answer.Header, text)
			}
			if done := strings.HasSuffix(text, "data: [DONE]\n\n"); done != c.done || strings.Count(text, "[DONE]") > 1 {
				t.Errorf("success terminator: %t, want %t: %s", done, c.done, text)
			}
			if !strings.Contains(text, c.contains) {
				t.Errorf("no %s in %s", c.contains, text)
			}
			if c.more == "" && strings.Contains(text, `"usage"`) {
				t.Errorf("usage that was not asked for: %s", text)
			}
			entry := h.entries(key, 1)[0]
			line := h.bill(entry.ID)
			if entry.Outcome != c.outcome {
				t.Errorf("outcome %s, want %s", entry.Outcome, c.outcome)
			}
			if c.exact && entry.Cost != priced(t, line) {
				t.Errorf("entry %+v, bill %+v", entry, line)
			}
			if entry.Usage.Source == gateway.UsageReported &&
				(entry.Usage.InputTokens != line.PromptTokens || entry.Usage.OutputTokens != line.CompletionTokens) {
				t.Errorf("usage %+v, bill %+v", entry.Usage, line)
			}
			if entry.Usage.OutputTokens == 0 {
				t.Errorf("no output is booked: %+v", entry)
			}
		})
	}
}

// What fails before the first byte is an ordinary error with the right status, plain and streamed alike.
func TestProviderErrors(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, c := range map[string]struct {
		model    string
		status   int
		typ      string
		attempts int
		outcome  gateway.Outcome
	}{
		"401":              {"fault-401", 401, "authentication_error", 1, gateway.Rejected},
		"403":              {"fault-403", 403, "permission_error", 1, gateway.Rejected},
		"404":              {"fault-404", 404, "invalid_request_error", 1, gateway.Rejected},
		"429":              {"fault-429+retry-after-30", 429, "throttling_error", 1, gateway.Rejected},
		"500":              {"fault-500+retry-after-0", 500, "internal_server_error", 3, gateway.Rejected},
		"503 once":         {"fault-503-once", 200, "", 2, gateway.BilledActual},
		"529":              {"fault-529+retry-after-0", 529, "internal_server_error", 3, gateway.Rejected},
		"error in 200":     {"fault-error-in-200", 502, "server_error", 1, gateway.Rejected},
		"html":             {"fault-html", 502, "server_error", 1, gateway.Unknown},
		"empty":            {"fault-empty", 502, "server_error", 1, gateway.Unknown},
		"silent":           {"fault-silent", 504, "timeout", 1, gateway.Unknown},
		"redirect":         {"fault-redirect", 502, "server_error", 1, gateway.Rejected},
		"unreachable":      {"nowhere", 502, "server_error", 3, gateway.NotSent},
		"metadata service": {"metadata", 502, "server_error", 3, gateway.NotSent},
		"wrong key":        {"wrong-key", 401, "authentication_error", 1, gateway.Rejected},
		"secret echo":      {"fault-secret-echo", 401, "authentication_error", 1, gateway.Rejected},
		"huge headers":     {"fault-huge-headers", 502, "server_error", 1, gateway.Unknown},
		"fallback":         {"backed-up", 200, "", 2, gateway.BilledActual},
	} {
		for _, stream := range []string{"", `, "stream": true`} {
			t.Run(name+stream, func(t *testing.T) {
				t.Parallel()
				h := h.in(t)
				key := h.key(`{}`)
				answer, text := h.do("POST", "/v1/chat/completions", key, ask(c.model, fmt.Sprintf("hi %s %d", name, len(stream)), stream))
				if answer.StatusCode != c.status {
					t.Fatalf("%d %s, want %d", answer.StatusCode, text, c.status)
				}
				entry := h.entries(key, c.attempts)[0]
				if entry.Outcome != c.outcome {
					t.Errorf("outcome %s, want %s", entry.Outcome, c.outcome)
				}
				if strings.Contains(text, "sk-") || strings.Contains(text, "127.0.0.1") {
					t.Errorf("a secret or an address shows: %s", text)
				}
				if c.status == 200 {
					return
				}
				var e struct {
					Error struct {
						Message, Type, Code string
						Param               *string
					}
				}
				if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error.Type != c.typ || e.Error.Message == "" || e.Error.Code == "" {
					t.Errorf("%s (%v), want type %s", text, err, c.typ)
				}
				if entry.Cost != 0 && c.outcome != gateway.Unknown {
					t.Errorf("a refused call costs %s", entry.Cost)
				}
			})
		}
	}
	t.Cleanup(func() {
		if v := h.provider.Violations(); len(v) > 0 {
			t.Errorf("the provider complains: %v", v)
		}
		if strings.Contains(h.log.String(), "canary") {
			t.Error("a credential is in the log")
		}
	})
}

// A caller who hangs up cancels the upstream call, and what was used is recorded.
func TestHangUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, more := range map[string]string{"stream": `, "stream": true`, "plain": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			key := h.key(`{}`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			model := "fake-words-200+slow-20ms"
			if more == "" {
				model = "fake-delay-60000ms"
			}
			r, err := http.NewRequestWithContext(ctx, "POST", h.url+"/v1/chat/completions", strings.NewReader(ask(model, name, more)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+key)
			if more == "" {
				go func() { h.arrived(model); cancel() }()
			}
			answer, err := http.DefaultClient.Do(r)
			if more != "" {
				if err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(answer.Body)
				for range 4 {
					lines.Scan()
				}
				cancel()
				answer.Body.Close()
			} else if err == nil {
				t.Fatal("the answer came")
			}
			left := time.Now()
			entry := h.entries(key, 1)[0]
			line := h.bill(entry.ID)
			if line.ClientGone == nil {
				t.Fatalf("the provider did not notice: %+v", line)
			}
			if d := line.ClientGone.Sub(left); d > 5*time.Second {
				t.Errorf("the provider noticed after %v", d)
			}
			want := gateway.BilledPartial
			if more == "" {
				want = gateway.Unknown
			}
			if entry.Outcome != want || entry.Usage.InputTokens == 0 {
				t.Errorf("booked as %+v, want %s", entry, want)
			}
		})
	}
}

// A warm key costs no read of the store, whatever it calls.
func TestWarmKeyReadsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	h.do("POST", "/v1/chat/completions", key, ask("echo", "hi", ""))
	before := h.store.calls.Load()
	for range 20 {
		h.do("POST", "/v1/chat/completions", key, ask("echo", "hi", ""))
		h.do("POST", "/v1/embeddings", key, `{"model": "echo", "input": ["a", "b"]}`)
		h.do("GET", "/v1/models", key, "")
	}
	if n := h.store.calls.Load() - before; n != 0 {
		t.Errorf("60 calls with a warm key read the store %d times", n)
	}
}
