package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var errAway = errors.New("store is away")

// network is a store behind latency and faults, for tests in a synctest bubble.
type network struct {
	store.Store
	latency time.Duration // of each way, up to this
	faults  float64       // how often a request or its answer is lost
	away    atomic.Bool
	deaf    bool // no watch works

	mu      sync.Mutex
	rand    *rand.Rand
	asked   int // transactions
	commits int // those that wrote
}

func newNetwork(seed uint64, latency time.Duration, faults float64) *network {
	return &network{
		Store: memstore.New(), latency: latency, faults: faults, rand: rand.New(rand.NewPCG(seed, 1)),
	}
}

func (n *network) chance(p float64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rand.Float64() < p
}

func (n *network) delay() {
	n.mu.Lock()
	d := time.Duration(n.rand.Int64N(int64(n.latency) + 1))
	n.mu.Unlock()
	time.Sleep(d)
}

func (n *network) counts() (asked, commits int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked, n.commits
}

func (n *network) Watch(ctx context.Context, q store.Query) iter.Seq2[store.Change, error] {
	if n.deaf {
		return func(yield func(store.Change, error) bool) { yield(store.Change{}, errAway) }
	}
	return func(yield func(store.Change, error) bool) {
		for change, err := range n.Store.Watch(ctx, q) {
			n.delay()
			if n.chance(n.faults/4) || !yield(change, err) {
				return
			}
		}
	}
}

// wire is one process's way to the network, until it is cut.
type wire struct {
	*network
	cut atomic.Bool
}

func (w *wire) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if w.cut.Load() {
		return errAway
	}
	return w.network.Tx(ctx, fn)
}

// Tx runs fn on what it reads now, and commits later if that is unchanged, as an optimistic store does. The commit may be
// lost, or its answer, or it may take effect after the caller has been told that its outcome is not known.
func (n *network) Tx(ctx context.Context, fn func(store.Tx) error) error {
	n.mu.Lock()
	n.asked++
	n.mu.Unlock()
	n.delay()
	if n.away.Load() || n.chance(n.faults) {
		return fmt.Errorf("begin: %w", errAway)
	}
	for {
		r := &recording{ctx: ctx, store: n.Store, read: map[store.Ref]store.Version{}}
		if err := fn(r); err != nil {
			return err
		}
		n.delay()
		switch {
		case n.away.Load() || n.chance(n.faults):
			return fmt.Errorf("commit: %w", errAway)
		case n.chance(n.faults):
			go func() {
				time.Sleep(time.Duration(rand.Int64N(int64(time.Minute))))
				_ = r.commit()
			}()
			return fmt.Errorf("commit is late: %w", errAway)
		}
		err := r.commit()
		if errors.Is(err, store.ErrChanged) {
			continue
		}
		if err == nil && len(r.writes) > 0 {
			n.mu.Lock()
			n.commits++
			n.mu.Unlock()
		}
		n.delay()
		if n.chance(n.faults) {
			return fmt.Errorf("answer: %w", errAway)
		}
		return err
	}
}

// recording is a transaction that commits when told.
type recording struct {
	store.Tx
	ctx    context.Context
	store  store.Store
	read   map[store.Ref]store.Version
	writes []func(store.Tx) error
}

func (r *recording) Get(ref store.Ref, into any) (store.Version, error) {
	v, err := r.store.Get(context.WithoutCancel(r.ctx), ref, into)
	r.read[ref] = v
	return v, err
}

func (r *recording) Put(ref store.Ref, doc any) error {
	r.writes = append(r.writes, func(tx store.Tx) error { return tx.Put(ref, doc) })
	return nil
}

func (r *recording) commit() error {
	return r.store.Tx(context.WithoutCancel(r.ctx), func(tx store.Tx) error {
		for ref, version := range r.read {
			if now, _ := tx.Get(ref, nil); now != version {
				return store.ErrChanged
			}
		}
		for _, write := range r.writes {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newLimiter(s store.Store, name string) *ratelimit.Limiter {
	return ratelimit.New(s, name, time.Now, quiet)
}

// start runs a limiter until the returned function is called: that ends it as SIGKILL does.
func start(t *testing.T, s store.Store, name string) (*ratelimit.Limiter, context.CancelFunc) {
	t.Helper()
	l := newLimiter(s, name)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.Run(ctx)
	}()
	return l, func() { cancel(); <-done }
}

func limit(kind ratelimit.Kind, most int64) ratelimit.Limit {
	return ratelimit.Limit{ID: "key/" + string(kind), Kind: kind, Max: most, Scope: "api_key", Subject: "abc"}
}

// take admits a call or fails the test.
func take(t *testing.T, l *ratelimit.Limiter, tokens int64, limits ...ratelimit.Limit) *ratelimit.Ticket {
	t.Helper()
	ticket, err := l.Take(t.Context(), tokens, limits)
	if err != nil {
		t.Fatalf("Take(%d): %v", tokens, err)
	}
	return ticket
}

// refuse expects that a call is not admitted.
func refuse(t *testing.T, l *ratelimit.Limiter, tokens int64, limits ...ratelimit.Limit) *ratelimit.Exceeded {
	t.Helper()
	_, err := l.Take(t.Context(), tokens, limits)
	var e *ratelimit.Exceeded
	if !errors.As(err, &e) {
		t.Fatalf("Take(%d): %v; want it refused", tokens, err)
	}
	return e
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}
