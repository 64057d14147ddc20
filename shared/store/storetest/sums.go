package storetest

import (
	"math"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
)

var sums = group{name: "Sum", indexes: indexes, cases: []testCase{{"Sum", sum}}}

func sum(t *testing.T, f fixture) {
	want := func(q store.Query, n int64, sums ...int64) {
		t.Helper()
		q.Collection = f.collection
		gotN, got, err := f.Sum(t.Context(), q, []string{"n", "cost"}[:len(sums)]...)
		must(t, err)
		if gotN != n || !slices.Equal(got, sums) {
			t.Errorf("got %d %v, want %d %v", gotN, got, n, sums)
		}
	}
	owner := map[string]any{"owner": "x"}
	want(store.Query{}, 0, 0, 0)
	f.create(t, "a", map[string]any{"n": 1, "owner": "x", "cost": 1000})
	f.create(t, "b", map[string]any{"n": 2, "owner": "x"})
	f.create(t, "c", map[string]any{"n": 3, "owner": "y", "cost": -1})
	f.create(t, "d", map[string]any{"owner": "y", "cost": int64(math.MaxInt64 - 2000)})

	want(store.Query{}, 4)
	want(store.Query{}, 4, 6, math.MaxInt64-1001)
	want(store.Query{Eq: owner}, 2, 3, 1000)
	want(store.Query{Eq: map[string]any{"owner": "z"}}, 0, 0, 0)
	want(store.Query{Order: "n", From: int64(2)}, 2, 5, -1)
	want(store.Query{Eq: owner, Order: "n", To: int64(2)}, 1, 1, 1000)
	want(store.Query{Order: "n", Limit: 2}, 2, 3, 1000)
}
