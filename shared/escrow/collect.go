package escrow

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Collect is for a Holding that found a window Short: it takes back what holders have not opened, and asks them to lower
// what they have, until every window has amount left to be granted. The error is a *Short if that takes longer than
// Patience. Others may be faster to use what was collected: the holding's owner tries again, and again takes Short.
func (e *Escrow) Collect(ctx context.Context, amount int64, budgets []Budget) error {
	end := e.now().Add(e.Patience)
	for i := range budgets {
		for pause := firstPause * time.Microsecond; ; pause = min(2*pause, lastPause*time.Microsecond) {
			short, held, err := e.collect(ctx, amount, &budgets[i])
			if err != nil {
				return fmt.Errorf("escrow: collect: %w", err)
			}
			if short == nil {
				break
			}
			if plus(held, short.Left) < amount || !e.now().Before(end) {
				return short
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(pause):
			}
		}
	}
	return nil
}

// collect does it once for one window. held is what holders have that may come back.
func (e *Escrow) collect(ctx context.Context, amount int64, b *Budget) (short *Short, held int64, err error) {
	h, err := e.others(ctx, b.ID, "")
	if err != nil {
		return nil, 0, err
	}
	err = e.store.Tx(ctx, func(tx store.Tx) error {
		d := newDocuments(tx)
		p := &plan{budget: *b, intent: carry, now: e.micros(), victims: h.idle}
		if err := d.read(p); err != nil {
			return err
		}
		w := d.windows[b.ID]
		if short = w.short(b, amount); short == nil {
			return nil
		}
		taken := take(d.victims(p))
		w.Alloc -= taken
		p.took = taken > 0
		if short = w.short(b, amount); short != nil && h.held > 0 && p.now-w.Wanted >= wishPause {
			w.Wanted = p.now
			p.wished = true
		}
		p.wroteWindow = p.took || p.wished
		_, err := d.write([]*plan{p}, nil)
		return err
	})
	return short, h.held, err
}

// short is the error if the window cannot grant amount.
func (w *Window) short(b *Budget, amount int64) *Short {
	if w.free(b.Limit) >= amount {
		return nil
	}
	return &Short{Budget: *b, Spent: plus(w.Opening, w.Spent), Left: w.free(b.Limit)}
}
