package escrow_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
)

func TestThresholdsAreToldOnce(t *testing.T) {
	bubble(t, func(b *bench) {
		var committed []int
		notice := func(tx store.Tx, w escrow.Window, percent int) (func(), error) {
			told := map[string]int{"percent": percent, "spent": int(w.Spent)}
			return func() { committed = append(committed, percent) },
				tx.Create(store.Ref{Collection: "outbox", ID: fmt.Sprint(w.ID, percent)}, told)
		}
		budget := limited("aa", 1000)
		budget.Soft = 600
		var es []*escrow.Escrow
		for i := range 4 {
			es = append(es, b.running(escrow.New(b.store, fmt.Sprint("n", i), time.Now, slog.New(slog.DiscardHandler), notice)))
		}
		for i := range 100 {
			e := es[i%4]
			b.reserve(e, 10, budget).Settle(10)
			b.must(e.Report(b.Context()))
			if i == 49 && !cmp.Equal(committed, []int{50}) {
				b.Errorf("at half: %v", committed)
			}
		}
		for _, e := range es {
			b.must(e.Close(b.Context()))
		}
		if want := []int{50, 0, 80, 100}; !cmp.Equal(committed, want) {
			b.Errorf("told %v, want %v", committed, want)
		}
		if w := b.window("aa"); w.Alerted != 100 || !w.SoftAlerted {
			b.Errorf("%+v", w)
		}
	})
}

// A notice that fails holds up nothing but the write that it was told in.
func TestNoticeFails(t *testing.T) {
	bubble(t, func(b *bench) {
		fails := errors.New("outbox")
		e := escrow.New(b.store, "p", time.Now, slog.New(slog.DiscardHandler), func(store.Tx, escrow.Window, int) (func(), error) {
			return nil, fails
		})
		b.reserve(e, 600, limited("aa", 1000)).Settle(600)
		if err := e.Report(b.Context()); !errors.Is(err, fails) {
			b.Errorf("got error %v", err)
		}
		fails = nil
		b.reserve(e, 400, limited("aa", 1000)).Settle(400)
	})
}

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
