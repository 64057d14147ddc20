package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"net/textproto"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"
)

// readBuffer is what a connection holds from its request to the end of the answer; an idle one holds none.
const readBuffer = 4 << 10

const unlimited = math.MaxInt

var readers = sync.Pool{New: func() any {
	return textproto.NewReader(bufio.NewReaderSize(nil, readBuffer))
}}

// hostKey says which connections serve a URL.
type hostKey struct{ scheme, host string }

func (k hostKey) address() (name, hostPort string) {
	u := url.URL{Host: k.host}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[k.scheme]
	}
	return u.Hostname(), net.JoinHostPort(u.Hostname(), port)
}

// conn is a connection, used by one call at a time.
type conn struct {
	t    *Transport
	key  hostKey
	sock net.Conn        // below TLS; closing it ends every Read and Write at once, without a TLS farewell
	wire net.Conn        // sock, or TLS on it
	raw  syscall.RawConn // of sock; nil when it is not a socket

	abort func()      // closes sock
	stop  func() bool // takes abort back from the call's context; false: too late
	in    *textproto.Reader
	limit int  // bytes that may still be read
	ended bool // a Read failed

	silent func(fd uintptr) bool // sets quiet; kept, as a new closure per call would be allocated
	quiet  bool
	since  time.Time // idle since
}

func (t *Transport) dial(ctx context.Context, key hostKey) (*conn, error) {
	name, hostPort := key.address()
	var sock net.Conn
	err := within(ctx, t.DialTimeout, "connect", func(ctx context.Context) (err error) {
		sock, err = t.DialContext(ctx, "tcp", hostPort)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := &conn{t: t, key: key, sock: sock, wire: sock, abort: func() { sock.Close() }}
	if s, ok := sock.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn()
		c.silent = func(fd uintptr) bool {
			c.quiet = quiet(fd)
			return true
		}
	}
	if key.scheme == "https" {
		cfg := t.tls.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName = name
		}
		secure := tls.Client(sock, cfg)
		if err := within(ctx, t.TLSTimeout, "tls handshake", secure.HandshakeContext); err != nil {
			sock.Close()
			return nil, err
		}
		c.wire = secure
	}
	c.attach()
	return c, nil
}

// tlsConfig copies what the owner set and adds what is not his to choose. Small first records would help a browser that
// renders what it has; a provider needs the whole prompt.
func tlsConfig(base *tls.Config) *tls.Config {
	cfg := &tls.Config{}
	if base != nil {
		cfg = base.Clone()
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	cfg.NextProtos = []string{"http/1.1"}
	cfg.DynamicRecordSizingDisabled = true
	if cfg.ClientSessionCache == nil {
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(64)
	}
	return cfg
}

// within runs do with a time limit of its own, which must not look like the end of ctx.
func within(ctx context.Context, limit time.Duration, what string, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", what, os.ErrDeadlineExceeded)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// attach makes the connection ready for a call.
func (c *conn) attach() {
	c.in = readers.Get().(*textproto.Reader)
	c.in.R.Reset(c)
	c.limit = unlimited
}

// write sends m and reports whether a byte of it may have left. From here on the end of ctx closes the connection.
func (c *conn) write(ctx context.Context, m *message) (sent bool, err error) {
	c.stop = context.AfterFunc(ctx, c.abort)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	for {
		n, err := c.wire.Write(m.buf)
		sent = sent || n > 0
		if err != nil || m.left == 0 {
			return sent, err
		}
		m.buf = m.buf[:0]
		if err := m.fill(); err != nil {
			return sent, err
		}
	}
}

// Read feeds the connection's buffered reader, within the limit.
func (c *conn) Read(p []byte) (int, error) {
	if c.limit <= 0 {
		return 0, fmt.Errorf("%w: head too large", ErrResponse)
	}
	n, err := c.wire.Read(p[:min(len(p), c.limit)])
	c.limit -= n
	c.ended = c.ended || err != nil
	return n, err
}

// finish ends a call whose answer was read completely.
func (c *conn) finish(keep bool) {
	stopped := c.stop()
	if !keep || !stopped || c.ended || c.in.R.Buffered() > 0 {
		c.sock.Close()
		return
	}
	c.in.R.Reset(nil)
	readers.Put(c.in)
	c.in = nil
	c.t.put(c)
}

// close ends a call anywhere else, also while another goroutine reads.
func (c *conn) close() {
	if c.stop != nil {
		c.stop()
	}
	c.sock.Close()
}
