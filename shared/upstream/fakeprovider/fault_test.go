package fakeprovider_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// outcome is what a client and the bill say about one call.
type outcome struct {
	Status   int
	Whole    bool // the transfer ended cleanly
	Done     bool // [DONE] was seen
	JSON     bool // the body is JSON
	Outcome  fakeprovider.Outcome
	Tokens   int64 // completion tokens billed
	FullSend bool
}

func call(t *testing.T, p *fakeprovider.Provider, url, model, more string) (outcome, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+chat, strings.NewReader(chatBody(model, more)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+fakeprovider.DefaultKey)
	resp, err := (&http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 4 << 20}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	bill := p.Bill()
	last := bill[len(bill)-1]
	return outcome{
		Status: resp.StatusCode, Whole: err == nil, Done: strings.Contains(string(body), "[DONE]"), JSON: json.Valid(body),
		Outcome: last.Outcome, Tokens: last.CompletionTokens, FullSend: last.FullSend,
	}, resp.Header, string(body)
}

const (
	billed   = fakeprovider.Billed
	partial  = fakeprovider.Partial
	rejected = fakeprovider.Rejected
)

// The prompt has four words, so a whole answer has four chunks.
func TestFaults(t *testing.T) {
	t.Parallel()
	const stream = `,"stream":true,"stream_options":{"include_usage":true}`
	for _, c := range []struct {
		model, more string
		want        outcome
		body        string // part of the answer
		count       int    // how often, if not 1 or more
	}{
		{"fault-401", "", outcome{401, true, false, true, rejected, 0, true}, "invalid_api_key", 0},
		{"fault-403", "", outcome{403, true, false, true, rejected, 0, true}, "permission_error", 0},
		{"fault-404", "", outcome{404, true, false, true, rejected, 0, true}, "model_not_found", 0},
		{"fault-500", stream, outcome{500, true, false, true, rejected, 0, true}, "server_error", 0},
		{"fault-529", "", outcome{529, true, false, true, rejected, 0, true}, "overloaded_error", 0},
		{"fault-of-no-kind", "", outcome{404, true, false, true, rejected, 0, true}, "does not exist", 0},
		{"fault-secret-echo", "", outcome{401, true, false, true, rejected, 0, true}, fakeprovider.DefaultKey, 0},
		{"fault-error-in-200", "", outcome{200, true, false, true, rejected, 0, true}, `"error"`, 0},
		{"fault-redirect", "", outcome{307, true, false, true, rejected, 0, true}, "Moved", 0},
		{"fault-html", "", outcome{200, true, false, false, billed, 4, true}, "<html>", 0},
		{"fault-empty", "", outcome{200, true, false, false, billed, 4, true}, "", 0},
		{"fault-truncated-json", "", outcome{200, true, false, false, billed, 4, true}, "chat.completion", 0},
		{"fault-truncated-json", stream, outcome{200, true, false, false, billed, 4, true}, "three", 0},
		{"fault-bad-length", "", outcome{200, false, false, true, billed, 4, false}, "", 0},
		{"fault-gzip-bomb", "", outcome{200, true, false, false, billed, 4, true}, "", 0},
		{"fault-cut-after-3", stream, outcome{200, false, false, false, partial, 3, false}, `"content":" three"`, 0},
		{"fault-cut-after-0", stream, outcome{200, false, false, false, partial, 0, false}, "", 0},
		{"fault-cut-after-9", stream, outcome{200, true, true, false, billed, 4, true}, "four", 0},
		{"fault-cut-after-3", "", outcome{200, false, false, false, billed, 4, false}, "", 0},
		{"fault-reset-after-2", stream, outcome{200, false, false, false, partial, 2, false}, "", 0},
		{"fault-cut-before-finish", stream, outcome{200, false, false, false, billed, 4, false}, `" four"`, 0},
		{"fault-cut-before-done", stream, outcome{200, false, false, false, billed, 4, false}, `"finish_reason":"stop"`, 0},
		{"fault-cut-before-end", stream, outcome{200, false, false, false, billed, 4, false}, `"total_tokens"`, 0},
		{"fault-no-done", stream, outcome{200, true, false, false, billed, 4, false}, `"total_tokens"`, 0},
		{"fault-error-in-stream", stream, outcome{200, true, false, false, partial, 2, false}, `data: {"error"`, 0},
		{"fault-no-usage", stream, outcome{200, true, true, false, billed, 4, true}, "", 0},
		{"fault-usage-twice", stream, outcome{200, true, true, false, billed, 4, true}, `"total_tokens"`, 2},
		{"fault-usage-every", stream, outcome{200, true, true, false, billed, 4, true}, `"total_tokens"`, 7},
		{"fault-usage-huge", stream, outcome{200, true, true, false, billed, 4, true}, "1000000000000000000", 0},
		{"fault-usage-negative", "", outcome{200, true, false, true, billed, 4, true}, `"total_tokens":-5`, 0},
		{"fault-usage-zero", "", outcome{200, true, false, true, billed, 4, true}, `"total_tokens":0`, 0},
		{"fault-json-for-stream", stream, outcome{200, true, false, true, billed, 4, true}, "one two three four", 0},
		{"fault-stream-for-json", "", outcome{200, true, true, false, billed, 4, true}, "data: ", 0},
		{"fault-cr", stream, outcome{200, true, true, false, billed, 4, true}, "\r\rdata: ", 0},
		{"fault-bom", stream, outcome{200, true, true, false, billed, 4, true}, "\uFEFFdata: ", 1},
		{"fault-big-event-64", stream, outcome{200, true, true, false, billed, 4, true}, strings.Repeat("x", 64<<10), 1},
		{"fault-unknown-fields", "", outcome{200, true, false, true, billed, 4, true}, "x_unknown", 4},
		{"fault-huge-headers", "", outcome{200, true, false, true, billed, 4, true}, "", 0},
		{"fault-many-headers", "", outcome{200, true, false, true, billed, 4, true}, "", 0},
		{"gpt-4o-mini+words-2", "", outcome{200, true, false, true, billed, 2, true}, `"one two"`, 0},
	} {
		t.Run(c.model+c.more, func(t *testing.T) {
			t.Parallel()
			p, url := fakeprovider.Start(t)
			got, _, body := call(t, p, url, c.model, c.more)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("outcome (-want +got):\n%s\n%.300s", d, body)
			}
			if n := strings.Count(body, c.body); n == 0 || c.count > 0 && n != c.count {
				t.Errorf("%d of %.50q in %.300s", n, c.body, body)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	for model, want := range map[string]string{
		"fault-429": "1", "fault-429+retry-after-7": "7", "fault-429+retry-after-0": "", "fault-503": "",
		"fault-429+retry-after-absurd": "99999999999999999999",
	} {
		if _, h, _ := call(t, p, url, model, ""); h.Get("Retry-After") != want {
			t.Errorf("%s: %q, want %q", model, h.Get("Retry-After"), want)
		}
	}
	_, h, _ := call(t, p, url, "fault-429+retry-after-date", "")
	if _, err := http.ParseTime(h.Get("Retry-After")); err != nil {
		t.Error(err)
	}
}

func TestOnceAndTwice(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	for model, want := range map[string][]int{
		"fault-503-once":                       {503, 200, 200},
		"fault-429-twice":                      {429, 429, 200},
		"gpt-4o+redirect-once+slow-1ms":        {307, 200, 200},
		"fault-usage-twice":                    {200, 200, 200},
		"fault-500-once+retry-after-9+words-3": {500, 200, 200},
	} {
		var got []int
		for range 3 {
			o, _, _ := call(t, p, url, model, "")
			got = append(got, o.Status)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", model, d)
		}
	}
}

func TestFollowedRedirectIsViolation(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	resp, err := http.Post(url+"/redirected", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if v := p.Violations(); len(v) != 1 || v[0].What != "followed a redirect" {
		t.Errorf("violations %+v", v)
	}
}

// A client that hangs up stops the answer, and the bill says so.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]int64{
		"fault-silent": 0, "fault-delay-60000ms": 0, "fault-silent-after-2": 2, "fake-words-500+slow-20ms": -1,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			p, url := fakeprovider.Start(t)
			ctx, cancel := context.WithCancel(t.Context())
			body := chatBody(model, `,"stream":true`)
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url+chat, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+fakeprovider.DefaultKey)
			if want == 0 {
				go func() { // no content will come: leave once the request has arrived
					for tick := time.Tick(time.Millisecond); len(p.Seen()) == 0; {
						<-tick
					}
					cancel()
				}()
			}
			left := hangUp(t, req, cancel)

			patient, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			bill := p.AwaitBill(patient, 1)
			if len(bill) != 1 || bill[0].Outcome != partial || bill[0].FullSend || bill[0].PromptTokens != 8 || bill[0].ClientGone == nil {
				t.Fatalf("bill %+v", bill)
			}
			if got := bill[0].CompletionTokens; got != want && (want >= 0 || got < 1 || got > 400) {
				t.Errorf("billed %d chunks", got)
			}
			if late := bill[0].ClientGone.Sub(left); late > 5*time.Second {
				t.Errorf("noticed %v after the client left", late)
			}
		})
	}
}

// hangUp sends the request, cancels it after some content, and returns when it was over.
func hangUp(t *testing.T, req *http.Request, cancel func()) time.Time {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return time.Now()
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), "two") {
	}
	cancel()
	return time.Now()
}
