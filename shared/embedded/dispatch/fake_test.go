package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

const sub queue.Subscription = "work"

// fakeQueue is a queue.Source with one subscription, and a Publisher. It counts calls, and fails while broken is set.
type fakeQueue struct {
	mu     sync.Mutex
	ms     []*entry
	tokens int64
	dead   []queue.Message
	signal chan struct{}
	calls  int
	broken error
}

type entry struct {
	queue.Message
	due   time.Time
	token int64
}

func newQueue(bodies ...string) *fakeQueue {
	q := &fakeQueue{signal: make(chan struct{}, 1)}
	for _, b := range bodies {
		q.add(b, time.Now())
	}
	return q
}

func (q *fakeQueue) add(body string, due time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tokens++
	m := queue.Message{ID: fmt.Sprint(q.tokens), Data: []byte(body), Published: time.Now()}
	q.ms = append(q.ms, &entry{Message: m, due: due})
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

func (q *fakeQueue) setBroken(err error) { q.mu.Lock(); q.broken = err; q.mu.Unlock() }

func (q *fakeQueue) callCount() int { q.mu.Lock(); defer q.mu.Unlock(); return q.calls }

// left is how many messages are neither acknowledged nor dead.
func (q *fakeQueue) left() int { q.mu.Lock(); defer q.mu.Unlock(); return len(q.ms) }

func (q *fakeQueue) graves() []queue.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.dead)
}

func (q *fakeQueue) Publish(_ context.Context, topic queue.Topic, ms ...queue.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	if topic != queue.Dead {
		return fmt.Errorf("published to %s", topic)
	}
	q.dead = append(q.dead, ms...)
	return nil
}

func (q *fakeQueue) Lease(ctx context.Context, s queue.Subscription, n int, d time.Duration) (out []queue.Leased, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	if q.broken != nil || ctx.Err() != nil {
		return nil, q.broken
	}
	for _, e := range q.ms {
		if now := time.Now(); len(out) < n && !e.due.After(now) {
			q.tokens++
			e.Attempt, e.due, e.token = e.Attempt+1, now.Add(d), q.tokens
			out = append(out, queue.Leased{Message: e.Message, Token: e.token})
		}
	}
	return out, nil
}

func (q *fakeQueue) Settle(_ context.Context, outcomes ...queue.Outcome) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	if q.broken != nil {
		return q.broken
	}
	for _, o := range outcomes {
		i := slices.IndexFunc(q.ms, func(e *entry) bool { return e.ID == o.ID && e.token == o.Token && e.due.After(time.Now()) })
		switch {
		case i < 0 || o.Subscription != sub:
		case o.Ack:
			q.ms = slices.Delete(q.ms, i, i+1)
		default:
			q.ms[i].due, q.ms[i].token = o.NotBefore, 0
		}
	}
	return nil
}

func (q *fakeQueue) NextDue(context.Context, queue.Subscription) (at time.Time, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	for _, e := range q.ms {
		if !ok || e.due.Before(at) {
			at, ok = e.due, true
		}
	}
	return at, ok, q.broken
}

func (q *fakeQueue) Published(queue.Subscription) <-chan struct{} { return q.signal }

var (
	_ queue.Source    = (*fakeQueue)(nil)
	_ queue.Publisher = (*fakeQueue)(nil)
)

// rounded gives times in whole units, for comparing schedules.
func rounded(t *testing.T, times []time.Duration, unit time.Duration) []int {
	t.Helper()
	var out []int
	for _, d := range times {
		out = append(out, int(d.Round(unit)/unit))
	}
	return out
}
