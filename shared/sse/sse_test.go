package sse_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/sse"
)

// seen is an event with its slices copied; fields that are absent are "-".
type seen struct{ Raw, Data, Name, ID string }

func text(b []byte) string {
	if b == nil {
		return "-"
	}
	return string(b)
}

func saw(e sse.Event) seen {
	return seen{string(e.Raw), text(e.Data), text(e.Name), text(e.ID)}
}

// readAll reads src to its end, batch by batch, and returns the events and the error that was not io.EOF. It looks at
// the slices of a batch only when the batch is complete, as a proxy may.
func readAll(t testing.TB, src io.Reader, limit int) (all []seen, tail seen, err error) {
	t.Helper()
	r := sse.NewReader(src)
	defer r.Close()
	if limit > 0 {
		r.MaxEventBytes = limit
	}
	for {
		var batch []sse.Event
		for {
			var e sse.Event
			if e, err = r.Next(); err != nil {
				break
			}
			batch = append(batch, e)
			if !r.Buffered() {
				break
			}
		}
		for _, e := range batch {
			all = append(all, saw(e))
		}
		if err != nil {
			tail = saw(r.Tail())
			if err == io.EOF {
				err = nil
			}
			if _, again := r.Next(); again == nil {
				t.Fatal("an event after an error")
			}
			return all, tail, err
		}
	}
}

const hello = "data: hello\n\n"

// torture is what servers have been seen to send, and worse.
var torture = []struct {
	name, stream string
	want         []seen
	tail         seen // when the stream breaks off
}{
	{"empty stream", "", nil, seen{}},
	{"LF", hello + "data: b\n\n", []seen{{hello, "hello", "-", "-"}, {"data: b\n\n", "b", "-", "-"}}, seen{}},
	{"CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", []seen{{"data: a\r\n\r\n", "a", "-", "-"}, {"data: b\r\n\r\n", "b", "-", "-"}}, seen{}},
	{"CR", "data: a\r\rdata: b\r\r", []seen{{"data: a\r\r", "a", "-", "-"}, {"data: b\r\r", "b", "-", "-"}}, seen{}},
	{"mixed", "data: a\r\n\ndata: b\n\rdata: c\r\r\ndata: d\n\r\ndata: e\r\n\rdata: f\r\n\r\n", []seen{
		{"data: a\r\n\n", "a", "-", "-"}, {"data: b\n\r", "b", "-", "-"}, {"data: c\r\r", "c", "-", "-"},
		{"\ndata: d\n\r", "d", "-", "-"}, {"\ndata: e\r\n\r", "e", "-", "-"}, {"data: f\r\n\r\n", "f", "-", "-"},
	}, seen{}},
	{"LF of the last CR", "data: a\r\r\n", []seen{{"data: a\r\r", "a", "-", "-"}}, seen{}},
	{"no space", "data:a\n\n", []seen{{"data:a\n\n", "a", "-", "-"}}, seen{}},
	{"two spaces", "data:  a \n\n", []seen{{"data:  a \n\n", " a ", "-", "-"}}, seen{}},
	{"tab is no space", "data:\ta\n\n", []seen{{"data:\ta\n\n", "\ta", "-", "-"}}, seen{}},
	{"colons in data", "data: a: b:c\n\n", []seen{{"data: a: b:c\n\n", "a: b:c", "-", "-"}}, seen{}},
	{"empty data", "data:\n\ndata\n\ndata: \n\n", []seen{{"data:\n\n", "", "-", "-"}, {"data\n\n", "", "-", "-"}, {"data: \n\n", "", "-", "-"}}, seen{}},
	{"two lines", "data: a\ndata: b\n\n", []seen{{"data: a\ndata: b\n\n", "a\nb", "-", "-"}}, seen{}},
	{"many lines", "data: {\r\ndata\r\ndata: \"a\":1\r\ndata: }\r\n\r\ndata: x\ndata:\n\n", []seen{
		{"data: {\r\ndata\r\ndata: \"a\":1\r\ndata: }\r\n\r\n", "{\n\n\"a\":1\n}", "-", "-"}, {"data: x\ndata:\n\n", "x\n", "-", "-"},
	}, seen{}},
	{"fields", "event: delta\nid: 7\nretry: 10\ndata: a\nfoo: bar\nbaz\n\n", []seen{
		{"event: delta\nid: 7\nretry: 10\ndata: a\nfoo: bar\nbaz\n\n", "a", "delta", "7"},
	}, seen{}},
	{"fields belong to their event", "event: a\ndata: 1\n\ndata: 2\n\n", []seen{{"event: a\ndata: 1\n\n", "1", "a", "-"}, {"data: 2\n\n", "2", "-", "-"}}, seen{}},
	{"last field wins", "event: a\nevent: b\nid: 1\nid:\ndata: 1\n\n", []seen{{"event: a\nevent: b\nid: 1\nid:\ndata: 1\n\n", "1", "b", ""}}, seen{}},
	{"id with NUL", "id: a\x00\ndata: 1\n\n", []seen{{"id: a\x00\ndata: 1\n\n", "1", "-", "-"}}, seen{}},
	{"case and space count", "Data: a\n data: b\nDATA\n\n", []seen{{"Data: a\n data: b\nDATA\n\n", "-", "-", "-"}}, seen{}},
	{"comments", ": ping\n\n:\n\ndata: a\n: in between\n\n", []seen{
		{": ping\n\n", "-", "-", "-"}, {":\n\n", "-", "-", "-"}, {"data: a\n: in between\n\n", "a", "-", "-"},
	}, seen{}},
	{"blank lines", "\n\r\n\rdata: a\n\n\n\r\n", []seen{
		{"\n", "-", "-", "-"}, {"\r", "-", "-", "-"}, {"\n\r", "-", "-", "-"}, {"data: a\n\n", "a", "-", "-"}, {"\n", "-", "-", "-"}, {"\r", "-", "-", "-"},
	}, seen{}},
	{"byte order mark", "\ufeffdata: a\n\n\ufeffdata: b\n\n", []seen{{"\ufeffdata: a\n\n", "a", "-", "-"}, {"\ufeffdata: b\n\n", "-", "-", "-"}}, seen{}},
	{"byte order mark and a blank line", "\ufeff\ndata: b\n\n", []seen{{"\ufeff\n", "-", "-", "-"}, {"data: b\n\n", "b", "-", "-"}}, seen{}},
	{"UTF-8", "data: ü漢😀\n\n", []seen{{"data: ü漢😀\n\n", "ü漢😀", "-", "-"}}, seen{}},
	{"not UTF-8", "data: \xff\xc0\n\n", []seen{{"data: \xff\xc0\n\n", "\xff\xc0", "-", "-"}}, seen{}},
	{"NUL in data", "data: \x00\n\n", []seen{{"data: \x00\n\n", "\x00", "-", "-"}}, seen{}},
	{"no last line end", hello + "data: [DONE]", []seen{{hello, "hello", "-", "-"}}, seen{"data: [DONE]", "[DONE]", "-", "-"}},
	{"no last blank line", hello + "data: [DONE]\n", []seen{{hello, "hello", "-", "-"}}, seen{"data: [DONE]\n", "[DONE]", "-", "-"}},
	{"no last blank line, CR", "data: [DONE]\r", nil, seen{"data: [DONE]\r", "[DONE]", "-", "-"}},
	{"no last LF", "data: a\r\n\r", []seen{{"data: a\r\n\r", "a", "-", "-"}}, seen{}},
	{"broken off in a second line", "event: e\ndata: a\ndata: b", nil, seen{"event: e\ndata: a\ndata: b", "a\nb", "e", "-"}},
	{"broken off in a name", hello + "dat", []seen{{hello, "hello", "-", "-"}}, seen{"dat", "-", "-", "-"}},
	{"long joins", strings.Repeat("data: "+strings.Repeat("x", 90)+"\n", 100) + "\n" + "data: 1\ndata: 2\n\ndata: 3\ndata: 4\n\n", []seen{
		{strings.Repeat("data: "+strings.Repeat("x", 90)+"\n", 100) + "\n", strings.TrimSuffix(strings.Repeat(strings.Repeat("x", 90)+"\n", 100), "\n"), "-", "-"},
		{"data: 1\ndata: 2\n\n", "1\n2", "-", "-"}, {"data: 3\ndata: 4\n\n", "3\n4", "-", "-"},
	}, seen{}},
}

func TestTorture(t *testing.T) {
	t.Parallel()
	for _, tc := range torture {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check := func(how string, src io.Reader) {
				t.Helper()
				got, tail, err := readAll(t, src, 0)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Fatalf("%s (-want +got):\n%s", how, diff)
				}
				if torn := tc.tail.Raw != ""; torn != (err != nil) || torn && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s: got error %v", how, err)
				}
				if tc.tail.Raw != "" && tail != tc.tail {
					t.Fatalf("%s: tail %q, want %q", how, tail, tc.tail)
				}
			}
			check("whole", strings.NewReader(tc.stream))
			check("whole, end with the last bytes", iotest.DataErrReader(strings.NewReader(tc.stream)))
			check("byte by byte", iotest.OneByteReader(strings.NewReader(tc.stream)))
			for i := range len(tc.stream) {
				check("two parts", io.MultiReader(strings.NewReader(tc.stream[:i]), strings.NewReader(tc.stream[i:])))
			}
			if len(tc.stream) > 200 {
				return
			}
			for i := range len(tc.stream) {
				for j := i; j < len(tc.stream); j++ {
					check("three parts", io.MultiReader(strings.NewReader(tc.stream[:i]), strings.NewReader(tc.stream[i:j]), strings.NewReader(tc.stream[j:])))
				}
			}
		})
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, data, want string }{
		{"", "", "data: \n\n"},
		{"", `{"a":1}`, "data: {\"a\":1}\n\n"},
		{"delta", "x", "event: delta\ndata: x\n\n"},
		{"", "a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{"", "a\n", "data: a\ndata: \n\n"},
		{"", "\r\n", "data: \ndata: \n\n"},
		{"", "x\n\ndata: [DONE]\n\n", "data: x\ndata: \ndata: data: [DONE]\ndata: \ndata: \n\n"},
		{"a\r\ndata: b", "x", "event: a  data: b\ndata: x\n\n"},
	} {
		if got := string(sse.Append([]byte("> "), tc.name, []byte(tc.data))); got != "> "+tc.want {
			t.Errorf("Append(%q, %q) = %q, want %q", tc.name, tc.data, got, tc.want)
		}
	}
	if got := string(sse.AppendComment(nil, "ping")); got != ": ping\n\n" {
		t.Errorf("got %q", got)
	}
}
