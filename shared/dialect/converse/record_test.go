package converse_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/llm"
)

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

// What models on Bedrock answer.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: out, Wire: record}.Run(t)
}

func replay(r io.Reader) ([]llm.Event, dialect.Progress, error) { return dialecttest.Read(out, r) }

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
	if _, progress, err := replay(bytes.NewReader(raw)); progress != dialect.Done || err != nil {
		t.Errorf("whole: %d, %v", progress, err)
	}
}
