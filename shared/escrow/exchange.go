package escrow

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/sluice-gateway/sluice/shared/store"
)

// thresholds are told to Notice, in percent of the limit.
var thresholds = []int64{50, 80, 100}

// exchange carries plans out in one transaction. committed is for after the commit.
func exchange(tx store.Tx, plans []*plan, notice Notice) (committed []func(), err error) {
	d := newDocuments(tx)
	for _, p := range plans {
		if err := d.read(p); err != nil {
			return nil, err
		}
	}
	for _, p := range plans {
		var w *Window
		if p.intent&carry != 0 {
			w = d.windows[p.budget.ID]
		}
		p.apply(w, d.leases[p.id], d.victims(p))
	}
	return d.write(plans, notice)
}

// documents are what one transaction has read. Several plans may share a document.
type documents struct {
	tx      store.Tx
	windows map[string]*Window
	leases  map[string]*Lease
}

func newDocuments(tx store.Tx) *documents {
	return &documents{tx: tx, windows: map[string]*Window{}, leases: map[string]*Lease{}}
}

func (d *documents) victims(p *plan) []*Lease {
	victims := make([]*Lease, len(p.victims))
	for i, id := range p.victims {
		victims[i] = d.leases[id]
	}
	return victims
}

func (d *documents) read(p *plan) error {
	if p.intent&carry != 0 {
		if err := d.window(&p.budget); err != nil {
			return err
		}
	}
	for _, id := range p.victims {
		if err := d.lease(id); err != nil {
			return err
		}
	}
	if p.id == "" {
		return nil
	}
	return d.lease(p.id)
}

func (d *documents) window(b *Budget) error {
	if d.windows[b.ID] != nil {
		return nil
	}
	w := &Window{}
	switch _, err := d.tx.Get(Budgets.Ref(b.ID), w); {
	case errors.Is(err, store.ErrNotFound):
		w = &Window{ID: b.ID, Label: b.Label, Limit: b.Limit, Soft: b.Soft, Opening: b.Opening, Purge: purge(b.End, 0, true)}
	case err != nil:
		return fmt.Errorf("read window %s: %w", b.ID, err)
	}
	d.windows[b.ID] = w
	return nil
}

func (d *documents) lease(id string) error {
	if d.leases[id] != nil {
		return nil
	}
	l := &Lease{}
	if _, err := d.tx.Get(Leases.Ref(id), l); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read lease %s: %w", id, err)
	}
	d.leases[id] = l
	return nil
}

// write puts what the plans have changed.
func (d *documents) write(plans []*plan, notice Notice) (committed []func(), err error) {
	written := map[any]bool{}
	put := func(c store.Collection, id string, doc any) error {
		if written[doc] {
			return nil
		}
		written[doc] = true
		if err := d.tx.Put(c.Ref(id), doc); err != nil {
			return fmt.Errorf("write %s %s: %w", c.Name, id, err)
		}
		return nil
	}
	for _, p := range plans {
		if p.wroteLease {
			err = errors.Join(err, put(Leases, p.id, d.leases[p.id]))
		}
		if p.took {
			for _, id := range p.victims {
				err = errors.Join(err, put(Leases, id, d.leases[id]))
			}
		}
		if p.wroteWindow {
			w := d.windows[p.budget.ID]
			told, failed := w.tell(d.tx, notice)
			committed = append(committed, told...)
			err = errors.Join(err, failed, put(Budgets, w.ID, w))
		}
	}
	return committed, err
}

// tell tells of the thresholds that the window has passed and that nobody was told of, and marks them as told.
func (w *Window) tell(tx store.Tx, notice Notice) (committed []func(), err error) {
	spent := plus(w.Opening, w.Spent)
	call := func(percent int) {
		if notice == nil {
			return
		}
		done, failed := notice(tx, *w, percent)
		err = errors.Join(err, failed)
		if done != nil {
			committed = append(committed, done)
		}
	}
	if w.Soft > 0 && spent >= w.Soft && !w.SoftAlerted {
		w.SoftAlerted = true
		call(0)
	}
	for _, percent := range thresholds {
		if w.Limit > 0 && percent > w.Alerted && reached(spent, w.Limit, percent) {
			w.Alerted = percent
			call(int(percent))
		}
	}
	return committed, err
}

// reached tells whether spent is at least percent of limit.
func reached(spent, limit, percent int64) bool {
	if spent < 0 {
		return false
	}
	hi, lo := bits.Mul64(uint64(spent), 100)
	wantHi, wantLo := bits.Mul64(uint64(limit), uint64(percent))
	return hi > wantHi || hi == wantHi && lo >= wantLo
}
