package escrow_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
)

func TestThresholdsAreToldOnce(t *testing.T) {
	bubble(t, func(b *bench) {
		var mu sync.Mutex
		var committed []int
		notice := func(tx store.Tx, w escrow.Window, percent int) (func(), error) {
			told := map[string]int{"percent": percent, "spent": int(w.Spent)}
			return func() { mu.Lock(); defer mu.Unlock(); committed = append(committed, percent) },
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
			mu.Lock()
			if i == 49 && !cmp.Equal(committed, []int{50}) {
				b.Errorf("at half: %v", committed)
			}
			mu.Unlock()
		}
		for _, e := range es {
			b.must(e.Close(b.Context()))
		}
		mu.Lock()
		defer mu.Unlock()
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
