package storetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/store"
)

var transactions = group{name: "Tx", cases: []testCase{
	{"Commit", commit},
	{"Rollback", rollback},
	{"Exists", exists},
	{"Get", txGet},
	{"ReadsFirst", readsFirst},
	{"Sequence", sequence},
	{"Versions", versions},
	{"LostUpdate", lostUpdate},
	{"OneWinner", oneWinner},
	{"WriteSkew", writeSkew},
}}

func commit(t *testing.T, f fixture) {
	f.create(t, "old", record{Name: "x", N: 1})
	f.create(t, "gone", record{N: 1})
	f.tx(t, func(tx store.Tx) error {
		return errors.Join(
			tx.Create(f.ref("created"), record{N: 2}),
			tx.Put(f.ref("put"), record{N: 3}),
			tx.Put(f.ref("old"), record{N: 4}),
			tx.Delete(f.ref("gone")),
			tx.Delete(f.ref("never")))
	})
	f.want(t, "created", &record{N: 2})
	f.want(t, "put", &record{N: 3})
	f.want(t, "old", &record{N: 4})
	f.want(t, "gone", nil)
	f.tx(t, func(store.Tx) error { return nil })
}

func rollback(t *testing.T, f fixture) {
	f.create(t, "old", record{N: 1})
	own := errors.New("own")
	err := f.Tx(t.Context(), func(tx store.Tx) error {
		must(t, tx.Create(f.ref("created"), record{}))
		must(t, tx.Put(f.ref("old"), record{N: 2}))
		must(t, tx.Add(f.ref("sum"), nil, store.Deltas{"n": 1}))
		must(t, tx.Delete(f.ref("old")))
		return own
	})
	if err != own {
		t.Errorf("got error %v, want fn's as it is", err)
	}
	f.want(t, "old", &record{N: 1})
	f.want(t, "created", nil)
	f.want(t, "sum", nil)
}

// exists creates what is there, last and first, noticing it in fn and not.
func exists(t *testing.T, f fixture) {
	f.create(t, "there", record{N: 1})
	for _, ids := range [][]string{{"there", "new"}, {"new", "there"}, {"new", "new"}} {
		for _, heed := range []bool{true, false} {
			err := f.Tx(t.Context(), func(tx store.Tx) error {
				for _, id := range ids {
					if err := tx.Create(f.ref(id), record{N: 2}); err != nil && heed {
						return err
					}
				}
				return nil
			})
			wantError(t, err, store.ErrExists)
			f.want(t, "there", &record{N: 1})
			f.want(t, "new", nil)
		}
	}
}

func txGet(t *testing.T, f fixture) {
	want := f.create(t, "a", record{N: 1})
	f.tx(t, func(tx store.Tx) error {
		var got record
		version, err := tx.Get(f.ref("a"), &got)
		must(t, err)
		if version != want || got.N != 1 {
			t.Errorf("got %+v at %d, want N=1 at %d", got, version, want)
		}
		version, err = tx.Get(f.ref("a"), nil)
		must(t, err)
		if version != want {
			t.Errorf("got version %d, want %d", version, want)
		}
		_, err = tx.Get(f.ref("b"), &got)
		wantError(t, err, store.ErrNotFound)
		return nil
	})
}

func readsFirst(t *testing.T, f fixture) {
	f.create(t, "a", record{N: 1})
	err := f.Tx(t.Context(), func(tx store.Tx) error {
		must(t, tx.Put(f.ref("b"), record{N: 1}))
		_, err := tx.Get(f.ref("a"), nil)
		return err
	})
	if err == nil {
		t.Error("read after a write")
	}
	f.want(t, "b", nil)
}

// sequence writes one document several times: the order counts.
func sequence(t *testing.T, f fixture) {
	f.create(t, "a", record{N: 1})
	f.tx(t, func(tx store.Tx) error {
		return errors.Join(
			tx.Delete(f.ref("a")), tx.Create(f.ref("a"), record{N: 2}),
			tx.Put(f.ref("b"), record{N: 3}), tx.Put(f.ref("b"), record{N: 4}),
			tx.Create(f.ref("c"), record{N: 5}), tx.Delete(f.ref("c")))
	})
	f.want(t, "a", &record{N: 2})
	f.want(t, "b", &record{N: 4})
	f.want(t, "c", nil)
}

// versions sees a transaction's writes as changes.
func versions(t *testing.T, f fixture) {
	before := f.create(t, "a", record{N: 1})
	f.create(t, "b", record{N: 1})
	f.tx(t, func(tx store.Tx) error {
		return errors.Join(tx.Put(f.ref("a"), record{N: 1}), tx.Add(f.ref("b"), nil, store.Deltas{"n": 1}))
	})
	_, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, before)
	wantError(t, err, store.ErrChanged)
	now, err := f.Get(t.Context(), f.ref("a"), nil)
	must(t, err)
	_, err = f.Update(t.Context(), f.ref("a"), record{N: 2}, now)
	must(t, err)
}

// lostUpdate has few counters at once: the emulator takes seconds for contended transactions.
func lostUpdate(t *testing.T, f fixture) {
	const counters, rounds = 3, 2
	f.create(t, "a", record{})
	var all errgroup.Group
	for range counters {
		all.Go(func() error {
			for range rounds {
				err := f.Tx(t.Context(), func(tx store.Tx) error {
					var r record
					if _, err := tx.Get(f.ref("a"), &r); err != nil {
						return err
					}
					r.N++
					return tx.Put(f.ref("a"), r)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, all.Wait())
	f.want(t, "a", &record{N: counters * rounds})
}

// oneWinner races for what is absent: that it was absent is something read, too.
func oneWinner(t *testing.T, f fixture) {
	var all errgroup.Group
	var winners atomic.Int64
	for i := range 3 {
		all.Go(func() error {
			won := false
			err := f.Tx(t.Context(), func(tx store.Tx) error {
				_, err := tx.Get(f.ref("a"), nil)
				if won = errors.Is(err, store.ErrNotFound); !won {
					return err
				}
				return tx.Put(f.ref("a"), record{N: int64(i)})
			})
			if won {
				winners.Add(1)
			}
			return err
		})
	}
	must(t, all.Wait())
	if got := winners.Load(); got != 1 {
		t.Errorf("%d transactions found it absent", got)
	}
}

// writeSkew has two transactions read both documents and write one each: one must see the other's write.
func writeSkew(t *testing.T, f fixture) {
	ids := []string{"a", "b"}
	for _, id := range ids {
		f.create(t, id, record{N: 1})
	}
	var all errgroup.Group
	for _, mine := range ids {
		all.Go(func() error {
			return f.Tx(t.Context(), func(tx store.Tx) error {
				var sum int64
				for _, id := range ids {
					var r record
					if _, err := tx.Get(f.ref(id), &r); err != nil {
						return err
					}
					sum += r.N
				}
				if sum < 2 {
					return nil
				}
				return tx.Put(f.ref(mine), record{N: 0})
			})
		})
	}
	must(t, all.Wait())
	n, sums, err := f.Sum(t.Context(), store.Query{Collection: f.collection}, "n")
	must(t, err)
	if n != 2 || sums[0] != 1 {
		t.Errorf("%d documents add up to %d, want 1 left", n, sums[0])
	}
}
