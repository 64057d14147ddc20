package h1_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// newTLSServer echoes, and tells the protocol it speaks. It offers HTTP/2 too.
func newTLSServer(t *testing.T, edit func(*tls.Config)) (*httptest.Server, *tls.Config) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		io.Copy(w, r.Body)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{}
	if edit != nil {
		edit(s.TLS)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s, trusted := newTLSServer(t, nil)
	tr := newTransport(t)
	tr.TLSConfig = trusted
	var open openConns
	tr.DialContext = open.dial
	for _, body := range []string{"hello", strings.Repeat("0123456789", 50_000), "again"} {
		resp, err := tr.RoundTrip(post(t, t.Context(), s.URL, body))
		if err != nil {
			t.Fatal(err)
		}
		if got := read(resp); got.Body != body || got.Header.Get("X-Proto") != "HTTP/1.1" {
			t.Errorf("%d bytes over %s, %s", len(got.Body), got.Header.Get("X-Proto"), got.BodyErr)
		}
	}
	if n := open.n.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	s.CloseClientConnections() // the idle one says farewell
	if got, err := do(t, tr, s.URL); err != nil || got != "hello" {
		t.Errorf("after a stale connection: %q, %v", got, err)
	}
}

func TestTLSRefused(t *testing.T) {
	t.Parallel()
	s, trusted := newTLSServer(t, nil)
	old, _ := newTLSServer(t, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	plain := serve(t, func(p *peer) {
		p.say("HTTP/1.1 400 Bad Request\r\n\r\n")
		p.untilClosed()
	})
	var unknown *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	for _, c := range []struct {
		name, url string
		config    *tls.Config
		want      any
	}{
		{"unknown issuer", s.URL, nil, &unknown},
		{"wrong name", "https://localhost:" + port, trusted, &unknown},
		{"TLS 1.1", old.URL, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}, nil},
		{"no TLS", "https://" + plain.Addr().String(), nil, &record},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTransport(t)
			tr.TLSConfig = c.config
			_, err := do(t, tr, c.url)
			failed(t, err, false, nil)
			if c.want != nil && !errors.As(err, c.want) {
				t.Errorf("error %v, want a %T", err, c.want)
			}
		})
	}
}

func TestTLSTimeout(t *testing.T) {
	t.Parallel()
	s := serve(t, func(p *peer) { p.untilClosed() })
	tr := newTransport(t)
	tr.TLSTimeout = 5 * time.Millisecond
	_, err := do(t, tr, "https://"+s.Addr().String())
	failed(t, err, false, os.ErrDeadlineExceeded)
}

// A host behind a proxy is left to net/http: plain requests and tunnels.
func TestProxy(t *testing.T) {
	t.Parallel()
	target, trusted := newTLSServer(t, nil)
	var tunnels, plain atomic.Int64
	proxy := serve(t, func(p *peer) {
		req, _, more := p.request()
		switch {
		case !more:
		case req.Method != http.MethodConnect:
			plain.Add(1)
			if _, ua := req.Header["User-Agent"]; ua || req.Header.Get("Accept-Encoding") != "identity" || req.Header["Upgrade"] != nil {
				p.say("HTTP/1.1 500 headers\r\nContent-Length: 0\r\n\r\n")
			}
			p.say(ok)
		default:
			tunnels.Add(1)
			far, err := net.Dial("tcp", req.Host)
			if err != nil {
				return
			}
			defer far.Close()
			p.say("HTTP/1.1 200 OK\r\n\r\n")
			go func() { io.Copy(far, p.in); far.Close() }()
			io.Copy(p, far)
		}
	})
	at, _ := url.Parse(proxy.url)
	tr := newTransport(t)
	tr.TLSConfig = trusted
	tr.Proxy = func(*http.Request) (*url.URL, error) { return at, nil }
	mustDo(t, tr, target.URL, "hello")
	mustDo(t, tr, target.URL, "hello")
	if n := tunnels.Load(); n != 1 {
		t.Errorf("%d tunnels, want 1", n)
	}
	req := post(t, t.Context(), "http://example.com/x", "hello")
	req.Header.Set("Upgrade", "h2c")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(resp); got.Body != "ok" || plain.Load() != 1 {
		t.Errorf("answer %+v, %d plain requests", got, plain.Load())
	}

	proxy.Close()
	tr.CloseIdleConnections()
	_, err = do(t, tr, target.URL)
	failed(t, err, false, nil)
	req = post(t, t.Context(), "http://u:p@example.com/", "hello")
	_, err = tr.RoundTrip(req)
	failed(t, err, false, h1.ErrRequest)
}
