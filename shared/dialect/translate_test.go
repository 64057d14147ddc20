package dialect_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// caller is an inbound dialect that tells what it was given.
type caller struct {
	request llm.Request
	err     error
	decoded int
	events  []llm.Event
}

func (c *caller) DecodeRequest() (*llm.Request, error) {
	c.decoded++
	if c.err != nil {
		return nil, c.err
	}
	r := c.request
	return &r, nil
}

func (c *caller) Field(p llm.Param) string {
	return map[llm.Param]string{llm.Temperature: "heat", llm.TopK: "k", llm.ImageData: "talk", llm.MaxOutput: "limit"}[p]
}

func (c *caller) EncodeResponse(r *llm.Response) ([]byte, error) {
	return []byte(r.ID + "|" + r.Model + "|" + string(r.Usage.Source)), nil
}

func (c *caller) EncodeStream() dialect.StreamEncoder { return c }

func (c *caller) Encode(dst []byte, e *llm.Event) []byte {
	c.events = append(c.events, *e)
	return append(dst, e.Text...)
}

func (c *caller) End(dst []byte) []byte                    { return append(dst, "end"...) }
func (c *caller) Fail(dst []byte, e *gateway.Error) []byte { return append(dst, e.Message...) }

// vendor is an outbound dialect: a frame is the text of a delta, but for a few words.
type vendor struct {
	carries  llm.Carries
	encode   func(*llm.Request, dialect.Target) (dialect.Wire, error)
	response llm.Response
	done     bool
}

func (v *vendor) Carries() llm.Carries { return v.carries }
func (v *vendor) EncodeRequest(r *llm.Request, t dialect.Target) (dialect.Wire, error) {
	return v.encode(r, t)
}

func (v *vendor) DecodeResponse(body []byte) (*llm.Response, error) {
	if string(body) == "bad" {
		return nil, dialect.InvalidAnswer("bad")
	}
	r := v.response
	return &r, nil
}

func (v *vendor) DecodeStream() dialect.StreamDecoder { return v }
func (v *vendor) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return dialect.VendorError(status, h, string(body))
}
func (v *vendor) Framing() dialect.Framing { return dialect.SSE }
func (v *vendor) Progress() dialect.Progress {
	if v.done {
		return dialect.Done
	}
	return dialect.Open
}

func (v *vendor) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	usage := gateway.Usage{InputTokens: 7, OutputTokens: 3, Source: gateway.UsageReported}
	switch string(f.Data) {
	case "begin":
		return append(dst, llm.Event{Type: llm.Begin, Model: "vendor's"}), nil
	case "named":
		return append(dst, llm.Event{Type: llm.Begin, ID: "id1", Model: "vendor's", Tier: "flex", Usage: &gateway.Usage{InputTokens: 7}}), nil
	case "spent":
		return append(dst, llm.Event{Type: llm.Spent, Usage: &usage, Tier: "priority"}), nil
	case "done":
		v.done = true
		return dst, nil
	case "bad":
		return append(dst, llm.Event{Type: llm.Delta, Text: "last"}), dialect.InvalidAnswer("bad")
	}
	return append(dst, llm.Event{Type: llm.Delta, Text: string(f.Data)}), nil
}

func request(c *caller) *dialect.Request {
	return &dialect.Request{Body: []byte("0123456789abcdef"), Model: "public", In: c}
}

// A request is decoded once and encoded for one target after another, without what a target does not carry. Fields have the caller's
// names, in what was dropped and in errors.
func TestTranslate(t *testing.T) {
	t.Parallel()
	heat, k := 0.5, int64(3)
	c := &caller{request: llm.Request{Temperature: &heat, TopK: &k}}
	v := &vendor{carries: llm.Carries{Params: []llm.Param{llm.Temperature}}}
	v.encode = func(r *llm.Request, to dialect.Target) (dialect.Wire, error) {
		if r.TopK != nil {
			t.Error("what is not carried was not left out")
		}
		if !to.Drop("temperature") || to.Drop("max_tokens") {
			t.Error("the target is asked by other names than the caller's")
		}
		if r.Temperature == nil {
			t.Error("the first target changed the request for the second")
		}
		r.Temperature = nil
		return dialect.Wire{Path: "/" + to.Model, Dropped: []string{"temperature", "own"}}, nil
	}
	p := dialect.Translate(request(c), v)
	drop := func(name string) bool { return name == "heat" || name == "k" }
	for _, model := range []string{"a", "b"} {
		w, err := p.Outgoing(dialect.Target{Model: model, Drop: drop})
		if diff := cmp.Diff(dialect.Wire{Path: "/" + model, Dropped: []string{"k", "heat", "own"}}, w); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if c.decoded != 1 {
		t.Errorf("decoded %d times", c.decoded)
	}
	if _, err := p.Outgoing(dialect.Target{Drop: func(string) bool { return false }}); gateway.AsError(err).Param != "k" {
		t.Errorf("refused: %v", err)
	}
}

func TestTranslateErrors(t *testing.T) {
	t.Parallel()
	drop := func(string) bool { return true }
	bad := &caller{err: gateway.Invalid("talk[0]", "bad")}
	if _, err := dialect.Translate(request(bad), &vendor{}).Outgoing(dialect.Target{Drop: drop}); err != bad.err {
		t.Errorf("decoding: %v", err)
	}
	for param, want := range map[string]string{"temperature": "heat", "messages": "talk", "max_tokens": "limit", "tools[0].type": "tools[0].type", "": ""} {
		v := &vendor{encode: func(*llm.Request, dialect.Target) (dialect.Wire, error) {
			return dialect.Wire{}, gateway.Invalid(param, "%s is wrong.", param)
		}}
		_, err := dialect.Translate(request(&caller{}), v).Outgoing(dialect.Target{Drop: drop})
		if e := gateway.AsError(err); e.Param != want || e.Message != want+" is wrong." {
			t.Errorf("%s: %q about %q", param, e.Message, e.Param)
		}
	}
	plain := errors.New("plain")
	v := &vendor{encode: func(*llm.Request, dialect.Target) (dialect.Wire, error) { return dialect.Wire{}, plain }}
	if _, err := dialect.Translate(request(&caller{}), v).Outgoing(dialect.Target{Drop: drop}); err != plain {
		t.Errorf("another error: %v", err)
	}
}

// An answer has the caller's model, an id and a usage, if need be ours.
func TestTranslatedAnswer(t *testing.T) {
	t.Parallel()
	told := gateway.Usage{InputTokens: 1, OutputTokens: 2, Source: gateway.UsageReported}
	v := &vendor{response: llm.Response{ID: "id1", Model: "vendor's", Usage: told, Tier: "flex"}}
	p := dialect.Translate(request(&caller{}), v)
	a, err := p.Answer([]byte("x"))
	if diff := cmp.Diff(dialect.Answer{Body: []byte("id1|public|reported"), Usage: told, Tier: "flex"}, a); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	v.response = llm.Response{}
	a, err = p.Answer([]byte("01234567"))
	id, rest, _ := strings.Cut(string(a.Body), "|")
	if len(id) != 24 || rest != "public|counted" || err != nil || a.Usage != (gateway.Usage{InputTokens: 4, OutputTokens: 2, Source: gateway.UsageCounted}) {
		t.Errorf("%s %+v %v", a.Body, a.Usage, err)
	}
	if _, err := p.Answer([]byte("bad")); gateway.AsError(err).Code != dialect.CodeInvalidAnswer {
		t.Errorf("bad: %v", err)
	}
	if e := p.DecodeError(429, nil, []byte("slow")); e.Status() != 429 || e.Message != "slow" {
		t.Errorf("%v", e)
	}
	if p.Framing().MediaType != "text/event-stream" {
		t.Error("it is framed otherwise")
	}
}

func pass(t *testing.T, frames ...string) (*caller, dialect.Tap, string, error) {
	t.Helper()
	c := &caller{}
	tap := dialect.Translate(request(c), &vendor{}).Tap()
	var text []byte
	for _, f := range frames {
		var err error
		if text, err = tap.Frame(text, dialect.Frame{Data: []byte(f)}); err != nil {
			return c, tap, string(text), err
		}
	}
	return c, tap, string(text), nil
}

// A stream has the caller's model and an id; its usage is told once it is known, and else counted by us at its end.
func TestTranslator(t *testing.T) {
	t.Parallel()
	c, tap, text, err := pass(t, "named", "a", "b", "spent", "done")
	if text != "ab" || err != nil || tap.Progress() != dialect.Done {
		t.Errorf("%q, %v", text, err)
	}
	told := gateway.Usage{InputTokens: 7, OutputTokens: 3, Source: gateway.UsageReported}
	if seen := tap.Seen(); seen != (dialect.Seen{Usage: told, Tier: "priority", Chunks: 2}) {
		t.Errorf("seen %+v", seen)
	}
	if got := string(tap.End(nil)); got != "end" || c.events[0].ID != "id1" || c.events[0].Model != "public" {
		t.Errorf("%q after %+v", got, c.events[0])
	}
	if n := count(c.events, llm.Spent); n != 1 {
		t.Errorf("the usage is told %d times", n)
	}

	c, tap, _, _ = pass(t, "begin", "a", "done")
	tap.End(nil)
	last := c.events[len(c.events)-1]
	if len(c.events[0].ID) != 24 || last.Type != llm.Spent || *last.Usage != (gateway.Usage{InputTokens: 4, OutputTokens: 1, Source: gateway.UsageCounted}) {
		t.Errorf("%+v", c.events)
	}

	c, tap, text, err = pass(t, "named", "a", "bad", "done")
	if text != "alast" || gateway.AsError(err).Code != dialect.CodeInvalidAnswer || tap.Progress() == dialect.Done || tap.Seen().Chunks != 2 {
		t.Errorf("%q, %v", text, err)
	}
	if got := string(tap.Fail(nil, gateway.Invalid("", "no"))); got != "no" || count(c.events, llm.Spent) != 0 {
		t.Errorf("failed: %q", got)
	}
	if u := tap.Seen().Counted(request(c)); u.Source != gateway.UsageCounted || u.OutputTokens != 2 {
		t.Errorf("the usage of the input alone was taken for all: %+v", u)
	}
}

func count(events []llm.Event, kind llm.EventType) int {
	return len(slices.DeleteFunc(slices.Clone(events), func(e llm.Event) bool { return e.Type != kind }))
}
