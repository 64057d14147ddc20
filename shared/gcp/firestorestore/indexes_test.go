package firestorestore_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gcp/firestorestore"
	"github.com/sluice-gateway/sluice/shared/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestIndexesJSON(t *testing.T) {
	t.Parallel()
	const golden = "testdata/firestore.indexes.json"
	got, err := firestorestore.IndexesJSON(
		store.Collection{Name: "plain"},
		store.Collection{Name: "batches", TTL: "expires_at", Indexes: []store.Index{
			{"status"}, {"owner", "created_at"}, {"owner", "kind-of", "created_at"},
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
}
