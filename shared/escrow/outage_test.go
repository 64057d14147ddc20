package escrow_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
)

func TestStoreAway(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 10_000)
		b.reserve(e, 1000, budget).Settle(0)
		b.store.away.Store(true)
		time.Sleep(time.Minute) // chores fail, and change nothing
		r := b.reserve(e, 1000, budget)
		if _, err := e.Reserve(b.Context(), 1000, 1, []escrow.Budget{budget}); !errors.Is(err, errAway) {
			b.Errorf("got error %v, want the store's", err)
		}
		r.Settle(1000)
		b.store.away.Store(false)
		b.reserve(e, 9000, budget).Settle(9000)
		b.refused(e, 1, budget)
	})
}

func TestAnswerLost(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.process(), limited("aa", 1000)
		b.reserve(e, 10, budget).Settle(10)
		b.store.answersLost.Store(true)
		for range 3 {
			if _, err := e.Reserve(b.Context(), 500, 500, []escrow.Budget{budget}); !errors.Is(err, errAway) {
				b.Errorf("got error %v, want the store's", err)
			}
		}
		if _, err := e.Reserve(b.Context(), 1, 1, []escrow.Budget{budget}); !errors.Is(err, errAway) {
			b.Errorf("got error %v after an unknown outcome, want the store's", err)
		}
		b.store.answersLost.Store(false)
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
