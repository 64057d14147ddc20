package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
)

var indexes = []store.Index{{"owner"}, {"name"}, {"n"}, {"open"}, {"owner", "n"}, {"open", "owner", "name"}}

var queries = group{name: "Query", indexes: indexes, cases: []testCase{
	{"Order", queryOrder},
	{"Equal", queryEqual},
	{"Range", queryRange},
	{"Cursor", queryCursor},
	{"Absent", queryAbsent},
	{"Text", queryText},
	{"Moves", queryMoves},
	{"Many", queryMany},
	{"Large", queryLarge},
	{"NoIndex", queryNoIndex},
}}

// fill creates a few records: their order by id, by name and by n differ, and n has a tie.
func fill(t *testing.T, f fixture) {
	f.tx(t, func(tx store.Tx) error {
		for id, r := range map[string]record{
			"a": {"delta", "x", 3, true}, "b": {"charlie", "y", 1, false}, "c": {"bravo", "x", 2, true},
			"d": {"alpha", "x", 2, false}, "e": {"echo", "y", -4, true},
		} {
			doc := map[string]any{"name": r.Name, "owner": r.Owner, "n": r.N, "open": r.Open}
			if err := tx.Put(f.ref(id), doc); err != nil {
				return err
			}
		}
		return nil
	})
}

func queryOrder(t *testing.T, f fixture) {
	f.wantIDs(t, store.Query{})
	fill(t, f)
	f.wantIDs(t, store.Query{}, "a", "b", "c", "d", "e")
	f.wantIDs(t, store.Query{Desc: true}, "e", "d", "c", "b", "a")
	f.wantIDs(t, store.Query{Order: "name"}, "d", "c", "b", "a", "e")
	f.wantIDs(t, store.Query{Order: "name", Desc: true}, "e", "a", "b", "c", "d")
	f.wantIDs(t, store.Query{Order: "n"}, "e", "b", "c", "d", "a") // ties by id
	f.wantIDs(t, store.Query{Order: "n", Desc: true}, "a", "d", "c", "b", "e")
	f.wantIDs(t, store.Query{Limit: 2}, "a", "b")
	f.wantIDs(t, store.Query{Order: "n", Limit: 3}, "e", "b", "c")
	f.wantIDs(t, store.Query{Order: "n", Limit: 9, Desc: true}, "a", "d", "c", "b", "e")
}

func queryEqual(t *testing.T, f fixture) {
	fill(t, f)
	equal := func(field string, value any) map[string]any { return map[string]any{field: value} }
	f.wantIDs(t, store.Query{Eq: equal("owner", "x")}, "a", "c", "d")
	f.wantIDs(t, store.Query{Eq: equal("owner", "x"), Desc: true, Limit: 2}, "d", "c")
	f.wantIDs(t, store.Query{Eq: equal("owner", "X")})
	f.wantIDs(t, store.Query{Eq: equal("n", int64(2))}, "c", "d")
	f.wantIDs(t, store.Query{Eq: equal("n", "2")})
	f.wantIDs(t, store.Query{Eq: equal("open", true)}, "a", "c", "e")
	f.wantIDs(t, store.Query{Eq: equal("open", false)}, "b", "d")
	f.wantIDs(t, store.Query{Eq: equal("open", int64(1))})
	f.wantIDs(t, store.Query{Eq: equal("owner", "x"), Order: "n"}, "c", "d", "a")
	f.wantIDs(t, store.Query{Eq: map[string]any{"owner": "x", "open": true}, Order: "name"}, "c", "a")
}

func queryRange(t *testing.T, f fixture) {
	fill(t, f)
	f.wantIDs(t, store.Query{Order: "n", From: int64(1), To: int64(3)}, "b", "c", "d")
	f.wantIDs(t, store.Query{Order: "n", From: int64(2)}, "c", "d", "a")
	f.wantIDs(t, store.Query{Order: "n", To: int64(2)}, "e", "b")
	f.wantIDs(t, store.Query{Order: "n", From: int64(1), To: int64(3), Desc: true}, "d", "c", "b")
	f.wantIDs(t, store.Query{Order: "n", From: int64(3), To: int64(1)})
	f.wantIDs(t, store.Query{Order: "n", From: "1"})
	f.wantIDs(t, store.Query{Order: "name", From: "b", To: "d"}, "c", "b")
	f.wantIDs(t, store.Query{Order: "name", To: "bravo"}, "d")
	f.wantIDs(t, store.Query{Order: "name", From: int64(0)})
	f.wantIDs(t, store.Query{Eq: map[string]any{"owner": "x"}, Order: "n", From: int64(2), To: int64(3)}, "c", "d")
}

// queryCursor pages through every order one by one and by twos, and starts where nothing is.
func queryCursor(t *testing.T, f fixture) {
	fill(t, f)
	for _, q := range []store.Query{
		{}, {Desc: true}, {Order: "name"}, {Order: "n"}, {Order: "n", Desc: true},
		{Order: "n", From: int64(1), To: int64(3)}, {Eq: map[string]any{"owner": "x"}},
		{Eq: map[string]any{"owner": "x"}, Order: "n", Desc: true},
	} {
		want := f.ids(t, q)
		for size := 1; size <= 2; size++ {
			if got := f.pages(t, q, size); !slices.Equal(got, want) {
				t.Errorf("%+v by pages of %d: %q, want %q", q, size, got, want)
			}
		}
	}
	f.wantIDs(t, store.Query{After: &store.Cursor{ID: "bb"}}, "c", "d", "e")
	f.wantIDs(t, store.Query{Order: "n", After: &store.Cursor{Value: int64(2), ID: "c"}}, "d", "a")
	f.wantIDs(t, store.Query{Order: "n", After: &store.Cursor{Value: int64(0), ID: "z"}}, "b", "c", "d", "a")
	f.wantIDs(t, store.Query{Order: "name", Desc: true, After: &store.Cursor{Value: "bz", ID: "z"}}, "c", "d")
}

func (f fixture) pages(t *testing.T, q store.Query, size int) (ids []string) {
	q.Collection, q.Limit = f.collection, size
	for {
		n := 0
		for doc, err := range f.Query(t.Context(), q) {
			must(t, err)
			n, ids = n+1, append(ids, doc.ID)
			q.After = &store.Cursor{ID: doc.ID}
			if q.Order != "" {
				var r record
				must(t, doc.Decode(&r))
				q.After.Value = map[string]any{"n": r.N, "name": r.Name}[q.Order]
			}
		}
		if n < size {
			return ids
		}
	}
}

// queryAbsent: a document without the field is in no order of it and equals nothing.
func queryAbsent(t *testing.T, f fixture) {
	f.create(t, "none", map[string]any{"other": 1})
	f.create(t, "n", map[string]any{"n": 1})
	f.wantIDs(t, store.Query{Order: "n"}, "n")
	f.wantIDs(t, store.Query{Order: "name"})
	f.wantIDs(t, store.Query{Eq: map[string]any{"owner": ""}})
	f.wantIDs(t, store.Query{Eq: map[string]any{"open": false}})
	f.wantIDs(t, store.Query{}, "n", "none")
}

// queryText compares by the bytes of UTF-8.
func queryText(t *testing.T, f fixture) {
	for id, name := range map[string]string{"1": "", "2": "A", "3": `a"\` + "\n", "4": "a\u007f", "5": "aé", "6": "a\uffee", "7": "a🦊"} {
		f.create(t, id, map[string]any{"name": name})
		f.wantIDs(t, store.Query{Eq: map[string]any{"name": name}}, id)
	}
	f.wantIDs(t, store.Query{Order: "name"}, "1", "2", "3", "4", "5", "6", "7")
	f.wantIDs(t, store.Query{Order: "name", From: "aé"}, "5", "6", "7")
	f.wantIDs(t, store.Query{Order: "name", To: "a"}, "1", "2")
}

// queryMoves: an index follows its document.
func queryMoves(t *testing.T, f fixture) {
	version := f.create(t, "a", record{Owner: "x", N: 1})
	owner := func(v string) store.Query { return store.Query{Eq: map[string]any{"owner": v}} }
	f.wantIDs(t, owner("x"), "a")
	_, err := f.Update(t.Context(), f.ref("a"), record{Owner: "y"}, version)
	must(t, err)
	f.wantIDs(t, owner("x"))
	f.wantIDs(t, owner("y"), "a")
	f.add(t, "a", record{Owner: "z"}, store.Deltas{"n": 1})
	f.wantIDs(t, owner("y"))
	f.wantIDs(t, owner("z"), "a")
	must(t, f.Delete(t.Context(), f.ref("a")))
	f.wantIDs(t, owner("z"))
}

// queryMany reads more than a page of any driver, and may stop halfway.
func queryMany(t *testing.T, f fixture) {
	const n = 450
	want := make([]string, n)
	f.tx(t, func(tx store.Tx) error {
		for i := range want {
			want[i] = fmt.Sprintf("%03d", i)
			if err := tx.Create(f.ref(want[i]), record{N: int64(i / 7)}); err != nil {
				return err
			}
		}
		return nil
	})
	f.wantIDs(t, store.Query{}, want...)
	f.wantIDs(t, store.Query{Order: "n"}, want...)
	f.wantIDs(t, store.Query{Order: "n", Limit: 300}, want[:300]...)
	slices.Reverse(want)
	f.wantIDs(t, store.Query{Order: "n", Desc: true}, want...)
	seen := 0
	for _, err := range f.Query(t.Context(), store.Query{Collection: f.collection}) {
		must(t, err)
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("%d documents before stopping", seen)
	}
}

// queryLarge reads documents that do not fit into one page of bytes.
func queryLarge(t *testing.T, f fixture) {
	for _, id := range []string{"a", "b", "c"} {
		f.create(t, id, map[string]any{"n": 1, "blob": strings.Repeat(id, 700_000)})
	}
	f.wantIDs(t, store.Query{}, "a", "b", "c")
	f.wantIDs(t, store.Query{Order: "n", Desc: true}, "c", "b", "a")
}

func queryNoIndex(t *testing.T, f fixture) {
	for name, q := range map[string]store.Query{
		"order":             {Order: "created"},
		"equal":             {Eq: map[string]any{"colour": "red"}},
		"equal and order":   {Eq: map[string]any{"owner": "x"}, Order: "name"},
		"two equal":         {Eq: map[string]any{"owner": "x", "name": "y"}},
		"part of an index":  {Eq: map[string]any{"open": true}, Order: "name"},
		"range of no order": {From: int64(1)},
	} {
		q.Collection = f.collection
		var got error
		for _, err := range f.Query(t.Context(), q) {
			got = err
		}
		_, _, sum := f.Sum(t.Context(), q)
		for _, err := range []error{got, sum} {
			if !errors.Is(err, store.ErrNoIndex) {
				t.Errorf("%s: got error %v, want ErrNoIndex", name, err)
			}
		}
	}
}
