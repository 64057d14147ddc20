package sqlitestore

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"github.com/sluice-gateway/sluice/shared/store"
)

// tx runs in the writer's goroutine, so nothing it reads can change before it commits.
type tx struct {
	s     *session
	wrote bool
	err   error // the first of a write; fn cannot make it undone
}

// Tx implements store.Store. All writing waits for fn, which must therefore be quick and write only through its Tx. It runs
// again only when the group that it shares a transaction with fails.
func (db *DB) Tx(ctx context.Context, fn func(store.Tx) error) error {
	return db.writer.do(ctx, func(s *session) error {
		t := &tx{s: s}
		if err := fn(t); err != nil {
			return err
		}
		return t.err
	})
}

func (t *tx) Get(ref store.Ref, into any) (store.Version, error) {
	if t.wrote {
		return 0, errors.New("store: a transaction reads before it writes")
	}
	table, err := t.s.db.table(ref.Collection)
	if err != nil {
		return 0, err
	}
	version, body, err := t.s.get(table, ref.ID)
	if err != nil {
		return 0, err
	}
	return version, decode(ref, body, into)
}

func (s *session) get(t *table, id string) (version store.Version, body []byte, err error) {
	err = s.query(t.get, []any{id}, func(row []value) bool {
		version, body = store.Version(row[0].(int64)), row[1].([]byte)
		return false
	})
	return version, body, err
}

// write lets do change the document's table, unless an earlier write has failed.
func (t *tx) write(ref store.Ref, do func(*table) error) error {
	t.wrote = true
	if t.err != nil {
		return t.err
	}
	table, err := t.s.db.table(ref.Collection)
	if err == nil {
		err = do(table)
	}
	t.err = err
	return err
}

func (t *tx) Create(ref store.Ref, doc any) error {
	return t.write(ref, func(table *table) error {
		r, err := table.encode(ref.ID, doc)
		if err == nil {
			_, err = t.s.create(table, ref.ID, r)
		}
		return err
	})
}

func (t *tx) Put(ref store.Ref, doc any) error {
	return t.write(ref, func(table *table) error {
		r, err := table.encode(ref.ID, doc)
		if err == nil {
			_, err = t.s.put(table, ref.ID, r)
		}
		return err
	})
}

func (t *tx) Delete(ref store.Ref) error {
	return t.write(ref, func(table *table) error { return t.s.remove(table, ref.ID) })
}

func (t *tx) Add(ref store.Ref, base any, n store.Deltas) error {
	return t.write(ref, func(table *table) error {
		if base == nil {
			base = struct{}{}
		}
		r, err := table.encode(ref.ID, base)
		if err != nil {
			return err
		}
		_, body, err := t.s.get(table, ref.ID)
		if err != nil {
			return err
		}
		sum, err := add(body, r.body, n)
		if err != nil {
			return err
		}
		if r, err = table.encode(ref.ID, sum); err != nil {
			return err
		}
		if body != nil && table.sameValues(body, r) {
			return t.s.touch(table, ref.ID, r)
		}
		_, err = t.s.put(table, ref.ID, r)
		return err
	})
}

// add merges base into the document, nil if absent, and adds the deltas to what the document had.
func add(body, base []byte, n store.Deltas) (map[string]json.RawMessage, error) {
	old, sum := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if body != nil {
		if err := json.Unmarshal(body, &old); err != nil {
			return nil, err
		}
	}
	maps.Copy(sum, old)
	if err := json.Unmarshal(base, &sum); err != nil {
		return nil, err
	}
	for field, delta := range n {
		var was int64
		if raw := old[field]; raw != nil {
			_ = json.Unmarshal(raw, &was) // what is no number counts as zero
		}
		now, err := json.Marshal(was + delta)
		if err != nil {
			return nil, err
		}
		sum[field] = now
	}
	return sum, nil
}
