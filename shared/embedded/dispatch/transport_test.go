package dispatch_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
)

// TestTransportsAgree sends the same request over a socket and in process: a handler sees the same, and so does the caller.
func TestTransportsAgree(t *testing.T) {
	t.Parallel()
	type view struct {
		Method, URI, Host, Proto, ContentType string
		Length                                int64
		Body                                  string
		Status                                int
		Answer, Header                        string
	}
	handlers := map[string]func(http.ResponseWriter){
		"silent":        func(http.ResponseWriter) {},
		"status":        func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) },
		"twice":         func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted); w.WriteHeader(http.StatusTeapot) },
		"body":          func(w http.ResponseWriter) { w.Header().Set("X-A", "b"); _, _ = io.WriteString(w, "hi") },
		"informational": func(w http.ResponseWriter) { w.WriteHeader(http.StatusProcessing); w.WriteHeader(http.StatusNoContent) },
	}
	for name, answer := range handlers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v view
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				v = view{Method: r.Method, URI: r.RequestURI, Host: r.Host, Proto: r.Proto, ContentType: r.Header.Get("Content-Type"), Length: r.ContentLength, Body: string(body)}
				if r.RemoteAddr == "" {
					t.Error("no remote address")
				}
				answer(w)
			})
			call := func(via http.RoundTripper, base string) view {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/push?a=b", strings.NewReader("body"))
				if err != nil {
					t.Fatal(err)
				}
				r.Host = "worker"
				r.Header.Set("Content-Type", "application/json")
				got, err := via.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer got.Body.Close()
				body, err := io.ReadAll(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				v.Status, v.Answer, v.Header = got.StatusCode, string(body), got.Header.Get("X-A")
				return v
			}
			server := httptest.NewUnstartedServer(h)
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Start()
			t.Cleanup(server.Close)
			if diff := cmp.Diff(call(http.DefaultTransport, server.URL), call(dispatch.InProcess(h), server.URL)); diff != "" {
				t.Errorf("(-socket +in process):\n%s", diff)
			}
		})
	}
}

func TestInProcessPanicIsAnError(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	_, err := dispatch.InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oops") })).RoundTrip(r)
	if err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("RoundTrip = %v", err)
	}
}

func TestInProcessEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		seen := make(chan error, 1)
		via := dispatch.InProcess(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			seen <- r.Context().Err()
		}))
		failed := make(chan error, 1)
		go func() {
			_, err := via.RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil))
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("RoundTrip = %v", err)
		}
		if err := <-seen; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler saw %v", err)
		}
	})
}

// TestOverSockets drains a queue over HTTP in real time.
func TestOverSockets(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	e := newEndpoint(func(_ context.Context, m queue.Message) int { got <- string(m.Data); return http.StatusNoContent })
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	q := newQueue("first")
	s := to(nil)
	s.Endpoint, s.Transport = server.URL, nil
	stop := start(t, q, s)
	if first := <-got; first != "first" {
		t.Errorf("got %q", first)
	}
	q.add("second", time.Now())
	if second := <-got; second != "second" {
		t.Errorf("got %q", second)
	}
	stop()
	if q.left() != 0 {
		t.Errorf("%d left", q.left())
	}
}

// TestNobodyListens: a refused connection is a failed delivery, and the message survives it.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		s := to(nil)
		s.Transport = nobody{}
		stop := start(t, q, s)
		synctest.Wait()
		stop()
		if q.left() != 1 {
			t.Error("message gone")
		}
	})
}

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}
