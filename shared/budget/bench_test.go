package budget_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// BenchmarkReserve is what a call pays for three budgets and three rate limits, none of which is near its end.
func BenchmarkReserve(b *testing.B) {
	all := newBudgets(memstore.New(), "one", budget.Settings{})
	many, most := int64(1_000_000_000_000), gateway.NanoUSD(1_000_000)*gateway.USD
	a := ask(&gateway.Limits{
		Budgets: []gateway.Budget{{Max: most, Every: "30d"}, {Max: most, Every: "1d", Extra: true}}, RPM: &many, TPM: &many, Parallel: &many,
		Models: []gateway.ModelLimits{{Model: "m", Budgets: []gateway.Budget{{Max: most}}}},
	}, 9_000_000)
	b.ReportAllocs()
	for b.Loop() {
		r, err := all.Reserve(b.Context(), a)
		if err != nil {
			b.Fatal(err)
		}
		if len(r.Leases()) != 3 {
			b.Fatal("not all budgets were asked")
		}
		r.Settle(100_000, 190)
	}
}
