package escrow

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	// nearly is how much of a limit, in percent, must be spent for a refusal to mean that it is used up: a limit that holds is
	// hardly ever reached to the unit, and a call that is refused for its size alone says nothing.
	nearly       = 90
	tellDeadline = 2 * time.Second
)

// refused tells Notice that the window is used up, when the first call is refused for that. The refusal stands if that fails.
func (e *Escrow) refused(ctx context.Context, s *Short) {
	if e.notice == nil || !reached(s.Spent, s.Budget.Limit, nearly) || !e.isFirst(s.Budget.ID) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellDeadline)
	defer cancel()
	var committed func()
	err := e.store.Tx(ctx, func(tx store.Tx) (err error) {
		w := &Window{}
		committed = nil
		if _, err := tx.Get(Budgets.Ref(s.Budget.ID), w); errors.Is(err, store.ErrNotFound) || err == nil && w.Alerted >= 100 {
			return nil
		} else if err != nil {
			return err
		}
		w.Alerted = 100
		told := *w
		told.Spent = max(w.Spent, s.Spent-w.Opening)
		if committed, err = e.notice(tx, told, 100); err != nil {
			return err
		}
		return tx.Put(Budgets.Ref(w.ID), w)
	})
	switch {
	case err != nil:
		e.log.WarnContext(ctx, "nobody was told that a budget is used up", "window", s.Budget.ID, "error", err)
	case committed != nil:
		committed()
	}
}

// isFirst tells whether this process has not yet told of the window.
func (e *Escrow) isFirst(budget string) bool {
	e.mu.RLock()
	l := e.leases[budget]
	e.mu.RUnlock()
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.told && l.window.Alerted < 100
	l.told = true
	return first
}
