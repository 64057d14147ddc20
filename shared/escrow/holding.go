package escrow

import (
	"fmt"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Holding is a reservation that its owner keeps in a document of its own and moves in its own transactions: the same
// documents as a lease, written absolutely. Its life is Hold, then Set or Close, then Write, in one transaction; nothing of
// it outlives that. Since every step reads what the last one wrote, reaping a holding takes nothing from it.
type Holding struct {
	escrow    *Escrow
	documents *documents
	plans     []*plan
	committed []func()
}

// Hold reads, in a transaction that has not written yet, what the holder has in each budget.
func (e *Escrow) Hold(tx store.Tx, holder string, budgets []Budget) (*Holding, error) {
	h := &Holding{escrow: e, documents: newDocuments(tx)}
	for i := range budgets {
		p := &plan{
			id: budgets[i].ID + "-" + holder, holder: holder, budget: budgets[i], intent: carry, now: e.micros(),
		}
		if err := h.documents.read(p); err != nil {
			return nil, fmt.Errorf("escrow: hold: %w", err)
		}
		h.plans = append(h.plans, p)
	}
	return h, nil
}

// Leases names the holding's documents, in the order of its budgets.
func (h *Holding) Leases() []string {
	ids := make([]string, len(h.plans))
	for i, p := range h.plans {
		ids[i] = p.id
	}
	return ids
}

// Set makes the holding's rights opened in all, of which so much is spent. If a window cannot pay, the error is a *Short and
// nothing has changed: see Collect.
func (h *Holding) Set(opened, spent int64) error {
	opened = max(opened, spent)
	for _, p := range h.plans {
		w, l := h.documents.windows[p.budget.ID], h.documents.leases[p.id]
		if more := opened - l.Granted; more > 0 {
			if short := w.short(&p.budget, more); short != nil {
				return short
			}
		}
	}
	h.set(opened, spent, true)
	return nil
}

// Close ends the holding with what was spent in all. It may be set again later.
func (h *Holding) Close(spent int64) { h.set(spent, spent, false) }

func (h *Holding) set(opened, spent int64, open bool) {
	for _, p := range h.plans {
		w, l := h.documents.windows[p.budget.ID], h.documents.leases[p.id]
		w.Alloc += opened - l.Granted
		w.Spent = plus(w.Spent, spent-l.Reported)
		w.Limit, w.Soft = p.budget.Limit, p.budget.Soft
		*l = Lease{
			Budget: p.budget.ID, Holder: p.holder, Granted: opened, Opened: opened, Spent: spent, Reported: spent,
			Open: open, Seq: l.Seq + 1, Renewed: p.now, Purge: purge(p.budget.End, p.now, open),
		}
		p.wroteLease, p.wroteWindow = true, true
	}
}

// Write puts the documents that Set or Close has changed.
func (h *Holding) Write(tx store.Tx) (err error) {
	h.documents.tx = tx
	h.committed, err = h.documents.write(h.plans, h.escrow.notice)
	return err
}

// Committed is to be called after the transaction's commit.
func (h *Holding) Committed() {
	for _, f := range h.committed {
		f()
	}
}
