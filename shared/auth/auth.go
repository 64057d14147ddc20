package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	lookUpTimeout = 2 * time.Second
	watchOverlap  = 10 * time.Minute // how far back a watch begins: more than clocks differ and than a key takes to be read
	watchRetry    = time.Second
	staleAfter    = time.Second // of what was read while no watch is alive
	unknownFor    = time.Second // how long an unknown key is remembered as such
	maxCached     = 100_000     // keys in memory, about 500 bytes each
)

// Authenticator knows who presents a credential. All methods may be called concurrently.
type Authenticator struct {
	store  store.Store
	now    func() time.Time
	log    *slog.Logger
	master string // hash of the master key

	mu    sync.RWMutex
	keys  map[string]cached
	live  atomic.Bool // a watch is telling us of changes
	reads singleflight.Group
}

type cached struct {
	key  *Key // nil: known to be unknown
	read time.Time
}

// New returns an Authenticator. Run must be called for it to hear of changes; until then it reads often.
func New(s store.Store, masterKey gateway.Secret, now func() time.Time, log *slog.Logger) *Authenticator {
	return &Authenticator{store: s, now: now, log: log, master: Hash(masterKey), keys: map[string]cached{}}
}

// Authenticate finds out who sent the request. The error is a gateway.Error: KindUnauthenticated if that is certain,
// KindUnavailable if the store could not be asked.
func (a *Authenticator) Authenticate(r *http.Request) (gateway.Principal, error) {
	secret, err := credential(r.Header)
	if err != nil {
		return gateway.Principal{}, err
	}
	p, err := a.Principal(r.Context(), Hash(secret))
	var e *gateway.Error
	if errors.As(err, &e) && errors.Is(e.Cause, store.ErrNotFound) {
		return p, unknownKey(name(secret))
	}
	return p, err
}

// Principal is who the key with the hash stands for, if it may be used now.
func (a *Authenticator) Principal(ctx context.Context, hash string) (gateway.Principal, error) {
	if subtle.ConstantTimeCompare([]byte(hash), []byte(a.master)) == 1 {
		return gateway.Principal{KeyHash: hash, KeyAlias: "master", Admin: true}, nil
	}
	key, err := a.lookUp(ctx, hash)
	if err != nil {
		return gateway.Principal{}, err
	}
	if err := key.check(a.now()); err != nil {
		return gateway.Principal{}, err
	}
	return key.Principal(), nil
}

func (a *Authenticator) lookUp(ctx context.Context, hash string) (*Key, error) {
	a.mu.RLock()
	c, found := a.keys[hash]
	a.mu.RUnlock()
	if found && a.fresh(c) {
		return c.answer()
	}
	v, err, _ := a.reads.Do(hash, func() (any, error) { return a.read(context.WithoutCancel(ctx), hash) })
	if err != nil {
		return nil, (&gateway.Error{Kind: gateway.KindUnavailable, Message: "Keys cannot be verified at the moment.",
			TypeName: "no_db_connection", RetryAfter: time.Second}).WithCause(err)
	}
	return v.(cached).answer()
}

func (a *Authenticator) fresh(c cached) bool {
	switch age := a.now().Sub(c.read); {
	case c.key == nil:
		return age < unknownFor
	case a.live.Load():
		return true
	default:
		return age < staleAfter
	}
}

func (c cached) answer() (*Key, error) {
	if c.key == nil {
		return nil, unknownKey(keyPrefix + "...").WithCause(store.ErrNotFound)
	}
	return c.key, nil
}

func (a *Authenticator) read(ctx context.Context, hash string) (cached, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	key := new(Key)
	_, err := a.store.Get(ctx, Keys.Ref(hash), key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		key = nil
	case err != nil:
		return cached{}, err
	}
	return a.keep(hash, key), nil
}

// keep remembers a key unless something newer is known.
func (a *Authenticator) keep(hash string, key *Key) cached {
	c := cached{key, a.now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.keys[hash].key; old != nil && (key == nil || old.Updated > key.Updated) {
		return cached{old, c.read}
	}
	if len(a.keys) >= maxCached {
		for other := range a.keys { // any one: it is read again when it comes back
			delete(a.keys, other)
			break
		}
	}
	a.keys[hash] = c
	return c
}

// Run keeps the memory in step with the store until ctx ends.
func (a *Authenticator) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := a.watch(ctx)
		a.live.Store(false)
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "watch on keys ended; keys are read again and again until it is back", "error", err)
			select {
			case <-time.After(watchRetry):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

func (a *Authenticator) watch(ctx context.Context) error {
	recent := store.Query{Collection: Keys, Order: "updated", From: a.now().Add(-watchOverlap).UnixMicro()}
	a.forget()
	for change, err := range a.store.Watch(ctx, recent) {
		switch {
		case err != nil:
			return err
		case change.Live:
			a.live.Store(true)
		case change.Removed: // a purged key: deleted long ago
		default:
			key := new(Key)
			if err := change.Doc.Decode(key); err != nil {
				return err
			}
			a.keep(key.Hash, key) // remembered or not: a read that began before the change must not win
		}
	}
	return errors.New("watch ended")
}

// forget drops what was read before the watch began: it may have changed unseen.
func (a *Authenticator) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.keys)
}
