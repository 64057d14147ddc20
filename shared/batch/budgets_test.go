package batch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// TestBudgets has limits that pay for all, some or none of 8 lines. Lines 0 to 7 can cost 3 times as much as they do, but line
// 4 ten times, and line 6 just what it costs.
func TestBudgets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		limits  []limit
		refused []string
		spent   map[string]int64
	}{
		{"enough", []limit{{name: "key", max: 1000}}, nil, map[string]int64{"key": 8 * cost}},
		{"nothing", []limit{{name: "key"}}, []string{"r-0", "r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-7"}, nil},
		{"just enough", []limit{{name: "key", max: 14 * cost}}, nil, map[string]int64{"key": 8 * cost}},
		{"not for the dearest", []limit{{name: "key", max: 14*cost - 1}}, []string{"r-4"}, map[string]int64{"key": 7 * cost}},
		{"for the cheapest", []limit{{name: "key", max: cost}}, []string{"r-0", "r-1", "r-2", "r-3", "r-4", "r-5", "r-7"}, map[string]int64{"key": cost}},
		{"for the first", []limit{{name: "key", max: 5*cost - 1}}, []string{"r-2", "r-3", "r-4", "r-5", "r-7"}, map[string]int64{"key": 3 * cost}},
		{"two that pay", []limit{{name: "key", max: 1000}, {name: "team", max: 1000}}, nil, map[string]int64{"key": 8 * cost, "team": 8 * cost}},
		{"one of two pays", []limit{{name: "key", max: 1000}, {name: "team", max: 5*cost - 1}}, []string{"r-2", "r-3", "r-4", "r-5", "r-7"}, map[string]int64{"key": 3 * cost, "team": 3 * cost}},
		{"for some lines", []limit{{name: "model", suffix: "1"}, {name: "user", max: 1000, suffix: "2"}}, []string{"r-1"}, map[string]int64{"user": cost}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, width := range []int{1, 16} {
				w := newWorld(t, withEscrow)
				w.deps.Settings = batch.Settings{ChunkLines: 8, Concurrency: width}
				w.engine = w.newEngine(w.deps)
				w.under(time.Now, tt.limits...)
				w.vendor.answer = func(context.Context, batch.Call, int) batch.Reply { return batch.Reply{Status: 200} }
				b := w.run(input(8))
				var refused []string
				for _, l := range w.output(b.ErrorFileID) {
					if window, _ := l.refusal(); l.Response.Status != 429 || window == "" {
						t.Errorf("%+v", l)
					}
					refused = append(refused, l.CustomID)
				}
				if diff := cmp.Diff(refused, tt.refused); diff != "" || b.Status != "completed" {
					t.Errorf("width %d: %s, refused (-got +want):\n%s", width, b.Status, diff)
				}
				spent := map[string]int64{}
				for id, window := range w.checkBooks() {
					spent[id] = window.Spent
				}
				if diff := cmp.Diff(spent, tt.spent, cmp.Comparer(func(a, b map[string]int64) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
					t.Errorf("width %d: spent (-got +want):\n%s", width, diff)
				}
			}
		})
	}
}

// TestNoBudget: lines that are free, or under no budget, leave no document, and no commit is made for them.
func TestNoBudget(t *testing.T) {
	t.Parallel()
	commits := func(change func(*world)) int {
		counted := &countingStore{}
		w := newWorld(t, func(d *batch.Deps) {
			counted.Store = d.Store
			d.Store = counted
			withEscrow(d)
		})
		change(w)
		if b := w.run(input(60)); b.RequestCounts.Completed != 60 {
			t.Fatalf("batch: %+v", b)
		}
		if len(all[escrow.Window](w, escrow.Budgets))+len(all[escrow.Lease](w, escrow.Leases)) > 0 {
			t.Error("there are documents of budgets")
		}
		return counted.n
	}
	plain := commits(func(*world) {})
	none := commits(func(w *world) { w.under(time.Now, limit{name: "other", suffix: "nobody"}) })
	if none != plain {
		t.Errorf("%d transactions, without budgets %d", none, plain)
	}
}

type countingStore struct {
	store.Store
	n int
}

func (s *countingStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	s.n++
	return s.Store.Tx(ctx, fn)
}

// TestWindowEnds has a window that ends while a line is in flight: it stays with the old one, the next goes to the new one.
func TestWindowEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(d *batch.Deps) {
			withEscrow(d)
			d.Settings = batch.Settings{Concurrency: 1, FlushLines: 1}
		})
		w.under(time.Now, limit{name: "key", max: 100, every: time.Minute})
		w.vendor.answer = func(context.Context, batch.Call, int) batch.Reply {
			time.Sleep(25 * time.Second)
			return batch.Reply{Status: 200}
		}
		if b := w.run(input(6)); b.RequestCounts.Completed != 6 {
			t.Fatalf("batch: %+v", b)
		}
		var spent []int64
		for _, window := range w.checkBooks() {
			spent = append(spent, window.Spent/cost)
		}
		slices.Sort(spent)
		if diff := cmp.Diff(spent, []int64{2, 4}); diff != "" { // written ahead at 0 5 30 55 | 80 105 s
			t.Error(diff)
		}
	})
}

// TestMoneyOfOthers has chunks that cannot pay because another one has set everything aside: they wait for it. What is held
// by somebody who never gives it back is waited for only so long.
func TestMoneyOfOthers(t *testing.T) {
	t.Parallel()
	for _, forever := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(d *batch.Deps) {
				withEscrow(d)
				d.Settings = batch.Settings{ChunkLines: 1}
			})
			w.under(time.Now, limit{name: "key", max: 4 * cost})
			other := escrow.New(w.store, "other", time.Now, w.deps.Log, nil)
			budget := limit{name: "key", max: 4 * cost}.budget(time.Now())
			reservation, err := other.Reserve(t.Context(), 3*cost, 3*cost, []escrow.Budget{budget})
			if err != nil {
				t.Fatal(err)
			}
			if !forever {
				time.AfterFunc(5*time.Minute, func() {
					reservation.Settle(0)
					if err := other.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			b := w.create(w.upload(input(2)).ID)
			began, calls := time.Now(), 0
			for w.deliver(); isOpen(w.get(b.ID).Status); w.sweep() {
				time.Sleep(time.Minute)
				calls++
			}
			b = w.get(b.ID)
			took := time.Since(began)
			switch {
			case !forever && (b.RequestCounts.Completed != 2 || took > 15*time.Minute):
				t.Errorf("after %s: %+v", took, b)
			case forever && (b.RequestCounts.Failed != 2 || took < 5*time.Minute || took > time.Hour):
				t.Errorf("after %s: %+v", took, b)
			}
			if !forever {
				w.checkBooks()
			}
		})
	}
}

// TestDeathUnderBudget has a worker that dies with lines in flight: what they may have cost stays charged, by name, and the
// next attempt has to do with the rest.
func TestDeathUnderBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withEscrow)
		w.under(time.Now, limit{name: "key", max: 12*cost + 3*cost})
		b := w.create(w.upload(input(4)).ID)
		validate, _ := w.mail.take()
		if err := w.engine.Handle(t.Context(), validate); err != nil {
			t.Fatal(err)
		}
		p := &process{dice: &dice{}}
		d := w.deps
		d.Store = faultyStore{w.store, p}
		withEscrow(&d)
		w.vendor.answer = func(context.Context, batch.Call, int) batch.Reply {
			_ = p.die()
			return batch.Reply{Status: 200}
		}
		chunk, _ := w.mail.take()
		_ = batch.NewEngine(d, w.vendor, w.keys, models{}).Handle(t.Context(), chunk)
		w.vendor.answer = nil
		time.Sleep(time.Minute)
		w.sweep()
		b = w.get(b.ID)
		if b.RequestCounts.Completed != 1 || b.RequestCounts.Failed != 3 { // 12 are charged to the dead, and 1 of the rest is spent
			t.Errorf("batch: %+v", b.RequestCounts)
		}
		doubts := 0
		for id, e := range w.entries() {
			if e.Error == "worker_lost" {
				doubts++
				if e.Doubt != 3*cost || len(e.Leases) != 1 || !strings.HasPrefix(e.Leases[0], "key-") {
					t.Errorf("%s: %+v", id, e)
				}
			}
		}
		if window := w.checkBooks()["key"]; doubts != 4 || window.Spent != 12*cost+cost {
			t.Errorf("%d lines in doubt, %+v", doubts, window)
		}
	})
}

// TestUnknownOutcome has a provider that breaks off: the entry says what is in doubt, and that stays charged.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withEscrow)
	w.under(time.Now, limit{name: "key", max: 100})
	w.vendor.answer = func(_ context.Context, c batch.Call, _ int) batch.Reply {
		e := billed(c, 0)
		e.Outcome, e.Cost, e.Doubt = "unknown", 2, c.Bound-2
		return batch.Reply{ErrorCode: "cut", Retryable: true, Entries: []ledger.Entry{e}}
	}
	b := w.run(input(1))
	if window := w.checkBooks()["key"]; window.Spent != 3*cost || w.vendor.calls() != 1 || b.RequestCounts.Failed != 1 {
		t.Errorf("%d calls, %+v, %+v", w.vendor.calls(), window, b)
	}
}
