package escrow

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/store"
)

// When leases are looked after, in microseconds. None of these is needed for correctness.
const (
	shrinkAfter = 2_000_000     // idle for so long, a lease closes what it had opened ahead
	returnAfter = 15_000_000    // and then gives back its rights
	forgetAfter = 300_000_000   // and then is closed
	writeAfter  = 30_000_000    // what was spent is written down at least so often
	renewAfter  = 1_200_000_000 // and leases with running calls so often, that nobody takes them for dead
	worthwhile  = 1024          // part of the limit that is worth that write; twice what is opened at least is worth the first
)

const (
	tick       = time.Second
	groupSize  = 20               // leases in one transaction
	groups     = 4                // transactions at once
	watchLife  = 10 * time.Minute // after which a watch begins anew, without the windows that nobody wants any more
	watchPause = time.Second
)

// Run looks after the leases until ctx ends: it gives back what is idle, promptly if another holder asks, and writes down
// what was spent. Nothing's correctness needs it.
func (e *Escrow) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { e.tend(ctx); return nil })
	g.Go(func() error { e.listen(ctx); return nil })
	return g.Wait()
}

func (e *Escrow) tend(ctx context.Context) {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if _, err := e.each(ctx, e.all(), (*lease).chore); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "leases not looked after", slog.Any("error", err))
		}
	}
}

// listen hears of windows that somebody wants rights in.
func (e *Escrow) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := e.watch(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		e.log.WarnContext(ctx, "watch of wanted budgets ended", slog.Any("error", err))
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
}

func (e *Escrow) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchLife)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(groups)
	defer func() { _ = g.Wait() }()
	q := store.Query{Collection: Budgets, Order: "wanted", From: e.micros() - wishPause}
	for change, err := range e.store.Watch(ctx, q) {
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if l := e.wanted(change); l != nil {
			g.Go(func() error {
				// A lease that is busy gives back with its next write, and one that could not is tended to.
				_, _ = e.each(ctx, []*lease{l}, (*lease).reply)
				return nil
			})
		}
	}
	return nil
}

// wanted is the lease that has to give back what it does not use, if any.
func (e *Escrow) wanted(change store.Change) *lease {
	var w Window
	if change.Removed || change.Live || change.Doc.Decode(&w) != nil {
		return nil
	}
	e.mu.RLock()
	l := e.leases[w.ID]
	e.mu.RUnlock()
	if l == nil || !l.hear(w) {
		return nil
	}
	return l
}

// reply is the intent of a lease whose rights another holder wants. If it is about to use them it gives what is left later, as a
// chore.
func (l *lease) reply(now int64) (intent, bool) {
	return giveBack, l.asked && max(l.open, l.granted)-l.used() > l.soon(now)
}

// chore is what a lease needs now, if anything. The caller holds the lock.
func (l *lease) chore(now int64) (what intent, needed bool) {
	if l.uses != l.usesSeen || l.idleSince == 0 {
		l.usesSeen, l.idleSince = l.uses, now
	}
	idle, spare := now-l.idleSince, l.budget.Limit/worthwhile
	over := l.budget.End > 0 && now/1e6 >= l.budget.End
	switch {
	case l.closed || len(l.waiters) > 0:
		return 0, false
	case l.state == gone:
		return finish, l.inflight == 0
	case l.inflight == 0 && (over || idle >= forgetAfter):
		return finish, true
	case l.asked:
		return giveBack, true
	case idle >= returnAfter && (l.granted-l.used() > spare || l.granted > l.used() && l.inflight == 0):
		return giveBack, true
	case idle >= shrinkAfter && l.open-l.used() > 2*(l.budget.Limit/headLeast):
		return shrink, true
	}
	old := l.spent != l.written && now-l.renewed >= writeAfter || l.inflight > 0 && now-l.renewed >= renewAfter
	return flush, old || l.state == unknown
}

// Report writes down in the store, and in the windows, what was spent so far.
func (e *Escrow) Report(ctx context.Context) error {
	return e.every(ctx, func(l *lease, now int64) (intent, bool) {
		return grant, l.state != gone && (l.reported != l.spent || l.written != l.spent)
	})
}

// Close gives back all that is idle and closes the leases whose calls have ended, so that their documents are exact. The
// others can be closed by a later Close; calls that come meanwhile get new leases.
func (e *Escrow) Close(ctx context.Context) error {
	return e.every(ctx, func(l *lease, now int64) (intent, bool) {
		switch {
		case l.inflight == 0:
			return finish, !l.closed
		case l.state == gone:
			return 0, false
		}
		return giveBack, l.state == unknown || l.granted > l.used() || l.open > l.used() || l.reported != l.spent
	})
}

// every carries out on all leases what is needed, however busy they are.
func (e *Escrow) every(ctx context.Context, what func(*lease, int64) (intent, bool)) error {
	const pause = 5 * time.Millisecond
	for leases := e.all(); ; {
		busy, err := e.each(ctx, leases, what)
		if err != nil || len(busy) == 0 {
			return err
		}
		leases = busy
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// each carries out on the leases what is needed, in groups. It leaves out those that are busy, and tells which.
func (e *Escrow) each(ctx context.Context, leases []*lease, what func(*lease, int64) (intent, bool)) (busy []*lease, err error) {
	now := e.micros()
	chores := map[*lease]intent{}
	var todo []*lease
	for _, l := range leases {
		l.mu.Lock()
		chore, needed := what(l, now)
		switch {
		case !needed:
		case l.busy:
			busy = append(busy, l)
		default:
			l.busy = true
			chores[l] = chore
			todo = append(todo, l)
		}
		l.mu.Unlock()
	}
	var g errgroup.Group
	g.SetLimit(groups)
	for group := range slices.Chunk(todo, groupSize) {
		g.Go(func() error {
			err := e.carryOut(ctx, group, begin(group, now, func(l *lease, _ int64) intent { return chores[l] }))
			release(group, err)
			return err
		})
	}
	err = g.Wait()
	e.forget(todo)
	return busy, err
}

// forget drops leases whose documents are closed.
func (e *Escrow) forget(leases []*lease) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range leases {
		if l.isClosed() && e.leases[l.of] == l {
			e.retire(l)
		}
	}
	e.old = slices.DeleteFunc(e.old, (*lease).isClosed)
}

func (e *Escrow) all() []*lease {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := slices.Clone(e.old)
	for _, l := range e.leases {
		all = append(all, l)
	}
	return all
}
