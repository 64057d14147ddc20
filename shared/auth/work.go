package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// work is one change of one key in its transaction: reads first, then writes.
type work struct {
	ctx   context.Context
	m     *Manager
	tx    store.Tx
	by    audit.By
	now   time.Time
	spent account.Spent
}

// work runs fn in a transaction. What fn asks of the books is asked between two runs: a transaction waits for nothing outside.
func (m *Manager) work(ctx context.Context, by audit.By, fn func(*work) error) error {
	type question struct {
		subject string
		since   time.Time
	}
	known := map[question]gateway.NanoUSD{}
	now := m.Now()
	for {
		var open question
		ask := func(_ context.Context, _ gateway.Scope, subject string, since time.Time) (gateway.NanoUSD, error) {
			open = question{subject, since}
			if spent, found := known[open]; found || m.Spent == nil {
				return spent, nil
			}
			return 0, errOpen
		}
		err := m.Store.Tx(ctx, func(tx store.Tx) error { return fn(&work{ctx, m, tx, by, now, ask}) })
		if !errors.Is(err, errOpen) {
			return err
		}
		if known[open], err = m.Spent(ctx, gateway.ScopeKey, open.subject, open.since); err != nil {
			return err
		}
	}
}

var errOpen = errors.New("the books must be asked first")

// limit gives the key's budgets their documents and sets its spend where the request does.
func (w *work) limit(k *Key, old gateway.Limits, given field.Request) error {
	if err := w.shared(k, given); err != nil {
		return err
	}
	loc := w.m.location()
	err := account.Spent(w.since(k)).Renew(w.ctx, gateway.ScopeKey, k.ID, k.Limits.Budgets, old.Budgets, w.now, loc)
	if err != nil {
		return err
	}
	for i := range k.Limits.Models {
		model := &k.Limits.Models[i]
		var had []gateway.Budget
		for _, o := range old.Models {
			if o.Model == model.Model {
				had = o.Budgets
			}
		}
		if err := account.Spent(nil).Renew(w.ctx, gateway.ScopeKey, k.ID, model.Budgets, had, w.now, loc); err != nil {
			return err
		}
	}
	if raw, found := given["spend"]; found {
		to, err := gateway.ParseUSD(string(raw))
		if err != nil {
			return nil // null: as it is
		}
		return w.respend(k, to)
	}
	return nil
}

// shared makes sure that a budget that a request names exists: without it the key would have no limits.
func (w *work) shared(k *Key, given field.Request) error {
	if _, found := given["budget_id"]; !found || k.Budget == "" {
		return nil
	}
	_, err := readAccount(w.tx.Get, account.Budget, k.Budget)
	if errors.Is(err, store.ErrNotFound) {
		return gateway.Invalid("budget_id", "There is no budget %.100q.", k.Budget)
	}
	return err
}

// readAccount reads an account; a deleted one is store.ErrNotFound.
func readAccount(get getter, kind account.Kind, id string) (*account.Account, error) {
	a := new(account.Account)
	_, err := get(account.Ref(kind, id), a)
	if err == nil && a.Deleted {
		err = store.ErrNotFound
	}
	return a, err
}

// since tells what the key spent from a time on, never more than what it is said to have spent in all: a reset holds for windows
// that begin later, too.
func (w *work) since(k *Key) account.Spent {
	return func(ctx context.Context, scope gateway.Scope, subject string, since time.Time) (gateway.NanoUSD, error) {
		total, err := w.total(k)
		if err != nil || since.IsZero() {
			return total, err
		}
		spent, err := w.spent(ctx, scope, subject, since)
		return min(spent, total), err
	}
}

// total is the key's spend as rows show it.
func (w *work) total(k *Key) (gateway.NanoUSD, error) {
	booked, err := w.spent(w.ctx, gateway.ScopeKey, k.ID, time.Time{})
	return max(0, booked.Plus(k.Spent)), err
}

func (w *work) respend(k *Key, to gateway.NanoUSD) error {
	booked, err := w.spent(w.ctx, gateway.ScopeKey, k.ID, time.Time{})
	if err != nil {
		return err
	}
	k.Spent = to - booked
	k.Limits.Budgets = slices.Clone(k.Limits.Budgets)
	account.Reset(k.Limits.Budgets, to, w.now)
	return nil
}

// record writes what changed. before is nil for a new key.
func (w *work) record(action string, request field.Request, before, after *Key) error {
	c := audit.Change{Action: action, Table: "key", Object: after.ID, Fields: request}
	if before != nil {
		c.Before = w.recorded(before)
	}
	if !after.Deleted {
		c.After = w.recorded(after)
	}
	return audit.Put(w.tx, w.by, c, w.now)
}

// recorded is the row without what is not the key's own: what was booked for it.
func (w *work) recorded(k *Key) map[string]any {
	row := w.m.Row(k, 0)
	delete(row, "spend")
	if k.Spent != 0 {
		row["spend_set"] = amount(&k.Spent, 0)
	}
	row["token"] = k.Hash
	return row
}
