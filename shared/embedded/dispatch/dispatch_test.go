package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// endpoint answers pushes by its answer function and keeps what it saw.
type endpoint struct {
	answer func(ctx context.Context, m queue.Message) int

	mu      sync.Mutex
	start   time.Time
	at      []time.Duration // of deliveries since the endpoint was made
	seen    []queue.Message
	running int
	peak    int // most at a time
}

func newEndpoint(answer func(ctx context.Context, m queue.Message) int) *endpoint {
	return &endpoint{answer: answer, start: time.Now()}
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name, m, err := push.Decode(body)
	if err != nil || name != "projects/local/subscriptions/work" {
		panic(fmt.Sprint("bad push: ", name, err))
	}
	e.mu.Lock()
	e.at, e.seen = append(e.at, time.Since(e.start)), append(e.seen, m)
	e.running++
	e.peak = max(e.peak, e.running)
	e.mu.Unlock()
	status := e.answer(r.Context(), m)
	e.mu.Lock()
	e.running--
	e.mu.Unlock()
	w.WriteHeader(status)
}

// attempts lists the attempt of every delivery.
func (e *endpoint) attempts() (out []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.seen {
		out = append(out, m.Attempt)
	}
	return out
}

func (e *endpoint) times() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.at)
}

func always(status int) func(context.Context, queue.Message) int {
	return func(context.Context, queue.Message) int { return status }
}

// to is a subscription that pushes to h.
func to(h http.Handler) dispatch.Subscription {
	return dispatch.Subscription{Name: sub, Endpoint: "http://worker.internal/push", Transport: dispatch.InProcess(h), MinBackoff: time.Second}
}

// start runs a dispatcher in the bubble; stop ends it and tells how long it took to stop.
func start(t *testing.T, q *fakeQueue, s dispatch.Subscription, options ...dispatch.Option) (stop func() time.Duration) {
	t.Helper()
	options = append([]dispatch.Option{dispatch.DeadLetters(q), dispatch.PushBackoff(0), dispatch.Logger(slog.New(slog.DiscardHandler))}, options...)
	d, err := dispatch.New(q, []dispatch.Subscription{s}, options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return sync.OnceValue(func() time.Duration {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		return time.Since(began)
	})
}

func TestRedeliveryBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := newQueue("a"), newEndpoint(always(http.StatusServiceUnavailable))
		s := to(e)
		s.MaxBackoff = 4 * time.Second
		stop := start(t, q, s)
		time.Sleep(16 * time.Second)
		stop()
		if diff := cmp.Diff([]int{0, 1, 3, 7, 11, 15}, rounded(t, e.times(), time.Second)); diff != "" {
			t.Errorf("deliveries in seconds (-want +got):\n%s", diff)
		}
		if got := e.attempts(); slices.Max(got) != 0 {
			t.Errorf("attempts = %v; without a dead-letter policy the body tells none", got)
		}
		if q.left() != 1 {
			t.Error("message gone")
		}
	})
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 202, 204, 203, 205, 206, 301, 307, 400, 401, 404, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue("a")
				stop := start(t, q, to(newEndpoint(always(status))))
				synctest.Wait()
				stop()
				if got, want := q.left() == 0, push.AckStatus(status); got != want {
					t.Errorf("acknowledged = %v, want %v", got, want)
				}
			})
		})
	}
}

// TestDeadlineMiss: a handler that ignores its context runs on while the next delivery starts beside it.
func TestDeadlineMiss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		e := newEndpoint(func(context.Context, queue.Message) int { time.Sleep(25 * time.Second); return http.StatusNoContent })
		stop := start(t, q, to(e))
		time.Sleep(24 * time.Second)
		if diff := cmp.Diff([]int{0, 11, 23}, rounded(t, e.times(), time.Second)); diff != "" {
			t.Errorf("deliveries in seconds (-want +got):\n%s", diff)
		}
		if e.peak != 3 {
			t.Errorf("%d ran side by side, want 3", e.peak)
		}
		time.Sleep(8 * time.Second)
		stop()
		if q.left() != 1 {
			t.Error("an answer after the deadline acknowledged")
		}
		time.Sleep(time.Minute) // the late handlers end
	})
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := newQueue("a"), newEndpoint(always(http.StatusBadRequest))
		s := to(e)
		s.MaxAttempts, s.DeadTopic = 5, queue.Dead
		published := time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
		stop := start(t, q, s)
		time.Sleep(time.Hour)
		stop()
		if diff := cmp.Diff([]int{1, 2, 3, 4, 5}, e.attempts()); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		want := []queue.Message{{Data: []byte("a"), Attributes: map[string]string{
			push.DeadSubscription: "work",
			push.DeadProject:      "local",
			push.DeadCount:        "5",
			push.DeadPublishTime:  published,
			push.DeadError:        "push answered 400",
		}}}
		if diff := cmp.Diff(want, q.graves()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
		if q.left() != 0 {
			t.Error("the dead message is still queued")
		}
	})
}

// TestDeadTopicAway: the message waits for the dead topic without being pushed again.
func TestDeadTopicAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		e := newEndpoint(always(http.StatusBadRequest))
		s := to(e)
		s.MaxAttempts, s.DeadTopic = 5, queue.Dead
		dead := &failing{Publisher: q, err: errors.New("away")}
		stop := start(t, q, s, dispatch.DeadLetters(dead))
		time.Sleep(10 * time.Minute)
		if q.left() != 1 || len(e.times()) != 5 {
			t.Errorf("left = %d, pushed %d times", q.left(), len(e.times()))
		}
		dead.set(nil)
		time.Sleep(time.Hour)
		stop()
		if len(q.graves()) != 1 || len(e.times()) != 5 {
			t.Errorf("dead letters = %d, pushed %d times", len(q.graves()), len(e.times()))
		}
	})
}

type failing struct {
	queue.Publisher
	mu  sync.Mutex
	err error
}

func (f *failing) set(err error) { f.mu.Lock(); f.err = err; f.mu.Unlock() }

func (f *failing) Publish(ctx context.Context, topic queue.Topic, ms ...queue.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	return f.Publisher.Publish(ctx, topic, ms...)
}

func TestSlowStartAndConcurrencyBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(func(context.Context, queue.Message) int { time.Sleep(time.Second); return http.StatusOK })
		q := newQueue(slices.Repeat([]string{"a"}, 100)...)
		s := to(e)
		s.Concurrency = 20
		stop := start(t, q, s)
		time.Sleep(time.Minute)
		stop()
		perSecond := map[int]int{}
		for _, at := range rounded(t, e.times(), time.Second) {
			perSecond[at]++
		}
		if diff := cmp.Diff(map[int]int{0: 4, 1: 8, 2: 16, 3: 20, 4: 20, 5: 20, 6: 12}, perSecond); diff != "" {
			t.Errorf("pushes started per second (-want +got):\n%s", diff)
		}
		if e.peak != 20 {
			t.Errorf("peak = %d, want 20", e.peak)
		}
	})
}

func TestGlobalBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("bad")
		e := newEndpoint(func(_ context.Context, m queue.Message) int {
			if string(m.Data) == "bad" {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		s := to(e)
		s.MinBackoff = 0
		stop := start(t, q, s, dispatch.PushBackoff(dispatch.ServicePushBackoff))
		time.Sleep(6200 * time.Millisecond)
		if diff := cmp.Diff([]int{0, 1, 3, 7, 15, 31}, rounded(t, e.times(), 100*time.Millisecond)); diff != "" {
			t.Errorf("refused deliveries in 100 ms (-want +got):\n%s", diff)
		}
		q.add("good", time.Now()) // an innocent message waits with it: the next push is at 6.3 s, and it is the bad one's
		time.Sleep(5 * time.Second)
		if n := len(e.times()); n != 7 {
			t.Errorf("%d deliveries during the pause, want 7", n)
		}
		stop()
	})
}

func TestGlobalBackoffIsBoundedAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slices.Repeat([]string{"a"}, 40)...)
		var status = http.StatusInternalServerError
		var mu sync.Mutex
		e := newEndpoint(func(context.Context, queue.Message) int { mu.Lock(); defer mu.Unlock(); return status })
		s := to(e)
		s.MinBackoff = 0
		stop := start(t, q, s, dispatch.PushBackoff(dispatch.MildPushBackoff))
		time.Sleep(time.Minute)
		if n := len(e.times()); n < 30 || n > 45 {
			t.Errorf("%d deliveries in the first minute, want about one per two seconds", n)
		}
		mu.Lock()
		status = http.StatusOK
		mu.Unlock()
		time.Sleep(5 * time.Second)
		stop()
		if q.left() != 0 {
			t.Errorf("%d messages left five seconds after the endpoint got well", q.left())
		}
	})
}

func TestIdleCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := newQueue(), newEndpoint(always(http.StatusOK))
		stop := start(t, q, to(e))
		time.Sleep(24 * time.Hour)
		if n := q.callCount(); n > 2 {
			t.Errorf("%d calls of an idle source in a day", n)
		}
		q.add("now", time.Now())
		synctest.Wait()
		if len(e.times()) != 1 {
			t.Error("a published message did not wake the dispatcher")
		}
		q.add("later", time.Now().Add(90*time.Minute))
		time.Sleep(24 * time.Hour)
		stop()
		if got := e.times(); len(got) != 2 || got[1] != 24*time.Hour+90*time.Minute {
			t.Errorf("delivered at %v", got)
		}
		if n := q.callCount(); n > 20 {
			t.Errorf("%d calls of the source for two messages", n)
		}
	})
}

func TestSourceAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, e := newQueue("a"), newEndpoint(always(http.StatusOK))
		q.setBroken(errors.New("disk full"))
		stop := start(t, q, to(e))
		time.Sleep(time.Minute)
		if n := q.callCount(); n > 25 {
			t.Errorf("asked a broken source %d times in a minute", n)
		}
		q.setBroken(nil)
		time.Sleep(5 * time.Second)
		stop()
		if q.left() != 0 {
			t.Error("not delivered after the source came back")
		}
	})
}

// TestLostAcknowledgement: what could not be settled is delivered again when its lease ends.
func TestLostAcknowledgement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("a")
		e := newEndpoint(func(_ context.Context, m queue.Message) int { q.setBroken(errors.New("away")); return http.StatusOK })
		stop := start(t, q, to(e))
		synctest.Wait()
		e.answer = always(http.StatusOK)
		q.setBroken(nil)
		time.Sleep(20 * time.Second)
		stop()
		if diff := cmp.Diff([]int{0, 15}, rounded(t, e.times(), time.Second)); diff != "" || q.left() != 0 {
			t.Errorf("left %d, deliveries in seconds (-want +got):\n%s", q.left(), diff)
		}
	})
}
