package h1_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// scripted is a connection whose answer is fixed and whose writes disappear.
type scripted struct {
	net.Conn
	answer *strings.Reader
}

func (s scripted) Read(p []byte) (int, error)  { return s.answer.Read(p) }
func (s scripted) Write(p []byte) (int, error) { return len(p), nil }
func (s scripted) Close() error                { return nil }

// piped returns a transport whose connections all answer text and end.
func piped(text string) *h1.Transport {
	return &h1.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return scripted{answer: strings.NewReader(text)}, nil
	}}
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	tr := newTransport(t)
	_, err = do(t, tr, "http://"+l.Addr().String())
	failed(t, err, false, syscall.ECONNREFUSED)
	_, err = do(t, tr, "http://no-such-host.invalid")
	failed(t, err, false, nil)
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	forbidden := errors.New("forbidden address")
	var seen string
	tr := newTransport(t)
	tr.Control = func(network, address string, _ syscall.RawConn) error {
		seen = network + " " + address
		return forbidden
	}
	_, err := do(t, tr, s.url)
	failed(t, err, false, forbidden)
	if want := "tcp4 " + s.Addr().String(); seen != want {
		t.Errorf("control saw %q, want %q", seen, want)
	}
}

func TestDialTimeout(t *testing.T) {
	t.Parallel()
	tr := newTransport(t)
	tr.DialTimeout = time.Millisecond
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, err := do(t, tr, "http://example.com")
	failed(t, err, false, os.ErrDeadlineExceeded)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the transport's limit looks like the caller's")
	}
}

func TestServerGoneAfterRequest(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*peer){
		"closed": func(p *peer) { p.request() },
		"reset":  func(p *peer) { p.request(); p.reset() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, leave)
			_, err := do(t, newTransport(t), s.url)
			failed(t, err, true, nil)
			if n := s.dialled.Load(); n != 1 {
				t.Errorf("%d connections: the request was repeated", n)
			}
		})
	}
}

func TestResetInBody(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		<-read
		p.reset()
	})
	resp, err := newTransport(t).RoundTrip(post(t, t.Context(), s.url, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 4)
	_, err = io.ReadFull(resp.Body, buf)
	close(read)
	if err != nil || string(buf) != "half" {
		t.Fatalf("read %q, %v", buf, err)
	}
	for range 2 {
		if _, err := resp.Body.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v, want a reset", err)
		}
	}
}

// The end of the context ends the call wherever it is, with its cause, and the server sees the connection close.
func TestCancel(t *testing.T) {
	t.Parallel()
	hangUp := errors.New("caller hung up")
	for _, c := range []struct {
		name   string
		answer string // what the server says before it waits
		body   string
	}{
		{name: "before the head"},
		{name: "in the head", answer: "HTTP/1.1 200 OK\r\nX-"},
		{name: "in the body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
		{name: "in a stream", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			gone := make(chan struct{})
			s := serve(t, func(p *peer) {
				p.request()
				p.say(c.answer)
				if !strings.HasSuffix(c.answer, "\r\n\r\n") {
					cancel(hangUp)
				}
				p.untilClosed()
				close(gone)
			})
			resp, err := newTransport(t).RoundTrip(post(t, ctx, s.url, "hello"))
			if resp != nil {
				time.AfterFunc(time.Millisecond, func() { cancel(hangUp) })
				_, err = resp.Body.Read(make([]byte, 10))
				if err != hangUp {
					t.Errorf("read: %v, want the cause itself", err)
				}
				resp.Body.Close()
			} else {
				failed(t, err, true, hangUp)
			}
			within(t, "server sees the end", gone)
		})
	}
}

// A caller who does not read, or no longer, must not keep the provider working.
func TestCancelWithoutReader(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		p.untilClosed()
		close(gone)
	})
	resp, err := newTransport(t).RoundTrip(post(t, ctx, s.url, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	within(t, "server sees the end", gone)
	if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || err != context.Canceled {
		t.Errorf("read %d bytes, %v, though the context ended", n, err)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	s := serve(t, func(p *peer) { p.untilClosed() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err := newTransport(t).RoundTrip(post(t, ctx, s.url, "hello"))
	if he, ok := errors.AsType[*h1.Error](err); !ok || he.Err != context.DeadlineExceeded {
		t.Errorf("error %v, want the deadline", err)
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(ok))
	tr := newTransport(t)
	mustDo(t, tr, s.url, "ok")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // with an idle connection and without
		_, err := tr.RoundTrip(post(t, ctx, s.url, "hello"))
		if err == nil {
			t.Fatal("no error")
		}
		failed(t, err, false, context.Canceled)
	}
}

// A server that does not read: the write waits until the context ends.
func TestCancelWhileWriting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.Read(make([]byte, 1))
		cancel()
		<-release
	})
	defer close(release)
	_, err := newTransport(t).RoundTrip(post(t, ctx, s.url, strings.Repeat("x", 32<<20)))
	failed(t, err, true, context.Canceled)
}

func TestCloseBeforeEnd(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		p.untilClosed()
		gone <- struct{}{}
	})
	tr := newTransport(t)
	for want := range 2 {
		resp, err := tr.RoundTrip(post(t, t.Context(), s.url, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() { // reads until it is interrupted
			if _, err := io.ReadAll(resp.Body); err != http.ErrBodyReadAfterClose {
				t.Errorf("read during close: %v", err)
			}
		})
		for range 3 {
			all.Go(func() {
				if err := resp.Body.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		all.Wait()
		if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
			t.Errorf("read after close: %v", err)
		}
		within(t, "server sees the end", gone)
		if n := s.dialled.Load(); int(n) != want+1 {
			t.Errorf("%d connections, want %d", n, want+1)
		}
	}
}
