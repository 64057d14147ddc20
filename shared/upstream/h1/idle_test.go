package h1_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// A connection is free as soon as the last byte of a known length was read, without a further Read or Close.
func TestReusedAtLastByte(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	tr := newTransport(t)
	for range 3 {
		resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	if n := s.dialled.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// The server closed, or spoke unasked, while the connection was idle: the next call takes another one.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*peer){
		"closed":       func(p *peer) { p.Close() },
		"reset":        func(p *peer) { p.reset() },
		"more answers": func(p *peer) { p.say(ok) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answered, spoilt := make(chan struct{}), make(chan struct{})
			s := serve(t, func(p *peer) {
				if p.request(); p.number > 1 {
					p.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
					p.untilClosed()
					return
				}
				p.say(ok)
				<-answered
				spoil(p)
				close(spoilt)
				p.untilClosed()
			})
			tr := newTransport(t)
			mustDo(t, tr, s.url, "ok")
			close(answered)
			within(t, "spoilt", spoilt)
			mustDo(t, tr, s.url, "second")
		})
	}
}

// More bytes than announced, right behind the answer, must not become the next one.
func TestSurplusBytes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"behind a length": ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"behind chunks":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 500 x\r\n\r\n",
		"204 with a body": "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
		"304 with chunks": "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer(text))
			tr := newTransport(t)
			for range 3 {
				if body, err := do(t, tr, s.url); err != nil || body != "ok" && body != "" {
					t.Fatalf("body %q, %v", body, err)
				}
			}
			if n := s.dialled.Load(); n != 3 {
				t.Errorf("%d connections, want 3", n)
			}
		})
	}
}

// dead is an idle connection that passes for alive and takes not a byte.
type dead struct{ net.Conn }

func (d *dead) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("first")) {
		return d.Conn.Write(p)
	}
	return 0, io.ErrClosedPipe
}

func TestAnotherConnectionIfNotAByteLeft(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	tr := newTransport(t)
	var dials atomic.Int64
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if dials.Add(1) == 1 {
			return &dead{c}, err
		}
		return c, err
	}
	resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "first"))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	mustDo(t, tr, s.url, "ok")
	if n := dials.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestConnectionClose(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	tr := newTransport(t)
	for range 2 {
		req := post(t, t.Context(), s.url, "hello")
		req.Close = true
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
	}
	if n := s.dialled.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// openConns dials like net.Dialer and counts what is open.
type openConns struct{ n atomic.Int64 }

type counted struct {
	*net.TCPConn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.TCPConn.Close()
}

func (o *openConns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	o.n.Add(1)
	return &counted{TCPConn: c.(*net.TCPConn), open: &o.n}, nil
}

func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	var open openConns
	tr := newTransport(t)
	tr.DialContext, tr.MaxIdlePerHost = open.dial, 3
	var bodies []io.ReadCloser
	for range 10 {
		resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	for _, b := range bodies {
		io.Copy(io.Discard, b)
	}
	if n := open.n.Load(); n != 3 {
		t.Errorf("%d connections are kept, want 3", n)
	}
	tr.CloseIdleConnections()
	if n := open.n.Load(); n != 0 {
		t.Errorf("%d connections are open after CloseIdleConnections", n)
	}
	mustDo(t, tr, s.url, "ok")
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials, open atomic.Int64
		tr := newTransport(t)
		tr.IdleTimeout = time.Minute
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
			client, far := net.Pipe()
			dials.Add(1)
			open.Add(1)
			go answer(ok)(&peer{Conn: far, in: bufio.NewReader(far)})
			return closing{client, func() { open.Add(-1) }}, nil
		}
		for _, step := range []struct{ wait, dials, open int64 }{{0, 1, 1}, {50, 1, 1}, {50, 1, 1}, {59, 1, 1}, {61, 2, 1}} {
			<-time.After(time.Duration(step.wait) * time.Second)
			mustDo(t, tr, "http://example.com", "ok")
			if d, o := dials.Load(), open.Load(); d != step.dials || o != step.open {
				t.Errorf("after %d s: %d dials, %d open, want %d, %d", step.wait, d, o, step.dials, step.open)
			}
		}
		<-time.After(121 * time.Second)
		if n := open.Load(); n != 0 {
			t.Errorf("%d connections are open long after their time", n)
		}
	})
}

// closing tells when it is closed.
type closing struct {
	net.Conn
	then func()
}

func (c closing) Close() error {
	c.then()
	return c.Conn.Close()
}

// Many callers, every kind of body, some closed early: each gets his own answer, and nothing is left over.
func TestConcurrentCalls(t *testing.T) {
	var open openConns
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/stream" {
			w.(http.Flusher).Flush()
		}
		w.Write(bytes.Repeat(body, 100))
	}))
	defer s.Close()
	tr := newTransport(t)
	tr.DialContext = open.dial
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for g := range 100 {
		all.Go(func() {
			for i := range 50 {
				path := [...]string{"/", "/stream"}[i%2]
				if err := echo(t, tr, s.URL+path, fmt.Sprintf("%d-%d;", g, i), i%10 == 9); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := open.n.Load(); n > 256 {
		t.Errorf("%d connections are open", n)
	}
	tr.CloseIdleConnections()
	if n := open.n.Load(); n != 0 {
		t.Errorf("%d connections are open after CloseIdleConnections", n)
	}
	eventually(t, "goroutines are back to where they were", func() bool { return runtime.NumGoroutine() <= before })
}

// echo calls for 100 times text and reads it, or closes the body early.
func echo(t *testing.T, tr *h1.Transport, url, text string, early bool) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := tr.RoundTrip(post(t, ctx, url, text))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if early {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if want := bytes.Repeat([]byte(text), 100); err == nil && !bytes.Equal(body, want) {
		return fmt.Errorf("%s: somebody else's answer %.20q", text, body)
	}
	return err
}

// An open answer costs its connection, and no goroutine.
func TestOpenAnswersHaveNoGoroutines(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
		p.untilClosed()
	})
	tr := newTransport(t)
	before := runtime.NumGoroutine()
	const calls = 50
	for range calls {
		resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	eventually(t, "only the server's goroutines", func() bool { return runtime.NumGoroutine() <= before+calls })
}
