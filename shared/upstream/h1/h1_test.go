package h1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// patience bounds waits that end at once if all is well.
const patience = 10 * time.Second

// server answers raw connections with a script and counts them.
type server struct {
	net.Listener
	url     string
	dialled atomic.Int64
}

// serve runs script for every connection, numbered from 1, and closes the connection after it. Scripts end when the
// client closes, which every test must see to.
func serve(t testing.TB, script func(c *peer)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, url: "http://" + l.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := s.dialled.Add(1)
			running.Go(func() {
				defer c.Close()
				script(&peer{Conn: c, in: bufio.NewReader(c), number: n})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return s
}

// peer is the server's end of a connection.
type peer struct {
	net.Conn
	in     *bufio.Reader
	number int64
}

// request reads one request; false: the client is gone.
func (p *peer) request() (*http.Request, string, bool) {
	req, err := http.ReadRequest(p.in)
	if err != nil {
		return nil, "", false
	}
	body, err := io.ReadAll(req.Body)
	return req, string(body), err == nil
}

func (p *peer) say(s string) { io.WriteString(p, s) }

// untilClosed returns when the client closed the connection.
func (p *peer) untilClosed() { io.Copy(io.Discard, p.in) }

func (p *peer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Close()
}

// answer is a script that gives every request the same answer.
func answer(s string) func(*peer) {
	return func(p *peer) {
		for {
			if _, _, ok := p.request(); !ok {
				return
			}
			p.say(s)
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// newTransport closes its idle connections when the test ends.
func newTransport(t testing.TB) *h1.Transport {
	tr := &h1.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func post(t testing.TB, ctx context.Context, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// do sends a small POST and reads the answer to its end.
func do(t testing.TB, rt http.RoundTripper, url string) (string, error) {
	t.Helper()
	resp, err := rt.RoundTrip(post(t, t.Context(), url, "hello"))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func mustDo(t testing.TB, rt http.RoundTripper, url, want string) {
	t.Helper()
	got, err := do(t, rt, url)
	if err != nil {
		t.Fatalf("call: %v", err)
	}
	if got != want {
		t.Fatalf("body %q, want %q", got, want)
	}
}

// failed checks that err is an *h1.Error about target, and sent or not.
func failed(t testing.TB, err error, sent bool, target error) {
	t.Helper()
	he, ok := errors.AsType[*h1.Error](err)
	if !ok {
		t.Fatalf("error %v is a %T, want *h1.Error", err, err)
	}
	if he.Sent != sent {
		t.Errorf("%v: sent %t, want %t", err, he.Sent, sent)
	}
	if target != nil && !errors.Is(err, target) {
		t.Errorf("error %v, want %v", err, target)
	}
}

// eventually polls until what holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

// within waits for c.
func within[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("never: %s", what)
	}
	return v
}
