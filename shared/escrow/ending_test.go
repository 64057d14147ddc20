package escrow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// hold moves a holding in a transaction of its owner.
func (w *world) hold(p *process) error {
	id := fmt.Sprintf("h%d", w.rnd.IntN(3))
	h := w.holdings[id]
	if h == nil {
		h = &held{budgets: w.some(w.budgets)}
		w.holdings[id] = h
	}
	w.stats.holdings++
	next := *h
	next.spent = h.spent + w.rnd.Int64N(h.opened-h.spent+1)
	next.opened = next.spent + w.rnd.Int64N(60)
	if next.open = w.rnd.IntN(4) > 0; !next.open {
		next.opened = next.spent
	}
	view := make([]Budget, len(h.budgets))
	for i, b := range h.budgets {
		view[i] = w.budgets[slices.IndexFunc(w.budgets, func(x Budget) bool { return x.ID == b.ID })]
	}
	err := w.Tx(context.Background(), func(tx store.Tx) error {
		hold, err := p.e.Hold(tx, id, view)
		if err != nil {
			return err
		}
		if next.open {
			if err := hold.Set(next.opened, next.spent); err != nil {
				return err
			}
		} else {
			hold.Close(next.spent)
		}
		return hold.Write(tx)
	})
	if short := (*Short)(nil); errors.As(err, &short) {
		return nil
	}
	if err != nil {
		return err
	}
	*h = next
	for _, b := range h.budgets {
		w.charged[b.ID+"-"+id] = h.spent
	}
	return nil
}

// collect takes back what is idle.
func (w *world) collect(p *process) error {
	b := w.budgets[w.rnd.IntN(len(w.budgets))]
	_, _, err := p.e.collect(context.Background(), 1+w.rnd.Int64N(b.Limit+1), &b)
	return err
}

// end lets every call end, every process close its leases and every killed one be reaped; then the books must balance.
func (w *world) end() error {
	for _, p := range w.processes {
		for len(p.waiting) > 0 {
			w.leave(p, p.waiting[0])
		}
		for len(p.ops) > 0 {
			w.done(p, p.ops[0], w.lost)
		}
		for len(p.calls) > 0 {
			if err := w.settle(p); err != nil {
				return err
			}
		}
		for _, l := range p.e.all() {
			if l.inflight > 0 {
				return fmt.Errorf("I4: %s: %d in flight without a call", l.id, l.inflight)
			}
		}
		if err := p.e.Close(context.Background()); err != nil {
			return err
		}
		if left := p.e.all(); len(left) > 0 {
			return fmt.Errorf("I4: %s is not closed", left[0].id)
		}
	}
	for len(w.limbo) > 0 {
		if err := w.late(nil); err != nil {
			return err
		}
	}
	for len(w.zombies) > 0 {
		_ = w.zombie(nil)
	}
	for id, h := range w.holdings {
		h.open = false
		if err := w.Tx(context.Background(), func(tx store.Tx) error {
			hold, err := w.closer().Hold(tx, id, h.budgets)
			if err != nil {
				return err
			}
			hold.Close(h.spent)
			return hold.Write(tx)
		}); err != nil {
			return err
		}
	}
	for id := range w.crashed {
		if err := Reap(context.Background(), w, id); err != nil {
			return err
		}
	}
	if err := w.check(); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	return w.balance()
}

// balance asserts that nothing is locked but what killed processes had opened and not written down as spent.
func (w *world) balance() error {
	locked, spent := map[string]int64{}, map[string]int64{}
	for id, d := range w.leases {
		spent[d.Budget] += d.Spent
		switch {
		case w.crashed[id]:
			locked[d.Budget] += d.Opened - d.Spent
			if d.Open || d.Granted != d.Opened || d.Opened < w.charged[id] {
				return fmt.Errorf("I5: %s: billed %d, document %+v", id, w.charged[id], d)
			}
		case d.Open || d.Granted != d.Spent || d.Opened != d.Spent || d.Spent != w.charged[id]:
			return fmt.Errorf("I4: %s: billed %d, document %+v", id, w.charged[id], d)
		}
	}
	for id, d := range w.windows {
		if d.Spent != spent[id] || d.Alloc != spent[id]+locked[id] {
			return fmt.Errorf("I4: %+v: leases have spent %d, locked %d", d, spent[id], locked[id])
		}
	}
	return nil
}

func (w *world) closer() *Escrow {
	return New(w, "closer", func() time.Time { return time.UnixMicro(w.now) }, slog.New(slog.DiscardHandler), nil)
}
