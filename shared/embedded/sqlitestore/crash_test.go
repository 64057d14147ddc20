//go:build unix

package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// The children that TestMain turns this program into, by the environment variable that holds their file.
const (
	crashVariable = "SQLITESTORE_CRASH_FILE"
	limitVariable = "SQLITESTORE_LIMIT_FILE"
)

var crashTopics = map[queue.Topic][]queue.Subscription{queue.Work: {"left", "right"}}

func TestMain(m *testing.M) {
	if path := os.Getenv(crashVariable); path != "" {
		crashChild(path)
	}
	if path := os.Getenv(limitVariable); path != "" {
		limitChild(path)
	}
	os.Exit(m.Run())
}

// child starts this program anew as one of the children.
func child(t *testing.T, variable, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), variable+"="+path)
	c.Stderr = os.Stderr
	return c
}

// work writes documents, sums and messages until an error, and calls done after each that was acknowledged.
func work(db *sqlitestore.DB, worker int, done func(id string)) error {
	q := db.Queue(crashTopics)
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", worker, i)
		ctx, n := context.Background(), int64(rand.IntN(100))
		err := db.Tx(ctx, func(tx store.Tx) error {
			return errors.Join(tx.Create(things.Ref(id), thing{N: n}), tx.Add(things.Ref("sum"), nil, store.Deltas{"n": n}))
		})
		if err == nil {
			err = q.Publish(ctx, queue.Work, queue.Message{Data: []byte(id)})
		}
		if err != nil {
			return err
		}
		done(id)
	}
}

// crashChild works with all its might and prints what was acknowledged, until it is killed.
func crashChild(path string) {
	db, err := sqlitestore.Open(context.Background(), path, things)
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	for worker := range 8 {
		go func() {
			panic(work(db, worker, func(id string) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Println(id)
			}))
		}()
	}
	select {}
}

// verify tells whether everything acknowledged is there, and the sum is that of the documents.
func verify(t *testing.T, path string, acknowledged []string) {
	t.Helper()
	db, err := sqlitestore.Open(t.Context(), path, things)
	must(t, err)
	defer db.Close()
	must(t, db.Check(t.Context()))
	for _, id := range acknowledged {
		if _, err := db.Get(t.Context(), things.Ref(id), nil); err != nil {
			t.Errorf("acknowledged and lost: %v", err)
		}
	}
	_, sums, err := db.Sum(t.Context(), store.Query{Collection: things}, "n")
	must(t, err)
	var sum thing
	if _, err := db.Get(t.Context(), things.Ref("sum"), &sum); err == nil && sums[0] != 2*sum.N {
		t.Errorf("documents add up to %d, their sum says %d", sums[0]-sum.N, sum.N)
	}
	for _, sub := range crashTopics[queue.Work] {
		leased, err := db.Queue(crashTopics).Lease(t.Context(), sub, 1_000_000, time.Minute)
		must(t, err)
		published := map[string]bool{}
		for _, m := range leased {
			published[string(m.Data)] = true
		}
		for _, id := range acknowledged {
			if !published[id] {
				t.Errorf("message %s is lost for %s", id, sub)
			}
		}
	}
}

// TestKill: whatever was acknowledged survives kill -9 at any moment.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sluice.db")
	c := child(t, crashVariable, path)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	var acknowledged []string
	for lines, n := bufio.NewScanner(out), 300+rand.IntN(300); lines.Scan(); {
		acknowledged = append(acknowledged, lines.Text())
		if len(acknowledged) == n {
			must(t, c.Process.Kill())
		}
	}
	if err := c.Wait(); c.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child ended by itself: %v", err)
	}
	t.Logf("%d acknowledged", len(acknowledged))
	verify(t, path, acknowledged)
}

// TestPowerLoss (F29): at any moment the file and as much of its WAL as there is hold whatever was acknowledged before.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "sluice.db")
	db, err := sqlitestore.Open(t.Context(), path, things)
	must(t, err)
	var mu sync.Mutex
	var acknowledged []string
	more := make(chan struct{})
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			_ = work(db, worker, func(id string) { // until the database is closed
				mu.Lock()
				acknowledged = append(acknowledged, id)
				mu.Unlock()
				select {
				case more <- struct{}{}:
				default:
				}
			})
		})
	}
	type snapshot struct {
		path         string
		acknowledged []string // before it was taken
	}
	var snapshots []snapshot
	for range 6 { // all before the first is looked at: the file itself rests until the WAL has 16 MB
		for range 3 + rand.IntN(20) {
			<-more
		}
		mu.Lock()
		taken := snapshot{filepath.Join(t.TempDir(), "sluice.db"), slices.Clone(acknowledged)}
		mu.Unlock()
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(path + suffix)
			must(t, err)
			must(t, os.WriteFile(taken.path+suffix, content, 0o600))
		}
		snapshots = append(snapshots, taken)
	}
	must(t, db.Close())
	all.Wait()
	for i, s := range snapshots {
		t.Logf("snapshot %d: %d acknowledged", i, len(s.acknowledged))
		verify(t, s.path, s.acknowledged)
	}
}

// limitChild runs into a limit on the size of its files, which then is lifted.
func limitChild(path string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	db, err := sqlitestore.Open(context.Background(), path, things)
	fail(err)
	var limit syscall.Rlimit
	fail(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	lifted := limit
	limit.Cur = 1 << 20
	fail(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	stored := 0
	for ; err == nil; stored++ {
		_, err = db.Create(context.Background(), things.Ref(strconv.Itoa(stored)), map[string]any{"text": strings.Repeat("x", 10_000)})
	}
	if !errors.Is(err, store.ErrFull) {
		fail(err)
	}
	fail(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &lifted))
	_, err = db.Create(context.Background(), things.Ref("after"), thing{})
	fail(err)
	fail(db.Check(context.Background()))
	n, _, err := db.Sum(context.Background(), store.Query{Collection: things})
	fail(err)
	if n != int64(stored) {
		fail(fmt.Errorf("%d documents, want %d", n, stored))
	}
	fail(db.Close())
	fmt.Print("ok")
	os.Exit(0)
}

// TestFileSizeLimit (F28): the system refuses a write, which is a full disk by another name.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	out, err := child(t, limitVariable, filepath.Join(t.TempDir(), "sluice.db")).Output()
	if err != nil || string(out) != "ok" {
		t.Errorf("%v: %s", err, out)
	}
}
