// Package budget holds what calls may cost while they run: no upstream connection is opened without a Reservation.
package budget

import (
	"context"
	"sync/atomic"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Budgets knows what is reserved. Its zero value is ready. It sets no limit yet: max_budget is stored with a key and not
// enforced.
type Budgets struct{ reserved atomic.Int64 }

// Reservation is the right to spend up to Bound on one call. Settle ends it.
type Reservation struct {
	Principal gateway.Principal
	Bound     gateway.NanoUSD

	budgets *Budgets
	settled atomic.Bool
}

// Reserve sets aside the most that a call can cost.
func (b *Budgets) Reserve(_ context.Context, p gateway.Principal, bound gateway.NanoUSD) (*Reservation, error) {
	if p.KeyHash == "" {
		return nil, gateway.Errorf(gateway.KindUnauthenticated, "Authentication Error, nobody to charge.")
	}
	b.reserved.Add(int64(bound))
	return &Reservation{Principal: p, Bound: bound, budgets: b}, nil
}

// Settle gives back what was set aside. It must be called on every way out; calling it again changes nothing.
func (r *Reservation) Settle() {
	if !r.settled.Swap(true) {
		r.budgets.reserved.Add(-int64(r.Bound))
	}
}

// Reserved is the sum set aside for calls that run now.
func (b *Budgets) Reserved() gateway.NanoUSD { return gateway.NanoUSD(b.reserved.Load()) }
