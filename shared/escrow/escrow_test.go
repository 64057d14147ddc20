package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var errAway = errors.New("the store is away")

// flakyStore counts transactions, and fails as told.
type flakyStore struct {
	*memstore.Store
	away         atomic.Bool // fails before anything is written
	answersLost  atomic.Bool // fails after everything is written
	txs, commits atomic.Int64
}

func (s *flakyStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if s.away.Load() {
		return errAway
	}
	tx := &countingTx{}
	err := s.Store.Tx(ctx, func(inner store.Tx) error {
		*tx = countingTx{Tx: inner}
		return fn(tx)
	})
	s.txs.Add(1)
	if tx.wrote {
		s.commits.Add(1)
	}
	if s.answersLost.Load() {
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
