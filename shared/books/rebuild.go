package books

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Changes are what Rebuild did.
type Changes struct {
	Days    int64    `json:"days"`
	Created int64    `json:"created"`
	Updated int64    `json:"updated"`
	Deleted int64    `json:"deleted"`
	Skipped int64    `json:"skipped"` // wrong, and booked to all the while: ask again when it is quieter
	Changes []Change `json:"changes"` // the first 100
}

// Change is one sum that was wrong.
type Change struct {
	Kind     string          `json:"kind"` // fact or rollup
	Document string          `json:"document"`
	Scope    gateway.Scope   `json:"scope"`
	Subject  string          `json:"subject"`
	Model    string          `json:"model,omitempty"`
	Day      string          `json:"day"`
	Had      gateway.NanoUSD `json:"had_nano_usd"`
	Has      gateway.NanoUSD `json:"has_nano_usd"`
}

// Rebuild derives the sums from the ledger anew and writes those that differ. It may run beside a gateway that books: a sum is
// replaced only if nothing was booked to it since before its entries were read.
func Rebuild(ctx context.Context, s store.Store) (*Changes, error) {
	r := &rebuild{store: s, changes: Changes{Changes: []Change{}}}
	var failed error
	all, err := days(ctx, s, func(c store.Collection, doc store.Doc, k key) {
		gone, err := r.remove(ctx, c.Ref(doc.ID), doc.Version)
		if err == nil && gone {
			d := name(k)
			r.changed(Change{kindOf(c), doc.ID, d.Scope, d.Subject, d.Model, d.Day, 0, 0}, &r.changes.Deleted)
		}
		failed = errors.Join(failed, err)
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	for _, day := range all {
		if err := r.day(ctx, day); err != nil {
			return nil, err
		}
		r.changes.Days++
	}
	return &r.changes, nil
}

type rebuild struct {
	store   store.Store
	changes Changes
}

// day makes the sums of a day what they must be. What is booked to meanwhile is tried again.
func (r *rebuild) day(ctx context.Context, day string) error {
	for round := 0; ; round++ {
		have, err := sumsOn(ctx, r.store, day)
		if err != nil {
			return err
		}
		want, err := derived(ctx, r.store, day)
		if err != nil {
			return err
		}
		moved := int64(0)
		for k, had := range have {
			if _, needed := want[k]; !needed {
				want[k] = sum{0, had.alias, ledger.Sums{}}
			}
		}
		for k, sums := range want {
			had, exists := have[k]
			if exists && had.Sums == sums.Sums && had.Attempts > 0 {
				continue
			}
			done, err := r.write(ctx, k, had, exists, sums)
			if err != nil {
				return err
			}
			if !done {
				moved++
			}
		}
		if moved == 0 || round == rounds {
			r.changes.Skipped += moved
			return nil
		}
		if err := pause(ctx, round); err != nil {
			return err
		}
	}
}

// write makes one sum what it must be, unless it has changed since it was read.
func (r *rebuild) write(ctx context.Context, k key, had sum, exists bool, has sum) (done bool, err error) {
	has.alias = cmp.Or(had.alias, has.alias)
	n, ref := &r.changes.Updated, refOf(k)
	switch {
	case exists && has.Attempts == 0:
		n = &r.changes.Deleted
		done, err = r.remove(ctx, ref, had.version)
	case exists:
		_, err = r.store.Update(ctx, ref, document(k, has), had.version)
		done = err == nil
	default:
		n = &r.changes.Created
		_, err = r.store.Create(ctx, ref, document(k, has))
		done = err == nil
	}
	if errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("write sum %s: %w", ref.ID, err)
	}
	if done {
		d := name(k)
		r.changed(Change{d.Kind, ref.ID, d.Scope, d.Subject, d.Model, d.Day, had.Spend, has.Spend}, n)
	}
	return done, nil
}

func document(k key, s sum) any {
	if g, ok := k.(ledger.Group); ok {
		return &ledger.Fact{Named: ledger.Named{Group: g, Alias: s.alias}, Sums: s.Sums}
	}
	return &ledger.Rollup{Part: k.(ledger.Part), Sums: s.Sums}
}

// remove deletes a document that is still at the version.
func (r *rebuild) remove(ctx context.Context, ref store.Ref, version store.Version) (gone bool, err error) {
	err = r.store.Tx(ctx, func(tx store.Tx) error {
		now, err := tx.Get(ref, nil)
		switch gone = err == nil && now == version; {
		case gone:
			return tx.Delete(ref)
		case errors.Is(err, store.ErrNotFound):
			return nil
		}
		return err
	})
	return gone, err
}

func (r *rebuild) changed(c Change, n *int64) {
	*n++
	if len(r.changes.Changes) < maxNamed {
		r.changes.Changes = append(r.changes.Changes, c)
	}
}
