package escrow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// deadAfter is how old an open lease may become before it is taken for dead: longer than Cloud Run lets a request run (60
// minutes; vendor page on request timeouts), with a margin. A wrong guess costs the holder a new lease and nothing else.
const deadAfter = 70 * time.Minute

// Sweep reaps the leases that their holders have not renewed for 70 minutes. Any process may do it at any time.
func Sweep(ctx context.Context, s store.Store, now time.Time) error {
	stale := store.Query{
		Collection: Leases, Eq: map[string]any{"open": true}, Order: "renewed", To: now.Add(-deadAfter).UnixMicro(),
	}
	var errs []error
	for doc, err := range s.Query(ctx, stale) {
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("escrow: query stale leases: %w", err))...)
		}
		var l Lease
		if err := doc.Decode(&l); err != nil {
			errs = append(errs, fmt.Errorf("escrow: lease %s: %w", doc.ID, err))
			continue
		}
		errs = append(errs, reap(ctx, s, doc.ID, l.Renewed))
	}
	return errors.Join(errs...)
}

// Reap takes the named lease for dead: what it had not opened goes back to the window, and the rest stays charged. It is
// safe whether its holder lives or not, and changes nothing when repeated.
func Reap(ctx context.Context, s store.Store, lease string) error {
	return reap(ctx, s, lease, 0)
}

// reap spares a lease that was renewed since.
func reap(ctx context.Context, s store.Store, id string, renewed int64) error {
	err := s.Tx(ctx, func(tx store.Tx) error {
		var l Lease
		switch _, err := tx.Get(Leases.Ref(id), &l); {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		case !l.Open || l.Dead || renewed != 0 && l.Renewed != renewed:
			return nil
		}
		var w Window
		_, err := tx.Get(Budgets.Ref(l.Budget), &w)
		if errors.Is(err, store.ErrNotFound) { // purged, or it never granted anything
			l.die(&w)
			return tx.Put(Leases.Ref(id), &l)
		}
		if err != nil {
			return err
		}
		l.die(&w)
		return errors.Join(tx.Put(Leases.Ref(id), &l), tx.Put(Budgets.Ref(w.ID), &w))
	})
	if err != nil {
		return fmt.Errorf("escrow: reap lease %s: %w", id, err)
	}
	return nil
}

// die ends a lease whose holder does not answer.
func (l *Lease) die(w *Window) {
	w.Alloc -= l.Granted - l.Opened
	w.Spent = plus(w.Spent, l.Spent-l.Reported)
	l.Granted, l.Reported = l.Opened, l.Spent
	l.Open, l.Dead = false, true
}
