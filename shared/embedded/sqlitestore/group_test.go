package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/store"
)

var things = store.Collection{Name: "things", Indexes: []store.Index{{"n"}}, TTL: "expires"}

type thing struct {
	N       int64 `json:"n"`
	Expires int64 `json:"expires,omitempty"`
}

// hold keeps the writer busy until release, so that what comes meanwhile shares a group.
func hold(t *testing.T, db *sqlitestore.DB) (release func()) {
	t.Helper()
	held, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Tx(context.Background(), func(store.Tx) error {
			close(held)
			<-end
			return nil
		})
	}()
	<-held
	return func() {
		close(end)
		must(t, <-done)
	}
}

// TestGroup: operations that share a transaction succeed and fail each for itself.
func TestGroup(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	_, err := db.Create(t.Context(), things.Ref("taken"), thing{})
	must(t, err)

	const n = 100
	release := hold(t, db)
	results := make([]chan error, n)
	for i := range results {
		results[i] = make(chan error, 1)
		mine := things.Ref(fmt.Sprint("doc-", i))
		go func() {
			results[i] <- db.Tx(t.Context(), func(tx store.Tx) error {
				if err := tx.Put(mine, thing{N: 1}); err != nil {
					return err
				}
				if err := tx.Add(things.Ref("sum"), nil, store.Deltas{"n": 1}); err != nil {
					return err
				}
				if i%3 == 0 {
					return tx.Create(things.Ref("taken"), thing{})
				}
				return nil
			})
		}()
	}
	release()
	succeeded := int64(0)
	for i, result := range results {
		err := <-result
		_, absent := db.Get(t.Context(), things.Ref(fmt.Sprint("doc-", i)), nil)
		if i%3 == 0 {
			if !errors.Is(err, store.ErrExists) || !errors.Is(absent, store.ErrNotFound) {
				t.Errorf("%d: got error %v, want ErrExists; its document: %v", i, err, absent)
			}
			continue
		}
		succeeded++
		must(t, errors.Join(err, absent))
	}
	var sum thing
	_, err = db.Get(t.Context(), things.Ref("sum"), &sum)
	must(t, err)
	if sum.N != succeeded {
		t.Errorf("sum is %d, want %d", sum.N, succeeded)
	}
}

// TestPanic: a panic reaches who caused it, and nobody else.
func TestPanic(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = db.Tx(t.Context(), func(tx store.Tx) error {
			must(t, tx.Put(things.Ref("a"), thing{}))
			panic("own")
		})
	}()
	_, err := db.Create(t.Context(), things.Ref("a"), thing{})
	must(t, err)
}

// TestGiveUp: what has not begun when its context ends never does.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	release := hold(t, db)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := db.Create(ctx, things.Ref("a"), thing{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want the context's", err)
	}
	release()
	_, err := db.Create(t.Context(), things.Ref("a"), thing{})
	must(t, err)
}

// TestClose: what was asked for before is done, what comes after is refused.
func TestClose(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	release := hold(t, db)
	created, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := db.Create(t.Context(), things.Ref("a"), thing{})
		created <- err
	}()
	go func() { closed <- db.Close() }()
	release()
	if err := <-created; err != nil && err.Error() != "sqlitestore: closed" {
		t.Error(err)
	}
	must(t, <-closed)
	must(t, db.Close())
	if _, err := db.Create(t.Context(), things.Ref("b"), thing{}); err == nil {
		t.Error("wrote after Close")
	}
	if _, err := db.Get(t.Context(), things.Ref("a"), nil); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("read after Close: %v", err)
	}
}

// TestUnknownCollection: a collection that was not named is a mistake, not an empty one.
func TestUnknownCollection(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	other := store.Collection{Name: "other"}
	_, get := db.Get(t.Context(), other.Ref("a"), nil)
	_, create := db.Create(t.Context(), other.Ref("a"), thing{})
	put := db.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(other.Ref("a"), thing{}) })
	for _, err := range []error{get, create, put} {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("got error %v", err)
		}
	}
}

// TestSlowWatcher: more changes than a watcher remembers one by one still all arrive.
func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	const n = 5000
	must(t, db.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(things.Ref("gone"), thing{}) }))
	last := map[string]int64{}
	for change, err := range db.Watch(t.Context(), store.Query{Collection: things}) {
		must(t, err)
		if change.Live {
			for round := range int64(2) {
				must(t, db.Tx(t.Context(), func(tx store.Tx) error {
					for i := range n {
						if err := tx.Put(things.Ref(fmt.Sprint(i)), thing{N: round}); err != nil {
							return err
						}
					}
					return tx.Delete(things.Ref("gone"))
				}))
			}
			continue
		}
		var v thing
		if delete(last, change.Doc.ID); !change.Removed {
			must(t, change.Doc.Decode(&v))
			last[change.Doc.ID] = v.N
		}
		if _, there := last["gone"]; len(last) == n && !there {
			break
		}
	}
	for id, v := range last {
		if v != 1 {
			t.Fatalf("%s was last seen at %d", id, v)
		}
	}
}

// TestSweep deletes what has expired, in all its transactions, and tells watchers.
func TestSweep(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, things)
	now := time.Unix(1_800_000_000, 0)
	const expired = 1200
	must(t, db.Tx(t.Context(), func(tx store.Tx) error {
		for i := range expired {
			if err := tx.Put(things.Ref(fmt.Sprint("old-", i)), thing{Expires: now.Unix() - rand.Int64N(1000)}); err != nil {
				return err
			}
		}
		return errors.Join(tx.Put(things.Ref("new"), thing{Expires: now.Unix() + 1}), tx.Put(things.Ref("never"), thing{}))
	}))
	removed := 0
	for change, err := range db.Watch(t.Context(), store.Query{Collection: things}) {
		must(t, err)
		if change.Live {
			must(t, db.Sweep(t.Context(), now))
		}
		if change.Removed {
			removed++
		}
		if removed == expired {
			break
		}
	}
	left, _, err := db.Sum(t.Context(), store.Query{Collection: things})
	must(t, err)
	if left != 2 {
		t.Errorf("%d documents left, want 2", left)
	}
}
