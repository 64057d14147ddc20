// Package storetest is the suite that every driver of package store passes: each sentence of the port is a subtest.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// patience is how long something that must happen may take, on a loaded machine with an emulator.
const patience = 30 * time.Second

// group is one part of the port, with a collection of its own.
type group struct {
	name    string
	indexes []store.Index
	cases   []testCase
}

type testCase struct {
	name string
	run  func(*testing.T, fixture)
}

// fixture is the store under test and the collection that a case has for itself.
type fixture struct {
	store.Store
	collection store.Collection
}

func (f fixture) ref(id string) store.Ref { return f.collection.Ref(id) }

var (
	groups = []group{documents, writers, transactions, additions, queries, sums, watches}

	// run makes the names of collections differ between processes, which may share an emulator.
	run = rand.Text()[:8]
)

// Collections are those that the suite uses, for drivers that want to know them beforehand.
func Collections() []store.Collection {
	var all []store.Collection
	for _, g := range groups {
		for _, c := range g.cases {
			all = append(all, g.collection(c))
		}
	}
	return all
}

func (g group) collection(c testCase) store.Collection {
	return store.Collection{Name: "storetest-" + run + "-" + g.name + "-" + c.name, Indexes: g.indexes}
}

// Run runs the suite in parallel on one store, which open makes and t's Cleanup takes down.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	s := open(t)
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					f := fixture{s, g.collection(c)}
					t.Cleanup(func() { f.empty(t) })
					c.run(t, f)
				})
			}
		})
	}
}

// empty deletes what the case has left, for the next run in this process.
func (f fixture) empty(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for doc, err := range f.Query(ctx, store.Query{Collection: f.collection}) {
		if err == nil {
			err = f.Delete(ctx, f.ref(doc.ID))
		}
		if err != nil {
			t.Errorf("clean up: %v", err)
			return
		}
	}
}

// record is the document of most cases.
type record struct {
	Name  string `json:"name,omitempty"`
	Owner string `json:"owner,omitempty"`
	N     int64  `json:"n"`
	Open  bool   `json:"open,omitempty"`
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func (f fixture) create(t *testing.T, id string, doc any) store.Version {
	t.Helper()
	version, err := f.Create(t.Context(), f.ref(id), doc)
	must(t, err)
	return version
}

func (f fixture) tx(t *testing.T, fn func(store.Tx) error) {
	t.Helper()
	must(t, f.Tx(t.Context(), fn))
}

// want tells whether the document is as wanted; nil wants it absent.
func (f fixture) want(t *testing.T, id string, want *record) {
	t.Helper()
	var got record
	_, err := f.Get(t.Context(), f.ref(id), &got)
	if want == nil {
		wantError(t, err, store.ErrNotFound)
		return
	}
	must(t, err)
	if got != *want {
		t.Fatalf("%s is %+v, want %+v", id, got, *want)
	}
}

// ids are the query's results, in order.
func (f fixture) ids(t *testing.T, q store.Query) []string {
	t.Helper()
	q.Collection = f.collection
	ids := []string{}
	for doc, err := range f.Query(t.Context(), q) {
		must(t, err)
		ids = append(ids, doc.ID)
	}
	return ids
}

func (f fixture) wantIDs(t *testing.T, q store.Query, want ...string) {
	t.Helper()
	if got := f.ids(t, q); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
