package batch

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func readAll(t *testing.T, in io.Reader, most, first int, offset int64) (lines []line) {
	t.Helper()
	for s := newSplitter(in, most, first, offset); ; {
		l, err := s.next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatalf("line %d: %v", s.no, err)
		}
		l.Data = bytes.Clone(l.Data)
		lines = append(lines, l)
	}
}

func TestSplitter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     []line
	}{
		{"nothing", "", nil},
		{"blank", " \n\r\n\t", nil},
		{"one", "a", []line{{No: 1, Offset: 0, End: 1, Data: []byte("a")}}},
		{"ends", "a\r\nb\n", []line{{No: 1, End: 3, Data: []byte("a")}, {No: 2, Offset: 3, End: 5, Data: []byte("b")}}},
		{"mark", "\ufeffa", []line{{No: 1, Offset: 3, End: 4, Data: []byte("a")}}},
		{"space around", "\n  a \nb", []line{{No: 2, Offset: 3, End: 6, Data: []byte("a")}, {No: 3, Offset: 6, End: 7, Data: []byte("b")}}},
		{"just fits", "12345678\r\n", []line{{No: 1, End: 10, Data: []byte("12345678")}}},
		{"too long", "12345678901\nb", []line{{No: 1, End: 12, TooLong: true}, {No: 2, Offset: 12, End: 13, Data: []byte("b")}}},
		{"far too long", strings.Repeat("x", 200_000) + "\nb", []line{{No: 1, End: 200_001, TooLong: true}, {No: 2, Offset: 200_001, End: 200_002, Data: []byte("b")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, in := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got := readAll(t, in, 8, 1, 0)
				for i := range got {
					if got[i].TooLong {
						got[i].Data = nil
					}
				}
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Errorf("(-got +want):\n%s", diff)
				}
			}
		})
	}
}

func TestSplitterPassesErrorsOn(t *testing.T) {
	t.Parallel()
	s := newSplitter(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF)), 8, 1, 0)
	if _, err := s.next(); err != nil {
		t.Fatal(err)
	}
	if l, err := s.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %+v, %v: a cut file must not look whole", l, err)
	}
}

// FuzzSplitter compares with a plain reading of the whole input, and reads ranges of lines again as chunks do.
func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\ufeff{}\r\n\r\n{}\n", "\r\r\n\n \n", "a\x00\nb\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		lines := readAll(t, bytes.NewReader(in), 1<<20, 1, 0)
		var want [][]byte
		for _, l := range bytes.Split(bytes.TrimPrefix(in, byteOrderMark), []byte("\n")) {
			if l = bytes.Trim(l, " \t\r"); len(l) > 0 {
				want = append(want, l)
			}
		}
		var got [][]byte
		for _, l := range lines {
			got = append(got, l.Data)
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("got %q want %q", got, want)
		}
		for i, l := range lines {
			if i%(1+len(lines)/4) != 0 || bytes.HasPrefix(l.Data, byteOrderMark) {
				continue // no line with a mark is valid, so no chunk begins with one
			}
			last := lines[len(lines)-1]
			again := readAll(t, bytes.NewReader(in[l.Offset:last.End]), 1<<20, l.No, l.Offset)
			if !slices.EqualFunc(again, lines[i:], sameLine) {
				t.Fatalf("from line %d: got %+v want %+v", l.No, again, lines[i:])
			}
		}
	})
}

func sameLine(a, b line) bool {
	return a.No == b.No && a.Offset == b.Offset && a.End == b.End && bytes.Equal(a.Data, b.Data)
}

// FuzzParse looks that no line makes the parser panic or pass what a provider could read in another way.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{}", `{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, fault := parse(in, "/v1/embeddings")
		if fault == nil && (r.CustomID == "" || r.Model == "" || len(r.Body) == 0) {
			t.Errorf("accepted %q as %+v", in, r)
		}
		if fault != nil && (fault.Code == "" || fault.Message == "") {
			t.Errorf("refused %q with %+v", in, fault)
		}
	})
}
