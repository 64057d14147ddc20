package escrow_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// The hot path: a call that three budgets limit, on warm leases.
func BenchmarkReserve(b *testing.B) {
	e := escrow.New(memstore.New(), "p", time.Now, slog.New(slog.DiscardHandler), nil)
	budgets := []escrow.Budget{limited("aa0123456789abcdef", 1<<60), limited("bb0123456789abcdef", 1<<60), limited("cc0123456789abcdef", 1<<60)}
	r, err := e.Reserve(b.Context(), 1<<40, 1<<40, budgets)
	if err != nil {
		b.Fatal(err)
	}
	r.Settle(0)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := e.Reserve(b.Context(), 1000, 1000, budgets)
			if err != nil {
				b.Fatal(err)
			}
			r.Settle(1)
		}
	})
}
