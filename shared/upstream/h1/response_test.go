package h1_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// got is what a caller sees of an answer.
type got struct {
	Status  int
	Reason  string
	Length  int64
	Header  http.Header
	Body    string
	BodyErr string
}

func read(resp *http.Response) got {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	resp.Header.Del("Connection") // net/http keeps it sometimes
	g := got{resp.StatusCode, resp.Status, resp.ContentLength, resp.Header, string(body), ""}
	if err != nil {
		g.BodyErr = err.Error()
	}
	return g
}

const fields = "Content-Type: text/plain\r\n"

// Answers that h1 and net/http read alike. reuse: another call follows on the same connection.
var answers = []struct {
	name, text string
	reuse      bool
}{
	{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
	{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", true},
	{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", true},
	{"folded header", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", true},
	{"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", true},
	{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nabc\r\n0\r\n\r\n", true},
	{"chunked, empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", true},
	{"long body", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000), true},
	{"long chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + strings.Repeat("x", 100_000) +
		"\r\n0\r\n\r\n", true},
	{"long header", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("x", 60_000) + "\r\nContent-Length: 2\r\n\r\nok", true},
	{"204", "HTTP/1.1 204 No Content\r\n" + fields + "\r\n", true},
	{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", true},
	{"redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno", true},
	{"1xx", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok, true},
	{"close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok", false},
	{"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
	{"until close", "HTTP/1.1 200 OK\r\n" + fields + "\r\nall there is", false},
	{"length cut", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false},
	{"chunk cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", false},
	{"chunks cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false},
	{"chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nok\r\n0\r\n\r\n", false},
	{"chunk end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", false},
}

// sayOnce answers the first request of a connection with text and goes on if reuse, else closes it.
func sayOnce(text string, reuse bool) func(*peer) {
	return func(p *peer) {
		for {
			if _, _, more := p.request(); !more {
				return
			}
			p.say(text)
			if !reuse {
				return
			}
		}
	}
}

func TestAnswersAsNetHTTP(t *testing.T) {
	t.Parallel()
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, sayOnce(a.text, a.reuse))
			old, tr := &http.Transport{DisableCompression: true}, newTransport(t)
			t.Cleanup(old.CloseIdleConnections)
			resp, err := old.RoundTrip(post(t, t.Context(), s.url, "hello"))
			if err != nil {
				t.Fatal("net/http:", err)
			}
			want, before := read(resp), s.dialled.Load()
			for range 2 {
				resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, read(resp)); diff != "" {
					t.Error(diff)
				}
			}
			if n := s.dialled.Load() - before; (n == 1) != a.reuse {
				t.Errorf("2 calls took %d connections, reuse %t", n, a.reuse)
			}
		})
	}
}

func TestTrailersAreReadOver(t *testing.T) {
	t.Parallel()
	s := serve(t, answer("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"))
	tr := newTransport(t)
	for range 3 {
		mustDo(t, tr, s.url, "ok")
	}
	if n := s.dialled.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// What is refused leaves no connection behind: the next call dials.
func TestRefusedAnswers(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\n"
	for name, text := range map[string]string{
		"not HTTP":                  "SSH-2.0-OpenSSH_9.9\r\n\r\n",
		"HTTP/2":                    "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.2":                  "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"status of two digits":      "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
		"status with sign":          "HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nok",
		"status below 100":          "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
		"length and coding":         head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"two lengths":               head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"list of lengths":           head + "Content-Length: 2, 2\r\n\r\nok",
		"negative length":           head + "Content-Length: -2\r\n\r\nok",
		"length with sign":          head + "Content-Length: +2\r\n\r\nok",
		"hexadecimal length":        head + "Content-Length: 0x2\r\n\r\nok",
		"empty length":              head + "Content-Length:\r\n\r\nok",
		"huge length":               head + "Content-Length: 9223372036854775808\r\n\r\nok",
		"two codings":               head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"coding twice":              head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"identity coding":           head + "Transfer-Encoding: identity\r\n\r\nok",
		"coding in HTTP/1.0":        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"space before colon":        head + "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nok",
		"no colon":                  head + "nonsense\r\nContent-Length: 2\r\n\r\nok",
		"no name":                   head + ": 1\r\nContent-Length: 2\r\n\r\nok",
		"CR in a value":             head + "X-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\nok",
		"NUL in a value":            head + "X-A: 1\x00\r\nContent-Length: 2\r\n\r\nok",
		"folded first line":         head + " X-A: 1\r\nContent-Length: 2\r\n\r\nok",
		"1 MiB header":              head + "X-A: " + strings.Repeat("a", 1<<20) + "\r\nContent-Length: 2\r\n\r\nok",
		"1 MiB status":              "HTTP/1.1 200 " + strings.Repeat("a", 1<<20) + "\r\nContent-Length: 2\r\n\r\nok",
		"10,000 headers":            head + strings.Repeat("A: \r\n", 10_000) + "Content-Length: 2\r\n\r\nok",
		"10,000 names":              head + manyFields(10_000) + "Content-Length: 2\r\n\r\nok",
		"1xx without end":           strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100) + ok,
		"101":                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
		"1xx with a malformed head": "HTTP/1.1 100 Continue\r\nnonsense\r\n\r\n" + ok,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(p *peer) {
				p.request()
				if p.number == 1 {
					p.say(text)
				} else {
					p.say(ok)
				}
				p.untilClosed()
			})
			tr := newTransport(t)
			_, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
			failed(t, err, true, h1.ErrResponse)
			if len(err.Error()) > 200 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
			mustDo(t, tr, s.url, "ok")
		})
	}
}

func manyFields(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "X%d:\r\n", i)
	}
	return s.String()
}

// The connection ends in the middle of the head, or before it.
func TestHeadCutAnywhere(t *testing.T) {
	t.Parallel()
	tr := newTransport(t)
	for i := range strings.Index(ok, "ok") {
		s := serve(t, sayOnce(ok[:i], false))
		_, err := do(t, tr, s.url)
		failed(t, err, true, io.ErrUnexpectedEOF)
	}
}

func TestTrailerCutOrTooLarge(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
	for _, c := range []struct {
		name, trailer string
		want          error
	}{
		{"none", "", io.ErrUnexpectedEOF},
		{"CR", "\r", io.ErrUnexpectedEOF},
		{"half", "X-A: 1\r\n", io.ErrUnexpectedEOF},
		{"large", "X-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", h1.ErrResponse},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, sayOnce(head+c.trailer, false))
			got, err := do(t, newTransport(t), s.url)
			if got != "ok" || !errors.Is(err, c.want) {
				t.Errorf("body %q, error %v, want %v", got, err, c.want)
			}
		})
	}
}

// The last bytes are handed out before the trailer is there.
func TestBytesDoNotWaitForTrailer(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
		<-read
		p.say("\r\n")
		p.untilClosed()
	})
	resp, err := newTransport(t).RoundTrip(post(t, t.Context(), s.url, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 10)
	n, err := io.ReadFull(resp.Body, buf[:2])
	close(read)
	if err != nil || string(buf[:n]) != "ok" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v; want the end", n, err)
	}
}

func TestSmallReads(t *testing.T) {
	t.Parallel()
	s := serve(t, answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nabc\r\n0\r\n\r\n"))
	resp, err := newTransport(t).RoundTrip(post(t, t.Context(), s.url, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := resp.Body.Read(nil); n != 0 || err != nil {
		t.Errorf("empty read: %d, %v", n, err)
	}
	if body, err := io.ReadAll(iotest.OneByteReader(resp.Body)); err != nil || string(body) != "okabc" {
		t.Errorf("body %q, %v", body, err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
}

// FuzzAnswer: what h1 accepts, net/http reads the same way.
func FuzzAnswer(f *testing.F) {
	for _, a := range answers {
		if len(a.text) < 1000 {
			f.Add(a.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		tr, req := piped(text), post(t, t.Context(), "http://fuzz", "hello")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			failed(t, err, true, nil)
			return
		}
		have := read(resp)
		in := bufio.NewReader(strings.NewReader(text))
		for {
			resp, err = http.ReadResponse(in, req)
			if err != nil {
				t.Fatalf("h1 accepts %+v, net/http says %v", have, err)
			}
			if resp.StatusCode >= 200 {
				break
			}
		}
		want := read(resp)
		have.Header, want.Header, have.BodyErr, want.BodyErr = nil, nil, errs(have), errs(want)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	})
}

func errs(g got) string { return fmt.Sprint(g.BodyErr != "") }
