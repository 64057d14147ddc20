// Package memblob is the bucket in memory: for tests and for the demo that keeps nothing.
package memblob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/shared/blob"
)

var _ blob.Bucket = (*Bucket)(nil)

// Bucket keeps objects in memory. Make one with New.
type Bucket struct {
	mu      sync.RWMutex
	objects map[string][]byte // contents are never changed
}

// New returns an empty bucket.
func New() *Bucket { return &Bucket{objects: map[string][]byte{}} }

// Create is blob.Bucket's. It holds the whole object in memory while it reads.
func (b *Bucket) Create(ctx context.Context, name string, r io.Reader) (blob.Info, error) {
	if err := check(ctx, name); err != nil {
		return blob.Info{}, err
	}
	content, err := io.ReadAll(r)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("create %s: %w", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, exists := b.objects[name]; exists {
		return blob.Info{}, fmt.Errorf("create %s: %w", name, blob.ErrExists)
	}
	b.objects[name] = content
	return blob.Info{Name: name, Bytes: int64(len(content))}, nil
}

// Open is blob.Bucket's.
func (b *Bucket) Open(ctx context.Context, name string, from, n int64) (io.ReadCloser, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	if from < 0 {
		return nil, fmt.Errorf("open %s: negative offset %d", name, from)
	}
	b.mu.RLock()
	content, exists := b.objects[name]
	b.mu.RUnlock()
	if !exists {
		return nil, fmt.Errorf("open %s: %w", name, blob.ErrNotFound)
	}
	content = content[min(from, int64(len(content))):]
	if n >= 0 {
		content = content[:min(n, int64(len(content)))]
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

// List is blob.Bucket's: what stood when it began.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, info := range b.snapshot(prefix) {
			if err := ctx.Err(); err != nil {
				yield(blob.Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (b *Bucket) snapshot(prefix string) []blob.Info {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var infos []blob.Info
	for name, content := range b.objects {
		if strings.HasPrefix(name, prefix) {
			infos = append(infos, blob.Info{Name: name, Bytes: int64(len(content))})
		}
	}
	slices.SortFunc(infos, func(x, y blob.Info) int { return strings.Compare(x.Name, y.Name) })
	return infos
}

// Delete is blob.Bucket's.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, name)
	return nil
}

func check(ctx context.Context, name string) error {
	if err := blob.CheckName(name); err != nil {
		return err
	}
	return ctx.Err()
}
