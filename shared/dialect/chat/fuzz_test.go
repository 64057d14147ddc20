package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// FuzzRequest: a body is refused with an error of ours, or read, and written as JSON for any host.
func FuzzRequest(f *testing.F) {
	for _, body := range dialecttest.Texts(f, "requests/*.json") {
		f.Add([]byte(body), false)
	}
	f.Add([]byte(`{"model":"m","prompt":["x"],"best_of":2,"echo":true}`), true)
	f.Fuzz(func(t *testing.T, body []byte, completes bool) {
		op := gateway.OpChat
		if completes {
			op = gateway.OpCompletions
		}
		r, err := chat.Peek(op, body, dialect.Hint{})
		if err != nil {
			return
		}
		for host, to := range hosts {
			if w, err := r.Native.Outgoing(to); err != nil || !json.Valid(w.Body) {
				t.Fatalf("%s: passed on: %s, %v", host, w.Body, err)
			}
		}
		neutral, err := r.In.DecodeRequest()
		if err != nil {
			if e := gateway.AsError(err); e.Status() != 400 {
				t.Fatal(err)
			}
			return
		}
		for host, to := range hosts {
			to.Drop = func(string) bool { return true }
			w, err := chat.Outbound{}.EncodeRequest(neutral, to)
			if err == nil && !json.Valid(w.Body) {
				t.Fatalf("%s: written: %s", host, w.Body)
			}
			if err != nil && gateway.AsError(err).Status() != 400 {
				t.Fatal(err)
			}
		}
	})
}

// FuzzAnswer: an answer is refused, or read and written as JSON.
func FuzzAnswer(f *testing.F) {
	for _, body := range dialecttest.Texts(f, "answers/*.json") {
		f.Add([]byte(body))
	}
	chats, completions := peek(f, gateway.OpChat, `{"model":"m",`+hello+`}`), peek(f, gateway.OpCompletions, `{"model":"m","prompt":"x"}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := chats.Native.Answer(body); err == nil && !json.Valid(a.Body) {
			t.Fatalf("passed on: %s", a.Body)
		}
		if e := chat.DecodeError(0, nil, body); e == nil || e.Status() < 400 {
			t.Fatal(e)
		}
		answer, err := chat.Outbound{}.DecodeResponse(body)
		if err != nil {
			return
		}
		for _, in := range []dialect.Inbound{chats.In, completions.In} {
			if out, err := in.EncodeResponse(answer); err != nil || !json.Valid(out) {
				t.Fatalf("%s, %v", out, err)
			}
		}
	})
}

// FuzzStream: whatever comes, a stream is passed on and read without a panic, its events are in order, and what is written of them can
// be read again.
func FuzzStream(f *testing.F) {
	for _, stream := range dialecttest.Texts(f, "streams/*.txt") {
		f.Add(stream)
	}
	r := peek(f, gateway.OpChat, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`)
	f.Fuzz(func(t *testing.T, stream string) {
		_, _ = passed(r, stream)
		events, progress, _ := replay(strings.NewReader(stream))
		dialecttest.WellFormed(t, events, progress)
		out, text := r.In.EncodeStream(), []byte(nil)
		for i := range events {
			text = out.Encode(text, &events[i])
		}
		if progress != dialect.Done {
			return
		}
		var want, got llm.Collector
		again, progress, err := replay(strings.NewReader(string(out.End(text))))
		if progress != dialect.Done {
			t.Fatalf("%v in %s", err, text)
		}
		for i := range events {
			want.Add(&events[i])
		}
		for i := range again {
			got.Add(&again[i])
		}
		for i, c := range want.Response().Choices {
			if i < len(got.Response().Choices) && llm.TextOf(c.Parts) != llm.TextOf(got.Response().Choices[i].Parts) {
				t.Fatalf("%q became %q", llm.TextOf(c.Parts), llm.TextOf(got.Response().Choices[i].Parts))
			}
		}
	})
}

// passed passes a stream through.
func passed(r *dialect.Request, stream string) (string, dialect.Tap) {
	frames, tap := dialect.SSE.Open(strings.NewReader(stream)), r.Native.Tap()
	defer frames.Close()
	var text []byte
	for tap.Progress() != dialect.Done {
		f, err := frames.Next()
		if err != nil {
			break
		}
		if text, err = tap.Frame(text, f); err != nil {
			break
		}
	}
	return string(text), tap
}
