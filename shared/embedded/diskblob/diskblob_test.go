package diskblob_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/blob/blobtest"
	"github.com/sluice-gateway/sluice/shared/embedded/diskblob"
)

func open(t *testing.T, dir string) *diskblob.Bucket {
	t.Helper()
	b, err := diskblob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestSuite(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Bucket { return open(t, t.TempDir()) })
}

func TestTwoProcessesShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	buckets := []*diskblob.Bucket{open(t, dir), open(t, dir)}
	var wins [20]int
	for i := range wins {
		var wg sync.WaitGroup
		errs := make([]error, len(buckets))
		for j, b := range buckets {
			wg.Go(func() { _, errs[j] = b.Create(t.Context(), "d/"+strconv.Itoa(i), strings.NewReader("x")) })
		}
		wg.Wait()
		for _, err := range errs {
			if err == nil {
				wins[i]++
			} else if !errors.Is(err, blob.ErrExists) {
				t.Error(err)
			}
		}
		if wins[i] != 1 {
			t.Errorf("object %d was created %d times", i, wins[i])
		}
	}
}

func TestSurvivesReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := open(t, dir).Create(t.Context(), "a/b", strings.NewReader("kept")); err != nil {
		t.Fatal(err)
	}
	r, err := open(t, dir).Open(t.Context(), "a/b", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); string(got) != "kept" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "bucket")
	if _, err := open(t, dir).Create(t.Context(), "a/b", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOpenRemovesOnlyStaleLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	old, young := filepath.Join(dir, "~tmp", "old"), filepath.Join(dir, "~tmp", "young")
	for file, age := range map[string]time.Duration{old: 25 * time.Hour, young: 23 * time.Hour} {
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the stale file stands: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young file: %v", err)
	}
	for info, err := range b.List(t.Context(), "") {
		t.Errorf("List yields %v, %v", info, err)
	}
}

func TestFailedCreateLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	if _, err := b.Create(t.Context(), "a", io.MultiReader(strings.NewReader("x"), errReader{})); err == nil {
		t.Fatal("no error")
	}
	if files, err := os.ReadDir(filepath.Join(dir, "~tmp")); len(files) != 0 || err != nil {
		t.Errorf("left %v, %v", files, err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestDamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	if _, err := b.Create(t.Context(), "a", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.Truncate(filepath.Join(dir, "a"), 4); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %q, %v; want ErrUnexpectedEOF", got, err)
	}
}

func TestSymbolicLinksDoNotLeadOut(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	b := open(t, dir)
	if err := os.Symlink(outside, filepath.Join(dir, "out~")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(t.Context(), "out/x", strings.NewReader("x")); err == nil {
		t.Error("wrote through a link that leads out of the folder")
	}
	if files, err := os.ReadDir(outside); len(files) != 0 || err != nil {
		t.Errorf("outside: %v, %v", files, err)
	}
}
