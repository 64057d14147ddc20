package escrow

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/shared/store"
)

// maxVictims is how many holders one transaction takes idle rights from.
const maxVictims = 10

// serve asks the store for what those who wait for the leases need, once; the caller has their flights.
func (e *Escrow) serve(ctx context.Context, leases []*lease) error {
	if !slices.ContainsFunc(leases, (*lease).isScarce) {
		plans := begin(leases, e.micros(), (*lease).need)
		if err := e.carryOut(ctx, leases, plans); err != nil {
			return err
		}
		var scarce []*lease
		for i, l := range leases {
			if plans[i].short && plans[i].intent&carry != 0 {
				scarce = append(scarce, l)
			}
		}
		leases = scarce
	}
	if len(leases) == 0 {
		return nil
	}
	return e.gather(ctx, leases)
}

// need is the intent that serves who waits for the lease. The caller holds the lock.
func (l *lease) need(now int64) intent {
	want, _ := l.demand()
	if l.over || plus(l.used(), plus(want, l.headroom(now)/2)) > l.granted || l.spent-l.reported > l.budget.Limit/reportPart {
		return l.needMore(now)
	}
	return flush
}

// needMore is the intent that has the window pay. The caller holds the lock.
func (l *lease) needMore(int64) intent {
	if l.over {
		return giveBack
	}
	return grant
}

func (l *lease) isScarce() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tries > 0
}

// gather collects for leases whose windows cannot pay: it takes what other holders have not opened, or asks them to lower
// what they have. Then the leases know how much could be had at best.
func (e *Escrow) gather(ctx context.Context, leases []*lease) error {
	now := e.micros()
	others := make([]holders, len(leases))
	for i, l := range leases {
		var err error
		l.mu.Lock()
		alloc := l.alloc
		l.mu.Unlock()
		if others[i], err = e.others(ctx, l.of, l.id); err != nil {
			return err
		}
		others[i].alloc = alloc
	}
	plans := begin(leases, now, (*lease).needMore)
	for i, p := range plans {
		p.victims, p.wish = others[i].idle, others[i].held > 0
	}
	if err := e.carryOut(ctx, leases, plans); err != nil {
		return err
	}
	for i, l := range leases {
		l.gathered(plans[i], others[i])
	}
	return nil
}

// holders are those who have rights in a window.
type holders struct {
	alloc int64    // of the window, as known before they were found
	held  int64    // granted and not known to be spent
	idle  []string // the leases that have rights which are not open, the largest first
}

// others finds who has rights in a window, but for one lease.
func (e *Escrow) others(ctx context.Context, budget, except string) (h holders, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	type victim struct {
		id   string
		idle int64
	}
	var found []victim
	q := store.Query{Collection: Leases, Eq: map[string]any{"budget": budget, "open": true}}
	for doc, err := range e.store.Query(ctx, q) {
		var other Lease
		if err == nil {
			err = doc.Decode(&other)
		}
		if err != nil {
			return h, fmt.Errorf("escrow: find holders: %w", err)
		}
		if doc.ID == except || other.Dead {
			continue
		}
		h.held = plus(h.held, max(0, other.Granted-other.Spent))
		if other.Granted > other.Opened {
			found = append(found, victim{doc.ID, other.Granted - other.Opened})
		}
	}
	slices.SortFunc(found, func(a, b victim) int { return cmp.Compare(b.idle, a.idle) })
	for _, v := range found[:min(len(found), maxVictims)] {
		h.idle = append(h.idle, v.id)
	}
	return h, nil
}
