package blobtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/blob"
)

func goodNames(t *testing.T, b blob.Bucket) {
	names := []string{
		"x",
		"x/y",   // beside an object x
		"x/y/z", // and below it
		"...",
		".hidden/..double/trailing.",
		"0-_.:=@+Az",
		"v1/team:9f-x/file=1@2+3.jsonl",
		"tmp/x",
		strings.Repeat("n", 512),
		strings.Repeat("n", 200),
		strings.Repeat("n", 200) + "/" + strings.Repeat("m", 311),
		strings.Repeat("d/", 255) + "ee",
	}
	for _, name := range names {
		mustCreate(t, b, name, "in "+name)
	}
	for _, name := range names {
		mustHold(t, b, name, "in "+name)
	}
	if got := len(mustList(t, b, "")); got != len(names) {
		t.Errorf("List yields %d objects; want %d", got, len(names))
	}
	for _, name := range names {
		if err := b.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q): %v", name, err)
		}
	}
	if left := mustList(t, b, ""); len(left) != 0 {
		t.Errorf("left after Delete: %v", left)
	}
}

func badNames(t *testing.T, b blob.Bucket) {
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "../../etc/passwd", "a/..", "a/../b", "a/./b", "a/.",
		"a b", "a\\b", "a\x00b", "a\nb", "a\n", "ü", "a%2Fb", "a~", "~", "a?b", "a#b", "a*", "\xff",
		strings.Repeat("n", 513),
	} {
		_, created := b.Create(t.Context(), name, strings.NewReader("x"))
		_, opened := b.Open(t.Context(), name, 0, -1)
		deleted := b.Delete(t.Context(), name)
		for op, err := range map[string]error{"Create": created, "Open": opened, "Delete": deleted} {
			if err == nil || errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrExists) {
				t.Errorf("%s(%q) = %v; want the name to be refused", op, name, err)
			}
		}
	}
	if infos := mustList(t, b, ""); len(infos) != 0 {
		t.Errorf("bad names left %v", infos)
	}
}
