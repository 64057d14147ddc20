// Package blobtest is the suite that every driver of package blob passes: one test per sentence of the port.
package blobtest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// Run tests the driver. Open is called once for each test and returns an empty bucket; the tests run in parallel.
func Run(t *testing.T, open func(t *testing.T) blob.Bucket) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, blob.Bucket){
		"create then read":               createThenRead,
		"create only":                    createOnly,
		"one of many creators wins":      oneCreatorWins,
		"invisible until whole":          invisibleUntilWhole,
		"reader error leaves nothing":    readerErrorLeavesNothing,
		"canceled create leaves nothing": canceledCreateLeavesNothing,
		"large object is streamed":       largeObject,
		"ranges":                         ranges,
		"empty object":                   emptyObject,
		"absent object":                  absentObject,
		"list in order by prefix":        listInOrder,
		"list can be left early":         listLeftEarly,
		"delete":                         deleteObject,
		"good names":                     goodNames,
		"bad names":                      badNames,
		"canceled context":               canceledContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func mustCreate(t *testing.T, b blob.Bucket, name, content string) {
	t.Helper()
	info, err := b.Create(t.Context(), name, strings.NewReader(content))
	if want := (blob.Info{Name: name, Bytes: int64(len(content))}); err != nil || info != want {
		t.Fatalf("Create(%q) = %v, %v; want %v", name, info, err, want)
	}
}

func read(ctx context.Context, b blob.Bucket, name string, from, n int64) (string, error) {
	r, err := b.Open(ctx, name, from, n)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(r)
	return string(content), errors.Join(err, r.Close())
}

func mustHold(t *testing.T, b blob.Bucket, name, content string) {
	t.Helper()
	got, err := read(t.Context(), b, name, 0, -1)
	if err != nil || got != content {
		t.Fatalf("%q holds %d bytes, %v; want %d bytes, or they differ", name, len(got), err, len(content))
	}
}

func mustBeAbsent(t *testing.T, b blob.Bucket, name string) {
	t.Helper()
	if _, err := read(t.Context(), b, name, 0, -1); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(%q) = %v; want ErrNotFound", name, err)
	}
	if infos := mustList(t, b, name); len(infos) != 0 {
		t.Errorf("List(%q) = %v; want nothing", name, infos)
	}
}

func mustList(t *testing.T, b blob.Bucket, prefix string) []blob.Info {
	t.Helper()
	var infos []blob.Info
	for info, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("List(%q): %v", prefix, err)
		}
		infos = append(infos, info)
	}
	return infos
}
