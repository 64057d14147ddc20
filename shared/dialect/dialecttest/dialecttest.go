// Package dialecttest is the suite that every dialect passes: what is written in a dialect and read again is the same, plain and streamed,
// however the stream is cut into reads.
package dialecttest

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Suite says what is particular about a dialect.
type Suite struct {
	Dialect dialect.Dialect
	Maker   string // whose signatures are its own
	// Request is a small body that asks for an answer, for a stream if that is said in the body.
	Request string
	Hint    dialect.Hint // whether it is a stream is set here
	// Streamed is the small body as it asks for a stream; empty if the path says so.
	Streamed   string
	Finishes   map[llm.Finish]llm.Finish // what becomes of a reason that the dialect has no word for
	NoSeal     bool                      // sealed thoughts have no place
	NoThoughts bool                      // an upstream does not get thoughts back
}

// Run passes every answer through the dialect and back.
func (s Suite) Run(t *testing.T) {
	for name, want := range Answers(s.Maker) {
		if s.NoSeal && hasSealed(want) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.whole(t, want)
			s.stream(t, want)
		})
	}
}

func (s Suite) peek(t *testing.T, stream bool) *dialect.Request {
	t.Helper()
	body, hint := s.Request, s.Hint
	hint.Stream = stream
	if stream && s.Streamed != "" {
		body, hint.Stream = s.Streamed, false
	}
	r, err := s.Dialect.Peek(s.Dialect.Op, []byte(body), hint)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.In.DecodeRequest(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (s Suite) whole(t *testing.T, want *llm.Response) {
	t.Helper()
	body, err := s.peek(t, false).In.EncodeResponse(clone(want))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(body) {
		t.Fatalf("not JSON: %s", body)
	}
	got, err := s.Dialect.Out.DecodeResponse(body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	s.same(t, "whole", want, got, string(body))
}

func (s Suite) stream(t *testing.T, want *llm.Response) {
	t.Helper()
	text := s.written(t, want)
	once, err := Replay(s.Dialect.Out, strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	s.same(t, "stream", want, once, text)
	for name, r := range map[string]io.Reader{
		"byte by byte": iotest.OneByteReader(strings.NewReader(text)), "in halves": iotest.HalfReader(strings.NewReader(text)),
	} {
		again, err := Replay(s.Dialect.Out, r)
		if diff := cmp.Diff(once, again); diff != "" || err != nil {
			t.Errorf("%s it reads otherwise: %v\n%s", name, err, diff)
		}
	}
	s.cut(t, text)
}

// written is the answer as a caller gets it in a stream.
func (s Suite) written(t *testing.T, want *llm.Response) string {
	t.Helper()
	out := s.peek(t, true).In.EncodeStream()
	var text []byte
	for _, e := range clone(want).Events() {
		text = out.Encode(text, &e)
	}
	return string(out.End(text))
}

// cut ends the stream after every frame but the last: it must never look whole.
func (s Suite) cut(t *testing.T, text string) {
	t.Helper()
	frames := s.Dialect.Out.Framing().Open(strings.NewReader(text))
	defer frames.Close()
	length := 0
	for {
		f, err := frames.Next()
		if err != nil {
			return
		}
		length += len(f.Raw)
		if rest := strings.TrimSpace(text[length:]); rest == "" {
			return
		}
		if _, err := Replay(s.Dialect.Out, strings.NewReader(text[:length])); err == nil {
			t.Errorf("cut after %d of %d bytes it looks whole: %q", length, len(text), text[length:])
			return
		}
	}
}

// ErrCut is what Replay answers for a stream that ended too early.
var ErrCut = errors.New("the stream was cut")

// Read decodes a stream. The error is io.EOF if it ended between frames, and nil if it is done.
func Read(out dialect.Outbound, r io.Reader) (events []llm.Event, progress dialect.Progress, err error) {
	frames, decoder := out.Framing().Open(r), out.DecodeStream()
	defer frames.Close()
	for decoder.Progress() != dialect.Done && err == nil {
		var f dialect.Frame
		if f, err = frames.Next(); err == nil {
			events, err = decoder.Decode(events, f)
		}
	}
	return events, decoder.Progress(), err
}

// Replay reads a stream to its end.
func Replay(out dialect.Outbound, r io.Reader) (*llm.Response, error) {
	events, progress, err := Read(out, r)
	var c llm.Collector
	for i := range events {
		c.Add(&events[i])
	}
	var failed *gateway.Error
	switch {
	case err == io.EOF && progress == dialect.MayEnd:
		err = nil
	case err != nil && !errors.As(err, &failed):
		err = errors.Join(ErrCut, err)
	}
	return c.Response(), err
}

// same compares what a caller can tell apart.
func (s Suite) same(t *testing.T, how string, want, got *llm.Response, text string) {
	t.Helper()
	if diff := cmp.Diff(s.view(want, true), s.view(got, false)); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nin %s", how, diff, text)
	}
}

type view struct {
	Choices []llm.Choice
	Usage   gateway.Usage
}

func (s Suite) view(r *llm.Response, original bool) view {
	v := view{Usage: r.Usage}
	v.Usage.CacheWriteTokens, v.Usage.CacheWrite1hTokens = v.Usage.CacheWriteTokens+v.Usage.CacheWrite1hTokens, 0
	for _, c := range clone(r).Choices {
		if other, found := s.Finishes[c.Finish]; original && found {
			c.Finish = other
		}
		c.Stop = ""
		c.Logprobs = nil
		for i := range c.Parts {
			p := &c.Parts[i]
			p.ID, p.Citations = "", nil
			if p.Call != nil {
				p.Call.Arguments = canonical(p.Call.Arguments)
			}
		}
		v.Choices = append(v.Choices, c)
	}
	return v
}

func canonical(arguments string) string {
	var v any
	if json.Unmarshal([]byte(arguments), &v) != nil {
		return arguments
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func clone(r *llm.Response) *llm.Response {
	out := *r
	out.Choices = slices.Clone(r.Choices)
	for i := range out.Choices {
		parts := slices.Clone(out.Choices[i].Parts)
		for j := range parts {
			if parts[j].Call != nil {
				call := *parts[j].Call
				parts[j].Call = &call
			}
		}
		out.Choices[i].Parts = parts
	}
	return &out
}

func hasSealed(r *llm.Response) bool {
	return slices.ContainsFunc(r.Choices[0].Parts, func(p llm.Part) bool { return p.Kind == llm.Sealed })
}
