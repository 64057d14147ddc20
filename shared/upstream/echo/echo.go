// Package echo is the built-in model: an OpenAI-compatible upstream that needs no account and no network. Its answers are
// deterministic, its streams come in real chunks, and its usage is what it counted. It is reached like every upstream,
// through an http.RoundTripper.
package echo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pace is the time between two chunks of a stream: enough to see that it is one.
const pace = 10 * time.Millisecond

// created is the time that every answer bears, so that equal questions get equal answers.
const created = 1_700_000_000

// Transport answers requests itself.
type Transport struct{}

var _ http.RoundTripper = Transport{}

// RoundTrip answers the three generation routes; it never dials.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	for _, route := range routes {
		if strings.HasSuffix(r.URL.Path, route.suffix) {
			return route.answer(r.Context(), body)
		}
	}
	return refusal(http.StatusNotFound, "echo does not serve "+r.URL.Path)
}

var routes = []struct {
	suffix string
	answer func(context.Context, []byte) (*http.Response, error)
}{{"/chat/completions", chat}, {"/completions", completions}, {"/embeddings", embeddings}}

// words are echo's tokens: each with the white space before it.
func words(text string) []string {
	var out []string
	start := 0
	for i, r := range text {
		if i > start && r == ' ' && text[i-1] != ' ' {
			out = append(out, text[start:i])
			start = i
		}
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

// reply is what echo says to a text, cut to at most limit words (0: no limit), and why it stopped.
func reply(text string, limit int) (said []string, finish string) {
	if text = strings.TrimSpace(text); text == "" {
		text = "(nothing)"
	}
	said = words("You said: " + text)
	if limit > 0 && limit < len(said) {
		return said[:limit], "length"
	}
	return said, "stop"
}

func identify(prefix string, body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf("%s-echo-%x", prefix, sum[:8])
}

func plain(v any) (*http.Response, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return response(http.StatusOK, "application/json", io.NopCloser(bytes.NewReader(text)), len(text)), nil
}

func refusal(status int, message string) (*http.Response, error) {
	text, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "param": nil, "code": nil,
	}})
	return response(status, "application/json", io.NopCloser(bytes.NewReader(text)), len(text)), nil
}

func response(status int, mediaType string, body io.ReadCloser, n int) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {mediaType}}, Body: body, ContentLength: int64(n),
	}
}

// stream hands out one event for each Read, at echo's pace, until the context ends.
type stream struct {
	ctx    context.Context
	events [][]byte
	rest   []byte
}

func newStream(ctx context.Context, chunks []answer) (*http.Response, error) {
	s := &stream{ctx: ctx}
	for _, chunk := range chunks {
		text, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		s.events = append(s.events, []byte("data: "+string(text)+"\n\n"))
	}
	s.events = append(s.events, []byte("data: [DONE]\n\n"))
	return response(http.StatusOK, "text/event-stream", s, -1), nil
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if len(s.events) == 0 {
			return 0, io.EOF
		}
		timer := time.NewTimer(pace)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		}
		s.rest, s.events = s.events[0], s.events[1:]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) Close() error { s.events, s.rest = nil, nil; return nil }
