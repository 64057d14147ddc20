package dispatch_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
)

func TestDrainWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		e := newEndpoint(func(context.Context, queue.Message) int { time.Sleep(3 * time.Second); return http.StatusOK })
		stop := start(t, q, to(e))
		synctest.Wait()
		q.add("too late", time.Now().Add(time.Second))
		if took := stop(); took != 3*time.Second {
			t.Errorf("stopped after %v, want 3s", took)
		}
		if q.left() != 1 || len(e.times()) != 1 {
			t.Errorf("left = %d after %d pushes; want the running one done and no new one", q.left(), len(e.times()))
		}
	})
}

// TestDrainLimit: a push that takes too long is cancelled, its message is due at once, and the next process delivers it.
func TestDrainLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer func(context.Context, queue.Message) int
		took   time.Duration
	}{
		"handler obeys": {func(ctx context.Context, _ queue.Message) int { <-ctx.Done(); return 503 }, 2 * time.Second},
		"handler does not": {func(context.Context, queue.Message) int { time.Sleep(8 * time.Second); return 200 },
			3 * time.Second}, // one more second of grace
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue("a")
				stop := start(t, q, to(newEndpoint(test.answer)), dispatch.Drain(2*time.Second))
				synctest.Wait()
				if took := stop(); took != test.took {
					t.Errorf("stopped after %v, want %v", took, test.took)
				}

				e := newEndpoint(always(http.StatusOK))
				stop = start(t, q, to(e))
				synctest.Wait()
				stop()
				if q.left() != 0 || len(e.times()) != 1 || e.times()[0] != 0 {
					t.Errorf("after the restart: left %d, delivered at %v", q.left(), e.times())
				}
				time.Sleep(time.Minute) // the late handler ends
			})
		})
	}
}

// TestCrash: a process that died in a push leaves a lease; the next delivers when it has run out, and counts the attempt.
func TestCrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		if ms, err := q.Lease(t.Context(), sub, 1, 15*time.Second); err != nil || len(ms) != 1 {
			t.Fatal(ms, err)
		}
		e := newEndpoint(always(http.StatusOK))
		s := to(e)
		s.MaxAttempts, s.DeadTopic = 5, queue.Dead
		stop := start(t, q, s)
		time.Sleep(time.Minute)
		stop()
		if diff := cmp.Diff([]int{15}, rounded(t, e.times(), time.Second)); diff != "" {
			t.Errorf("deliveries in seconds (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{2}, e.attempts()); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

// TestCrashLoop: a message that killed the process at every attempt is buried without another push.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		for range 5 {
			_, _ = q.Lease(t.Context(), sub, 1, time.Second)
			time.Sleep(2 * time.Second)
		}
		e := newEndpoint(always(http.StatusOK))
		s := to(e)
		s.MaxAttempts, s.DeadTopic = 5, queue.Dead
		stop := start(t, q, s)
		synctest.Wait()
		stop()
		if len(e.times()) != 0 || len(q.graves()) != 1 || q.left() != 0 {
			t.Errorf("pushed %d times, dead letters %d, left %d", len(e.times()), len(q.graves()), q.left())
		}
	})
}
