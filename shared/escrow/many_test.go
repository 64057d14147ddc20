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

// slowStore has latency and counts the transactions that write.
type slowStore struct {
	*memstore.Store
	latency      time.Duration
	txs, commits atomic.Int64
}

func (s *slowStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	time.Sleep(s.latency / 2) // in a synctest bubble
	tx := &countingTx{}
	err := s.Store.Tx(ctx, func(inner store.Tx) error {
		*tx = countingTx{Tx: inner}
		return fn(tx)
	})
	time.Sleep(s.latency / 2)
	s.txs.Add(1)
	if tx.wrote {
		s.commits.Add(1)
	}
	return err
}

type countingTx struct {
	store.Tx
	wrote bool
}

func (c *countingTx) Put(ref store.Ref, doc any) error { c.wrote = true; return c.Tx.Put(ref, doc) }

// fleet is many processes on one store, with what they really spend.
type fleet struct {
	store     *slowStore
	budget    escrow.Budget
	processes []*process

	mu              sync.Mutex
	spent, reserved int64
	waiting         int
	admitted        int
	refused, wrong  int // wrong: although the remainder would have paid for everybody who waited
	overspent       bool
}

type process struct {
	*escrow.Escrow
	spent, reserved atomic.Int64
}

func newFleet(processes int, limit int64, latency time.Duration) *fleet {
	f := &fleet{store: &slowStore{Store: memstore.New(), latency: latency}, budget: escrow.Budget{ID: "aa", Limit: limit}}
	for i := range processes {
		e := escrow.New(f.store, fmt.Sprintf("p%d", i), time.Now, slog.New(slog.DiscardHandler), nil)
		f.processes = append(f.processes, &process{Escrow: e})
	}
	return f
}

// call reserves, takes a while and settles. It tells whether it was refused.
func (f *fleet) call(ctx context.Context, p *process, amount, actual int64, d time.Duration) (refused bool, err error) {
	f.mu.Lock()
	f.waiting++
	f.mu.Unlock()
	r, err := p.Reserve(ctx, amount, amount, []escrow.Budget{f.budget})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting--; err != nil {
		f.refused++
		if f.budget.Limit-f.spent-f.reserved >= amount*int64(f.waiting+1) {
			f.wrong++
		}
		if short := (*escrow.Short)(nil); errors.As(err, &short) {
			err = nil
		}
		return true, err
	}
	f.admitted++
	f.reserved += r.Amount()
	p.reserved.Add(r.Amount())
	f.overspent = f.overspent || f.spent+f.reserved > f.budget.Limit
	f.mu.Unlock()
	time.Sleep(d)
	f.mu.Lock()
	f.spent += actual
	f.reserved -= r.Amount()
	p.reserved.Add(-r.Amount())
	p.spent.Add(actual)
	r.Settle(actual)
	return false, nil
}

// stranded is what a process would take with it if it were killed now: opened, and neither spent nor reserved.
func (f *fleet) stranded(ctx context.Context, i int) int64 {
	var l escrow.Lease
	if _, err := f.store.Get(ctx, escrow.Leases.Ref(fmt.Sprintf("aa-p%d", i)), &l); err != nil {
		return 0
	}
	return l.Opened - f.processes[i].spent.Load() - f.processes[i].reserved.Load()
}

// run runs fn while the processes run, closes them, and compares the books with what was spent.
func (f *fleet) run(t *testing.T, fn func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	for _, p := range f.processes {
		runs.Go(func() {
			if err := p.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	fn(ctx)
	cancel()
	runs.Wait()
	for _, p := range f.processes {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var w escrow.Window
	if _, err := f.store.Get(t.Context(), escrow.Budgets.Ref("aa"), &w); err != nil {
		t.Error(err)
	}
	if w.Alloc != f.spent || w.Spent != f.spent || f.overspent {
		t.Errorf("spent %d (beyond the limit: %t), but the window says %+v", f.spent, f.overspent, w)
	}
}

func TestManyProcesses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		processes int
		clients   int
		latency   time.Duration
		limit     int64
		stranded  float64 // at most, in percent of the limit
	}{
		{"16 processes, 10 ms", 16, 5000, 10 * time.Millisecond, 40_000_000, 1.5},
		// What one process's callers wait for at once is 3.1 % of this limit: if it is killed as that is opened, it is lost.
		{"16 processes, small limit", 16, 5000, 50 * time.Millisecond, 10_000_000, 5},
		{"1 process", 1, 500, 5 * time.Millisecond, 5_000_000, 1.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const amount, most = 1000, 600 // reserved, and spent at most
				f := newFleet(c.processes, c.limit, c.latency)
				start := time.Now()
				var worst atomic.Int64
				f.run(t, func(ctx context.Context) {
					var clients, sampler sync.WaitGroup
					done := make(chan struct{})
					sampler.Go(func() {
						for {
							select {
							case <-done:
								return
							case <-time.After(20 * time.Millisecond):
							}
							for i := range f.processes {
								worst.Store(max(worst.Load(), f.stranded(ctx, i)))
							}
						}
					})
					for i := range c.clients {
						rnd := rand.New(rand.NewPCG(1, uint64(i)))
						clients.Go(func() {
							for refused, err := false, error(nil); !refused; {
								duration := time.Duration(50+rnd.IntN(100)) * time.Millisecond
								refused, err = f.call(ctx, f.processes[i%c.processes], amount, rnd.Int64N(most), duration)
								if err != nil {
									t.Error(err)
								}
							}
						})
					}
					clients.Wait()
					close(done)
					sampler.Wait()
					time.Sleep(time.Second)                      // a refusal is remembered for a moment
					for i := 0; c.limit-f.spent >= amount; i++ { // now nobody else wants it
						if refused, err := f.call(ctx, f.processes[i%c.processes], amount, most, 0); refused || err != nil {
							t.Fatalf("refused, with %d left: %v", c.limit-f.spent, err)
						}
					}
				})
				perCommit := float64(f.admitted) / float64(f.store.commits.Load())
				stranded := 100 * float64(worst.Load()) / float64(c.limit)
				t.Logf("%v: used %.3f %%, %d calls, %d commits (1 per %.0f calls), %d transactions, stranded at worst %.2f %%, refused %d, wrongly %d",
					time.Since(start), 100*float64(f.spent)/float64(c.limit), f.admitted, f.store.commits.Load(), perCommit, f.store.txs.Load(),
					stranded, f.refused, f.wrong)
				// A refusal is remembered for a moment, in which another process may have come by rights.
				if f.wrong > f.refused/100 || perCommit < 50 || stranded > c.stranded {
					t.Error("not as good as promised")
				}
			})
		})
	}
}

// Calls that come one by one, to any process, are refused only when the remainder does not pay: whoever holds it gives it.
func TestNoFalseRefusal(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, 2))
				f := newFleet(16, 100_000, 10*time.Millisecond)
				f.run(t, func(ctx context.Context) {
					for range 1000 {
						amount := 1 + rnd.Int64N(1000)
						left := f.budget.Limit - f.spent
						pause := time.Duration(rnd.IntN(300)) * time.Millisecond
						refused, err := f.call(ctx, f.processes[rnd.IntN(16)], amount, rnd.Int64N(amount+1), pause)
						if err != nil || refused && amount <= left {
							t.Fatalf("refused %d of %d left: %v", amount, left, err)
						}
					}
				})
				t.Logf("used %d of %d, %d calls, %d refused, %d commits", f.spent, f.budget.Limit, f.admitted, f.refused, f.store.commits.Load())
			})
		})
	}
}

// Five thousand calls for a budget that pays for four: nearly all of it is used, whether they come all at once or call by call, and
// nobody is refused what the remainder would pay for. When they come at once, a commit serves fifty of them and more.
func TestStampede(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ clients, perCommit int }{"all at once": {5000, 50}, "call by call": {256, 35}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const calls, amount, actual, limit = 5000, 325_000, 250_000, 1_000_000_000
				f := newFleet(16, limit, 20*time.Millisecond)
				var issued atomic.Int64
				f.run(t, func(ctx context.Context) {
					var clients sync.WaitGroup
					for i := range c.clients {
						rnd := rand.New(rand.NewPCG(1, uint64(i)))
						clients.Go(func() {
							for issued.Add(1) <= calls {
								duration := time.Duration(50+rnd.IntN(450)) * time.Millisecond
								if _, err := f.call(ctx, f.processes[i%16], amount, actual, duration); err != nil {
									t.Error(err)
								}
							}
						})
					}
					clients.Wait()
				})
				commits := f.store.commits.Load()
				t.Logf("used %.2f %%, %d admitted, %d refused, wrongly %d, %d commits", 100*float64(f.spent)/limit, f.admitted, f.refused, f.wrong, commits)
				if f.spent < limit/100*97 || f.wrong > f.refused/100 || commits*int64(c.perCommit) > calls {
					t.Error("not as good as promised")
				}
			})
		})
	}
}
