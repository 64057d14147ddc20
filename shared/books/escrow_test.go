package books_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/books"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// Processes spend from shared budgets, book what they spent and end: some in order, some dead with calls under way. All the while
// the books are exact, and in the end what nobody can explain is named as unknown, and no more than was under way.
func TestRealBudgets(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	booker := &ledger.Booker{Store: s, Now: time.Now, Events: &event.Sender{Store: s, Now: time.Now}}
	budgets := []escrow.Budget{
		{ID: hex.EncodeToString([]byte("key")), Limit: 1e9, Label: escrow.Label{Scope: "key", Subject: "k", Every: "1d", Start: time.Now().Unix(), End: time.Now().Unix() + 86400}},
		{ID: hex.EncodeToString([]byte("team")), Limit: 5e8, Opening: 77, Label: escrow.Label{Scope: "team", Subject: "red"}},
	}
	var all sync.WaitGroup
	lost := make([]int64, 6) // by process: what calls under way have left behind when it died
	for process := range lost {
		all.Go(func() {
			e := escrow.New(s, fmt.Sprintf("process%d", process), time.Now, slog.New(slog.DiscardHandler), nil)
			random := rand.New(rand.NewPCG(7, uint64(process)))
			died := process%2 == 1
			for n := range 40 {
				if err := spend(t, booker, e, budgets, fmt.Sprintf("%d-%d", process, n), random, died && n >= 38, &lost[process]); err != nil {
					t.Error(err)
					return
				}
				if n%10 == 5 {
					if err := e.Report(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			if died {
				reapAll(t, s, fmt.Sprintf("process%d", process))
			} else if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(all.Wait)
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	check := func() *books.Report {
		r, err := books.Check(t.Context(), s, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !r.Exact || r.Charged+r.Unknown+r.Outstanding+r.Gone != r.Allocated {
			t.Fatalf("the books are not exact: %+v", r)
		}
		return r
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			check()
		}
	}
	r := check()
	var least gateway.NanoUSD
	for _, n := range lost {
		least += gateway.NanoUSD(n) * 2 // of two budgets
	}
	if r.Outstanding != 0 || r.Unknown < least || least == 0 || r.Windows != 2 || len(r.Unknowns) == 0 || r.Charged != 2*(r.Ledger+r.Doubt) {
		t.Errorf("%+v, at least %d unknown", r, least)
	}
}

// spend makes one call as the gateway does: reserve, spend, book, settle. One that is left behind is never booked or settled.
func spend(t *testing.T, b *ledger.Booker, e *escrow.Escrow, budgets []escrow.Budget, id string, random *rand.Rand, leave bool, lost *int64) error {
	amount := random.Int64N(10_000) + 1
	r, err := e.Reserve(t.Context(), amount, amount, budgets)
	if short := (*escrow.Short)(nil); errors.As(err, &short) {
		return nil
	}
	if err != nil {
		return err
	}
	if leave {
		*lost += amount
		return nil
	}
	cost := random.Int64N(amount + 1)
	doubt := random.Int64N(amount - cost + 1)
	err = b.Book(t.Context(), []ledger.Entry{{
		ID: id, CallID: id, Key: "k", Team: "red", Model: "m", Provider: "p", Outcome: gateway.Unknown, Cost: gateway.NanoUSD(cost),
		Doubt: gateway.NanoUSD(doubt), Leases: r.Leases(), Started: time.Now().UnixMicro(),
	}})
	r.Settle(cost + doubt)
	return err
}

// reapAll takes a process for dead.
func reapAll(t *testing.T, s store.Store, holder string) {
	for doc, err := range s.Query(t.Context(), store.Query{Collection: escrow.Leases}) {
		var l escrow.Lease
		if err == nil {
			err = doc.Decode(&l)
		}
		if err == nil && l.Holder == holder {
			err = escrow.Reap(t.Context(), s, doc.ID)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
