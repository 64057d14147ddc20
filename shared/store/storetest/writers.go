package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
)

var writers = group{name: "Writer", cases: []testCase{
	{"Get", get},
	{"Create", create},
	{"Update", update},
	{"Delete", deletes},
	{"Recreate", recreate},
	{"ContextEnded", contextEnded},
}}

func get(t *testing.T, f fixture) {
	_, err := f.Get(t.Context(), f.ref("a"), nil)
	wantError(t, err, store.ErrNotFound)
	f.want(t, "a", nil)

	version := f.create(t, "a", record{N: 1})
	if version == 0 {
		t.Error("a document has no version")
	}
	f.want(t, "a", &record{N: 1})
	got, err := f.Get(t.Context(), f.ref("a"), nil)
	must(t, err)
	if got != version {
		t.Errorf("version is %d, Create said %d", got, version)
	}
	f.want(t, "b", nil)
}

func create(t *testing.T, f fixture) {
	f.create(t, "a", record{N: 1})
	_, err := f.Create(t.Context(), f.ref("a"), record{N: 2})
	wantError(t, err, store.ErrExists)
	f.want(t, "a", &record{N: 1})
}

func update(t *testing.T, f fixture) {
	first := f.create(t, "a", record{Name: "x", Owner: "o", N: 1})
	second, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, first)
	must(t, err)
	if second == first || second == 0 {
		t.Errorf("version is %d after %d", second, first)
	}
	f.want(t, "a", &record{N: 2}) // replaced, not merged

	for name, ref := range map[string]store.Ref{"stale": f.ref("a"), "absent": f.ref("b")} {
		if _, err := f.Update(t.Context(), ref, record{N: 3}, first); !errors.Is(err, store.ErrChanged) {
			t.Errorf("%s: got error %v, want ErrChanged", name, err)
		}
	}
	f.want(t, "a", &record{N: 2})
	f.want(t, "b", nil)

	// The same content is a new state all the same.
	third, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, second)
	must(t, err)
	_, err = f.Update(t.Context(), f.ref("a"), record{N: 4}, third)
	must(t, err)
}

func deletes(t *testing.T, f fixture) {
	must(t, f.Delete(t.Context(), f.ref("a")))
	version := f.create(t, "a", record{N: 1})
	must(t, f.Delete(t.Context(), f.ref("a")))
	f.want(t, "a", nil)
	must(t, f.Delete(t.Context(), f.ref("a")))
	_, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, version)
	wantError(t, err, store.ErrChanged)
	f.want(t, "a", nil)
}

// recreate makes a document anew: it is another one, even with the same content.
func recreate(t *testing.T, f fixture) {
	seen := map[store.Version]bool{}
	for range 3 {
		version := f.create(t, "a", record{N: 1})
		if seen[version] {
			t.Errorf("version %d came back", version)
		}
		for old := range seen {
			_, err := f.Update(t.Context(), f.ref("a"), record{N: 2}, old)
			wantError(t, err, store.ErrChanged)
		}
		seen[version] = true
		must(t, f.Delete(t.Context(), f.ref("a")))
	}
}

func contextEnded(t *testing.T, f fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Create(ctx, f.ref("a"), record{}); err == nil {
		t.Error("Create did not notice")
	}
	if _, err := f.Get(ctx, f.ref("a"), nil); err == nil {
		t.Error("Get did not notice")
	}
	ran := false
	if err := f.Tx(ctx, func(store.Tx) error { ran = true; return nil }); err == nil && ran {
		t.Error("Tx did not notice")
	}
	f.want(t, "a", nil)
}
