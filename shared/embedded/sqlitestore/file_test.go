package sqlitestore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"modernc.org/sqlite"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// execute runs SQL on a file as another program would.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	c, err := (&sqlite.Driver{}).Open(path)
	must(t, err)
	for _, sql := range statements {
		_, err := c.(driver.ExecerContext).ExecContext(t.Context(), sql, nil)
		must(t, err)
	}
	must(t, c.Close())
}

// filled makes a file with some hundred documents and messages in it.
func filled(t *testing.T, path string) {
	t.Helper()
	db, err := sqlitestore.Open(t.Context(), path, things)
	must(t, err)
	must(t, db.Tx(t.Context(), func(tx store.Tx) error {
		for i := range 500 {
			if err := tx.Put(things.Ref(fmt.Sprint(i)), thing{N: int64(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, db.Close())
}

// TestRefused: what is not a sound file of ours is refused with a message that names it, and left as it is.
func TestRefused(t *testing.T) {
	t.Parallel()
	write := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(content), 0o600)) }
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    string // %s is the file, %d its folder
	}{
		"not a database":  {write(strings.Repeat("not a database", 100)), "%s is damaged or not a database"},
		"cut short":       {write("SQLite format 3\x00" + strings.Repeat("\x00", 50)), "%s"},
		"another program": {func(t *testing.T, path string) { execute(t, path, "create table t(a)") }, "%s is a database of another program"},
		"newer": {func(t *testing.T, path string) {
			filled(t, path)
			execute(t, path, "pragma user_version = 1000")
		}, "%s has layout 1000"},
		"flipped bytes": {func(t *testing.T, path string) {
			filled(t, path)
			content, err := os.ReadFile(path)
			must(t, err)
			for i := 3 * 4096; i < len(content); i += 97 {
				content[i] ^= 0xff
			}
			must(t, os.WriteFile(path, content, 0o600))
		}, "%s is damaged"},
		"directory": {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, "%s: is a directory"},
		"no folder": {func(t *testing.T, path string) { must(t, os.RemoveAll(filepath.Dir(path))) }, "%d: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "folder", "sluice.db")
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			test.prepare(t, path)
			before, _ := os.ReadFile(path)
			for range 2 {
				_, err := sqlitestore.Open(t.Context(), path, things)
				want := strings.NewReplacer("%s", path, "%d", filepath.Dir(path)).Replace(test.want)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got error %v, want one with %q", err, want)
				}
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

// TestInUse: a folder belongs to one process at a time.
func TestInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sluice.db")
	db, err := sqlitestore.Open(t.Context(), path, things)
	must(t, err)
	_, err = sqlitestore.Open(t.Context(), path, things)
	want := fmt.Sprintf("data folder %s is in use by process %d", filepath.Dir(path), os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	must(t, db.Close())
	db, err = sqlitestore.Open(t.Context(), path, things)
	must(t, err)
	must(t, db.Close())
}

// TestMode: keys and prompts are nobody else's business.
func TestMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sqlitestore.Open(t.Context(), filepath.Join(dir, "sluice.db"), things)
	must(t, err)
	defer db.Close()
	_, err = db.Create(t.Context(), things.Ref("a"), thing{})
	must(t, err)
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
	}
	if len(files) < 4 {
		t.Errorf("files: %v, want LOCK, database, WAL and shared memory", files)
	}
}

// TestReopen: everything is still there, versions go on, and changed indexes are made to fit.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a folder?#%", "sluice.db")
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	with := func(c store.Collection, do func(db *sqlitestore.DB)) {
		t.Helper()
		db, err := sqlitestore.Open(t.Context(), path, c)
		must(t, err)
		do(db)
		must(t, db.Check(t.Context()))
		must(t, db.Close())
	}
	things := store.Collection{Name: "things", Indexes: []store.Index{{"n"}}}
	topics := map[queue.Topic][]queue.Subscription{queue.Work: {"sub"}}
	var first store.Version
	with(things, func(db *sqlitestore.DB) {
		var err error
		first, err = db.Create(t.Context(), things.Ref("a"), map[string]any{"n": 1, "name": "x", "open": true})
		must(t, err)
		_, err = db.Create(t.Context(), things.Ref("b"), map[string]any{"n": 2, "name": "é\"", "open": false})
		must(t, err)
		must(t, db.Queue(topics).Publish(t.Context(), queue.Work, queue.Message{Data: []byte("m")}))
		must(t, db.Delete(t.Context(), things.Ref("a")))
	})
	things.Indexes = []store.Index{{"open"}, {"open", "name"}, {"n"}}
	with(things, func(db *sqlitestore.DB) {
		second, err := db.Create(t.Context(), things.Ref("a"), map[string]any{"n": 1, "name": "x", "open": true})
		must(t, err)
		if second <= first {
			t.Errorf("version %d comes after %d", second, first)
		}
		for field, want := range map[string]string{"open": "b", "name": "b", "n": "b"} {
			q := store.Query{Collection: things, Eq: map[string]any{"open": false}}
			switch field {
			case "name":
				q.Order, q.From = "name", "é"
			case "n":
				q.Eq, q.Order, q.From = nil, "n", int64(2)
			}
			for doc, err := range db.Query(t.Context(), q) {
				must(t, err)
				if doc.ID != want {
					t.Errorf("by %s: found %s", field, doc.ID)
				}
				want = ""
			}
			if want != "" {
				t.Errorf("by %s: not found", field)
			}
		}
		leased, err := db.Queue(topics).Lease(t.Context(), "sub", 9, 0)
		must(t, err)
		if len(leased) != 1 || string(leased[0].Data) != "m" {
			t.Errorf("leased %+v", leased)
		}
	})
	things.Indexes = nil
	with(things, func(db *sqlitestore.DB) {
		for _, err := range db.Query(t.Context(), store.Query{Collection: things, Order: "n"}) {
			if !errors.Is(err, store.ErrNoIndex) {
				t.Errorf("got error %v, want ErrNoIndex", err)
			}
		}
	})
}

// TestFull (F28): a full disk refuses what does not fit, harms nothing, and goes on when there is room again.
func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sluice.db")
	db, err := sqlitestore.Options{MaxPages: 200}.Open(t.Context(), path, things)
	must(t, err)
	defer db.Close()
	topics := map[queue.Topic][]queue.Subscription{queue.Work: {"sub"}}
	big := map[string]any{"text": strings.Repeat("x", 50_000)}
	var stored []string
	for i := 0; ; i++ {
		id := fmt.Sprint(i)
		if _, err = db.Create(t.Context(), things.Ref(id), big); err != nil {
			break
		}
		stored = append(stored, id)
	}
	if !errors.Is(err, store.ErrFull) || len(stored) == 0 {
		t.Fatalf("got error %v after %d documents, want ErrFull", err, len(stored))
	}
	err = db.Queue(topics).Publish(t.Context(), queue.Work, queue.Message{Data: make([]byte, 50_000)})
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("publish: got error %v, want ErrFull", err)
	}
	must(t, db.Check(t.Context()))
	for _, id := range stored {
		_, err := db.Get(t.Context(), things.Ref(id), nil)
		must(t, err)
	}
	must(t, db.Delete(t.Context(), things.Ref(stored[0])))
	_, err = db.Create(t.Context(), things.Ref("again"), big)
	must(t, err)
	must(t, db.Check(t.Context()))
}

// TestFullGroup: one that does not fit takes no others with it, nor keeps the one from going through that makes room.
func TestFullGroup(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{MaxPages: 200}, things)
	_, err := db.Create(t.Context(), things.Ref("first"), map[string]any{"text": strings.Repeat("x", 300_000)})
	must(t, err)
	results := map[string]chan error{"small": make(chan error, 1), "large": make(chan error, 1), "delete": make(chan error, 1)}
	release := hold(t, db)
	go func() {
		_, err := db.Create(context.Background(), things.Ref("large"), map[string]any{"text": strings.Repeat("x", 900_000)})
		results["large"] <- err
	}()
	go func() {
		_, err := db.Create(context.Background(), things.Ref("small"), thing{})
		results["small"] <- err
	}()
	go func() { results["delete"] <- db.Delete(context.Background(), things.Ref("first")) }()
	release()
	must(t, <-results["small"])
	must(t, <-results["delete"])
	if err := <-results["large"]; !errors.Is(err, store.ErrFull) {
		t.Errorf("got error %v, want ErrFull", err)
	}
}
