package escrow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// timeout bounds each use of the store, which itself gives up sooner if it gets no answer: what takes longer are conflicts, where others
// write and our turn will come.
const timeout = 30 * time.Second

// acquire takes the leases' flights, all or none, so that one write is in flight for each at most (R2). The leases must
// differ; they are locked in the order of their ids, so nobody waits in a circle.
func acquire(leases []*lease, ready func(*lease) bool) bool {
	leases = slices.SortedFunc(slices.Values(leases), func(a, b *lease) int { return cmp.Compare(a.id, b.id) })
	for _, l := range leases {
		l.mu.Lock()
		defer l.mu.Unlock()
	}
	for _, l := range leases {
		if l.busy || !ready(l) {
			return false
		}
	}
	for _, l := range leases {
		l.busy = true
	}
	return true
}

// release ends the flights and lets everybody look who waits. An error is theirs as well.
func release(leases []*lease, err error) {
	for _, l := range leases {
		l.mu.Lock()
		l.busy = false
		l.wakeAll(err)
		l.mu.Unlock()
	}
}

// begin makes a plan of each lease; the caller has its flight.
func begin(leases []*lease, now int64, what func(*lease, int64) intent) []*plan {
	plans := make([]*plan, len(leases))
	for i, l := range leases {
		l.mu.Lock()
		plans[i] = l.begin(what(l, now), now)
		l.mu.Unlock()
	}
	return plans
}

// anew makes plans again after a conflict, which left nothing behind: what has come to be needed meanwhile takes no write of its own.
func anew(leases []*lease, plans []*plan, now int64) {
	for i, l := range leases {
		l.mu.Lock()
		old := *plans[i]
		*plans[i] = *l.begin(old.intent, now)
		plans[i].fence, plans[i].before, plans[i].victims, plans[i].wish = old.fence, old.before, old.victims, old.wish
		l.mu.Unlock()
	}
}

// carryOut commits the plans of these leases in one transaction, and tells the leases how that went.
func (e *Escrow) carryOut(ctx context.Context, leases []*lease, plans []*plan) error {
	// A caller who hangs up must not leave everybody else with an unknown outcome.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var committed []func()
	sent := false // the store may have been told to commit
	err := e.store.Tx(ctx, func(tx store.Tx) (err error) {
		if sent {
			anew(leases, plans, e.micros())
		}
		committed, err = exchange(tx, plans, e.notice)
		sent = err == nil
		return err
	})
	for i, l := range leases {
		l.mu.Lock()
		switch {
		case err == nil:
			l.answer(plans[i])
		case !sent || surelyNot(err):
			l.failed(plans[i])
		default:
			l.lost(plans[i])
		}
		l.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("escrow: write %d leases: %w", len(leases), err)
	}
	for _, f := range committed {
		f()
	}
	return nil
}

// surelyNot tells whether a store's error means that nothing was written.
func surelyNot(err error) bool {
	return slices.ContainsFunc([]error{
		store.ErrNotFound, store.ErrExists, store.ErrChanged, store.ErrTooLarge, store.ErrNoIndex, store.ErrFull,
	}, func(known error) bool { return errors.Is(err, known) })
}

func (e *Escrow) micros() int64 { return e.now().UnixMicro() }
