package push_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// good accepts the one token "good".
type good struct{}

func (good) Verify(_ context.Context, token string) error {
	if token != "good" {
		return errors.New("bad token")
	}
	return nil
}

// graveyard keeps dead letters, or fails.
type graveyard struct {
	letters []queue.Message
	err     error
}

func (g *graveyard) Publish(_ context.Context, topic queue.Topic, ms ...queue.Message) error {
	if topic != queue.Dead {
		return fmt.Errorf("published to %s", topic)
	}
	if g.err == nil {
		g.letters = append(g.letters, ms...)
	}
	return g.err
}

func body() *bytes.Reader {
	return bytes.NewReader(push.Encode(subscription, queue.Message{
		ID: "7", Data: []byte("hi"), Attributes: map[string]string{"k": "v"}, Published: published, Attempt: 4,
	}, true))
}

func request(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/push", body)
	r.Header.Set("Authorization", "Bearer good")
	return r
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	away := errors.New("store away")
	poison := errors.New("unknown schema version")
	tests := map[string]struct {
		handle  queue.Handler
		dead    error
		status  int
		letters int
	}{
		"done":          {func(context.Context, queue.Message) error { return nil }, nil, 204, 0},
		"retry":         {func(context.Context, queue.Message) error { return queue.Retry(away) }, nil, 503, 0},
		"wrapped retry": {func(context.Context, queue.Message) error { return fmt.Errorf("step: %w", queue.Retry(away)) }, nil, 503, 0},
		"poison":        {func(context.Context, queue.Message) error { return poison }, nil, 204, 1},
		"poison, dead letters away": {func(context.Context, queue.Message) error { return poison },
			errors.New("topic away"), 503, 0},
		"panic": {func(context.Context, queue.Message) error { panic("oops") }, nil, 503, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dead, log, w := &graveyard{err: test.dead}, new(bytes.Buffer), httptest.NewRecorder()
			h := push.Handler(good{}, test.handle, dead, slog.New(slog.NewTextHandler(log, nil)))
			h.ServeHTTP(w, request(t, body()))
			if w.Code != test.status {
				t.Errorf("status = %d, want %d", w.Code, test.status)
			}
			if len(dead.letters) != test.letters {
				t.Errorf("dead letters = %v", dead.letters)
			}
			lines, want := strings.Count(log.String(), "\n"), 1
			if name == "done" {
				want = 0
			}
			if lines != want {
				t.Errorf("logged %d lines, want %d:\n%s", lines, want, log)
			}
		})
	}
}

func TestHandlerGetsTheMessage(t *testing.T) {
	t.Parallel()
	var got queue.Message
	h := push.Handler(good{}, func(_ context.Context, m queue.Message) error { got = m; return nil }, &graveyard{}, slog.New(slog.DiscardHandler))
	h.ServeHTTP(httptest.NewRecorder(), request(t, body()))
	want := queue.Message{ID: "7", Data: []byte("hi"), Attributes: map[string]string{"k": "v"}, Published: published, Attempt: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestDeadLetterTellsWhy(t *testing.T) {
	t.Parallel()
	dead := &graveyard{}
	h := push.Handler(good{}, func(context.Context, queue.Message) error { return errors.New("no such job") }, dead, slog.New(slog.DiscardHandler))
	h.ServeHTTP(httptest.NewRecorder(), request(t, body()))
	want := []queue.Message{{Data: []byte("hi"), Attributes: map[string]string{
		"k":                   "v",
		push.DeadSubscription: "work",
		push.DeadProject:      "p",
		push.DeadCount:        "4",
		push.DeadPublishTime:  "2026-02-26T19:13:55.749Z",
		push.DeadError:        "no such job",
	}}}
	if diff := cmp.Diff(want, dead.letters); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// TestCutShort proves that a handler which failed because its request ended does not bury its message.
func TestCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dead, w := &graveyard{}, httptest.NewRecorder()
	h := push.Handler(good{}, func(ctx context.Context, _ queue.Message) error { cancel(); return ctx.Err() }, dead, slog.New(slog.DiscardHandler))
	h.ServeHTTP(w, request(t, body()).WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable || len(dead.letters) != 0 {
		t.Errorf("status = %d, dead letters = %v", w.Code, dead.letters)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type change func(*http.Request)
	authorization := func(v string) change { return func(r *http.Request) { r.Header.Set("Authorization", v) } }
	with := func(b io.Reader) change {
		return func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(b), -1 }
	}
	tests := map[string]struct {
		change change
		status int
	}{
		"GET":               {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"no token":          {func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"empty token":       {authorization("Bearer "), 401},
		"bad token":         {authorization("Bearer evil"), 401},
		"another scheme":    {authorization("Basic good"), 401},
		"no scheme":         {authorization("good"), 401},
		"bad token, body":   {func(r *http.Request) { authorization("")(r); with(unread{t})(r) }, 401},
		"too large":         {with(io.LimitReader(spaces{}, push.MaxBodyBytes+1)), 413},
		"lying length":      {func(r *http.Request) { r.ContentLength = 1 << 60; r.Body = http.NoBody }, 400},
		"connection breaks": {with(io.MultiReader(strings.NewReader(`{"mess`), broken{})), 400},
	}
	for name, b := range notEnvelopes {
		tests["body "+name] = struct {
			change change
			status int
		}{with(strings.NewReader(b)), 400}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dead, w := &graveyard{}, httptest.NewRecorder()
			h := push.Handler(good{}, func(context.Context, queue.Message) error { t.Error("handler ran"); return nil }, dead, slog.New(slog.DiscardHandler))
			r := request(t, body())
			test.change(r)
			h.ServeHTTP(w, r)
			if w.Code != test.status {
				t.Errorf("status = %d, want %d", w.Code, test.status)
			}
			var answer struct {
				Error struct{ Message, Type, Code string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error.Message == "" || answer.Error.Code != fmt.Sprint(test.status) {
				t.Errorf("answer = %s, %v", w.Body, err)
			}
			if len(dead.letters) != 0 {
				t.Errorf("dead letters = %v", dead.letters)
			}
		})
	}
}

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("body read before the token was checked")
	return 0, io.EOF
}

// spaces is an endless body.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestLargestMessageFits(t *testing.T) {
	t.Parallel()
	m := queue.Message{ID: "7", Data: make([]byte, queue.MaxMessageBytes), Attributes: map[string]string{}}
	for i := range queue.MaxAttributes {
		m.Attributes[fmt.Sprintf("%0*d", queue.MaxAttributeKey, i)] = strings.Repeat("v", queue.MaxAttributeValue)
	}
	var got int
	h := push.Handler(good{}, func(_ context.Context, m queue.Message) error { got = len(m.Data); return nil }, &graveyard{}, slog.New(slog.DiscardHandler))
	h.ServeHTTP(httptest.NewRecorder(), request(t, bytes.NewReader(push.Encode(subscription, m, true))))
	if got != queue.MaxMessageBytes {
		t.Errorf("handler got %d bytes", got)
	}
}

// TestReasonStaysPrivate proves that the answer to a pusher tells nothing of what went wrong inside.
func TestReasonStaysPrivate(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	cause := gateway.Errorf(gateway.KindUnavailable, "store away").WithCause(errors.New("at 10.0.0.7"))
	h := push.Handler(good{}, func(context.Context, queue.Message) error { return queue.Retry(cause) }, &graveyard{}, slog.New(slog.DiscardHandler))
	h.ServeHTTP(w, request(t, body()))
	if strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("answer = %s", w.Body)
	}
}
