package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

var watches = group{name: "Watch", indexes: indexes, cases: []testCase{
	{"Start", watchStart},
	{"Changes", watchChanges},
	{"Filter", watchFilter},
	{"Tx", watchTx},
	{"Busy", watchBusy},
	{"Stop", watchStop},
	{"NoIndex", watchNoIndex},
}}

// watch runs a Watch for the length of the test.
func (f fixture) watch(t *testing.T, q store.Query) <-chan store.Change {
	q.Collection = f.collection
	ctx, cancel := context.WithCancel(t.Context())
	changes, ended := make(chan store.Change), make(chan struct{})
	go func() {
		defer close(ended)
		for change, err := range f.Watch(ctx, q) {
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("watch: %v", err)
				}
				return
			}
			select {
			case changes <- change:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		wait(t, ended)
	})
	return changes
}

func wait[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Error("nothing has come")
	}
	return v
}

func wantLive(t *testing.T, changes <-chan store.Change) {
	t.Helper()
	if c := wait(t, changes); !c.Live || c.Removed || c.Doc.ID != "" {
		t.Fatalf("got %+v, want Live", c)
	}
}

func wantChange(t *testing.T, changes <-chan store.Change, id string, want record) store.Doc {
	t.Helper()
	c := wait(t, changes)
	if c.Live || c.Removed || c.Doc.ID != id || c.Doc.Version == 0 {
		t.Fatalf("got %+v, want %s changed", c, id)
	}
	var got record
	must(t, c.Doc.Decode(&got))
	if got != want {
		t.Fatalf("%s is %+v, want %+v", id, got, want)
	}
	return c.Doc
}

func wantRemoved(t *testing.T, changes <-chan store.Change, id string) {
	t.Helper()
	if c := wait(t, changes); !c.Removed || c.Live || c.Doc.ID != id {
		t.Fatalf("got %+v, want %s removed", c, id)
	}
}

func watchStart(t *testing.T, f fixture) {
	wantLive(t, f.watch(t, store.Query{}))
	f.create(t, "a", record{N: 1})
	f.create(t, "b", record{N: 2})
	changes := f.watch(t, store.Query{})
	first, second := wait(t, changes), wait(t, changes)
	ids := []string{first.Doc.ID, second.Doc.ID}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"a", "b"}) || first.Live || second.Live {
		t.Errorf("got %+v, %+v, want a and b", first, second)
	}
	wantLive(t, changes)
}

func watchChanges(t *testing.T, f fixture) {
	changes := f.watch(t, store.Query{})
	wantLive(t, changes)
	created := f.create(t, "a", record{N: 1})
	if doc := wantChange(t, changes, "a", record{N: 1}); doc.Version != created {
		t.Errorf("seen at %d, created at %d", doc.Version, created)
	}
	updated, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, created)
	must(t, err)
	if doc := wantChange(t, changes, "a", record{N: 2}); doc.Version != updated {
		t.Errorf("seen at %d, updated at %d", doc.Version, updated)
	}
	must(t, f.Delete(t.Context(), f.ref("a")))
	wantRemoved(t, changes, "a")
	f.create(t, "a", record{N: 3})
	wantChange(t, changes, "a", record{N: 3})
}

// watchFilter sees documents enter and leave the query, and no others.
func watchFilter(t *testing.T, f fixture) {
	f.create(t, "other", record{Owner: "y", N: 1})
	changes := f.watch(t, store.Query{Eq: map[string]any{"owner": "x"}, Order: "n", From: int64(1)})
	wantLive(t, changes)
	must(t, f.Delete(t.Context(), f.ref("other")))
	f.create(t, "low", record{Owner: "x", N: 0})
	version := f.create(t, "a", record{Owner: "x", N: 1})
	wantChange(t, changes, "a", record{Owner: "x", N: 1})
	version, err := f.Update(t.Context(), f.ref("a"), record{Owner: "y", N: 1}, version)
	must(t, err)
	wantRemoved(t, changes, "a")
	_, err = f.Update(t.Context(), f.ref("a"), record{Owner: "x", N: 2}, version)
	must(t, err)
	wantChange(t, changes, "a", record{Owner: "x", N: 2})
}

func watchTx(t *testing.T, f fixture) {
	f.create(t, "gone", record{})
	changes := f.watch(t, store.Query{})
	wantChange(t, changes, "gone", record{})
	wantLive(t, changes)
	f.tx(t, func(tx store.Tx) error {
		return errors.Join(tx.Create(f.ref("a"), record{N: 1}), tx.Put(f.ref("b"), record{N: 2}),
			tx.Add(f.ref("c"), nil, store.Deltas{"n": 3}), tx.Delete(f.ref("gone")))
	})
	got := map[string]bool{}
	for range 4 {
		c := wait(t, changes)
		got[c.Doc.ID] = c.Removed
	}
	if want := map[string]bool{"a": false, "b": false, "c": false, "gone": true}; !maps.Equal(got, want) {
		t.Errorf("removed: %v, want %v", got, want)
	}
}

// watchBusy writes while the watch starts and is not read: the last state of each document arrives, none is missed.
func watchBusy(t *testing.T, f fixture) {
	const rounds = 20
	ids := []string{"a", "b", "c"}
	changes := f.watch(t, store.Query{})
	for i := range rounds {
		f.tx(t, func(tx store.Tx) error {
			return errors.Join(tx.Put(f.ref("a"), record{N: int64(i)}), tx.Put(f.ref("b"), record{N: int64(i)}),
				tx.Put(f.ref("c"), record{N: int64(i)}))
		})
	}
	last := map[string]int64{}
	done := func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { n, ok := last[id]; return !ok || n < rounds-1 })
	}
	for !done() && !t.Failed() {
		c := wait(t, changes)
		if c.Live {
			continue
		}
		if c.Removed {
			t.Fatalf("%s is gone, after %v", c.Doc.ID, last)
		}
		var r record
		must(t, c.Doc.Decode(&r))
		if before, ok := last[c.Doc.ID]; ok && before >= r.N {
			t.Errorf("%s went from %d to %d", c.Doc.ID, before, r.N)
		}
		last[c.Doc.ID] = r.N
	}
}

// watchStop ends a watch by its context and by its reader.
func watchStop(t *testing.T, f fixture) {
	f.create(t, "a", record{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	live := make(chan struct{})
	go func() {
		var last error
		for c, err := range f.Watch(ctx, store.Query{Collection: f.collection}) {
			if last = err; c.Live {
				close(live)
			}
		}
		ended <- last
	}()
	wait(t, live)
	cancel()
	if err := wait(t, ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	for range f.Watch(t.Context(), store.Query{Collection: f.collection}) {
		break
	}
}

func watchNoIndex(t *testing.T, f fixture) {
	var got error
	for _, err := range f.Watch(t.Context(), store.Query{Collection: f.collection, Order: "created"}) {
		if got = err; err != nil {
			break
		}
	}
	wantError(t, got, store.ErrNoIndex)
}
