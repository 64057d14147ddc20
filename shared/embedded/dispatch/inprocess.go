package dispatch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
)

// maxAnswerBytes is how much of an answer's body is kept; pushes care for the status only.
const maxAnswerBytes = 4 << 10

// InProcess is a transport that calls the handler directly, without sockets. As over a network the caller stops waiting
// when its context ends, the handler's context ends with it, and a handler that does not care runs on; Run waits a moment
// for those when it stops. A panic becomes an error.
func InProcess(handler http.Handler) http.RoundTripper {
	return &inProcess{handler: handler, idle: make(chan struct{}, 1)}
}

type inProcess struct {
	handler http.Handler

	mu      sync.Mutex
	running int
	idle    chan struct{} // receives when running falls to zero
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	type answer struct {
		response *http.Response
		err      error
	}
	done := make(chan answer, 1)
	p.count(1)
	go func() {
		defer p.count(-1)
		w := &recorder{header: http.Header{}}
		err := serve(p.handler, w, incoming(r))
		done <- answer{w.response(r), err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return nil, a.err
		}
		return a.response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer r.Body.Close()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", v, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// incoming turns a client's request into what a server hands to its handler.
func incoming(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

func (p *inProcess) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running += n; p.running == 0 {
		select {
		case p.idle <- struct{}{}:
		default:
		}
	}
}

// wait reports whether every handler has returned before ctx ended.
func (p *inProcess) wait(ctx context.Context) bool {
	for {
		p.mu.Lock()
		n := p.running
		p.mu.Unlock()
		if n == 0 {
			return true
		}
		select {
		case <-p.idle:
		case <-ctx.Done():
			return false
		}
	}
}

// recorder takes a handler's answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

// WriteHeader ignores informational statuses and every call after the first, as a server does.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body.Write(b[:min(len(b), maxAnswerBytes-w.body.Len())])
	return len(b), nil
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
}
