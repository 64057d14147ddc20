package dispatch_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	bodies := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	type seen struct {
		pushes   int
		inOrder  bool
		parallel int
		last     time.Duration
	}
	tests := map[string]struct {
		faults dispatch.Faults
		want   func(seen) bool
	}{
		"none":         {dispatch.Faults{Seed: 1}, func(s seen) bool { return s == seen{8, true, 1, 0} }},
		"duplicates":   {dispatch.Faults{Seed: 1, Duplicate: 1}, func(s seen) bool { return s.pushes == 16 }},
		"some":         {dispatch.Faults{Seed: 1, Duplicate: 0.5}, func(s seen) bool { return s.pushes > 8 && s.pushes < 16 }},
		"lost answers": {dispatch.Faults{Seed: 1, DropAnswer: 0.5}, func(s seen) bool { return s.pushes > 8 && s.last >= time.Second }},
		"late":         {dispatch.Faults{Seed: 1, Delay: time.Minute}, func(s seen) bool { return s.pushes == 8 && s.last > 10*time.Second }},
		"any order":    {dispatch.Faults{Seed: 1, Reorder: true}, func(s seen) bool { return s.pushes == 8 && !s.inOrder }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, e := newQueue(bodies...), newEndpoint(always(http.StatusOK))
				s := to(e)
				if name == "none" {
					s.Concurrency = 1
				}
				s.AckDeadline = 10 * time.Minute
				stop := start(t, q, s, dispatch.WithFaults(test.faults))
				time.Sleep(time.Hour)
				stop()
				var order []string
				for _, m := range e.seen {
					order = append(order, string(m.Data))
				}
				got := seen{len(order), slices.Equal(order, bodies), e.peak, e.at[len(e.at)-1]}
				if !test.want(got) {
					t.Errorf("%+v, order %v", got, order)
				}
				slices.Sort(order)
				if diff := cmp.Diff(bodies, slices.Compact(order)); diff != "" || q.left() != 0 {
					t.Errorf("left %d; messages (-want +got):\n%s", q.left(), diff)
				}
			})
		})
	}
}

// TestFlood: everything at once, twice, late, reordered, answers lost: each message is done in the end, and
// the bound holds.
func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slices.Repeat([]string{"a"}, 2000)...)
		e := newEndpoint(func(context.Context, queue.Message) int { time.Sleep(50 * time.Millisecond); return http.StatusOK })
		s := to(e)
		s.Concurrency = 16
		stop := start(t, q, s, dispatch.WithFaults(dispatch.Faults{Seed: 7, Duplicate: 0.1, DropAnswer: 0.1, Delay: time.Second, Reorder: true}))
		time.Sleep(time.Hour)
		stop()
		done := map[string]bool{}
		for _, m := range e.seen {
			done[m.ID] = true
		}
		if len(done) != 2000 || q.left() != 0 {
			t.Errorf("%d of 2000 messages pushed, %d left", len(done), q.left())
		}
		if e.peak > 2*s.Concurrency {
			t.Errorf("peak = %d with %d pushes, each at most twice", e.peak, s.Concurrency)
		}
	})
}
