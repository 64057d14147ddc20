// Package memqueue keeps messages in memory: the reference driver of package queue, for tests.
package memqueue

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// Queue is a publisher and a source without durability. Make it with New.
type Queue struct {
	// Now is the clock. It may be replaced before the queue is first used.
	Now func() time.Time

	topics map[queue.Topic][]queue.Subscription

	mu   sync.Mutex
	last int64 // number given out: message ids and lease tokens
	subs map[queue.Subscription]*subscription
}

var (
	_ queue.Publisher = (*Queue)(nil)
	_ queue.Source    = (*Queue)(nil)
)

// subscription holds one consumer's copies by message id.
type subscription struct {
	deliveries map[string]*delivery
	published  chan struct{}
}

type delivery struct {
	queue.Leased
	number int64     // of the message
	due    time.Time // the end of the lease if it is out
}

// New returns an empty queue in which each topic has these subscriptions. What is published to a topic without any is
// dropped, as Pub/Sub does.
func New(topics map[queue.Topic][]queue.Subscription) *Queue {
	return &Queue{Now: time.Now, topics: topics, subs: map[queue.Subscription]*subscription{}}
}

// of finds or makes a subscription. The caller holds the lock.
func (q *Queue) of(name queue.Subscription) *subscription {
	s := q.subs[name]
	if s == nil {
		s = &subscription{map[string]*delivery{}, make(chan struct{}, 1)}
		q.subs[name] = s
	}
	return s
}

func (q *Queue) next() int64 {
	q.last++
	return q.last
}

// Publish implements queue.Publisher.
func (q *Queue) Publish(ctx context.Context, topic queue.Topic, ms ...queue.Message) error {
	for _, m := range ms {
		if err := m.Check(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil || len(ms) == 0 {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.Now()
	for _, m := range ms {
		number := q.next()
		m.ID, m.Published, m.Attempt = strconv.FormatInt(number, 10), now, 0
		m.Data, m.Attributes = slices.Clone(m.Data), maps.Clone(m.Attributes)
		for _, sub := range q.topics[topic] {
			q.of(sub).deliveries[m.ID] = &delivery{queue.Leased{Message: m}, number, now}
		}
	}
	for _, sub := range q.topics[topic] {
		select {
		case q.of(sub).published <- struct{}{}:
		default:
		}
	}
	return nil
}

// Lease implements queue.Source.
func (q *Queue) Lease(ctx context.Context, sub queue.Subscription, n int, d time.Duration) ([]queue.Leased, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.Now()
	var leased []queue.Leased
	for _, m := range q.of(sub).inOrder() {
		if len(leased) == n || m.due.After(now) {
			break
		}
		m.due = now.Add(d)
		m.Attempt++
		m.Token = q.next()
		out := m.Leased
		out.Data, out.Attributes = slices.Clone(out.Data), maps.Clone(out.Attributes)
		leased = append(leased, out)
	}
	return leased, nil
}

func (s *subscription) inOrder() []*delivery {
	return slices.SortedFunc(maps.Values(s.deliveries), func(a, b *delivery) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.number, b.number))
	})
}

// Settle implements queue.Source.
func (q *Queue) Settle(ctx context.Context, outcomes ...queue.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.Now()
	for _, o := range outcomes {
		deliveries := q.of(o.Subscription).deliveries
		switch m := deliveries[o.ID]; {
		case m == nil || m.Token != o.Token || !m.due.After(now): // the lease has run out
		case o.Ack:
			delete(deliveries, o.ID)
		default:
			m.Token = 0
			m.due = now
			if o.NotBefore.After(now) {
				m.due = o.NotBefore
			}
		}
	}
	return nil
}

// NextDue implements queue.Source. A message that is out is due when its lease ends.
func (q *Queue) NextDue(ctx context.Context, sub queue.Subscription) (at time.Time, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.of(sub).deliveries {
		if !ok || m.due.Before(at) {
			at, ok = m.due, true
		}
	}
	return at, ok, nil
}

// Published implements queue.Source.
func (q *Queue) Published(sub queue.Subscription) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.of(sub).published
}
