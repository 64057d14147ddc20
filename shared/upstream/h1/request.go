package h1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Most requests leave in one Write, from a buffer that takes the head and the body whole. A large one is two full TLS records; most
// prompts fit a small one, of which there are as many as connections being dialled.
var small, large = newPool(4 << 10), newPool(32 << 10)

const usualHead = 2 << 10 // with a token of Google's or AWS's

type pool struct {
	sync.Pool
	size int
}

func newPool(size int) *pool {
	return &pool{sync.Pool{New: func() any {
		b := make([]byte, 0, size)
		return &b
	}}, size}
}

// message is a request on its way out. Its buffer goes back to the pool before anyone waits for the answer.
type message struct {
	key  hostKey
	req  *http.Request
	pool *pool
	home *[]byte
	buf  []byte // next to be written: the head, then part after part of the body
	left int64  // bytes of the body not in buf yet
	err  error  // the body failed
}

// newMessage checks the request and encodes its head; the body stays untouched.
func newMessage(req *http.Request) (*message, error) {
	if err := check(req); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	m := &message{key: hostKey{req.URL.Scheme, req.URL.Host}, req: req, pool: small}
	if req.Body != nil {
		m.left = req.ContentLength
	}
	if m.left > int64(small.size-usualHead) {
		m.pool = large
	}
	m.home = m.pool.Get().(*[]byte)
	var err error
	if m.buf, err = appendHead((*m.home)[:0], req); err != nil {
		m.release()
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return m, nil
}

func (m *message) release() {
	if cap(m.buf) <= 2*m.pool.size {
		*m.home = m.buf[:0]
	}
	m.pool.Put(m.home)
	m.home, m.buf = nil, nil
}

// close ends the sending: nothing of the request is held any more.
func (m *message) close() {
	m.release()
	closeBody(m.req)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// fill appends to the buffer as much of the body as fits. A body that is not exactly as long as announced is found out
// before its last part is sent.
func (m *message) fill() error {
	if m.left == 0 {
		return nil
	}
	spare := m.buf[len(m.buf):cap(m.buf)]
	if len(spare) > 1 {
		part := spare[:min(int64(len(spare)-1), m.left)]
		n, err := io.ReadFull(m.req.Body, part)
		if err != nil {
			m.err = fmt.Errorf("read the request's body: %w", err)
			return m.err
		}
		m.buf = m.buf[:len(m.buf)+n]
		m.left -= int64(n)
		spare = spare[n:]
	}
	if m.left == 0 {
		if n, _ := m.req.Body.Read(spare[:1]); n > 0 {
			m.err = errors.New("the request's body is longer than its Content-Length")
		}
	}
	return m.err
}

// check refuses what has no one meaning on the wire.
func check(req *http.Request) error {
	u := req.URL
	switch {
	case u == nil:
		return errors.New("no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("only http and https")
	case u.User != nil:
		return errors.New("user information in the URL")
	case u.Opaque != "":
		return errors.New("opaque URL")
	case !isHost(u.Host) || req.Host != "" && !isHost(req.Host):
		return errors.New("invalid host")
	case req.Method != "" && !isToken(req.Method) || req.Method == http.MethodConnect:
		return errors.New("invalid method")
	case req.ContentLength < 0, req.ContentLength == 0 && req.Body != nil && req.Body != http.NoBody:
		return errors.New("body of unknown length")
	case req.ContentLength > 0 && req.Body == nil, len(req.Trailer) > 0:
		return errors.New("Content-Length without a body, or a trailer")
	}
	return nil
}

func appendHead(b []byte, req *http.Request) ([]byte, error) {
	method, host, target := req.Method, req.Host, req.URL.RequestURI()
	if method == "" {
		method = http.MethodGet
	}
	if host == "" {
		host = req.URL.Host
	}
	if strings.IndexFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) >= 0 {
		return b, errors.New("space or control character in the URL")
	}
	b = append(append(append(append(b, method...), ' '), target...), " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", host)
	encoding := false
	for name, values := range req.Header {
		canonical := http.CanonicalHeaderKey(name)
		if !isToken(name) {
			return b, errors.New("invalid header name")
		}
		if ours(canonical) {
			continue
		}
		encoding = encoding || canonical == "Accept-Encoding"
		for _, value := range values {
			if !isValue(value) {
				return b, fmt.Errorf("invalid value of header %s", canonical)
			}
			if value != "" || canonical != "User-Agent" {
				b = appendField(b, canonical, strings.Trim(value, " \t"))
			}
		}
	}
	if !encoding {
		b = append(b, "Accept-Encoding: identity\r\n"...)
	}
	if req.Close {
		b = append(b, "Connection: close\r\n"...)
	}
	if req.ContentLength > 0 || method == "POST" || method == "PUT" || method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, req.ContentLength, 10), "\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

func appendField(b []byte, name, value string) []byte {
	return append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
}

// ours reports whether a header is about framing or the connection, and so never taken from the caller.
func ours(canonical string) bool {
	switch canonical {
	case "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
