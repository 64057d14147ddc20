package sse_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/shared/sse"
)

// chunked reads as scripted: each Read returns at most one chunk.
type chunked struct {
	chunks [][]byte
	reads  int
}

func (c *chunked) Read(p []byte) (int, error) {
	c.reads++
	if len(c.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.chunks[0])
	if c.chunks[0] = c.chunks[0][n:]; len(c.chunks[0]) == 0 {
		c.chunks = c.chunks[1:]
	}
	return n, nil
}

// Random streams in random chunkings read the same, and the raw bytes add up.
func TestChunkingChangesNothing(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"data: ", "data:", "data", "event: e", "id: 1", ": c", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "ü", "\ufeff", "x"}),
		rapid.StringN(0, 20, -1), rapid.Just("data: "+strings.Repeat("long", 1500)),
	)
	rapid.Check(t, func(rt *rapid.T) {
		stream := strings.Join(rapid.SliceOfN(piece, 0, 40).Draw(rt, "pieces"), "")
		want, wantTail, wantErr := readAll(t, strings.NewReader(stream), 0)
		src := &chunked{}
		for rest := []byte(stream); len(rest) > 0; {
			n := rapid.IntRange(1, min(len(rest), 50+len(stream)/20)).Draw(rt, "chunk")
			src.chunks, rest = append(src.chunks, rest[:n]), rest[n:]
		}
		got, tail, err := readAll(t, src, 0)
		if diff := cmp.Diff(want, got); diff != "" || tail != wantTail || err != wantErr {
			rt.Fatalf("got tail %q, error %v, want %q, %v (-want +got):\n%s", tail, err, wantTail, wantErr, diff)
		}
		var raw strings.Builder
		for _, e := range got {
			raw.WriteString(e.Raw)
		}
		raw.WriteString(tail.Raw)
		if raw.String() != stream && raw.String()+"\n" != stream {
			rt.Fatalf("raw events add up to %q of %q", raw.String(), stream)
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{100, 5000, 1 << 20} {
		fits := "data: " + strings.Repeat("x", limit-len("data: \n\n")) + "\n\n"
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "data with error": iotest.DataErrReader,
		} {
			got, _, err := readAll(t, wrap(strings.NewReader(hello+fits+hello)), limit)
			if err != nil || len(got) != 3 || got[1].Raw != fits {
				t.Errorf("limit %d, %s: got %d events, %v", limit, name, len(got), err)
			}
			for _, long := range []string{"x" + fits, fits[:limit-2] + "xx", ":" + strings.Repeat("data\n", limit)} {
				got, _, err := readAll(t, wrap(strings.NewReader(hello+long+hello)), limit)
				if !errors.Is(err, sse.ErrTooLong) || len(got) != 1 {
					t.Errorf("limit %d, %s: got %d events, %v, want ErrTooLong behind one", limit, name, len(got), err)
				}
			}
		}
	}
}

// endless is a line without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessLine(t *testing.T) {
	t.Parallel()
	src := &endless{}
	if _, _, err := readAll(t, src, 0); !errors.Is(err, sse.ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
	if src.read > sse.MaxEventBytes+64<<10 {
		t.Errorf("read %d bytes to find out", src.read)
	}
}

func TestBigEvents(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1 << 20, 8 << 20, 16<<20 - 8} {
		big := "data: " + strings.Repeat("x", size) + "\n\n"
		got, _, err := readAll(t, strings.NewReader(big+hello), 0)
		if err != nil || len(got) != 2 || got[0].Raw != big || len(got[0].Data) != size || got[1].Raw != hello {
			t.Errorf("%d bytes: got %d events, %v", size, len(got), err)
		}
	}
}

// sizes notes how much room each Read was offered.
type sizes struct {
	io.Reader
	got []int
}

func (s *sizes) Read(p []byte) (int, error) {
	s.got = append(s.got, len(p))
	return s.Reader.Read(p)
}

// After a big event or many small ones the reader waits with a small buffer again.
func TestBufferShrinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text          string
		events, least int
	}{
		"big event": {"data: " + strings.Repeat("x", 1<<20) + "\n\n", 3, 512 << 10}, "burst": {strings.Repeat(hello, 5000), 5002, 3 << 10},
	} {
		src := &sizes{Reader: io.MultiReader(strings.NewReader(hello), strings.NewReader(c.text), strings.NewReader(hello))}
		if got, _, err := readAll(t, src, 0); err != nil || len(got) != c.events {
			t.Fatalf("%s: got %d events, %v", name, len(got), err)
		}
		if last := src.got[len(src.got)-1]; src.got[0] != 1<<10 || last != 1<<10 || slices.Max(src.got) < c.least {
			t.Errorf("%s: waits with %d bytes after up to %d", name, last, slices.Max(src.got))
		}
	}
}

func TestSourceErrorComesAfterEvents(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, stream := range []string{hello + hello, hello + hello + "data: par"} {
		got, _, err := readAll(t, io.MultiReader(strings.NewReader(stream), iotest.ErrReader(broken)), 0)
		if !errors.Is(err, broken) || len(got) != 2 {
			t.Errorf("got %d events, %v", len(got), err)
		}
	}
	if _, _, err := readAll(t, &silent{}, 0); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want io.ErrNoProgress", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// A proxy forwards what came in one read with one write.
func TestBatches(t *testing.T) {
	t.Parallel()
	src := &chunked{chunks: [][]byte{
		[]byte("data: 1\n\n"), []byte("data: 2\n\ndata: 3a\ndata: 3b\n\ndata: 4a\ndata: 4b\n\nda"), []byte("ta: 5\n\n"), []byte("data: 6\r\r"),
	}}
	r := sse.NewReader(src)
	var batches []string
	var out []byte
	for e, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Raw...)
		if !r.Buffered() {
			batches, out = append(batches, string(out)), nil
		}
	}
	want := []string{"data: 1\n\n", "data: 2\n\ndata: 3a\ndata: 3b\n\ndata: 4a\ndata: 4b\n\n", "data: 5\n\n", "data: 6\r\r"}
	if diff := cmp.Diff(want, batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if src.reads != 5 {
		t.Errorf("got %d reads, want one for each chunk and one for the end", src.reads)
	}
	r.Close()
	r.Close()
	if _, err := r.Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAllYieldsTheError(t *testing.T) {
	t.Parallel()
	var got []error
	for _, err := range sse.NewReader(strings.NewReader(hello + "data")).All() {
		got = append(got, err)
	}
	if !slices.Equal(got, []error{nil, io.ErrUnexpectedEOF}) {
		t.Errorf("got %v", got)
	}
}

func FuzzReader(f *testing.F) {
	for _, tc := range torture {
		f.Add([]byte(tc.stream), uint16(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		want, wantTail, wantErr := readAll(t, bytes.NewReader(stream), 0)
		src := &chunked{}
		for c := range slices.Chunk(stream, int(size%512)+1) {
			src.chunks = append(src.chunks, c)
		}
		got, tail, err := readAll(t, src, 0)
		if diff := cmp.Diff(want, got); diff != "" || tail != wantTail || err != wantErr {
			t.Fatalf("chunks change %q: %v, want %v (-want +got):\n%s", stream, err, wantErr, diff)
		}
	})
}

// FuzzAppend: what is written is one event, and reads back with LF for line ends.
func FuzzAppend(f *testing.F) {
	f.Add("delta", []byte("a\r\nb"))
	f.Add("", []byte("data: [DONE]\n\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		got, _, err := readAll(t, bytes.NewReader(sse.Append(nil, name, data)), 0)
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		wantName := strings.NewReplacer("\r", " ", "\n", " ").Replace(name)
		if wantName == "" {
			wantName = "-"
		}
		if err != nil || len(got) != 1 || got[0].Data != want || got[0].Name != wantName {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	})
}

// repeat is a stream that brings several events with each read, for ever.
type repeat struct{ chunk []byte }

func (r *repeat) Read(p []byte) (int, error) { return copy(p, r.chunk), nil }

func BenchmarkNext(b *testing.B) {
	event := "data: " + strings.Repeat("x", 192) + "\n\n"
	for name, n := range map[string]int{"one event a read": 1, "ten events a read": 10} {
		b.Run(name, func(b *testing.B) {
			r := sse.NewReader(&repeat{[]byte(strings.Repeat(event, n))})
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				if e, err := r.Next(); err != nil || len(e.Raw) != len(event) {
					b.Fatal(err)
				}
			}
		})
	}
}
