package escrow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync/atomic"
)

// Reservation is the right to spend up to Amount on one call, out of each of its budgets. Settle ends it.
type Reservation struct {
	escrow  *Escrow
	amount  int64
	leases  []*lease
	few     [3]*lease // room for leases
	settled atomic.Bool
}

// Amount is what may be spent.
func (r *Reservation) Amount() int64 { return r.amount }

// Leases names the lease documents that the call is charged to, in the order of its budgets.
func (r *Reservation) Leases() []string {
	ids := make([]string, len(r.leases))
	for i, l := range r.leases {
		ids[i] = l.id
	}
	return ids
}

// Settle says what the call has spent. It must be called on every way out, does no I/O, and changes nothing when called
// again. More than Amount breaks the promise: it is charged in full and logged as an error.
func (r *Reservation) Settle(actual int64) {
	if r.settled.Swap(true) {
		return
	}
	actual = max(0, actual)
	for _, l := range r.leases {
		l.settle(r.amount, actual)
		if actual > r.amount {
			r.escrow.log.Error("spent more than was reserved", "lease", l.id, "reserved", r.amount, "spent", actual)
		}
	}
}

// Reserve takes amount from every budget or from none. If a remainder does not pay for amount, it takes as much as it does
// pay for, but not less than least; else the error is a *Short, which comes after three seconds at most. The budgets' IDs must
// differ. It does no I/O while the leases last; an error of the store, wrapped, ends only calls that need more.
func (e *Escrow) Reserve(ctx context.Context, amount, least int64, budgets []Budget) (*Reservation, error) {
	r := &Reservation{escrow: e, amount: max(0, amount)}
	if amount <= 0 || len(budgets) == 0 {
		return r, nil
	}
	r.leases = r.few[:0]
	if e.known(r, budgets) && admitAll(r.leases, budgets, amount) == nil {
		return r, nil
	}
	err := e.seek(ctx, r, min(max(1, least), amount), budgets)
	if err == nil {
		return r, nil
	}
	var short *Short
	if errors.As(err, &short) {
		e.refused(ctx, short)
	}
	return nil, err
}

// known fills in the leases of the budgets, if there is one for each.
func (e *Escrow) known(r *Reservation, budgets []Budget) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for i := range budgets {
		l := e.leases[budgets[i].ID]
		if l == nil || slices.Contains(r.leases, l) {
			return false
		}
		r.leases = append(r.leases, l)
	}
	return true
}

// find fills in the leases of the budgets, with new ones in the place of those that are absent or gone.
func (e *Escrow) find(r *Reservation, budgets []Budget) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.leases = r.leases[:0]
	for i := range budgets {
		b := &budgets[i]
		l := e.leases[b.ID]
		if l == nil || !l.serves() {
			e.retire(l)
			l = newLease(b, e.holder, e.retired)
			e.leases[b.ID] = l
		}
		if slices.Contains(r.leases, l) {
			return fmt.Errorf("escrow: budget %s is named twice", b.ID)
		}
		r.leases = append(r.leases, l)
	}
	return nil
}

// retire takes a lease out of the map, and keeps it if its document has yet to be closed. The caller holds the lock.
func (e *Escrow) retire(l *lease) {
	if l == nil {
		return
	}
	e.retired++
	delete(e.leases, l.of)
	if !l.isClosed() {
		e.old = append(e.old, l)
	}
}

func newLease(b *Budget, holder string, generation int) *lease {
	l := &lease{id: b.ID + "-" + holder, of: b.ID, holder: holder, budget: *b}
	l.window.Alloc = math.MaxInt64 // nothing is known to be left
	if generation > 0 {
		l.id += "." + strconv.Itoa(generation)
	}
	return l
}

// serves tells whether calls may be charged to the lease.
func (l *lease) serves() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state != gone
}

// isClosed tells whether the document says that nothing more will be spent on the lease.
func (l *lease) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}
