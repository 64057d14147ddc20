package converse_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/sse"
)

func open(r io.Reader) dialect.FrameReader { return out.Framing().Open(r) }

func frame(t testing.TB, name, payload string) []byte {
	t.Helper()
	return dialecttest.EventStream(t, name+" "+payload)
}

func TestFrames(t *testing.T) {
	t.Parallel()
	if got := out.Framing().MediaType; got != "application/vnd.amazon.eventstream" {
		t.Error(got)
	}
	one, two := frame(t, "messageStart", `{"role":"assistant"}`), frame(t, "exception:throttlingException", `{"message":"x"}`)
	big := frame(t, "contentBlockDelta", strings.Repeat("x", 100_000))
	r := open(iotest.HalfReader(bytes.NewReader(bytes.Join([][]byte{one, two, big, frame(t, "error:Code", "text")}, nil))))
	defer r.Close()
	for _, want := range []dialect.Frame{
		{Raw: one, Name: "messageStart", Data: []byte(`{"role":"assistant"}`)},
		{Raw: two, Name: "exception:throttlingException", Data: []byte(`{"message":"x"}`)},
		{Raw: big, Name: "contentBlockDelta", Data: bytes.Repeat([]byte("x"), 100_000)},
		{Raw: frame(t, "error:Code", "text"), Name: "error:Code", Data: []byte("text")},
	} {
		got, err := r.Next()
		if err != nil || got.Name != want.Name || !bytes.Equal(got.Raw, want.Raw) || !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("got %q %.80q %v", got.Name, got.Data, err)
		}
	}
	for range 2 {
		if _, err := r.Next(); err != io.EOF {
			t.Error(err)
		}
	}
}

// While a frame is buffered, frames before it stay valid.
func TestBuffered(t *testing.T) {
	t.Parallel()
	one, two := frame(t, "a", "1"), frame(t, "b", "2")
	r := open(bytes.NewReader(append(bytes.Clone(one), two...)))
	if r.Buffered() {
		t.Error("buffered before anything was read")
	}
	first, _ := r.Next()
	if !r.Buffered() {
		t.Error("the second frame is not buffered")
	}
	if second, err := r.Next(); err != nil || string(second.Data) != "2" || !bytes.Equal(first.Raw, one) || string(first.Data) != "1" {
		t.Error(first, second, err)
	}
	if r.Buffered() {
		t.Error("buffered after the last")
	}
	r.Close()
	if _, err := r.Next(); err != io.ErrClosedPipe {
		t.Error(err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	whole := frame(t, "messageStop", `{"stopReason":"end_turn"}`)
	r := open(bytes.NewReader(whole[:len(whole)-1]))
	_, err := r.Next()
	if tail := r.Tail(); err != io.ErrUnexpectedEOF || !bytes.Equal(tail.Raw, whole[:len(whole)-1]) || tail.Name != "" {
		t.Error(tail, err)
	}
	broken := errors.New("reset")
	r = open(io.MultiReader(bytes.NewReader(whole[:9]), iotest.ErrReader(broken)))
	if _, err := r.Next(); err != broken || r.Tail().Raw != nil {
		t.Error(err)
	}
}

// Any bit that is wrong is found, wherever it is.
func TestDamagedFrames(t *testing.T) {
	t.Parallel()
	whole := frame(t, "messageStop", `{"stopReason":"end_turn"}`)
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		r := open(bytes.NewReader(append(damaged, whole...)))
		_, err := r.Next()
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("byte %d: %v", at, err)
		}
		if _, again := r.Next(); again != err {
			t.Fatalf("byte %d: another error the second time: %v", at, again)
		}
		r.Close()
	}
}

func prelude(size, headers uint32) []byte {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, size), headers)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// A length is believed only if its checksum is right, and only up to a limit, before anybody waits for it.
func TestLengths(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		raw  []byte
		want error
	}{
		"too long":         {prelude(16<<20+1, 0), sse.ErrTooLong},
		"headers too long": {prelude(1<<20, 1<<19), sse.ErrTooLong},
		"long, not there":  {prelude(16<<20, 0), io.ErrUnexpectedEOF},
		"short":            {prelude(11, 0), nil},
		"zero":             {prelude(0, 0), nil},
		"headers beyond":   {prelude(64, 60), nil},
	} {
		r := open(bytes.NewReader(tt.raw))
		_, err := r.Next()
		if tt.want != nil && err != tt.want || tt.want == nil && !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
	silent := emptyReader{}
	if _, err := open(silent).Next(); err != io.ErrNoProgress {
		t.Errorf("a source of nothing: %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }
