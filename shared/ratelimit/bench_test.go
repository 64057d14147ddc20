package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// BenchmarkTake admits calls under four limits from memory.
func BenchmarkTake(b *testing.B) {
	limits := make([]ratelimit.Limit, 0, 4)
	for i, kind := range []ratelimit.Kind{ratelimit.Requests, ratelimit.Tokens, ratelimit.Requests, ratelimit.Parallel} {
		limits = append(limits, ratelimit.Limit{
			ID: fmt.Sprintf("%064x/%s/%d", 1<<60+i, kind, i), Kind: kind, Max: 1 << 50, Scope: "api_key",
		})
	}
	l := ratelimit.New(memstore.New(), "a", time.Now, quiet)
	for b.Loop() {
		ticket, err := l.Take(b.Context(), 100, limits)
		if err != nil {
			b.Fatal(err)
		}
		ticket.Done(60)
	}
}

// BenchmarkRefuse refuses calls of which memory knows that they are in vain.
func BenchmarkRefuse(b *testing.B) {
	limits := []ratelimit.Limit{{ID: "key/requests", Kind: ratelimit.Requests, Max: 1}}
	l := ratelimit.New(memstore.New(), "a", time.Now, quiet)
	for b.Loop() {
		_, _ = l.Take(b.Context(), 100, limits)
	}
}
