// Package h1 is a lean HTTP/1.1 client transport. No connection has a goroutine of its own: the caller's goroutine
// writes the request, reads the answer's head and then its body, and the end of the request's context closes the
// connection at once, whoever is waiting on it.
//
// It is strict where net/http is generous (what may be sent, what counts as an answer) and tells, for every failed call,
// whether the provider may have seen it. It never follows redirects, never asks for compression, never repeats a request
// of which a byte may have left, and writes the request whole before it reads, so an answer to half a request is seen
// only if the server cuts the connection.
package h1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Transport is an http.RoundTripper for http and https URLs. Its zero value is ready; fields may be set until the first
// call. Safe for concurrent use. Deadlines of a call are its context's; errors of RoundTrip are *Error.
//
// A body that was read to its end leaves the connection for the next call; one closed earlier closes the connection.
type Transport struct {
	// DialContext opens the connection below TLS; nil: a net.Dialer with Control.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Control sees every socket and resolved address before it is connected, and may refuse it: the place for an
	// egress guard, as DNS cannot change its mind afterwards. Not used with DialContext.
	Control func(network, address string, c syscall.RawConn) error
	// TLSConfig is copied; TLS 1.2 is the least and HTTP/1.1 the only protocol offered, whatever it says.
	TLSConfig *tls.Config
	// Proxy names the proxy for a request; nil: http.ProxyFromEnvironment. It is asked for each new connection. What
	// goes through a proxy is left to a net/http Transport with these settings, and Control then sees the proxy's address.
	Proxy func(*http.Request) (*url.URL, error)

	DialTimeout    time.Duration // name resolution and connecting; 0: 10 s
	TLSTimeout     time.Duration // TLS handshake; 0: 10 s
	IdleTimeout    time.Duration // how long a connection may wait for its next request; 0: 90 s
	MaxIdlePerHost int           // connections that may wait, per scheme and host; 0: 256
	MaxHeaderBytes int           // limit for an answer's head, with all 1xx heads before it; 0: 64 KiB

	once    sync.Once
	tls     *tls.Config
	proxied *http.Transport

	mu    sync.Mutex
	idle  map[hostKey][]*conn // oldest first
	timer *time.Timer         // closes what idles too long; nil when nothing does
}

var _ http.RoundTripper = (*Transport)(nil)

// ErrRequest says that the request itself is refused; nothing was dialled for it.
var ErrRequest = errors.New("request refused")

// ErrResponse says that the answer is not HTTP/1.x, contradicts itself or exceeds a limit.
var ErrResponse = errors.New("invalid response")

// Error says why there is no answer. Unwrap gives the cause: context.Cause of an ended context, or what the dialer, TLS,
// the socket or the parser said.
type Error struct {
	Sent bool // the provider may have seen the request; false: not one byte of it left
	Err  error
}

// Error has neither the URL nor any header's value in it.
func (e *Error) Error() string {
	if e.Sent {
		return "no answer: " + e.Err.Error()
	}
	return "request not sent: " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// RoundTrip sends the request and returns once the answer's head is there. The request's body must have a known length
// and is closed before RoundTrip returns. Headers about framing or the connection are left out of what is sent (use
// Request.Close); Accept-Encoding is identity unless given.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.once.Do(t.init)
	m, err := newMessage(req)
	if err != nil {
		closeBody(req)
		return nil, &Error{Err: err}
	}
	ctx := req.Context()
	c := t.take(m.key)
	if c == nil {
		if proxy, err := t.Proxy(req); proxy != nil || err != nil {
			m.release()
			return t.roundTripProxied(req)
		}
	}
	c, err = t.send(ctx, c, m)
	if c == nil {
		return nil, err
	}
	resp, failed := c.receive(req, err == nil)
	if failed != nil {
		c.close()
		return nil, &Error{Sent: true, Err: cause(ctx, cmp.Or(err, failed))}
	}
	return resp, nil
}

// send writes m to c, or to another connection as long as none took a byte of it and c is a used one. A connection
// together with an error means that the server cut it halfway; its answer may be there nevertheless.
func (t *Transport) send(ctx context.Context, c *conn, m *message) (*conn, error) {
	defer m.close()
	if err := m.fill(); err != nil {
		if c != nil {
			c.close()
		}
		return nil, &Error{Err: cause(ctx, err)}
	}
	for {
		used := c != nil
		if !used {
			var err error
			if c, err = t.dial(ctx, m.key); err != nil {
				return nil, &Error{Err: cause(ctx, err)}
			}
		}
		sent, err := c.write(ctx, m)
		if err == nil {
			return c, nil
		}
		if sent && m.err == nil && ctx.Err() == nil {
			return c, err
		}
		c.close()
		if sent || !used || ctx.Err() != nil {
			return nil, &Error{Sent: sent, Err: cause(ctx, err)}
		}
		c = t.take(m.key)
	}
}

// init fills in the defaults.
func (t *Transport) init() {
	t.DialTimeout = cmp.Or(t.DialTimeout, 10*time.Second)
	t.TLSTimeout = cmp.Or(t.TLSTimeout, 10*time.Second)
	t.IdleTimeout = cmp.Or(t.IdleTimeout, 90*time.Second)
	t.MaxIdlePerHost = cmp.Or(t.MaxIdlePerHost, 256)
	t.MaxHeaderBytes = cmp.Or(t.MaxHeaderBytes, 64<<10)
	if t.Proxy == nil {
		t.Proxy = http.ProxyFromEnvironment
	}
	if t.DialContext == nil {
		t.DialContext = (&net.Dialer{Control: t.Control}).DialContext
	}
	t.tls = tlsConfig(t.TLSConfig)
	t.idle = make(map[hostKey][]*conn)
	t.proxied = t.newProxied()
}

// cause prefers the reason why the context ended: the error is then only its consequence.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
