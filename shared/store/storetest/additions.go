package storetest

import (
	"errors"
	"math"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/store"
)

var additions = group{name: "Add", cases: []testCase{
	{"Absent", addAbsent},
	{"Existing", addExisting},
	{"Several", addSeveral},
	{"Exact", addExact},
	{"Concurrent", addConcurrent},
	{"WithCreate", addWithCreate},
}}

func (f fixture) add(t *testing.T, id string, base any, n store.Deltas) {
	t.Helper()
	f.tx(t, func(tx store.Tx) error { return tx.Add(f.ref(id), base, n) })
}

func addAbsent(t *testing.T, f fixture) {
	f.add(t, "a", record{Name: "x", N: 100}, store.Deltas{"n": 5}) // base's own n counts as zero
	f.want(t, "a", &record{Name: "x", N: 5})
	f.add(t, "b", nil, store.Deltas{"n": -5})
	f.want(t, "b", &record{N: -5})
}

func addExisting(t *testing.T, f fixture) {
	f.create(t, "a", record{Name: "old", Owner: "o", N: 10})
	f.add(t, "a", record{Name: "new", N: 100}, store.Deltas{"n": 5})
	f.want(t, "a", &record{Name: "new", Owner: "o", N: 15}) // what base omits stays
	f.add(t, "a", nil, store.Deltas{"n": -20})
	f.want(t, "a", &record{Name: "new", Owner: "o", N: -5})

	f.create(t, "b", map[string]any{"name": "x"})
	f.add(t, "b", nil, store.Deltas{"n": 7}) // a field begins at zero
	f.want(t, "b", &record{Name: "x", N: 7})
}

// addSeveral adds to one document more than once, and to one written in the same transaction.
func addSeveral(t *testing.T, f fixture) {
	f.tx(t, func(tx store.Tx) error {
		return errors.Join(
			tx.Add(f.ref("a"), record{Name: "x"}, store.Deltas{"n": 1}),
			tx.Add(f.ref("a"), record{Name: "x"}, store.Deltas{"n": 2}),
			tx.Put(f.ref("b"), record{N: 10}),
			tx.Add(f.ref("b"), nil, store.Deltas{"n": 3}))
	})
	f.want(t, "a", &record{Name: "x", N: 3})
	f.want(t, "b", &record{N: 13})
}

func addExact(t *testing.T, f fixture) {
	f.add(t, "a", nil, store.Deltas{"n": math.MaxInt64 - 1})
	f.add(t, "a", nil, store.Deltas{"n": 1})
	f.want(t, "a", &record{N: math.MaxInt64})
}

func addConcurrent(t *testing.T, f fixture) {
	const adders, rounds = 5, 3
	var all errgroup.Group
	for range adders {
		all.Go(func() error {
			for range rounds {
				err := f.Tx(t.Context(), func(tx store.Tx) error {
					return tx.Add(f.ref("a"), record{Name: "x"}, store.Deltas{"n": 2})
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, all.Wait())
	f.want(t, "a", &record{Name: "x", N: adders * rounds * 2})
}

// addWithCreate repeats a booking: the Create says that it is one, and nothing is added again.
func addWithCreate(t *testing.T, f fixture) {
	for _, createFirst := range []bool{true, false} {
		id := map[bool]string{true: "first", false: "last"}[createFirst]
		book := func(tx store.Tx) error {
			create := func() error { return tx.Create(f.ref("entry-"+id), record{N: 1}) }
			add := func() error { return tx.Add(f.ref("sum-"+id), nil, store.Deltas{"n": 1}) }
			if createFirst {
				return errors.Join(create(), add())
			}
			return errors.Join(add(), create())
		}
		f.tx(t, book)
		wantError(t, f.Tx(t.Context(), book), store.ErrExists)
		f.want(t, "sum-"+id, &record{N: 1})
	}
}
