package chat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var update = flag.Bool("update", false, "write the golden files")

// each runs a test for each recording that matches a pattern below testdata.
func each(t *testing.T, pattern string, test func(t *testing.T, path, text string)) {
	t.Helper()
	for path, text := range recordings(t, pattern) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			test(t, path, text)
		})
	}
}

// recordings are the texts that match a pattern below testdata, by their paths without extension.
func recordings(t testing.TB, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatal("no recordings", err)
	}
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(path, filepath.Ext(path))] = string(text)
	}
	return all
}

// golden compares a text with what it was before.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	path += ".golden"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// indented is a value as JSON to be read, without what is empty.
func indented(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(slim(tree)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func slim(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			switch inner = slim(inner); inner {
			case nil, "", false, 0.0:
				delete(v, name)
			default:
				v[name] = inner
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = slim(v[i])
		}
	}
	return v
}

// replay decodes a stream. The error is io.EOF if it ended between frames.
func replay(r io.Reader) (events []llm.Event, progress dialect.Progress, err error) {
	frames, decoder := dialect.SSE.Open(r), chat.Outbound{}.DecodeStream()
	defer frames.Close()
	for decoder.Progress() != dialect.Done {
		f, err := frames.Next()
		if err != nil {
			return events, decoder.Progress(), err
		}
		if events, err = decoder.Decode(events, f); err != nil {
			return events, decoder.Progress(), err
		}
	}
	return events, dialect.Done, nil
}

var eventNames = map[llm.EventType]string{
	llm.Begin: "begin", llm.PartBegin: "part", llm.Delta: "delta", llm.PartEnd: "part end", llm.End: "end", llm.Spent: "spent",
}

var kindNames = map[llm.Kind]string{
	llm.Text: "text", llm.Thinking: "thinking", llm.Sealed: "sealed", llm.ToolCall: "call", llm.Image: "image", llm.Refusal: "refusal",
}

// show writes events line by line, and how they ended.
func show(events []llm.Event, progress dialect.Progress, err error) []byte {
	var b bytes.Buffer
	for i := range events {
		e := &events[i]
		fmt.Fprintf(&b, "%s %d.%d", eventNames[e.Type], e.Choice, e.Index)
		if e.Type == llm.PartBegin {
			fmt.Fprintf(&b, " %s", kindNames[e.Part.Kind])
		}
		field := func(name string, value any, is bool) {
			if is {
				text, _ := json.Marshal(value)
				fmt.Fprintf(&b, " %s=%s", name, text)
			}
		}
		field("id", e.ID, e.ID != "")
		field("part", e.Part.ID, e.Part.ID != "")
		field("call", e.Part.Call, e.Part.Call != nil)
		field("media", e.Part.Media, e.Part.Media != nil)
		field("seal", e.Part.Signature, !e.Part.Signature.IsZero())
		field("text", e.Text, e.Text != "")
		field("signature", e.Signature, !e.Signature.IsZero())
		field("citations", e.Citations, len(e.Citations) > 0)
		field("logprobs", e.Logprobs, len(e.Logprobs) > 0)
		field("finish", e.Finish, e.Finish != "")
		field("usage", e.Usage, e.Usage != nil)
		field("tier", e.Tier, e.Tier != "")
		b.WriteByte('\n')
	}
	var failed *gateway.Error
	switch {
	case errors.As(err, &failed):
		fmt.Fprintf(&b, "error %d %s %q: %s\n", failed.Status(), failed.Type(), failed.Code, failed.Message)
	case progress != dialect.Done:
		fmt.Fprintf(&b, "cut: %v\n", err)
	default:
		b.WriteString("done\n")
	}
	return b.Bytes()
}

// What vendors answer.
func TestDecodeResponse(t *testing.T) {
	t.Parallel()
	each(t, "answers/*.json", func(t *testing.T, path, text string) {
		got, err := chat.Outbound{}.DecodeResponse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, path, indented(t, got))
		for i := range got.Choices {
			if got.Choices[i].Finish == "" {
				t.Error("it does not say why it ended")
			}
		}
	})
}

// A stream reads the same however it is cut into reads.
func TestDecodeStream(t *testing.T) {
	t.Parallel()
	each(t, "streams/*.txt", func(t *testing.T, path, text string) {
		events, progress, err := replay(strings.NewReader(text))
		want := show(events, progress, err)
		golden(t, path, want)
		wellFormed(t, events, progress)
		again, progress, err := replay(iotest.OneByteReader(strings.NewReader(text)))
		if diff := cmp.Diff(string(want), string(show(again, progress, err))); diff != "" {
			t.Errorf("byte by byte it is another (-want +got):\n%s", diff)
		}
		for at := range text {
			halves := io.MultiReader(strings.NewReader(text[:at]), strings.NewReader(text[at:]))
			if got := show(replay(halves)); !bytes.Equal(got, want) {
				t.Fatalf("split at %d it is another:\n%s", at, got)
			}
		}
	})
}

// wellFormed checks the order of events that all callers' dialects rely on.
func wellFormed(t testing.TB, events []llm.Event, progress dialect.Progress) {
	t.Helper()
	type place struct{ choice, index int }
	open, begun, ended := map[place]bool{}, map[int]int{}, map[int]bool{}
	for i := range events {
		e := &events[i]
		at := place{e.Choice, e.Index}
		fault := ""
		switch e.Type {
		case llm.Begin:
			if i != 0 {
				fault = "begins twice"
			}
		case llm.PartBegin:
			if open[at] || e.Index != begun[e.Choice] || ended[e.Choice] {
				fault = "a part begins out of turn"
			}
			open[at] = true
			begun[e.Choice]++
		case llm.Delta:
			if !open[at] {
				fault = "a piece of no part"
			}
			if e.Text == "" && e.Signature.IsZero() && len(e.Citations) == 0 && len(e.Logprobs) == 0 {
				fault = "an empty piece"
			}
		case llm.PartEnd:
			if !open[at] {
				fault = "the end of no part"
			}
			delete(open, at)
		case llm.End:
			if ended[e.Choice] || e.Finish == "" {
				fault = "an end out of turn"
			}
			for p := range open {
				if p.choice == e.Choice {
					fault = "it ends with an open part"
				}
			}
			ended[e.Choice] = true
		}
		if i == 0 && e.Type != llm.Begin {
			fault = "it does not begin"
		}
		if fault != "" {
			t.Fatalf("event %d: %s\n%s", i, fault, show(events, progress, nil))
		}
	}
	if progress == dialect.Done && (len(open) > 0 || len(ended) < len(begun)) {
		t.Fatalf("it is done and not ended\n%s", show(events, progress, nil))
	}
}

// What a caller gets of a stream, whole or in pieces, reads again as the same.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	each(t, "streams/*.txt", func(t *testing.T, path, text string) {
		events, progress, _ := replay(strings.NewReader(text))
		if progress != dialect.Done {
			t.Skip("it is not whole")
		}
		in := peek(t, gateway.OpChat, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`).In
		out := in.EncodeStream()
		var written []byte
		var whole llm.Collector
		for i := range events {
			written = out.Encode(written, &events[i])
			whole.Add(&events[i])
		}
		want := whole.Response()
		again, progress, err := replay(bytes.NewReader(out.End(written)))
		if progress != dialect.Done {
			t.Fatalf("%v in %s", err, written)
		}
		var streamed llm.Collector
		for i := range again {
			streamed.Add(&again[i])
		}
		compare(t, "streamed", want, streamed.Response())
		body, err := in.EncodeResponse(want)
		if err != nil || !json.Valid(body) {
			t.Fatalf("%v in %s", err, body)
		}
		got, err := chat.Outbound{}.DecodeResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "whole", want, got)
	})
}

// compare compares answers but for what this dialect does not carry: who gave it, and the order of text and calls.
func compare(t *testing.T, how string, want, got *llm.Response) {
	t.Helper()
	view := func(r *llm.Response) map[string]any {
		out := map[string]any{"usage": r.Usage}
		for i, c := range r.Choices {
			c.Parts = append([]llm.Part(nil), c.Parts...)
			var texts [llm.Refusal + 1]string
			var rest []llm.Part
			for _, p := range c.Parts {
				p.ID = ""
				switch p.Kind {
				case llm.Text, llm.Refusal, llm.Thinking:
					texts[p.Kind] += p.Text
				default:
					rest = append(rest, p)
				}
			}
			if c.Finish == llm.FinishStopSeq {
				c.Finish = llm.FinishStop
			}
			out[fmt.Sprint(i)] = []any{texts, rest, c.Finish}
		}
		return out
	}
	if diff := cmp.Diff(view(want), view(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", how, diff)
	}
}
