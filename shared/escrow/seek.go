package escrow

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// patience is how long a request waits at most for what it cannot have at once.
const patience = 3 * time.Second

// failPause is how long it waits after a write that failed, before the store is asked again.
const failPause = 50 * time.Millisecond

// seek is Reserve's way when the leases lack room: it waits for a write, its own or another's, that brings some, or for
// calls that end.
func (e *Escrow) seek(ctx context.Context, r *Reservation, least int64, budgets []Budget) error {
	w := newWaiter(r.amount, least)
	defer w.leave()
	end := time.NewTimer(e.Patience)
	defer end.Stop()
	for {
		if err := e.find(r, budgets); err != nil {
			return err
		}
		lacking := admitAll(r.leases, budgets, w.amount)
		if lacking == nil {
			r.amount = w.amount
			return nil
		}
		if w.expired && w.failed != nil {
			return fmt.Errorf("reserve: %w", w.failed)
		}
		now := e.micros()
		if w.expired && w.informed(lacking) {
			if err := w.clamp(r.leases, now); err != nil {
				return err
			}
			continue
		}
		if w.join(lacking) {
			continue // room may have come before anybody knew of us
		}
		again, err := w.judge(lacking, now)
		if err != nil {
			return err
		}
		if again {
			continue
		}
		if acquire(lacking, func(l *lease) bool { return l.state != gone && l.pauseUntil <= now }) {
			err := e.serve(ctx, lacking)
			release(lacking, err)
			if w.failed = err; err == nil {
				continue
			}
		}
		if err := w.wait(ctx, w.pause(lacking, now), end.C); err != nil {
			return err
		}
	}
}

// waiter is a request that waits for room in leases.
type waiter struct {
	amount, least int64
	expired       bool
	failed        error      // of the last write that should have served it
	wake          chan error // holds one call to look again, or the error of the write that should have served it
	joined        []*lease
	came          map[*lease]int64 // a lease's last plan when the waiter first came to it
}

// demand is what a waiter needs of one lease.
type demand struct {
	waiter        *waiter
	amount, least int64
}

func newWaiter(amount, least int64) *waiter {
	return &waiter{amount: amount, least: least, wake: make(chan error, 1), came: map[*lease]int64{}}
}

// join makes the waiter known to the leases that lack room, and only to them: else its own tries would wake it. It tells
// whether anything is new.
func (w *waiter) join(lacking []*lease) (news bool) {
	for _, l := range w.joined {
		if !slices.Contains(lacking, l) {
			l.forget(w)
		}
	}
	w.joined = append(w.joined[:0], lacking...)
	for _, l := range lacking {
		news = l.await(w) || news
	}
	return news
}

func (w *waiter) leave() { w.join(nil) }

// judge looks what is known of the leases: a request that cannot be served is refused, one that can be served in part asks
// for less and tries again.
func (w *waiter) judge(lacking []*lease, now int64) (again bool, err error) {
	for _, l := range lacking {
		most, gone := l.most(w.came[l], now)
		switch {
		case gone:
			return true, nil
		case most < w.least:
			return true, w.clamp([]*lease{l}, now)
		case most < w.amount:
			w.amount = most
			return true, nil
		}
	}
	return false, nil
}

// pause is how long to wait before the store may be asked again; 0 if somebody else is asking.
func (w *waiter) pause(lacking []*lease, now int64) (d time.Duration) {
	for _, l := range lacking {
		l.mu.Lock()
		until, busy := l.pauseUntil, l.busy
		l.mu.Unlock()
		if busy {
			return 0
		}
		d = max(d, time.Duration(until-now)*time.Microsecond, time.Microsecond)
	}
	return d
}

// wait waits for news, for the pause to pass, or for the end of patience. After a write that failed it waits a little: the next may
// succeed, and nobody is refused for one that did not.
func (w *waiter) wait(ctx context.Context, pause time.Duration, end <-chan time.Time) error {
	if w.failed != nil {
		pause = failPause
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	over := timer.C
	if pause == 0 {
		over = nil
	}
	for {
		select {
		case err := <-w.wake:
			if w.failed = err; err == nil {
				return nil
			}
			if over == nil {
				timer.Reset(failPause)
				over = timer.C
			}
		case <-over:
			return nil
		case <-end:
			w.expired = true
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// informed tells whether the windows were looked at since the request came: a store that does not answer is no refusal.
func (w *waiter) informed(lacking []*lease) bool {
	return !slices.ContainsFunc(lacking, func(l *lease) bool { return !l.lookedSince(w.came[l]) })
}

// clamp lowers the request to what the leases have room for. If that is not enough it is refused, and the lease at fault
// remembers it.
func (w *waiter) clamp(leases []*lease, now int64) error {
	for _, l := range leases {
		room, short := l.offer(w.least, now)
		if short != nil {
			return short
		}
		w.amount = min(w.amount, room)
	}
	return nil
}
