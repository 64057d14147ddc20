package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/server"
)

// start runs a server whose handler waits for release or the end of its context, and tells which came.
func start(t *testing.T, interrupt bool) (url string, stop func(), ended chan error, entered, release chan struct{}, saw chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered, release, saw = make(chan struct{}, 1), make(chan struct{}), make(chan string, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
			saw <- "release"
		case <-r.Context().Done():
			saw <- "end"
		}
		_, _ = io.WriteString(w, r.Proto)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() {
		ended <- server.Server{Handler: h, Log: slog.New(slog.DiscardHandler), Interrupt: interrupt}.Run(ctx, l)
	}()
	return "http://" + l.Addr().String(), stop, ended, entered, release, saw
}

func within(t *testing.T, what string, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("waited in vain for " + what)
		return ""
	}
}

// Calls under way finish when the end is asked for; with Interrupt they are told at once.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, interrupt := range []bool{false, true} {
		url, stop, ended, entered, release, saw := start(t, interrupt)
		answer := make(chan string, 1)
		go func() {
			r, err := http.Get(url)
			if err != nil {
				answer <- err.Error()
				return
			}
			defer r.Body.Close()
			text, _ := io.ReadAll(r.Body)
			answer <- string(text)
		}()
		<-entered
		stop()
		if !interrupt {
			select {
			case <-saw:
				t.Error("a call was interrupted")
			case <-time.After(50 * time.Millisecond):
			}
			close(release)
		}
		want := map[bool]string{false: "release", true: "end"}[interrupt]
		if got := within(t, "the handler", saw); got != want {
			t.Errorf("interrupt %t: the handler saw %s", interrupt, got)
		}
		if got := within(t, "the answer", answer); got != "HTTP/1.1" {
			t.Errorf("interrupt %t: the caller got %q", interrupt, got)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	url, stop, ended, _, release, _ := start(t, false)
	close(release)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	c := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if string(text) != "HTTP/2.0" {
		t.Errorf("served over %s", text)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
