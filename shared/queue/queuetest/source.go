package queuetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/queue"
)

func leaseHides(t *testing.T, f fixture) {
	f.want(t, only) // none due is no error
	f.publish(t, single, "a", "b", "c")
	if got := f.lease(t, only, 2); len(got) != 2 || got[0].Token == got[1].Token {
		t.Fatalf("leased %+v, want two with tokens of their own", got)
	}
	f.want(t, only, "c")
	f.want(t, only)
	f.clock.advance(lease - 1)
	f.want(t, only)
}

// expiry: a message comes again when its lease ends, as often as need be.
func expiry(t *testing.T, f fixture) {
	f.publish(t, single, "a")
	first := f.want(t, only, "a")[0]
	for attempt := 2; attempt < 5; attempt++ {
		f.clock.advance(lease)
		m := f.want(t, only, "a")[0]
		if m.Attempt != attempt || m.ID != first.ID || !m.Published.Equal(first.Published) || m.Token == first.Token {
			t.Errorf("delivery %d is %+v after %+v", attempt, m, first)
		}
	}
}

// staleToken: who comes late settles nothing, be the message due again, leased again, or settled.
func staleToken(t *testing.T, f fixture) {
	f.publish(t, single, "a")
	first := f.want(t, only, "a")[0]
	f.clock.advance(lease)
	f.ack(t, only, first)
	f.again(t, only, first, time.Hour)
	second := f.want(t, only, "a")[0]
	f.ack(t, only, first)
	f.again(t, only, first, 0)
	f.want(t, only)
	f.again(t, only, second, 0)
	f.ack(t, only, second)
	third := f.want(t, only, "a")[0]
	f.ack(t, only, third)
	f.again(t, only, third, 0)
	f.clock.advance(time.Hour)
	f.want(t, only)
}

func acknowledge(t *testing.T, f fixture) {
	f.publish(t, single, "a", "b", "c")
	ms := f.want(t, only, "a", "b", "c")
	must(t, f.Settle(t.Context(),
		queue.Outcome{Subscription: only, ID: ms[0].ID, Token: ms[0].Token, Ack: true},
		queue.Outcome{Subscription: only, ID: ms[1].ID, Token: ms[1].Token, NotBefore: f.clock.Now()},
		queue.Outcome{Subscription: left, ID: ms[2].ID, Token: ms[2].Token, Ack: true}, // not its subscription
		queue.Outcome{Subscription: only, ID: "no such message", Token: 1, Ack: true},
	))
	f.want(t, only, "b")
	f.ack(t, only, ms[0])
	f.clock.advance(lease)
	f.want(t, only, "b", "c")
	must(t, f.Settle(t.Context()))
}

// retry: a message asked for again comes when it is wanted, and at once if that has passed.
func retry(t *testing.T, f fixture) {
	f.publish(t, single, "a")
	f.again(t, only, f.want(t, only, "a")[0], 5*time.Minute)
	f.clock.advance(5*time.Minute - 1)
	f.want(t, only)
	f.clock.advance(1)
	m := f.want(t, only, "a")[0]
	if m.Attempt != 2 {
		t.Errorf("attempt is %d, want 2", m.Attempt)
	}
	f.again(t, only, m, -time.Hour)
	m = f.want(t, only, "a")[0]
	must(t, f.Settle(t.Context(), queue.Outcome{Subscription: only, ID: m.ID, Token: m.Token})) // no time at all
	f.want(t, only, "a")
}

// order: what has been due for longest comes first, which for a repeated message is the time it became due again.
func order(t *testing.T, f fixture) {
	for _, text := range []string{"a", "b", "c"} {
		f.publish(t, single, text)
		f.clock.advance(time.Second)
	}
	f.again(t, only, f.lease(t, only, 1)[0], 2*time.Second)
	f.clock.advance(time.Second)
	f.publish(t, single, "d")
	f.clock.advance(time.Second)
	f.publish(t, single, "e")
	f.clock.advance(time.Second)
	f.want(t, only, "b", "c", "d", "a", "e")
}

func nextDue(t *testing.T, f fixture) {
	want := func(want time.Time, wantOK bool) {
		t.Helper()
		at, ok, err := f.NextDue(t.Context(), only)
		must(t, err)
		if ok != wantOK || ok && !at.Equal(want) {
			t.Fatalf("next due %v, %v, want %v, %v", at, ok, want, wantOK)
		}
	}
	want(time.Time{}, false)
	f.publish(t, both, "elsewhere")
	want(time.Time{}, false)
	start := f.clock.Now()
	f.publish(t, single, "a")
	want(start, true)
	m := f.want(t, only, "a")[0]
	want(start.Add(lease), true)
	f.again(t, only, m, time.Hour)
	want(start.Add(time.Hour), true)
	f.clock.advance(time.Second)
	f.publish(t, single, "b")
	want(start.Add(time.Second), true)
	f.ack(t, only, f.want(t, only, "b")[0])
	want(start.Add(time.Hour), true)
	f.clock.advance(time.Hour)
	f.ack(t, only, f.want(t, only, "a")[0])
	want(time.Time{}, false)
}

func published(t *testing.T, f fixture) {
	news := map[queue.Subscription]<-chan struct{}{}
	for _, sub := range []queue.Subscription{left, right, only} {
		news[sub] = f.Published(sub)
	}
	quiet := func() {
		t.Helper()
		for sub, c := range news {
			select {
			case <-c:
				t.Errorf("a signal for %s out of nothing", sub)
			default:
			}
		}
	}
	heard := func(subs ...queue.Subscription) {
		t.Helper()
		for _, sub := range subs {
			select {
			case <-news[sub]:
			case <-time.After(10 * time.Second):
				t.Errorf("no signal for %s", sub)
			}
		}
		quiet()
	}
	quiet()
	f.publish(t, both, "a", "b")
	heard(left, right)
	f.publish(t, single, "a")
	f.publish(t, single, "b") // nobody listens: one signal stands for both
	heard(only)
	f.publish(t, none, "a")
	f.want(t, only, "a", "b")
	quiet()
}

// leasers share one subscription, while messages still come: each message is held by one of them, once.
func leasers(t *testing.T, f fixture) {
	const publishers, batches, leasers = 4, 25, 6
	var all errgroup.Group
	for p := range publishers {
		all.Go(func() error {
			for b := range batches {
				err := f.Publish(t.Context(), single, queue.Message{Data: fmt.Append(nil, p, "-", b, "-0")}, queue.Message{Data: fmt.Append(nil, p, "-", b, "-1")})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	var mu sync.Mutex
	held := map[string]int{}
	left := func() int { mu.Lock(); defer mu.Unlock(); return publishers*batches*2 - len(held) }
	for range leasers {
		all.Go(func() error {
			for left() > 0 {
				ms, err := f.Lease(t.Context(), only, 5, lease)
				if err != nil {
					return err
				}
				var outcomes []queue.Outcome
				for _, m := range ms {
					mu.Lock()
					held[string(m.Data)]++
					mu.Unlock()
					outcomes = append(outcomes, queue.Outcome{Subscription: only, ID: m.ID, Token: m.Token, Ack: true})
				}
				if err := f.Settle(t.Context(), outcomes...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, all.Wait())
	for text, n := range held {
		if n != 1 {
			t.Errorf("%s was held %d times", text, n)
		}
	}
	f.clock.advance(2 * lease)
	f.want(t, only)
}
