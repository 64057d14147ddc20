package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

func event(id int) string { return fmt.Sprintf(`{"specversion":"1.0","id":"e%d","type":"batch"}`, id) }

func TestEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, query, answer string
		terminal            bool
		want                result
	}{
		"none":        {"", "/events?", "", false, result{}},
		"two":         {"", "/events?", event(1) + "\n\n" + event(2) + "\r\n", false, result{event(1) + "\n" + event(2) + "\n", "", 0}},
		"chosen":      {"--type batch --after e1", "/events?after=e1&type=batch", event(1) + "\n" + event(2), false, result{event(2) + "\n", "", 0}},
		"to a screen": {"", "/events?", `{"id":"\u001b[2J` + "\u009b" + `2J"}` + "\n", true, result{`{"id":"\u001b[2J"}` + "\n", "", 0}},
		"cut":         {"", "/events?", event(1) + "\n" + event(2)[:20], false, result{event(1) + "\n", "the events broke off", 1}},
		"too long":    {"", "/events?", `{"id":"` + strings.Repeat("x", 17<<20), false, result{"", "longer than", 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.String() != c.query {
					t.Errorf("called %s", r.URL)
				}
				_, _ = io.WriteString(w, c.answer)
			})
			o := cli.Options{IsTerminal: func(io.Writer) bool { return c.terminal }}
			got := sluice(t.Context(), o, "", append(strings.Fields("events "+c.args), "--url", url)...)
			if got.out != c.want.out || got.code != c.want.code || !strings.Contains(got.note, c.want.note) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

// TestEventsFollow breaks every connection off in the middle of an event, and is away once; nothing is lost or comes twice.
func TestEventsFollow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.RawQuery
		switch calls.Add(1) {
		case 1:
			_, _ = io.WriteString(w, event(1)+"\n"+event(2)[:9])
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		case 3:
			_, _ = io.WriteString(w, event(2)+"\n\n"+event(3)+"\n")
		default:
			cancel()
			<-r.Context().Done()
		}
		want := []string{"follow=true", "after=e1&follow=true", "after=e1&follow=true", "after=e3&follow=true"}
		if n := calls.Load(); query != want[n-1] {
			t.Errorf("call %d asked for %q, want %q", n, query, want[n-1])
		}
	})
	got := sluice(ctx, cli.Options{}, "", "events", "-f", "--url", url)
	want := result{event(1) + "\n" + event(2) + "\n" + event(3) + "\n", strings.Repeat("connection lost; trying again\n", 3), 0}
	if got != want || calls.Load() != 4 {
		t.Errorf("got %+v after %d calls, want %+v", got, calls.Load(), want)
	}
}

// TestEventsGivesUp does not knock for ever at a gateway that is gone.
func TestEventsGivesUp(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) > 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	got := sluice(t.Context(), cli.Options{Pause: 10 * time.Microsecond}, "", "events", "--follow", "--url", url)
	if got.code != 1 || !strings.Contains(got.note, "answered 503") || calls.Load() > 10 {
		t.Errorf("%+v after %d calls", got, calls.Load())
	}
}

func TestEventsFollowRefused(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			_, _ = io.WriteString(w, event(1)+"\n")
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	got := sluice(t.Context(), cli.Options{}, "", "events", "--follow", "--url", url)
	if got.code != 1 || got.out != event(1)+"\n" || calls.Load() != 2 {
		t.Errorf("%+v after %d calls", got, calls.Load())
	}
}
