// Package memstore keeps documents in memory: the reference driver of package store, for tests.
package memstore

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"sync"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Store is a store.Store without durability. Make it with New.
type Store struct {
	mu       sync.Mutex
	docs     map[store.Ref]*document
	last     store.Version
	watchers map[*watcher]struct{}
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{docs: map[store.Ref]*document{}, watchers: map[*watcher]struct{}{}}
}

// Get implements store.Reader.
func (s *Store) Get(ctx context.Context, ref store.Ref, into any) (store.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return decode(s.read(ref), ref, into)
}

func (s *Store) read(ref store.Ref) *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.docs[ref]
}

func decode(d *document, ref store.Ref, into any) (store.Version, error) {
	if d == nil {
		return 0, fmt.Errorf("%w: %s/%s", store.ErrNotFound, ref.Collection, ref.ID)
	}
	if into == nil {
		return d.version, nil
	}
	return d.version, json.Unmarshal(d.json, into)
}

// Query implements store.Reader. It yields the documents as they were when it began.
func (s *Store) Query(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		found, err := s.find(q)
		if err != nil {
			yield(store.Doc{}, err)
			return
		}
		for _, d := range found {
			if err := ctx.Err(); err != nil {
				yield(store.Doc{}, err)
				return
			}
			if !yield(d.doc(), nil) {
				return
			}
		}
	}
}

// Sum implements store.Reader.
func (s *Store) Sum(ctx context.Context, q store.Query, fields ...string) (int64, []int64, error) {
	found, err := s.find(q)
	if err != nil {
		return 0, nil, err
	}
	sums := make([]int64, len(fields))
	for _, d := range found {
		for i, field := range fields {
			n, _ := d.fields[field].(int64)
			sums[i] += n
		}
	}
	return int64(len(found)), sums, ctx.Err()
}

// Create implements store.Writer.
func (s *Store) Create(ctx context.Context, ref store.Ref, doc any) (store.Version, error) {
	return s.write(ctx, ref, func(tx *tx) error { return tx.Create(ref, doc) })
}

// Update implements store.Writer.
func (s *Store) Update(ctx context.Context, ref store.Ref, doc any, ifAt store.Version) (store.Version, error) {
	return s.write(ctx, ref, func(tx *tx) error { return tx.update(ref, doc, ifAt) })
}

// Delete implements store.Writer.
func (s *Store) Delete(ctx context.Context, ref store.Ref) error {
	_, err := s.write(ctx, ref, func(tx *tx) error { return tx.Delete(ref) })
	return err
}

func (s *Store) write(ctx context.Context, ref store.Ref, fn func(*tx) error) (store.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	tx := newTx(s)
	if err := fn(tx); err != nil {
		return 0, err
	}
	_, err := s.commit(tx)
	if d := tx.changed[ref]; err == nil && d != nil {
		return d.version, nil
	}
	return 0, err
}

// commit applies the transaction's writes, or tells that what it read has changed.
func (s *Store) commit(tx *tx) (conflict bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, version := range tx.reads {
		if s.docs[ref].at() != version {
			return true, nil
		}
	}
	for _, write := range tx.writes {
		if err := write(); err != nil {
			return false, err
		}
	}
	for ref, d := range tx.changed {
		if d == nil {
			delete(s.docs, ref)
			continue
		}
		s.last++
		d.version = s.last
		s.docs[ref] = d
	}
	for w := range s.watchers {
		w.notify(maps.Keys(tx.changed))
	}
	return false, nil
}
