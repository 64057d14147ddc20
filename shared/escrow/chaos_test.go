package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// wire is one process's connection to the store: slow, and now and then it loses a request or an answer, or delivers a
// commit after its sender has given up.
type wire struct {
	*memstore.Store
	mu    *sync.Mutex
	rnd   *rand.Rand
	calm  *atomic.Bool // nothing goes wrong any more
	cut   atomic.Bool  // the process was killed
	later *sync.WaitGroup
}

var errWire = errors.New("no answer")

func (w *wire) chance(percent int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(100) < percent && !w.calm.Load()
}

func (w *wire) delay() {
	w.mu.Lock()
	d := time.Duration(w.rnd.IntN(30_000)) * time.Microsecond
	w.mu.Unlock()
	time.Sleep(d) // in a synctest bubble
}

func (w *wire) Tx(ctx context.Context, fn func(store.Tx) error) error {
	w.delay()
	switch {
	case w.cut.Load() || w.chance(3):
		return errWire
	case w.chance(3):
		return w.late(ctx, fn)
	}
	err := w.Store.Tx(ctx, fn)
	w.delay()
	if err == nil && (w.cut.Load() || w.chance(3)) {
		return errWire
	}
	return err
}

// late runs fn now and commits it some time later, if nothing that it has read has changed.
func (w *wire) late(ctx context.Context, fn func(store.Tx) error) error {
	tx := &lateTx{store: w.Store, ctx: context.WithoutCancel(ctx), read: map[store.Ref]store.Version{}, put: map[store.Ref]any{}}
	if err := fn(tx); err != nil {
		return err
	}
	w.later.Go(func() {
		for range 1 + tx.delay(w) {
			w.delay()
		}
		_ = w.Store.Tx(tx.ctx, func(inner store.Tx) error {
			for ref, version := range tx.read {
				if now, _ := inner.Get(ref, nil); now != version {
					return store.ErrChanged
				}
			}
			for ref, doc := range tx.put {
				if err := inner.Put(ref, doc); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return errWire
}

type lateTx struct {
	store.Tx
	store *memstore.Store
	ctx   context.Context
	read  map[store.Ref]store.Version
	put   map[store.Ref]any
}

func (t *lateTx) delay(w *wire) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(100)
}

func (t *lateTx) Get(ref store.Ref, into any) (store.Version, error) {
	v, err := t.store.Get(t.ctx, ref, into)
	t.read[ref] = v
	return v, err
}

func (t *lateTx) Put(ref store.Ref, doc any) error { t.put[ref] = doc; return nil }

// TestChaos drives whole processes, with their goroutines, through a bad day.
func TestChaos(t *testing.T) {
	t.Parallel()
	for seed := range uint64(max(10, escrow.Schedules(t)/200)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chaos(t, seed) })
		})
	}
}

// truth is what a provider's bill and the running calls come to, for each budget.
type truth struct {
	mu    sync.Mutex
	limit map[string]int64
	worst map[string]int64
}

func (b *truth) add(t *testing.T, budgets []escrow.Budget, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, budget := range budgets {
		b.worst[budget.ID] += n
		if b.worst[budget.ID] > b.limit[budget.ID] {
			t.Errorf("%s: %d of %d may be spent", budget.ID, b.worst[budget.ID], b.limit[budget.ID])
		}
	}
}

func chaos(t *testing.T, seed uint64) {
	var mu sync.Mutex
	var later, runs, clients sync.WaitGroup
	var calm atomic.Bool
	rnd := rand.New(rand.NewPCG(seed, 3))
	draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return rnd.IntN(n) }
	mem := memstore.New()
	budgets := []escrow.Budget{{ID: "aa", Limit: 30_000}, {ID: "bb", Limit: 50_000}, {ID: "cc", Limit: 20_000, Opening: 5000}}
	bill := &truth{limit: map[string]int64{"aa": 30_000, "bb": 50_000, "cc": 15_000}, worst: map[string]int64{}}
	ctx, stop := context.WithCancel(t.Context())
	var wires []*wire
	var processes []*escrow.Escrow
	for i := range 5 {
		w := &wire{Store: mem, mu: &mu, rnd: rnd, calm: &calm, later: &later}
		e := escrow.New(w, fmt.Sprintf("p%d", i), time.Now, slog.New(slog.DiscardHandler), nil)
		wires, processes = append(wires, w), append(processes, e)
		runs.Go(func() { _ = e.Run(ctx) })
		for range 20 {
			clients.Go(func() {
				for range 20 {
					amount, from := int64(1+draw(300)), draw(3)
					some := budgets[from : from+1+draw(3-from)]
					r, err := e.Reserve(ctx, amount, 1+amount/2, some)
					if err != nil {
						time.Sleep(time.Duration(draw(500)) * time.Millisecond)
						continue
					}
					bill.add(t, some, r.Amount())
					time.Sleep(time.Duration(draw(800)) * time.Millisecond)
					actual := int64(draw(int(r.Amount()) + 1))
					bill.add(t, some, actual-r.Amount())
					if !wires[i].cut.Load() {
						r.Settle(actual)
					}
				}
			})
		}
	}
	clients.Go(func() { // somebody takes the living for dead, and one dies
		for round := range 20 {
			time.Sleep(300 * time.Millisecond)
			_ = escrow.Reap(ctx, mem, fmt.Sprintf("%s-p%d", budgets[draw(3)].ID, draw(5)))
			if round == 10 {
				wires[4].cut.Store(true)
			}
		}
	})
	clients.Wait()
	stop()
	runs.Wait()
	later.Wait()
	calm.Store(true)
	for i, e := range processes[:4] {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if e.Held() > 0 {
			t.Errorf("process %d still has leases", i)
		}
	}
	if err := escrow.Sweep(t.Context(), mem, time.Now().Add(time.Hour*2)); err != nil {
		t.Error(err)
	}
	for _, budget := range budgets {
		balance(t, mem, budget, bill.worst[budget.ID])
	}
}

// balance compares a window with its leases and with what was really spent.
func balance(t *testing.T, s store.Store, budget escrow.Budget, spent int64) {
	var w escrow.Window
	if _, err := s.Get(t.Context(), escrow.Budgets.Ref(budget.ID), &w); err != nil {
		t.Error(err)
	}
	var granted, known, locked int64
	for doc, err := range s.Query(t.Context(), store.Query{Collection: escrow.Leases, Eq: map[string]any{"budget": budget.ID}}) {
		var l escrow.Lease
		if err := errors.Join(err, doc.Decode(&l)); err != nil {
			t.Fatal(err)
		}
		granted += l.Granted
		known += l.Spent
		locked += l.Opened - l.Spent
		if l.Holder != "p4" && (l.Open || l.Granted != l.Spent) {
			t.Errorf("lease %s: %+v", doc.ID, l)
		}
	}
	if w.Alloc != granted || w.Spent != known || w.Alloc != known+locked || spent < known || spent > w.Alloc {
		t.Errorf("really spent %d, leases have %d granted, %d spent, %d locked: %+v", spent, granted, known, locked, w)
	}
}
