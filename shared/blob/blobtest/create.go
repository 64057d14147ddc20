package blobtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/sluice-gateway/sluice/shared/blob"
)

const mib = 1 << 20

// uploads are sizes on both sides of what drivers send in one piece.
var uploads = []int{0, 1000, 9 * mib}

func createThenRead(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "files/team:a/one.jsonl", "{}\n\x00\xff")
	mustHold(t, b, "files/team:a/one.jsonl", "{}\n\x00\xff")
}

func createOnly(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "a/b", "first")
	for _, content := range []string{"second", "first", strings.Repeat("x", 9*mib)} {
		if _, err := b.Create(t.Context(), "a/b", strings.NewReader(content)); !errors.Is(err, blob.ErrExists) {
			t.Errorf("second Create = %v; want ErrExists", err)
		}
	}
	mustHold(t, b, "a/b", "first")
}

func oneCreatorWins(t *testing.T, b blob.Bucket) {
	const creators = 8
	var ready, done sync.WaitGroup
	ready.Add(creators)
	errs := make([]error, creators)
	for i := range creators {
		done.Go(func() {
			// Every creator has begun before any of them can finish.
			wait := sync.OnceFunc(func() { ready.Done(); ready.Wait() })
			r := io.MultiReader(strings.NewReader(strconv.Itoa(i)), eofAfter(wait))
			_, errs[i] = b.Create(t.Context(), "contested", r)
		})
	}
	done.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Errorf("creators %d and %d both won", winner, i)
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("creator %d: %v; want ErrExists", i, err)
		}
	}
	mustHold(t, b, "contested", strconv.Itoa(winner))
}

type eofAfter func()

func (f eofAfter) Read([]byte) (int, error) { f(); return 0, io.EOF }

func invisibleUntilWhole(t *testing.T, b blob.Bucket) {
	for _, size := range uploads {
		name, content := "half/"+strconv.Itoa(size), strings.Repeat("h", size)
		r, w := io.Pipe()
		t.Cleanup(func() { w.Close() })
		created := make(chan error, 1)
		go func() {
			_, err := b.Create(t.Context(), name, r)
			created <- err
		}()
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
		mustBeAbsent(t, b, name)
		w.Close()
		if err := <-created; err != nil {
			t.Fatal(err)
		}
		mustHold(t, b, name, content)
	}
}

func readerErrorLeavesNothing(t *testing.T, b blob.Bucket) {
	broken := errors.New("the reader broke")
	for _, size := range uploads {
		name := "broken/" + strconv.Itoa(size)
		r := io.MultiReader(strings.NewReader(strings.Repeat("b", size)), iotest.ErrReader(broken))
		if _, err := b.Create(t.Context(), name, r); !errors.Is(err, broken) {
			t.Errorf("Create = %v; want the reader's error", err)
		}
		mustBeAbsent(t, b, name)
		mustCreate(t, b, name, "whole")
	}
}

func canceledCreateLeavesNothing(t *testing.T, b blob.Bucket) {
	for _, size := range uploads {
		name := "canceled/" + strconv.Itoa(size)
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(strings.NewReader(strings.Repeat("c", size)), eofAfter(cancel))
		if _, err := b.Create(ctx, name, r); !errors.Is(err, context.Canceled) {
			t.Errorf("Create = %v; want context.Canceled", err)
		}
		mustBeAbsent(t, b, name)
	}
}

func largeObject(t *testing.T, b blob.Bucket) {
	const size = 20*mib + 17
	sent, got := sha256.New(), sha256.New()
	source := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
	info, err := b.Create(t.Context(), "large", io.TeeReader(source, sent))
	if err != nil || info.Bytes != size {
		t.Fatalf("Create = %v, %v; want %d bytes", info, err, size)
	}
	r, err := b.Open(t.Context(), "large", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(got, r); err != nil || n != size || string(got.Sum(nil)) != string(sent.Sum(nil)) {
		t.Errorf("read %d bytes, %v; want the %d that were written", n, err, size)
	}
}
