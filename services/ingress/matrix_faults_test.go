package ingress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// failure is what must go wrong.
type failure struct {
	status   int    // of the answer, if it fails before the stream
	kind     string // OpenAI's type of the error
	code     string // where the dialect tells codes; empty: any
	attempts int    // 0: one
	outcomes []gateway.Outcome
	retry    string // Retry-After
	only     string // plain or stream: the other form is a good one
	inStream bool   // streamed it fails after its beginning
	message  string // a part of it
}

func (f *failure) form(form string) bool { return f.only == "" || f.only == form }

var (
	rejected = []gateway.Outcome{gateway.Rejected}
	unknown  = []gateway.Outcome{gateway.Unknown}
	broken   = []gateway.Outcome{gateway.BilledPartial, gateway.Unknown}
)

// failed checks an error: its status, its class in the caller's dialect, what was booked, and that no stream pretends to be whole.
func (c *cell) failed(r *result, want *failure) {
	f := r.fault
	if f == nil {
		c.t.Errorf("%s: no error: %+v", c.form, *r)
		return
	}
	begun := r.status == 200
	switch {
	case begun && (c.form != "stream" || !want.inStream):
		c.t.Errorf("%s: the error %+v came under status 200", c.form, *f)
	case want.status == 0 && !begun && f.kind != c.in.kind(r.status, f.kind): // any status, with the type that is its own
		c.t.Errorf("%s: %d has type %s (%s)", c.form, r.status, f.kind, f.message)
	case !begun && want.status != 0 && (r.status != want.status || f.kind != c.in.kind(want.status, want.kind)):
		c.t.Errorf("%s: %d %s (%s), want %d %s", c.form, r.status, f.kind, f.message, want.status, c.in.kind(want.status, want.kind))
	}
	if r.done {
		c.t.Errorf("%s: a broken stream ends in the success terminator", c.form)
	}
	if f.message == "" || want.code != "" && f.code != "" && f.code != want.code || !strings.Contains(f.message, want.message) {
		c.t.Errorf("%s: the error is %+v, want code %q", c.form, *f, want.code)
	}
	if f.retryAfter != want.retry {
		c.t.Errorf("%s: Retry-After %q, want %q", c.form, f.retryAfter, want.retry)
	}
}

// attempted compares each attempt's entry with the bill.
func (c *cell) attempted(id string, want *failure) {
	for n := range max(1, want.attempts) {
		if n == 1 {
			id += ".1"
		} else if n > 1 {
			id = strings.TrimSuffix(id, fmt.Sprint(".", n-1)) + fmt.Sprint(".", n)
		}
		e := c.entry(id)
		if !slices.Contains(want.outcomes, e.Outcome) {
			c.t.Errorf("%s: attempt %d is booked as %s (%s), want %s", c.form, n, e.Outcome, e.Error, want.outcomes)
		}
		if e.Outcome == gateway.Rejected && e.Cost != 0 {
			c.t.Errorf("%s: a refused call costs %s", c.form, e.Cost)
		}
		if e.Outcome == gateway.BilledPartial && e.Usage.InputTokens == 0 {
			c.t.Errorf("%s: nothing is booked for the prompt: %+v", c.form, e.Usage)
		}
		if !c.p.unbilled {
			c.h.in(c.t).bill(id)
		}
	}
}

// status is a case of a provider's error.
func status(n int, kind string, attempts int) probe {
	words, want := fmt.Sprint("+", n), &failure{status: n, kind: kind, attempts: attempts, outcomes: rejected}
	if attempts > 1 {
		words += "+retry-after-0"
	}
	p := probe{name: fmt.Sprint("error ", n), words: words, talk: phrased(talk{}), fails: want, slow: attempts > 1}
	if slices.Contains([]int{401, 413, 422, 529}, n) {
		p.not = "bedrock" // has no exception of this status
	}
	return p
}

const (
	invalid  = "invalid_request_error"
	internal = "internal_server_error"
)

func broke(name, words string, want failure) probe {
	return probe{name: name, words: words, talk: phrased(talk{}), check: is(phrase, "stop"), fails: &want}
}

func waits(p probe) probe { p.slow = true; return p }

var badCases = []probe{
	status(400, invalid, 1), status(401, "authentication_error", 1), status(403, "permission_error", 1), status(404, invalid, 1),
	status(408, "timeout", 1), status(413, invalid, 1), status(422, invalid, 1),
	{name: "error 429", words: "+429+retry-after-30", talk: phrased(talk{}),
		fails: &failure{status: 429, kind: "throttling_error", outcomes: rejected, retry: "30"}},
	status(500, internal, 3), status(503, internal, 3), status(529, internal, 3),
	{name: "prompt too long", words: "+too-long", talk: phrased(talk{}), unbilled: true,
		fails: &failure{status: 400, kind: invalid, code: "context_length_exceeded", outcomes: rejected}},
	{name: "blocked prompt", words: "+block", talk: phrased(talk{}), own: blockedPrompt},
	broke("error under 200", "+error-in-200", failure{status: 0, kind: "", outcomes: rejected}),
	broke("HTML", "+html", failure{status: 502, kind: "server_error", outcomes: unknown}),
	broke("truncated JSON", "+truncated-json", failure{status: 502, kind: "server_error", outcomes: broken, inStream: true}),
	broke("stream for JSON", "+stream-for-json", failure{status: 502, kind: "server_error", outcomes: unknown, only: "plain"}),
	broke("JSON for stream", "+json-for-stream", failure{status: 502, kind: "server_error", outcomes: unknown, only: "stream"}),
	broke("error in the stream", "+error-in-stream", failure{outcomes: broken, only: "stream", inStream: true}),
	broke("cut before content", "+cut-after-0", failure{status: 502, kind: "server_error", outcomes: broken, inStream: true}),
	broke("cut after content", "+cut-after-3", failure{status: 502, kind: "server_error", outcomes: broken, inStream: true}),
	broke("reset after content", "+reset-after-3", failure{status: 502, kind: "server_error", outcomes: broken, inStream: true}),
	broke("cut before the finish", "+cut-before-finish", failure{outcomes: broken, only: "stream", inStream: true}),
	broke("cut before the terminator", "+cut-before-end", failure{outcomes: broken, only: "stream", inStream: true}),
	waits(broke("silent", "+silent", failure{status: 504, kind: "timeout", outcomes: unknown})),
	waits(broke("silent after content", "+silent-after-3", failure{status: 504, kind: "timeout", outcomes: broken, inStream: true})),
	{name: "caller hangs up", words: "+words-400+slow-20ms", talk: phrased(talk{}), own: hangUp, slow: true},
	{name: "large event", talk: phrased(talk{}), only: "stream", check: func(c *cell, r *result) {
		if len(r.text) != c.large()<<10+len(phrase)-len("one") {
			c.t.Errorf("%d bytes came", len(r.text))
		}
	}},
	{name: "CRLF", words: "+crlf", talk: phrased(talk{}), check: is(phrase, "stop")},
	{name: "comments", words: "+comments", talk: phrased(talk{}), check: is(phrase, "stop")},
	{name: "byte by byte", words: "+split", talk: phrased(talk{}), check: is(phrase, "stop"), only: "stream"},
	{name: "unknown fields", words: "+unknown-fields", talk: phrased(talk{}), check: is(phrase, "stop")},
}

// blockedPrompt wants an error where the provider answers one, and else an answer that says so.
func blockedPrompt(c *cell) *unlike {
	body, err := c.in.ask(c.model(), c.p.talk(c), c.form == "stream")
	if err != nil {
		return &unlike{because: "–"}
	}
	answer, text := c.send(c.t.Context(), body)
	r := c.read(answer, text)
	if r.fault != nil {
		c.failed(r, &failure{status: 400, kind: invalid, code: "content_policy_violation", outcomes: rejected})
	} else if r.finish != "blocked" && r.finish != "filter" && r.finish != "refusal" {
		c.t.Errorf("%s: finish %q: %.400s", c.form, r.finish, text)
	}
	return nil
}

// hangUp leaves during the answer. The provider notices, and what was used is booked.
func hangUp(c *cell) *unlike {
	if c.form == "plain" {
		return nil
	}
	body, err := c.in.ask(c.model(), c.p.talk(c), true)
	if err != nil {
		return &unlike{because: "–"}
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	answer := c.open(ctx, body)
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		text, _ := io.ReadAll(answer.Body)
		c.t.Errorf("%d %.300s", answer.StatusCode, text)
		return nil
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), "three") {
	}
	cancel()
	left := time.Now()
	id := answer.Header.Get("X-Request-Id")
	e, line := c.entry(id), c.h.in(c.t).bill(id)
	if line.ClientGone == nil || line.ClientGone.Sub(left) > 5*time.Second {
		c.t.Errorf("the provider did not notice: %+v", line)
	}
	if e.Outcome != gateway.BilledPartial || e.Usage.InputTokens == 0 || e.Usage.OutputTokens < 3 || e.Usage.OutputTokens > line.CompletionTokens+1 {
		c.t.Errorf("booked as %s %+v, billed %+v", e.Outcome, e.Usage, line)
	}
	return nil
}
