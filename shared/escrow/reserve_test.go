package escrow_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/escrow"
)

func TestNothingToReserve(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.process()
		b.reserve(e, 0, limited("aa", 10)).Settle(0)
		r := b.reserve(e, 5)
		if r.Settle(5); r.Amount() != 5 || len(r.Leases()) != 0 {
			b.Errorf("a reservation without budgets has amount %d, leases %v", r.Amount(), r.Leases())
		}
		if _, err := e.Reserve(b.Context(), 1, 1, []escrow.Budget{limited("aa", 10), limited("aa", 10)}); err == nil {
			b.Error("a budget may be named twice")
		}
		if b.refused(e, 1, limited("bb", 0)); b.store.txs.Load() > 0 {
			b.Errorf("%d transactions for nothing", b.store.txs.Load())
		}
	})
}

func TestWarmLeaseNeedsNoStore(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 1_000_000)
		for range 20 {
			b.reserve(e, 1000, budget).Settle(1000)
			time.Sleep(100 * time.Millisecond)
		}
		before := b.store.txs.Load()
		for range 10 {
			r := b.reserve(e, 100, budget)
			r.Settle(50)
			r.Settle(50)
		}
		b.must(e.Close(b.Context()))
		if w := b.window("aa"); b.store.txs.Load() > before+2 || w.Spent != 20_500 || w.Alloc != 20_500 {
			b.Errorf("%d transactions, %+v", b.store.txs.Load()-before, w)
		}
	})
}

func TestWaitersShareOneGrant(t *testing.T) {
	bubble(t, func(b *bench) {
		slow := &slowStore{Store: b.store.Store, latency: 20 * time.Millisecond}
		e := escrow.New(slow, "p", time.Now, slog.New(slog.DiscardHandler), nil)
		budgets := []escrow.Budget{limited("aa", 1_000_000), limited("bb", 2_000_000), limited("cc", 3_000_000)}
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() { b.reserve(e, 1000, budgets...).Settle(10) })
		}
		wg.Wait()
		if n := slow.commits.Load(); n > 3 {
			b.Errorf("500 requests at once took %d commits", n)
		}
	})
}

func TestAllBudgetsOrNone(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.process()
		wide, narrow := limited("aa", 100), limited("bb", 30)
		r := b.reserve(e, 20, wide, narrow)
		if got := r.Leases(); !cmp.Equal(got, []string{"aa-p1", "bb-p1"}) {
			b.Errorf("leases %v", got)
		}
		short := b.refused(e, 20, wide, narrow)
		if short.Budget != narrow || short.Left != 10 || !strings.Contains(short.Error(), "k-bb") {
			b.Errorf("short: %+v", short)
		}
		b.reserve(e, 80, wide).Settle(80)
		r.Settle(20)
		if short := b.refused(e, 11, narrow, wide); short.Spent != 100 && short.Spent != 20 {
			b.Errorf("short: %+v", short)
		}
		b.reserve(e, 10, narrow).Settle(10)
		b.must(e.Close(b.Context()))
		if a, n := b.window("aa"), b.window("bb"); a.Alloc != 100 || n.Alloc != 30 {
			b.Errorf("windows: %+v, %+v", a, n)
		}
	})
}

func TestAsMuchAsTheRemainderPays(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 100)
		b.reserve(e, 70, budget).Settle(70)
		r, err := e.Reserve(b.Context(), 50, 20, []escrow.Budget{budget})
		if err != nil || r.Amount() != 30 {
			b.Fatalf("got %v, %v; want the remainder, 30", r, err)
		}
		r.Settle(5)
		if r, err := e.Reserve(b.Context(), 50, 26, []escrow.Budget{budget}); err == nil {
			b.Errorf("got %d, of 25 left and 26 wanted", r.Amount())
		}
		b.reserve(e, 25, budget).Settle(25)
	})
}

// A request waits for calls that end before it is refused, and no longer than that.
func TestRunningCallsMayFreeEnough(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 100)
		r := b.reserve(e, 90, budget)
		time.AfterFunc(300*time.Millisecond, func() { r.Settle(10) })
		start := time.Now()
		r2 := b.reserve(e, 80, budget)
		if took := time.Since(start); took > 310*time.Millisecond {
			b.Errorf("waited %v", took)
		}
		start = time.Now()
		b.refused(e, 20, budget)
		if took := time.Since(start); took < 2500*time.Millisecond || took > 3100*time.Millisecond {
			b.Errorf("refused after %v", took)
		}
		r2.Settle(80)
		start = time.Now()
		b.refused(e, 20, budget)
		if took := time.Since(start); took > 0 {
			b.Errorf("refused after %v, though nothing could come back", took)
		}
	})
}

func TestDryIsRemembered(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 100)
		r := b.reserve(e, 50, budget)
		b.reserve(e, 45, budget).Settle(45)
		b.refused(e, 60, budget)
		before := b.store.txs.Load()
		for range 1000 {
			b.refused(e, 60, budget)
		}
		if b.store.txs.Load() != before {
			b.Errorf("1000 hopeless calls took %d transactions", b.store.txs.Load()-before)
		}
		b.reserve(e, 5, budget).Settle(0) // less is not refused
		r.Settle(0)                       // ends the memory
		b.reserve(e, 55, budget).Settle(55)
		b.refused(e, 1, budget)
		raised := budget
		raised.Limit = 101
		b.reserve(e, 1, raised).Settle(1) // ends it too
		b.refused(e, 1, raised)
		b.reserve(e, 1, limited("bb", 1)).Settle(1) // another window has its own
	})
}

func TestHoldersGiveBackWhenAsked(t *testing.T) {
	bubble(t, func(b *bench) {
		budget := limited("aa", 1000)
		holder, other := b.running(b.process()), b.process()
		r := b.reserve(holder, 600, budget)
		running := b.reserve(holder, 300, budget)
		r.Settle(100) // leaves 500 open, and what was granted on top
		start := time.Now()
		b.reserve(other, 600, budget).Settle(600)
		if took := time.Since(start); took > 200*time.Millisecond {
			b.Errorf("took %v", took)
		}
		b.refused(other, 1, budget)
		running.Settle(300)
	})
}

// What a holder has not opened is taken without asking it.
func TestIdleRightsAreTaken(t *testing.T) {
	bubble(t, func(b *bench) {
		budget := limited("aa", 100)
		holder, other := b.process(), b.process() // neither runs
		b.reserve(holder, 1, budget).Settle(1)
		if l := b.lease("aa-p1"); l.Granted == l.Opened {
			b.Fatalf("nothing is idle: %+v", l)
		}
		b.reserve(other, 99, budget).Settle(99)
		if l := b.lease("aa-p1"); l.Granted != l.Opened || l.Opened != 1 {
			b.Errorf("lease of the holder: %+v", l)
		}
		b.refused(holder, 1, budget)
	})
}

func TestLimitChanges(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 1000)
		first, second := b.reserve(e, 400, budget), b.reserve(e, 200, budget)
		lowered := budget
		lowered.Limit = 500
		b.refused(e, 50, lowered)
		if w := b.window("aa"); w.Alloc != 600 {
			b.Errorf("after the limit was lowered, idle rights are kept: %+v", w)
		}
		second.Settle(0) // frees 200, of which 100 are above the limit
		b.refused(e, 150, lowered)
		b.reserve(e, 100, lowered).Settle(100)
		b.refused(e, 1, lowered)
		first.Settle(400)
		raised := budget
		raised.Limit = 800
		b.reserve(e, 300, raised).Settle(300)
		if w := b.window("aa"); w.Limit != 800 || w.Alloc != 800 {
			b.Errorf("after the limit was raised: %+v", w)
		}
		b.refused(e, 1, raised)
	})
}

func TestOpening(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 100)
		budget.Opening = 90
		b.reserve(e, 5, budget).Settle(5)
		budget.Opening = 0 // the document exists
		if short := b.refused(e, 6, budget); short.Spent != 95 || short.Left != 5 {
			b.Errorf("short: %+v", short)
		}
	})
}

func TestSpendingMoreThanReserved(t *testing.T) {
	bubble(t, func(b *bench) {
		var logged strings.Builder
		e := escrow.New(b.store, "p", time.Now, slog.New(slog.NewTextHandler(&logged, nil)), nil)
		b.reserve(e, 10, limited("aa", 100)).Settle(70)
		b.reserve(e, 5, limited("aa", 100)).Settle(-5)
		if !strings.Contains(logged.String(), "level=ERROR") {
			b.Errorf("logged %q", logged.String())
		}
		b.refused(e, 31, limited("aa", 100))
		b.reserve(e, 30, limited("aa", 100)).Settle(90)
		b.must(e.Close(b.Context()))
		if w := b.window("aa"); w.Spent != 160 || w.Alloc != 160 {
			b.Errorf("%+v", w)
		}
	})
}
