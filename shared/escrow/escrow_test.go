package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var errAway = errors.New("the store is away")

// flakyStore counts transactions, and fails as told.
type flakyStore struct {
	*memstore.Store
	away         bool // fails before anything is written
	answersLost  bool // fails after everything is written
	txs, commits int
}

func (s *flakyStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if s.away {
		return errAway
	}
	tx := &countingTx{}
	err := s.Store.Tx(ctx, func(inner store.Tx) error {
		*tx = countingTx{Tx: inner}
		return fn(tx)
	})
	s.txs++
	if tx.wrote {
		s.commits++
	}
	if s.answersLost {
		return errAway
	}
	return err
}

// bench is a store and processes on it, inside a synctest bubble.
type bench struct {
	*testing.T
	store *flakyStore
	born  int
}

func bubble(t *testing.T, test func(b *bench)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(&bench{T: t, store: &flakyStore{Store: memstore.New()}}) })
}

func (b *bench) process() *escrow.Escrow {
	b.born++
	return escrow.New(b.store, fmt.Sprintf("p%d", b.born), time.Now, slog.New(slog.DiscardHandler), nil)
}

func (b *bench) reserve(e *escrow.Escrow, amount int64, budgets ...escrow.Budget) *escrow.Reservation {
	b.Helper()
	r, err := e.Reserve(b.Context(), amount, amount, budgets)
	if err != nil {
		b.Fatalf("reserve %d: %v", amount, err)
	}
	return r
}

func (b *bench) refused(e *escrow.Escrow, amount int64, budgets ...escrow.Budget) *escrow.Short {
	b.Helper()
	r, err := e.Reserve(b.Context(), amount, amount, budgets)
	var short *escrow.Short
	if !errors.As(err, &short) {
		b.Fatalf("reserve %d: got %v, %v; want a Short", amount, r, err)
	}
	return short
}

func (b *bench) window(id string) (w escrow.Window) {
	b.Helper()
	if _, err := b.store.Get(b.Context(), escrow.Budgets.Ref(id), &w); err != nil {
		b.Fatal(err)
	}
	return w
}

func (b *bench) lease(id string) (l escrow.Lease) {
	b.Helper()
	if _, err := b.store.Get(b.Context(), escrow.Leases.Ref(id), &l); err != nil {
		b.Fatal(err)
	}
	return l
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// running runs the process until the test ends.
func (b *bench) running(e *escrow.Escrow) *escrow.Escrow {
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := e.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() { cancel(); wg.Wait() })
	return e
}

func limited(id string, limit int64) escrow.Budget {
	return escrow.Budget{ID: id, Limit: limit, Label: escrow.Label{Scope: "key", Subject: "k-" + id}}
}

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
		if b.refused(e, 1, limited("bb", 0)); b.store.txs > 0 {
			b.Errorf("%d transactions for nothing", b.store.txs)
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
		before := b.store.txs
		for range 10 {
			r := b.reserve(e, 100, budget)
			r.Settle(50)
			r.Settle(50)
		}
		b.must(e.Close(b.Context()))
		if w := b.window("aa"); b.store.txs > before+2 || w.Spent != 20_500 || w.Alloc != 20_500 {
			b.Errorf("%d transactions, %+v", b.store.txs-before, w)
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
		if took := time.Since(start); took < 500*time.Millisecond || took > 1100*time.Millisecond {
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
		before := b.store.txs
		for range 1000 {
			b.refused(e, 60, budget)
		}
		if b.store.txs != before {
			b.Errorf("1000 hopeless calls took %d transactions", b.store.txs-before)
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
		budget := limited("aa", 100_000)
		holder, other := b.process(), b.process() // neither runs
		b.reserve(holder, 100, budget).Settle(100)
		if l := b.lease("aa-p1"); l.Granted == l.Opened {
			b.Fatalf("nothing is idle: %+v", l)
		}
		b.reserve(other, 99_900, budget).Settle(99_900)
		if l := b.lease("aa-p1"); l.Granted != l.Opened || l.Opened != 100 {
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

func TestWindows(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.running(b.process())
		var late *escrow.Reservation
		var leases []string
		for day := range int64(5) {
			w := limited(fmt.Sprintf("d%d", day), 100)
			w.Start, w.End = time.Now().Unix(), time.Now().Add(time.Hour).Unix()
			b.reserve(e, 100, w).Settle(60)
			late = b.reserve(e, 40, w)
			leases = append(leases, late.Leases()...)
			time.Sleep(time.Until(time.Unix(w.End, 0)))
			if day < 4 {
				late.Settle(30)
			}
		}
		time.Sleep(3 * time.Second)
		if held := e.Held(); held != 1 {
			b.Errorf("%d leases are kept of ended windows with one running call", held)
		}
		if l, w := b.lease(leases[1]), b.window("d1"); l.Open || l.Granted != 90 || w.Alloc != 90 || w.Spent != 90 || w.Purge != w.End+90*86400 || l.Purge != w.Purge {
			b.Errorf("ended window: %+v, %+v", l, w)
		}
		late.Settle(40)
		time.Sleep(3 * time.Second)
		if w := b.window("d4"); e.Held() != 0 || w.Alloc != 100 {
			b.Errorf("%d leases are kept; last window: %+v", e.Held(), w)
		}
	})
}

func TestIdleRightsGoBack(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 1_000_000)
		r := b.reserve(e, 5000, budget)
		b.reserve(e, 9000, budget).Settle(1000)
		time.Sleep(5 * time.Second)
		if l := b.lease("aa-p1"); l.Opened != 6000 || l.Spent != 1000 {
			b.Errorf("after some seconds: %+v", l)
		}
		time.Sleep(15 * time.Second)
		if l, w := b.lease("aa-p1"), b.window("aa"); l.Granted != 6000 || w.Alloc != 6000 || w.Spent != 1000 {
			b.Errorf("after 20 seconds: %+v, %+v", l, w)
		}
		r.Settle(3000)
		time.Sleep(6 * time.Minute)
		if l, w := b.lease("aa-p1"), b.window("aa"); l.Open || w.Alloc != 4000 || w.Spent != 4000 || e.Held() != 0 {
			b.Errorf("after minutes: %+v, %+v", l, w)
		}
		if got := b.reserve(e, 1, budget).Leases(); got[0] != "aa-p1.1" {
			b.Errorf("a new lease is called %v", got)
		}
	})
}

func TestCloseAndReport(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.process()
		budgets := make([]escrow.Budget, 50)
		for i := range budgets {
			budgets[i] = limited(fmt.Sprintf("w%d", i), 1000)
			b.reserve(e, 100, budgets[i]).Settle(int64(i))
		}
		r := b.reserve(e, 100, budgets[7])
		b.must(e.Report(b.Context()))
		if w, l := b.window("w9"), b.lease("w9-p1"); w.Spent != 9 || l.Spent != 9 || l.Reported != 9 {
			b.Errorf("after a report: %+v, %+v", w, l)
		}
		b.must(e.Close(b.Context()))
		for i := range budgets {
			want := int64(i)
			if i == 7 {
				want += 100
			}
			w, l := b.window(budgets[i].ID), b.lease(budgets[i].ID+"-p1")
			if w.Alloc != want || w.Spent != int64(i) || l.Granted != want || l.Open != (i == 7) {
				b.Errorf("after close: %+v, %+v", w, l)
			}
		}
		r.Settle(1)
		b.must(e.Close(b.Context()))
		if w, l := b.window("w7"), b.lease("w7-p1"); w.Alloc != 8 || w.Spent != 8 || l.Open || e.Held() != 0 {
			b.Errorf("after the second close: %+v, %+v", w, l)
		}
	})
}

func TestStoreAway(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 10_000)
		b.reserve(e, 1000, budget).Settle(0)
		b.store.away = true
		time.Sleep(time.Minute) // chores fail, and change nothing
		r := b.reserve(e, 1000, budget)
		if _, err := e.Reserve(b.Context(), 1000, 1, []escrow.Budget{budget}); !errors.Is(err, errAway) {
			b.Errorf("got error %v, want the store's", err)
		}
		r.Settle(1000)
		b.store.away = false
		b.reserve(e, 9000, budget).Settle(9000)
		b.refused(e, 1, budget)
	})
}

func TestAnswerLost(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 1000)
		b.reserve(e, 10, budget).Settle(10)
		b.store.answersLost = true
		for range 3 {
			if _, err := e.Reserve(b.Context(), 500, 500, []escrow.Budget{budget}); !errors.Is(err, errAway) {
				b.Errorf("got error %v, want the store's", err)
			}
		}
		if _, err := e.Reserve(b.Context(), 1, 1, []escrow.Budget{budget}); !errors.Is(err, errAway) {
			b.Errorf("got error %v after an unknown outcome, want the store's", err)
		}
		b.store.answersLost = false
		b.reserve(e, 990, budget).Settle(990)
		b.refused(e, 1, budget)
		b.must(e.Close(b.Context()))
		if w := b.window("aa"); w.Alloc != 1000 || w.Spent != 1000 {
			b.Errorf("%+v", w)
		}
	})
}

// A store that does not answer is no refusal, however long a request has waited for it.
func TestStoreHangs(t *testing.T) {
	bubble(t, func(b *bench) {
		slow := &slowStore{Store: b.store.Store, latency: 5 * time.Second}
		e := escrow.New(slow, "p", time.Now, slog.New(slog.DiscardHandler), nil)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { b.reserve(e, 10, limited("aa", 50)).Settle(10) })
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if _, err := e.Reserve(ctx, 10, 10, []escrow.Budget{limited("bb", 50)}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			b.Error(err)
		}
	})
}

func TestSweep(t *testing.T) {
	bubble(t, func(b *bench) {
		alive, dead, budget := b.process(), b.process(), limited("aa", 1000)
		r := b.reserve(alive, 100, budget)
		b.reserve(dead, 200, budget).Settle(150)
		time.Sleep(69 * time.Minute)
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		if l := b.lease("aa-p2"); l.Dead {
			b.Error("reaped too early")
		}
		time.Sleep(2 * time.Minute)
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		if w, l := b.window("aa"), b.lease("aa-p2"); w.Alloc != 300 || !l.Dead || l.Open || l.Granted != 200 {
			b.Errorf("after the sweep: %+v, %+v", w, l)
		}
		more := b.reserve(alive, 700, budget) // finds itself dead and goes on with another lease
		if got := more.Leases()[0]; got != "aa-p1.1" {
			b.Errorf("the new lease is called %s", got)
		}
		b.refused(alive, 1, budget)
		r.Settle(20)
		more.Settle(700)
		b.must(alive.Close(b.Context()))
		if w := b.window("aa"); w.Alloc != 920 || w.Spent != 720 || alive.Held() != 0 {
			b.Errorf("after close, with 200 locked by the dead: %+v", w)
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

// A steady load takes few writes: one per opening, and a grant for some of them.
func TestSteadyLoad(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 1_000_000_000)
		const calls = 60_000
		for range calls {
			b.reserve(e, 1000, budget).Settle(300)
			time.Sleep(10 * time.Millisecond)
		}
		// Ten minutes: an opening per two seconds at most.
		if b.store.commits > 350 {
			b.Errorf("%d calls took %d commits", calls, b.store.commits)
		}
		b.Logf("%d calls in 10 min: %d commits", calls, b.store.commits)
	})
}
