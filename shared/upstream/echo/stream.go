package echo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// pace is the time between two events of a stream: enough to see that it is one.
const pace = 10 * time.Millisecond

// longest is the longest time that anything is waited for; the caller's context usually ends before.
const longest = 24 * time.Hour

func plain(v any) (*http.Response, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return whole(http.StatusOK, text), nil
}

func whole(status int, text []byte) *http.Response {
	return response(status, "application/json", io.NopCloser(bytes.NewReader(text)), len(text))
}

func response(status int, mediaType string, body io.ReadCloser, n int) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {mediaType}}, Body: body, ContentLength: int64(n),
	}
}

// sleep waits; the error is why the context ended before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// breakOff cuts the body of an answer in the middle.
func breakOff(r *http.Response) error {
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text[:len(text)/2]), broken{}))
	return err
}

// broken fails as a connection does that the other side drops.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// stream hands out one event for each Read, at its pace, until the context ends. Events are written when their time comes.
type stream struct {
	ctx  context.Context
	n    int           // events, the terminator not counted
	at   func(int) any // writes one
	next int
	rest []byte
	pace time.Duration
	trouble
}

// trouble is how a stream ends badly: before the event of that number, at the latest before its terminator.
type trouble struct {
	cut, stall, fail *int
	fault            *fault // what fail tells
}

func newStream(ctx context.Context, n int, at func(int) any) *stream {
	return &stream{ctx: ctx, n: n, at: at, pace: pace}
}

func (s *stream) response() (*http.Response, error) {
	return response(http.StatusOK, "text/event-stream", s, -1), nil
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.next > s.n {
			return 0, io.EOF
		}
		if err := s.take(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// take waits for the next event and writes it.
func (s *stream) take() error {
	if err := sleep(s.ctx, s.pace); err != nil {
		return err
	}
	switch {
	case s.reached(s.cut):
		return io.ErrUnexpectedEOF
	case s.reached(s.stall):
		<-s.ctx.Done()
		return context.Cause(s.ctx)
	case s.reached(s.fail):
		s.rest, s.next = framed(s.fault.text(true)), s.n+1
		return nil
	case s.next == s.n:
		s.rest = framed([]byte("[DONE]"))
	default:
		text, err := json.Marshal(s.at(s.next))
		if err != nil {
			return err
		}
		s.rest = framed(text)
	}
	s.next++
	return nil
}

func (s *stream) reached(event *int) bool { return event != nil && s.next >= min(*event, s.n) }

func framed(data []byte) []byte { return append(append([]byte("data: "), data...), "\n\n"...) }

func (s *stream) Close() error { s.rest, s.next = nil, s.n+1; return nil }
