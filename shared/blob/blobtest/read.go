package blobtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/blob"
)

func ranges(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "ten", "0123456789")
	for _, c := range []struct {
		from, n int64
		want    string
	}{
		{0, -1, "0123456789"},
		{0, 10, "0123456789"},
		{0, 3, "012"},
		{3, 4, "3456"},
		{9, 1, "9"},
		{7, -1, "789"},
		{7, 100, "789"},
		{0, 1 << 40, "0123456789"},
		{0, 0, ""},
		{5, 0, ""},
		{10, -1, ""},
		{10, 1, ""},
		{11, 5, ""},
		{1 << 40, -1, ""},
	} {
		if got, err := read(t.Context(), b, "ten", c.from, c.n); err != nil || got != c.want {
			t.Errorf("from %d, %d bytes = %q, %v; want %q", c.from, c.n, got, err, c.want)
		}
	}
}

func emptyObject(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "empty", "")
	mustHold(t, b, "empty", "")
	for _, n := range []int64{-1, 0, 5} {
		if got, err := read(t.Context(), b, "empty", 3, n); err != nil || got != "" {
			t.Errorf("from 3, %d bytes = %q, %v; want nothing", n, got, err)
		}
	}
	if _, err := b.Create(t.Context(), "empty", strings.NewReader("")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("second Create = %v; want ErrExists", err)
	}
	want := []blob.Info{{Name: "empty"}}
	if diff := cmp.Diff(mustList(t, b, ""), want); diff != "" {
		t.Errorf("List, got - want +:\n%s", diff)
	}
}

func absentObject(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "a/b", "x")
	for _, name := range []string{"a", "b", "a/b/c", "a/bc", "deep/er/still"} {
		for _, n := range []int64{-1, 0, 5} {
			if got, err := read(t.Context(), b, name, 0, n); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("Open(%q, 0, %d) = %q, %v; want ErrNotFound", name, n, got, err)
			}
		}
	}
}

func listInOrder(t *testing.T, b blob.Bucket) {
	names := []string{"a", "a+", "a-b", "a.b", "a/b", "a/b/c", "a/c", "a0", "aB", "ab", "b/" + strings.Repeat("l", 300), "b/m"}
	if !slices.IsSorted(names) {
		t.Fatal("the names above must be in order")
	}
	for _, i := range []int{5, 0, 11, 3, 8, 1, 10, 7, 2, 9, 4, 6} {
		mustCreate(t, b, names[i], strings.Repeat("x", i))
	}
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/", "a/bx", "b", "b/", "b/l", "b/" + strings.Repeat("l", 250), "z", "a/b/c"} {
		var want []blob.Info
		for i, name := range names {
			if strings.HasPrefix(name, prefix) {
				want = append(want, blob.Info{Name: name, Bytes: int64(i)})
			}
		}
		if diff := cmp.Diff(mustList(t, b, prefix), want); diff != "" {
			t.Errorf("List(%q), got - want +:\n%s", prefix, diff)
		}
	}
}

func listLeftEarly(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "1", "")
	mustCreate(t, b, "2", "")
	for info, err := range b.List(t.Context(), "") {
		if err != nil || info.Name != "1" {
			t.Errorf("first = %v, %v; want 1", info, err)
		}
		break
	}
}

func deleteObject(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "a/b", "old")
	mustCreate(t, b, "a/c", "kept")
	for range 2 { // the second time it is absent
		if err := b.Delete(t.Context(), "a/b"); err != nil {
			t.Fatal(err)
		}
		mustBeAbsent(t, b, "a/b")
	}
	for _, absent := range []string{"never", "a", "a/c/d"} {
		if err := b.Delete(t.Context(), absent); err != nil {
			t.Errorf("Delete(%q): %v", absent, err)
		}
	}
	mustHold(t, b, "a/c", "kept")
	mustCreate(t, b, "a/b", "new")
	mustHold(t, b, "a/b", "new")
}

func canceledContext(t *testing.T, b blob.Bucket) {
	mustCreate(t, b, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read(ctx, b, "a", 0, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v; want context.Canceled", err)
	}
	if err := b.Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v; want context.Canceled", err)
	}
	if _, err := b.Create(ctx, "b", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Create = %v; want context.Canceled", err)
	}
	var listed error
	for _, err := range b.List(ctx, "") {
		listed = err
	}
	if !errors.Is(listed, context.Canceled) {
		t.Errorf("List = %v; want context.Canceled", listed)
	}
	mustHold(t, b, "a", "x")
	mustBeAbsent(t, b, "b")
}
