package h1_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// sent is a request as the server saw it.
type sent struct {
	Method, Target, Host, Body string
	Header                     http.Header
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	seen := make(chan sent, 1)
	s := serve(t, func(p *peer) {
		for {
			req, body, more := p.request()
			if !more {
				return
			}
			seen <- sent{req.Method, req.RequestURI, req.Host, body, req.Header}
			p.say(ok)
		}
	})
	tr := newTransport(t)
	big := strings.Repeat("0123456789abcdef", 20_000)
	for _, c := range []struct {
		name string
		edit func(*http.Request)
		want sent
	}{
		{"plain", func(*http.Request) {}, sent{"POST", "/v1/chat?a=b%20c", s.Addr().String(), "hello", http.Header{
			"Accept-Encoding": {"identity"}, "Content-Length": {"5"}}}},
		{"no method, no body", func(r *http.Request) { r.Method, r.Body, r.ContentLength = "", nil, 0 },
			sent{"GET", "/v1/chat?a=b%20c", s.Addr().String(), "", http.Header{"Accept-Encoding": {"identity"}}}},
		{"empty POST", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
			sent{"POST", "/v1/chat?a=b%20c", s.Addr().String(), "", http.Header{
				"Accept-Encoding": {"identity"}, "Content-Length": {"0"}}}},
		{"large body", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(iotest.HalfReader(strings.NewReader(big))), int64(len(big))
		}, sent{"POST", "/v1/chat?a=b%20c", s.Addr().String(), big, http.Header{
			"Accept-Encoding": {"identity"}, "Content-Length": {"320000"}}}},
		{"large header", func(r *http.Request) { r.Header.Set("X-Big", big) },
			sent{"POST", "/v1/chat?a=b%20c", s.Addr().String(), "hello", http.Header{
				"Accept-Encoding": {"identity"}, "Content-Length": {"5"}, "X-Big": {big}}}},
		{"headers", func(r *http.Request) {
			r.Host = "api.example.com"
			r.Header = http.Header{"authorization": {"Bearer sk"}, "X-Two": {" a ", "b"}, "accept-encoding": {"br"},
				"User-Agent": {"sluice/1"}}
		}, sent{"POST", "/v1/chat?a=b%20c", "api.example.com", "hello", http.Header{"Authorization": {"Bearer sk"},
			"X-Two": {"a", "b"}, "Accept-Encoding": {"br"}, "User-Agent": {"sluice/1"}, "Content-Length": {"5"}}}},
		{"headers that are not the caller's", func(r *http.Request) {
			r.Header = http.Header{"content-length": {"99"}, "Transfer-Encoding": {"chunked"}, "Host": {"evil"},
				"Connection": {"close"}, "te": {"trailers"}, "Upgrade": {"h2c"}}
		}, sent{"POST", "/v1/chat?a=b%20c", s.Addr().String(), "hello", http.Header{
			"Accept-Encoding": {"identity"}, "Content-Length": {"5"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := post(t, t.Context(), s.url+"/v1/chat?a=b%20c", "hello")
			c.edit(req)
			header := req.Header.Clone()
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "ok" {
				t.Errorf("answer %q, %v", body, err)
			}
			if diff := cmp.Diff(c.want, within(t, "request", seen)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(header, req.Header); diff != "" {
				t.Error("the caller's header changed:", diff)
			}
		})
	}
	if n := s.dialled.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	tr := newTransport(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = []string{value} }
	}
	for name, edit := range map[string]func(*http.Request){
		"no URL":             func(r *http.Request) { r.URL = nil },
		"scheme":             func(r *http.Request) { r.URL.Scheme = "ftp" },
		"user information":   func(r *http.Request) { r.URL.User = url.UserPassword("u", "p") },
		"opaque":             func(r *http.Request) { r.URL.Opaque = "//elsewhere/" },
		"no host":            func(r *http.Request) { r.URL.Host = "" },
		"host with CR LF":    func(r *http.Request) { r.Host = "a\r\nX-Evil: 1" },
		"host with path":     func(r *http.Request) { r.Host = "a/b" },
		"query with CR LF":   func(r *http.Request) { r.URL.RawQuery = "a=1 HTTP/1.1\r\nX-Evil: 1" },
		"query with a space": func(r *http.Request) { r.URL.RawQuery = "a b" },
		"method":             func(r *http.Request) { r.Method = "GET /x" },
		"CONNECT":            func(r *http.Request) { r.Method = "CONNECT" },
		"value with CR LF":   header("X-A", "1\r\nX-Evil: 1"),
		"value with LF":      header("X-A", "1\nX-Evil: 1"),
		"value with NUL":     header("X-A", "1\x00"),
		"name with colon":    header("X-A: 1\r\nX-Evil", "1"),
		"name with space":    header("X A", "1"),
		"empty name":         header("", "1"),
		"unknown length":     func(r *http.Request) { r.ContentLength = -1 },
		"length not given":   func(r *http.Request) { r.ContentLength = 0 },
		"length but no body": func(r *http.Request) { r.Body = nil },
		"trailer":            func(r *http.Request) { r.Trailer = http.Header{"X-A": nil} },
	} {
		t.Run(name, func(t *testing.T) {
			body := &closeCounter{Reader: strings.NewReader("hello")}
			req := post(t, t.Context(), s.url, "hello")
			req.Body = body
			edit(req)
			gone := req.Body == nil
			_, err := tr.RoundTrip(req)
			failed(t, err, false, h1.ErrRequest)
			if body.closed != 1 && !gone {
				t.Errorf("body closed %d times", body.closed)
			}
		})
	}
	if n := s.dialled.Load(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}

// closeCounter is a body that counts how often it is closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

func TestBodiesThatLie(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	big := bytes.Repeat([]byte("x"), 100_000)
	for _, c := range []struct {
		name   string
		body   io.Reader
		length int64
		sent   bool
		want   error
	}{
		{"short", strings.NewReader("hell"), 5, false, io.ErrUnexpectedEOF},
		{"long", strings.NewReader("hello!"), 5, false, nil},
		{"failing", iotest.ErrReader(broken), 5, false, broken},
		{"large and short", bytes.NewReader(big), 100_001, true, io.ErrUnexpectedEOF},
		{"large and long", bytes.NewReader(big), 99_999, true, nil},
		{"large and failing", io.MultiReader(bytes.NewReader(big), iotest.ErrReader(broken)), 200_000, true, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole := make(chan bool, 1)
			s := serve(t, func(p *peer) {
				_, _, ok := p.request()
				whole <- ok
			})
			req := post(t, t.Context(), s.url, "")
			body := &closeCounter{Reader: c.body}
			req.Body, req.ContentLength = body, c.length
			_, err := newTransport(t).RoundTrip(req)
			failed(t, err, c.sent, c.want)
			if body.closed != 1 {
				t.Errorf("body closed %d times", body.closed)
			}
			if c.sent && within(t, "server saw the end", whole) {
				t.Error("the server took the request for a whole one")
			}
			if n := s.dialled.Load(); !c.sent && n != 0 {
				t.Errorf("%d connections, want none", n)
			}
		})
	}
}

// cutting takes one write and fails the next, as when a server answered, closed and reset.
type cutting struct {
	scripted
	writes *int
}

func (c cutting) Write(p []byte) (int, error) {
	if *c.writes++; *c.writes > 1 {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

// A server may refuse a large request before it read all of it. Its answer is worth more than the broken pipe.
func TestAnswerToHalfARequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		status       int
	}{
		{"answered", "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nok", 413},
		{"cut", "", 0},
		{"half answered", "HTTP/1.1 413", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dials := 0
			tr := newTransport(t)
			tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
				dials++
				return cutting{scripted{answer: strings.NewReader(c.answer)}, new(int)}, nil
			}
			for i := range 2 { // the connection is not used again
				resp, err := tr.RoundTrip(post(t, t.Context(), "http://example.com", strings.Repeat("x", 100_000)))
				if c.status == 0 {
					failed(t, err, true, syscall.EPIPE)
				} else if err != nil {
					t.Fatal(err)
				} else if got := read(resp); got.Status != c.status || got.Body != "ok" {
					t.Errorf("answer %+v", got)
				}
				if dials != i+1 {
					t.Errorf("%d connections, want %d", dials, i+1)
				}
			}
		})
	}
}
