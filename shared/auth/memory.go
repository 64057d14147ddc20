package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	lookUpTimeout = 2 * time.Second
	watchOverlap  = 10 * time.Minute // how far back a watch begins: more than clocks differ and than a document takes to be read
	proofOverlap  = time.Minute      // how far back before the last proof the next one looks: more than clocks differ
	watchRetry    = time.Second
	proofRetry    = 5 * time.Second  // between two proofs that fail
	proofEvery    = 2 * time.Second  // of a memory that is in use
	outage        = 10 * time.Minute // what is known goes on for so long while the store is away
	unknownFor    = time.Second      // how long an absent document is remembered as such
	maxHeld       = 100_000          // documents in memory, about 500 bytes each
)

// DefaultStaleness is how long after its last proof that it has missed nothing a memory is trusted.
const DefaultStaleness = 5 * time.Second

// memory holds documents of one collection, by id. A watch tells it of changes at once. A watch that has fallen silent looks like
// one that has nothing to tell, and a process may be frozen; so now and then the memory proves that it has missed nothing, by
// asking the store for what has changed since the last proof, and nothing that it holds is used when the last proof is too old.
type memory[T any] struct {
	store      store.Store
	collection store.Collection // with an index {"updated"}
	updated    func(*T) int64   // of a document, in Unix microseconds; rises with every change
	now        func() time.Time
	log        *slog.Logger
	staleness  time.Duration

	mu      sync.RWMutex
	docs    map[string]held[T]
	changes atomic.Uint64             // rises when a document that was held changes
	proven  atomic.Pointer[time.Time] // when it was last sure that nothing was missed
	failed  atomic.Pointer[time.Time] // when a proof last failed
	used    atomic.Bool               // since the last proof
	asks    singleflight.Group
}

type held[T any] struct {
	doc  *T // nil: there is none
	read time.Time
}

func newMemory[T any](s store.Store, c store.Collection, updated func(*T) int64, now func() time.Time, log *slog.Logger) *memory[T] {
	m := &memory[T]{store: s, collection: c, updated: updated, now: now, log: log, staleness: DefaultStaleness, docs: map[string]held[T]{}}
	start := now()
	m.proven.Store(&start) // it holds nothing: nothing can be stale
	return m
}

// get returns the document, or nil if there is none. The error means that the store could not be asked.
func (m *memory[T]) get(ctx context.Context, id string) (*T, error) {
	if err := m.current(ctx); err != nil {
		return nil, err
	}
	m.mu.RLock()
	h, found := m.docs[id]
	m.mu.RUnlock()
	if found && (h.doc != nil || elapsed(h.read, m.now()) < unknownFor) {
		return h.doc, nil
	}
	v, err, _ := m.asks.Do(id, func() (any, error) { return m.read(context.WithoutCancel(ctx), id) })
	if err != nil {
		return nil, err
	}
	return v.(*T), nil
}

// current returns nil if what is held may be used: nothing has been missed, or the store is away and that is not known for long.
func (m *memory[T]) current(ctx context.Context) error {
	if !m.used.Load() {
		m.used.Store(true)
	}
	now := m.now()
	age := elapsed(*m.proven.Load(), now)
	if age <= m.staleness {
		return nil
	}
	failed := m.failed.Load()
	if failed == nil || elapsed(*failed, now) > proofRetry {
		if _, err, _ := m.asks.Do("", func() (any, error) { return nil, m.prove(context.WithoutCancel(ctx)) }); err == nil {
			return nil
		}
	}
	if age <= outage {
		return nil
	}
	return errors.New("nothing has been heard from the store for too long")
}

// elapsed is the time from a to b by whichever clock says more: the wall clock goes on while a machine sleeps, and a jump of
// it backwards proves nothing.
func elapsed(a, b time.Time) time.Duration {
	wall := b.Round(0).Sub(a.Round(0))
	if wall < -time.Second {
		return outage
	}
	return max(wall, b.Sub(a))
}

// prove asks the store for what has changed since the last proof.
func (m *memory[T]) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	start := m.now()
	m.used.Store(false)
	changed := store.Query{Collection: m.collection, Order: "updated", From: m.proven.Load().Add(-proofOverlap).UnixMicro()}
	for doc, err := range m.store.Query(ctx, changed) {
		if err == nil {
			err = m.take(doc)
		}
		if err != nil {
			m.failed.Store(&start)
			return err
		}
	}
	m.proven.Store(&start)
	m.failed.Store(nil)
	return nil
}

func (m *memory[T]) take(doc store.Doc) error {
	into := new(T)
	if err := doc.Decode(into); err != nil {
		return fmt.Errorf("%s %s: %w", m.collection.Name, doc.ID, err)
	}
	m.keep(doc.ID, into)
	return nil
}

func (m *memory[T]) read(ctx context.Context, id string) (*T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	into := new(T)
	_, err := m.store.Get(ctx, m.collection.Ref(id), into)
	switch {
	case errors.Is(err, store.ErrNotFound):
		into = nil
	case err != nil:
		return nil, err
	}
	return m.keep(id, into), nil
}

// keep remembers a document unless something newer is known, and returns what is known then.
func (m *memory[T]) keep(id string, doc *T) *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, found := m.docs[id]
	if old.doc != nil && (doc == nil || m.updated(old.doc) >= m.updated(doc)) {
		return old.doc
	}
	if len(m.docs) >= maxHeld && !found {
		for other := range m.docs { // any one: it is read again when it comes back
			delete(m.docs, other)
			break
		}
	}
	m.docs[id] = held[T]{doc, m.now()}
	if found && (doc != nil || old.doc != nil) {
		m.changes.Add(1)
	}
	return doc
}

// run keeps the memory in step with the store until ctx ends.
func (m *memory[T]) run(ctx context.Context) {
	proofs := time.NewTicker(proofEvery)
	defer proofs.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.watchOn(ctx)
	}()
	for ctx.Err() == nil {
		select {
		case <-proofs.C:
			if m.used.Load() {
				_, _, _ = m.asks.Do("", func() (any, error) { return nil, m.prove(ctx) }) // the next call finds out
			}
		case <-ctx.Done():
		}
	}
	<-done
}

func (m *memory[T]) watchOn(ctx context.Context) {
	for ctx.Err() == nil {
		err := m.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		m.log.WarnContext(ctx, "watch ended; changes are asked for until it is back", "collection", m.collection.Name, "error", err)
		select {
		case <-time.After(watchRetry):
		case <-ctx.Done():
		}
	}
}

func (m *memory[T]) watch(ctx context.Context) error {
	recent := store.Query{Collection: m.collection, Order: "updated", From: m.now().Add(-watchOverlap).UnixMicro()}
	for change, err := range m.store.Watch(ctx, recent) {
		switch {
		case err != nil:
			return err
		case change.Live, change.Removed: // a purged document was deleted long ago
		default:
			if err := m.take(change.Doc); err != nil {
				return err
			}
		}
	}
	return errors.New("watch ended")
}
