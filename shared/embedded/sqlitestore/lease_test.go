package sqlitestore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/queue"
)

// What a process that died was working on is due again when the file is opened, not when its lease would have ended.
func TestOpenReleasesTheLeasesOfTheDead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	topics := map[queue.Topic][]queue.Subscription{queue.Work: {"w"}}
	lease := func(db *sqlitestore.DB) []queue.Leased {
		t.Helper()
		got, err := db.Queue(topics).Lease(t.Context(), "w", 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	db, err := sqlitestore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Queue(topics).Publish(t.Context(), queue.Work, queue.Message{Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if n := len(lease(db)); n != 1 {
		t.Fatalf("leased %d", n)
	}
	if n := len(lease(db)); n != 0 {
		t.Fatalf("leased %d twice", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = sqlitestore.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := lease(db); len(got) != 1 || got[0].Attempt != 2 {
		t.Errorf("after the restart: %+v", got)
	}
}
