package memstore

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/sluice-gateway/sluice/shared/store"
)

// tx gathers reads and writes; Store.commit checks the former and applies the latter.
type tx struct {
	store   *Store
	reads   map[store.Ref]store.Version
	writes  []func() error // run by commit, under the store's lock
	changed map[store.Ref]*document
}

func newTx(s *Store) *tx {
	return &tx{store: s, reads: map[store.Ref]store.Version{}, changed: map[store.Ref]*document{}}
}

// Tx implements store.Store, optimistically: on a conflict fn runs again.
func (s *Store) Tx(ctx context.Context, fn func(store.Tx) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		tx := newTx(s)
		if err := fn(tx); err != nil {
			return err
		}
		if conflict, err := s.commit(tx); !conflict {
			return err
		}
	}
}

func (t *tx) Get(ref store.Ref, into any) (store.Version, error) {
	if len(t.writes) > 0 {
		return 0, errors.New("store: a transaction reads before it writes")
	}
	d := t.store.read(ref)
	if _, again := t.reads[ref]; !again {
		t.reads[ref] = d.at()
	}
	return decode(d, ref, into)
}

// current is the document as the writes so far leave it; only commit's writes may ask.
func (t *tx) current(ref store.Ref) *document {
	if d, ok := t.changed[ref]; ok {
		return d
	}
	return t.store.docs[ref]
}

func (t *tx) put(ref store.Ref, doc any, check func(now *document) error) error {
	d, err := encode(ref.ID, doc)
	if err != nil {
		return err
	}
	t.writes = append(t.writes, func() error {
		if err := check(t.current(ref)); err != nil {
			return err
		}
		t.changed[ref] = d
		return nil
	})
	return nil
}

func (t *tx) Create(ref store.Ref, doc any) error {
	return t.put(ref, doc, func(now *document) error {
		if now != nil {
			return fmt.Errorf("%w: %s/%s", store.ErrExists, ref.Collection, ref.ID)
		}
		return nil
	})
}

func (t *tx) update(ref store.Ref, doc any, ifAt store.Version) error {
	return t.put(ref, doc, func(now *document) error {
		if now == nil || now.version != ifAt {
			return fmt.Errorf("%w: %s/%s", store.ErrChanged, ref.Collection, ref.ID)
		}
		return nil
	})
}

func (t *tx) Put(ref store.Ref, doc any) error {
	return t.put(ref, doc, func(*document) error { return nil })
}

func (t *tx) Add(ref store.Ref, base any, n store.Deltas) error {
	if base == nil {
		base = struct{}{}
	}
	start, err := encode(ref.ID, base)
	if err != nil {
		return err
	}
	t.writes = append(t.writes, func() error {
		sum := map[string]any{}
		now := t.current(ref)
		if now != nil {
			maps.Copy(sum, now.fields)
		}
		maps.Copy(sum, start.fields)
		for field, delta := range n {
			old := int64(0)
			if now != nil {
				old, _ = now.fields[field].(int64)
			}
			sum[field] = old + delta
		}
		d, err := encode(ref.ID, sum)
		t.changed[ref] = d
		return err
	})
	return nil
}

func (t *tx) Delete(ref store.Ref) error {
	t.writes = append(t.writes, func() error {
		t.changed[ref] = nil
		return nil
	})
	return nil
}
