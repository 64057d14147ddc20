package ingress_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/llm"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// cell is one case for one dialect and one provider.
type cell struct {
	t    *testing.T
	h    *house
	key  string
	in   speaker
	col  *column
	p    *probe
	form string   // plain or stream, while it is tried
	left []string // fields that were left out, as the caller was told
}

// unlike says that a cell is not ✓ and not to be either.
type unlike struct {
	refused string // the field
	because string
}

const byProvider = " (by the provider)"

// model is the public name of the model that the case is for.
func (c *cell) model() string {
	model := c.col.model
	if c.p.thinks && c.col.thinker != "" {
		model = c.col.thinker
	}
	words := c.p.words
	if c.p.name == "large event" {
		words += fmt.Sprint("+big-event-", c.large())
	}
	if c.col.title == "mistral" {
		words += "+mistral"
	}
	if c.p.thinks && c.col.title == "deepseek" {
		words += "+think-3"
	}
	return c.col.prefix + "/" + model + words
}

// large is how many KiB a large event has: 4 MiB where the provider is the first of its wire.
func (c *cell) large() int {
	for i := range columns {
		if columns[i].wire == c.col.wire && c.col == &columns[i] {
			return 4 << 10
		} else if columns[i].wire == c.col.wire {
			break
		}
	}
	return 64
}

// run tries the case plain and streamed. It returns the field that was refused, or – if the dialect cannot say it.
func (c *cell) run() string {
	if c.p.not == c.col.wire || c.p.not == c.in.name() || c.col.without == c.in.name() {
		return "–"
	}
	var results []*result
	for _, form := range []string{"plain", "stream"} {
		if c.p.only != "" && c.p.only != form {
			continue
		}
		c.form = form
		r, no := c.try()
		switch {
		case c.t.Failed():
			return "✗"
		case no != nil && no.because != "":
			return no.because
		case no != nil && len(results) > 0 && results[0] != nil:
			return no.refused + " (streamed)"
		case no != nil:
			return no.refused
		}
		results = append(results, r)
	}
	if len(results) == 2 && results[0] != nil && results[1] != nil && results[0].fault == nil && results[1].fault == nil {
		c.agree(results[0], results[1])
	}
	if len(c.left) > 0 {
		return "✓" + without + strings.Join(c.left, ", ")
	}
	return "✓"
}

const without = " without "

// leftOut notes what was not passed on. That a stateless caller of responses says so in each request is nothing to note.
func (c *cell) leftOut(told string) {
	for name := range strings.SplitSeq(told, ", ") {
		if name != "" && name != "store" && name != "include" && !slices.Contains(c.left, name) {
			c.left = append(c.left, name)
		}
	}
}

// agree compares the plain answer with the streamed one.
func (c *cell) agree(plain, stream *result) {
	a, b := *plain, *stream
	for _, r := range []*result{&a, &b} {
		r.history, r.done, r.status, r.calls = nil, false, 0, nil
		if c.p.cached {
			r.usage = tokens{}
		}
	}
	for i := range max(len(plain.calls), len(stream.calls)) {
		if i >= len(plain.calls) || i >= len(stream.calls) || plain.calls[i].name != stream.calls[i].name ||
			!sameJSON(plain.calls[i].args, stream.calls[i].args) {
			c.t.Errorf("plain calls %v, streamed calls %v", plain.calls, stream.calls)
			break
		}
	}
	if x, y := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); x != y {
		c.t.Errorf("plain and streamed differ:\n%.500s\n%.500s", x, y)
	}
}

func sameJSON(a, b string) bool {
	x, err1 := parseObject(a)
	y, err2 := parseObject(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// try holds the conversation in one form.
func (c *cell) try() (*result, *unlike) {
	if c.p.own != nil {
		return nil, c.p.own(c)
	}
	r, no := c.say(c.p.talk(c))
	if no == nil && r.fault == nil && c.p.then != nil && !c.t.Failed() {
		r, no = c.say(c.p.then(c, r))
	}
	if no != nil || c.t.Failed() {
		return r, no
	}
	if want := c.p.fails; want != nil && want.form(c.form) {
		c.failed(r, want)
	} else {
		c.good(r)
	}
	return r, nil
}

// good checks what all good answers have, and then what the case wants.
func (c *cell) good(r *result) {
	switch {
	case r.fault != nil:
		c.t.Errorf("%s: %+v", c.form, *r.fault)
	case r.finish == "":
		c.t.Errorf("%s: no finish: %+v", c.form, *r)
	case c.form == "stream" && !r.done:
		c.t.Errorf("the stream has no success terminator: %+v", *r)
	case r.id != c.model():
		c.t.Errorf("%s: model is %q, want %q", c.form, r.id, c.model())
	default:
		c.p.check(c, r)
	}
}

// say asks once and checks the answer's form and what was booked.
func (c *cell) say(t *talk) (*result, *unlike) {
	body, err := c.in.ask(c.model(), t, c.form == "stream")
	if err != nil {
		return nil, &unlike{because: "–"}
	}
	answer, text := c.send(c.t.Context(), body)
	r := c.read(answer, text)
	if c.t.Failed() {
		return r, nil
	}
	return r, c.booked(answer.Header.Get("X-Request-Id"), r, text)
}

// send posts a request and reads the whole answer.
func (c *cell) send(ctx context.Context, body obj) (*http.Response, string) {
	c.t.Helper()
	answer := c.open(ctx, body)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s: %v", c.form, err)
	}
	return answer, string(text)
}

func (c *cell) open(ctx context.Context, body obj) *http.Response {
	c.t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	path, header := c.in.route(c.model(), c.form == "stream")
	request, err := http.NewRequestWithContext(ctx, "POST", c.h.url+path, bytes.NewReader(sent))
	if err != nil {
		c.t.Fatal(err)
	}
	key := c.key
	if header == "Authorization" {
		key = "Bearer " + key
	}
	request.Header.Set(header, key)
	request.Header.Set("Content-Type", "application/json")
	if header == "X-Api-Key" {
		request.Header.Set("Anthropic-Version", "2023-06-01")
	}
	answer, err := matrixClient.Do(request)
	if err != nil {
		c.t.Fatalf("%s: %v", c.form, err)
	}
	c.leftOut(answer.Header.Get("X-Sluice-Dropped-Params"))
	return answer
}

var matrixClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

// read parses an answer as strictly as the dialect's documentation is.
func (c *cell) read(answer *http.Response, text string) *result {
	reads, out := &reading{}, &result{}
	streamed := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream")
	switch {
	case answer.StatusCode == http.StatusOK && streamed:
		reads.want(c.form == "stream", "a stream where none was asked for")
		out = c.in.stream(reads, parseEvents(reads, text))
	default:
		body, err := parseObject(text)
		reads.want(err == nil, "no JSON object: %.200s", text)
		if answer.StatusCode == http.StatusOK {
			reads.want(c.form == "plain", "no stream where one was asked for")
			out = c.in.whole(reads, body)
		} else if out.fault = c.in.failed(reads, body); err == nil {
			reads.want(out.fault.status == 0 || out.fault.status == answer.StatusCode, "status %d in the body of a %d", out.fault.status, answer.StatusCode)
			out.fault.status, out.fault.retryAfter = answer.StatusCode, answer.Header.Get("Retry-After")
		}
	}
	out.status = answer.StatusCode
	for _, what := range reads.faults {
		c.t.Errorf("%s: not as documented: %s", c.form, what)
	}
	for _, secret := range []string{fakeprovider.DefaultKey, fakeprovider.FakeToken, fakeprovider.FakeSecretKey, c.h.vendor} {
		if strings.Contains(text, secret) {
			c.t.Errorf("%s: a secret or an address shows: %.300s", c.form, text)
		}
	}
	return out
}

// entry waits for the ledger's entry of an attempt.
func (c *cell) entry(id string) (e ledger.Entry) {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := c.h.store.Get(c.t.Context(), ledger.Entries.Ref(id), &e); err == nil {
			return e
		}
	}
	c.t.Fatalf("%s: the ledger has no entry %q", c.form, id)
	return e
}

// booked compares the ledger's entry with the provider's bill and with what the caller was told.
func (c *cell) booked(id string, r *result, text string) *unlike {
	c.t.Helper()
	if id == "" {
		c.t.Fatalf("%s: no X-Request-Id: %d %.300s", c.form, r.status, text)
	}
	e := c.entry(id)
	if e.Outcome == gateway.NotSent && e.Error == llm.CodeUnsupported && r.fault != nil {
		if r.fault.status != 400 || r.fault.code != "" && r.fault.code != llm.CodeUnsupported || r.fault.param == "" {
			c.t.Errorf("%s: a refusal is %+v", c.form, *r.fault)
		}
		return &unlike{refused: r.fault.param}
	}
	switch want := c.p.fails; {
	case r.fault != nil && want != nil && want.form(c.form):
		c.attempted(id, want)
		return nil
	case r.fault == nil:
	default:
		if d := refusalOf(c); d != nil && d.vendor && e.Outcome == gateway.Rejected && (r.status == 400 || r.status == 422) {
			return &unlike{refused: d.field + byProvider}
		}
		c.t.Errorf("%s: %d %.400s", c.form, r.status, text)
		return nil
	}
	c.compare(&e, c.h.in(c.t).bill(id), r)
	return nil
}

// compare holds an entry of a good answer against the bill, class by class.
func (c *cell) compare(e *ledger.Entry, line fakeprovider.Line, r *result) {
	u := e.Usage
	if e.Outcome != gateway.BilledActual || line.Outcome != fakeprovider.Billed && !c.p.blocked {
		c.t.Errorf("%s: booked as %s, billed as %s", c.form, e.Outcome, line.Outcome)
	}
	booked := []int64{u.InputTokens, u.CachedTokens, u.CacheWriteTokens, u.CacheWrite1hTokens, u.OutputTokens, u.ReasoningTokens}
	billed := []int64{
		line.PromptTokens, line.CachedTokens, line.CacheWrite5mTokens, line.CacheWrite1hTokens, line.CompletionTokens, line.ReasoningTokens,
	}
	if c.col.wire == "bedrock" {
		booked[5], billed[5] = 0, 0 // it does not tell
	}
	if fmt.Sprint(booked) != fmt.Sprint(billed) || u.Source != gateway.UsageReported {
		c.t.Errorf("%s: booked %v (%s), billed %v", c.form, booked, u.Source, billed)
	}
	told, want := r.usage, tokens{u.InputTokens, u.CachedTokens, u.CacheWriteTokens + u.CacheWrite1hTokens, u.OutputTokens, u.ReasoningTokens}
	if told.written < 0 {
		want.written = -1
	}
	if told.thought < 0 {
		want.thought = -1
	}
	if told != want {
		c.t.Errorf("%s: the caller is told %+v, booked is %+v", c.form, told, want)
	}
}
