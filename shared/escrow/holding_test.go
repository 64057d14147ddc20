package escrow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
)

func TestHolding(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.process()
		budgets := []escrow.Budget{limited("aa", 100), limited("bb", 50)}
		move := func(holder string, do func(*escrow.Holding) error) error {
			var h *escrow.Holding
			err := b.store.Tx(b.Context(), func(tx store.Tx) (err error) {
				if h, err = e.Hold(tx, holder, budgets); err != nil {
					return err
				}
				if err := do(h); err != nil {
					return err
				}
				return h.Write(tx)
			})
			if err == nil {
				h.Committed()
				if got := h.Leases(); !cmp.Equal(got, []string{"aa-" + holder, "bb-" + holder}) {
					b.Errorf("leases %v", got)
				}
			}
			return err
		}
		set := func(opened, spent int64) func(*escrow.Holding) error {
			return func(h *escrow.Holding) error { return h.Set(opened, spent) }
		}
		want := func(id string, alloc, spent int64) {
			b.Helper()
			if w := b.window(id); w.Alloc != alloc || w.Spent != spent {
				b.Errorf("got %+v, want alloc %d, spent %d", w, alloc, spent)
			}
		}
		b.must(move("c1", set(30, 0)))
		b.must(move("c2", set(20, 5)))
		want("bb", 50, 5)
		var short *escrow.Short
		if err := move("c1", set(31, 10)); !errors.As(err, &short) || short.Budget.ID != "bb" {
			b.Errorf("got error %v", err)
		}
		want("aa", 50, 5)
		b.must(escrow.Reap(b.Context(), b.store, "aa-c1"))
		b.must(move("c1", set(25, 10))) // being reaped took nothing
		want("aa", 45, 15)
		for range 2 {
			b.must(move("c1", func(h *escrow.Holding) error { h.Close(12); return nil }))
			want("bb", 32, 17)
		}
		if l := b.lease("bb-c1"); l.Open || l.Dead || l.Granted != 12 || l.Opened != 12 || l.Spent != 12 {
			b.Errorf("closed: %+v", l)
		}
		b.refused(e, 19, budgets[1])
		b.reserve(e, 18, budgets[1]).Settle(18)
	})
}

// A holding gets what leases have and do not use.
func TestCollect(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budgets := b.running(b.process()), []escrow.Budget{limited("aa", 1000)}
		b.reserve(e, 500, budgets...).Settle(100) // leaves 400 open
		running := b.reserve(e, 300, budgets...)
		set := func(opened int64) error {
			return b.store.Tx(b.Context(), func(tx store.Tx) error {
				h, err := e.Hold(tx, "chunk", budgets)
				if err != nil {
					return err
				}
				return errors.Join(h.Set(opened, 0), h.Write(tx))
			})
		}
		var short *escrow.Short
		if err := set(600); !errors.As(err, &short) {
			b.Fatalf("got error %v, want a Short", err)
		}
		b.must(e.Collect(b.Context(), 600, budgets))
		b.must(set(600))
		start := time.Now()
		if err := e.Collect(b.Context(), 1, budgets); !errors.As(err, &short) || time.Since(start) < time.Second {
			b.Errorf("got error %v after %v", err, time.Since(start))
		}
		running.Settle(300)
		b.must(e.Report(b.Context()))
		if w := b.window("aa"); w.Alloc != 1000 {
			b.Errorf("%+v", w)
		}
	})
}
