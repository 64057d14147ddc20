package gemini_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func seed(f *testing.F, pattern string) {
	f.Helper()
	for _, text := range dialecttest.Texts(f, pattern) {
		f.Add([]byte(text))
	}
}

// Whatever a caller sends is a request or an error of the caller's, and what passes can be written for Google.
func FuzzRequest(f *testing.F) {
	seed(f, "requests/*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := gemini.Peek(gateway.OpGemini, body, dialect.Hint{Model: "m"})
		if err != nil {
			if e := gateway.AsError(err); e.Status() != 400 {
				t.Fatalf("%v: status %d", err, e.Status())
			}
			return
		}
		w, err := r.Native.Outgoing(dialect.Target{Model: "x", Clamp: 5})
		if err != nil || !json.Valid(w.Body) {
			t.Fatalf("%v: %q", err, w.Body)
		}
		neutral, err := r.In.DecodeRequest()
		if err != nil {
			if e := gateway.AsError(err); e.Status() != 400 {
				t.Fatalf("%v: status %d", err, e.Status())
			}
			return
		}
		w, err = gemini.Outbound{}.EncodeRequest(neutral, dialect.Target{Model: "gemini-3-pro", Drop: func(string) bool { return true }})
		if err == nil && !json.Valid(w.Body) {
			t.Fatalf("%q", w.Body)
		}
	})
}

// Whatever an upstream streams is read without a panic, and its events are in order.
func FuzzStream(f *testing.F) {
	seed(f, "streams/*.txt")
	f.Fuzz(func(t *testing.T, text []byte) {
		fs, _ := frames(t, bytes.NewReader(text))
		events, progress, _ := dialecttest.Read(gemini.Outbound{}, bytes.NewReader(text))
		dialecttest.WellFormed(t, events, progress)
		r := peek(t, hello, dialect.Hint{Model: "m", Stream: true})
		tap, dst := r.Native.Tap(), []byte(nil)
		for _, f := range fs {
			var err error
			if dst, err = tap.Frame(dst, f); err != nil {
				break
			}
		}
		_ = tap.End(dst)
		_ = encodeStream(r.In, events)
	})
}

// Whatever an upstream answers is an answer or an upstream's error.
func FuzzAnswer(f *testing.F) {
	seed(f, "answers/*.json")
	seed(f, "errors/*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := peek(t, hello, dialect.Hint{Model: "m"})
		_, _ = r.Native.Answer(body)
		if e := gemini.DecodeError(0, nil, body); e == nil {
			t.Fatal("no error")
		}
		neutral, err := gemini.Outbound{}.DecodeResponse(body)
		if err != nil {
			return
		}
		out, err := r.In.EncodeResponse(neutral)
		if err != nil || !json.Valid(out) {
			t.Fatalf("%v: %q", err, out)
		}
	})
}

// Whatever schema comes, what goes is JSON, and cleaning it again changes nothing of its kind.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{schema, `{"$ref":"#"}`, `{"allOf":[{"$ref":"#/a"}],"a":{"type":"object"}}`, `{"anyOf":[{"const":null}]}`, `true`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONSchema, Schema: text}}
		w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Model: "gemini-2.5-flash"})
		if err == nil && !json.Valid(w.Body) {
			t.Fatalf("%q", w.Body)
		}
	})
}
