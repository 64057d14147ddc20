package messages_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// FuzzRequest: a body is refused with an error of ours, or read and written as JSON for any model, the same each time.
func FuzzRequest(f *testing.F) {
	for _, body := range dialecttest.Texts(f, "requests/*.json") {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"model":"m",` + hello + `}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := messages.Peek(gateway.OpMessages, body, dialect.Hint{Header: http.Header{"Anthropic-Beta": {"a,b"}}})
		if err != nil {
			return
		}
		for _, to := range []dialect.Target{{Model: "claude-opus-4-5"}, {Model: "claude-sonnet-5-5"}, {Model: "x", Provider: "vertex_ai"}} {
			w, err := r.Native.Outgoing(to)
			if err != nil || !json.Valid(w.Body) {
				t.Fatalf("passed on: %s, %v", w.Body, err)
			}
			neutral, err := r.In.DecodeRequest()
			if err != nil {
				if e := gateway.AsError(err); e.Status() != 400 {
					t.Fatal(err)
				}
				return
			}
			to.Drop = func(string) bool { return true }
			w, err = messages.Outbound{}.EncodeRequest(neutral, to)
			if err == nil && !json.Valid(w.Body) {
				t.Fatalf("written: %s", w.Body)
			}
			again, err2 := messages.Outbound{}.EncodeRequest(neutral, to)
			if string(w.Body) != string(again.Body) || (err == nil) != (err2 == nil) {
				t.Fatalf("%s, then %s", w.Body, again.Body)
			}
		}
	})
}

// FuzzAnswer: an answer is refused, or passed on and read as JSON.
func FuzzAnswer(f *testing.F) {
	for _, body := range dialecttest.Texts(f, "answers/*.json") {
		f.Add([]byte(body))
	}
	r := peek(f, gateway.OpMessages, `{"model":"m",`+hello+`}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := r.Native.Answer(body); err == nil && !json.Valid(a.Body) {
			t.Fatalf("passed on: %s", a.Body)
		}
		if e := (messages.Outbound{}).DecodeError(0, nil, body); e == nil {
			t.Fatal("no error")
		}
		answer, err := messages.Outbound{}.DecodeResponse(body)
		if err != nil {
			return
		}
		out, err := r.In.EncodeResponse(answer)
		if err != nil || !json.Valid(out) {
			t.Fatalf("%s, %v", out, err)
		}
	})
}

// FuzzStream: whatever comes, a stream is passed on and read without a panic, and what is read can be written and read again.
func FuzzStream(f *testing.F) {
	for _, stream := range dialecttest.Texts(f, "streams/*.txt") {
		f.Add(stream)
	}
	f.Add(begin + "data: {\"type\":\"error\"}\n\n")
	r := peek(f, gateway.OpMessages, `{"model":"m","stream":true,`+hello+`}`)
	f.Fuzz(func(t *testing.T, stream string) {
		_, tap, _ := pass(r, stream)
		_ = tap.Seen().Counted(r)
		frames, in, out := dialect.SSE.Open(strings.NewReader(stream)), messages.Outbound{}.DecodeStream(), r.In.EncodeStream()
		defer frames.Close()
		var text []byte
		for {
			frame, err := frames.Next()
			if err != nil {
				break
			}
			events, err := in.Decode(nil, frame)
			for i := range events {
				text = out.Encode(text, &events[i])
			}
			if err != nil {
				return
			}
		}
		if in.Progress() != dialect.Done {
			return
		}
		if _, err := dialecttest.Replay(messages.Outbound{}, strings.NewReader(string(out.End(text)))); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	})
}
