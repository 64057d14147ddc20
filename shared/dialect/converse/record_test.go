package converse_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var update = flag.Bool("update", false, "write the golden files")

var out = converse.Dialect.Out

// record makes an event stream of lines: a frame's name and its payload.
func record(t testing.TB, lines string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		name, payload, _ := strings.Cut(line, " ")
		b.Write(frame(t, name, payload))
	}
	return b.Bytes()
}

func frame(t testing.TB, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	set := func(header, value string) { m.Headers.Set(header, eventstream.StringValue(value)) }
	switch kind, rest, found := strings.Cut(name, ":"); {
	case found && kind == "exception":
		set(":exception-type", rest)
		set(":message-type", kind)
	case found && kind == "error":
		set(":error-code", rest)
		set(":error-message", payload)
		set(":message-type", kind)
		m.Payload = nil
	default:
		set(":event-type", name)
		set(":message-type", "event")
	}
	set(":content-type", "application/json")
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// replay decodes a stream. The error is io.EOF if it ended between frames.
func replay(r io.Reader) (events []llm.Event, progress dialect.Progress, err error) {
	frames, decoder := out.Framing().Open(r), out.DecodeStream()
	defer frames.Close()
	for {
		f, err := frames.Next()
		if err != nil {
			return events, decoder.Progress(), err
		}
		if events, err = decoder.Decode(events, f); err != nil {
			return events, decoder.Progress(), err
		}
	}
}

// golden compares with a file below testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s (-got +want):\n%s", name, diff)
	}
}

func show(events []llm.Event) []byte {
	names := map[llm.EventType]string{
		llm.Begin: "begin", llm.PartBegin: "part", llm.Delta: "delta", llm.PartEnd: "part end", llm.End: "end", llm.Spent: "spent",
	}
	kinds := map[llm.Kind]string{llm.Text: "text", llm.Thinking: "thinking", llm.Sealed: "sealed", llm.ToolCall: "call", llm.Image: "image"}
	var b bytes.Buffer
	for _, e := range events {
		fmt.Fprintf(&b, "%s %d", names[e.Type], e.Index)
		if e.Type == llm.PartBegin {
			fmt.Fprintf(&b, " %s", kinds[e.Part.Kind])
		}
		field := func(name string, value any, is bool) {
			if is {
				text, _ := json.Marshal(value)
				fmt.Fprintf(&b, " %s=%s", name, text)
			}
		}
		field("call", e.Part.Call, e.Part.Call != nil)
		field("media", e.Part.Media, e.Part.Media != nil)
		field("sealed", e.Part.Signature, !e.Part.Signature.IsZero())
		field("text", e.Text, e.Text != "")
		field("signature", e.Signature, !e.Signature.IsZero())
		field("citations", e.Citations, len(e.Citations) > 0)
		field("finish", e.Finish, e.Finish != "")
		field("stop", e.Stop, e.Stop != "")
		field("usage", e.Usage, e.Usage != nil)
		field("tier", e.Tier, e.Tier != "")
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func TestStreams(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/streams/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			raw := record(t, string(lines))
			events, progress, end := replay(bytes.NewReader(raw))
			text := show(events)
			var failed *gateway.Error
			if errors.As(end, &failed) {
				text = fmt.Appendf(text, "error %d %s\n", failed.Status(), failed.Message)
			} else if progress == dialect.Open {
				t.Errorf("the progress is %d", progress)
			}
			golden(t, "streams/"+name+".golden", text)
			again, _, _ := replay(iotest.OneByteReader(bytes.NewReader(raw)))
			if diff := cmp.Diff(again, events); diff != "" {
				t.Errorf("byte by byte it is another (-bytes +whole):\n%s", diff)
			}
			for at := range raw {
				half := io.MultiReader(bytes.NewReader(raw[:at]), bytes.NewReader(raw[at:]))
				if again, _, _ := replay(half); !reflect.DeepEqual(again, events) {
					t.Fatalf("split at %d it is another:\n%s", at, show(again))
				}
			}
		})
	}
}

// A stream that is cut is never whole before its messageStop, and says where it was cut.
func TestCutStream(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/streams/text.txt")
	if err != nil {
		t.Fatal(err)
	}
	raw := record(t, string(lines))
	var borders, sizes = map[int]bool{0: true}, 0
	for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		name, payload, _ := strings.Cut(line, " ")
		sizes += len(frame(t, name, payload))
		borders[sizes] = true
	}
	stop := bytes.Index(raw, []byte("end_turn"))
	for at := range len(raw) {
		_, progress, err := replay(bytes.NewReader(raw[:at]))
		want := io.ErrUnexpectedEOF
		if borders[at] {
			want = io.EOF
		}
		if err != want {
			t.Fatalf("cut at %d: %v, want %v", at, err, want)
		}
		if at < stop && progress != dialect.Open || progress == dialect.Done {
			t.Fatalf("cut at %d: the progress is %d", at, progress)
		}
	}
	if _, progress, err := replay(bytes.NewReader(raw)); progress != dialect.Done || err != io.EOF {
		t.Errorf("whole: %d, %v", progress, err)
	}
}
