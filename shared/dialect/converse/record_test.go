package converse_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var out = converse.Dialect.Out

// What models on Bedrock answer.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: out, Wire: dialecttest.EventStream}.Run(t)
}

func replay(r io.Reader) ([]llm.Event, dialect.Progress, error) { return dialecttest.Read(out, r) }

// A stream that is cut is never whole before its messageStop, and says where it was cut.
func TestCutStream(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/streams/text.txt")
	if err != nil {
		t.Fatal(err)
	}
	raw := dialecttest.EventStream(t, string(lines))
	var borders, sizes = map[int]bool{0: true}, 0
	for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		sizes += len(dialecttest.EventStream(t, line))
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
