// Package queuetest is the suite that every queue.Publisher passes that is a queue.Source as well.
package queuetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// Queue is what is tested: both ends.
type Queue interface {
	queue.Publisher
	queue.Source
}

// The topics that open is asked for: one with two subscriptions, one with one, one without.
const (
	both, single, none = queue.Topic("both"), queue.Topic("single"), queue.Topic("none")
	left, right, only  = queue.Subscription("left"), queue.Subscription("right"), queue.Subscription("only")

	lease = time.Minute
)

// clock is the time that the queue under test goes by.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is an empty queue and its clock.
type fixture struct {
	Queue
	clock *clock
}

// Run runs the suite. open makes an empty queue with these topics that goes by this clock; t's Cleanup takes it down.
func Run(t *testing.T, open func(t *testing.T, topics map[queue.Topic][]queue.Subscription, now func() time.Time) Queue) {
	for name, run := range map[string]func(*testing.T, fixture){
		"RoundTrip": roundTrip, "NotShared": notShared, "Limits": limits, "FanOut": fanOut, "NoSubscription": noSubscription,
		"LeaseHides": leaseHides, "Expiry": expiry, "StaleToken": staleToken, "Acknowledge": acknowledge, "Retry": retry,
		"Order": order, "NextDue": nextDue, "Published": published, "Leasers": leasers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
			topics := map[queue.Topic][]queue.Subscription{both: {left, right}, single: {only}, none: nil}
			run(t, fixture{open(t, topics, c.Now), c})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f fixture) publish(t *testing.T, topic queue.Topic, texts ...string) {
	t.Helper()
	var ms []queue.Message
	for _, text := range texts {
		ms = append(ms, queue.Message{Data: []byte(text)})
	}
	must(t, f.Publish(t.Context(), topic, ms...))
}

func (f fixture) lease(t *testing.T, sub queue.Subscription, n int) []queue.Leased {
	t.Helper()
	leased, err := f.Lease(t.Context(), sub, n, lease)
	must(t, err)
	return leased
}

// want leases what is due and compares it.
func (f fixture) want(t *testing.T, sub queue.Subscription, want ...string) []queue.Leased {
	t.Helper()
	leased := f.lease(t, sub, len(want)+1)
	var got []string
	for _, m := range leased {
		got = append(got, string(m.Data))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s has %q due, want %q", sub, got, want)
	}
	return leased
}

// ack and again are the two outcomes of a lease.
func (f fixture) ack(t *testing.T, sub queue.Subscription, m queue.Leased) {
	t.Helper()
	must(t, f.Settle(t.Context(), queue.Outcome{Subscription: sub, ID: m.ID, Token: m.Token, Ack: true}))
}

func (f fixture) again(t *testing.T, sub queue.Subscription, m queue.Leased, after time.Duration) {
	t.Helper()
	must(t, f.Settle(t.Context(), queue.Outcome{Subscription: sub, ID: m.ID, Token: m.Token, NotBefore: f.clock.Now().Add(after)}))
}
