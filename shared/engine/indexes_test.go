package engine_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/gcp/firestorestore"
)

const indexes = "../../infra/firestore.indexes.json"

// The deployed indexes are those that the collections declare. SLUICE_UPDATE=1 writes the file.
func TestFirestoreIndexes(t *testing.T) {
	t.Parallel()
	want, err := firestorestore.IndexesJSON(engine.Collections()...)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("SLUICE_UPDATE") != "" {
		if err := os.WriteFile(indexes, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(indexes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("infra/firestore.indexes.json is out of date; run this test with SLUICE_UPDATE=1 (-want +got):\n%s", diff)
	}
}
