package sqlitestore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/queuetest"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/storetest"
)

// open opens a new file for the length of the test.
func open(t testing.TB, o sqlitestore.Options, collections ...store.Collection) *sqlitestore.DB {
	t.Helper()
	db, err := o.Open(t.Context(), filepath.Join(t.TempDir(), "sluice.db"), collections...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, sqlitestore.Options{}, storetest.Collections()...)
	})
}

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T, topics map[queue.Topic][]queue.Subscription, now func() time.Time) queuetest.Queue {
		return open(t, sqlitestore.Options{Now: now}).Queue(topics)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	queuetest.RunPublisher(t, func(t *testing.T) (queue.Publisher, <-chan queue.Message) {
		q := open(t, sqlitestore.Options{}).Queue(map[queue.Topic][]queue.Subscription{queue.Work: {"w"}})
		return q, queuetest.Deliver(t, q, "w")
	})
}
