package auth

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Authenticator knows who presents a credential. All methods may be called concurrently.
type Authenticator struct {
	settings Settings
	now      func() time.Time
	master   string // hash of the master key
	keys     *memory[Key]
	accounts *memory[account.Account]

	mu    sync.RWMutex
	known map[string]resolved
}

// Settings are an owner's choices.
type Settings struct {
	Customers gateway.Limits // of each customer that nobody has set any for
	Users     gateway.Limits // of each internal user that nobody has set any for
	Staleness time.Duration  // how long after its last proof that it has missed nothing a memory is trusted; 0 is DefaultStaleness
}

// Use takes over an owner's choices, before the first call.
func (a *Authenticator) Use(s Settings) {
	a.settings = s
	if s.Staleness > 0 {
		a.keys.staleness, a.accounts.staleness = s.Staleness, s.Staleness
	}
}

// New returns an Authenticator. Run makes it hear of changes at once; without it they take effect within DefaultStaleness.
func New(s store.Store, masterKey gateway.Secret, now func() time.Time, log *slog.Logger) *Authenticator {
	return &Authenticator{
		now: now, master: Hash(masterKey), known: map[string]resolved{},
		keys:     newMemory(s, Keys, func(k *Key) int64 { return k.Updated }, now, log),
		accounts: newMemory(s, account.Accounts, func(a *account.Account) int64 { return a.Updated }, now, log),
	}
}

// Authenticate finds out who sent the request. The error is a gateway.Error: KindUnauthenticated if that is certain,
// KindUnavailable if the store could not be asked.
func (a *Authenticator) Authenticate(r *http.Request) (gateway.Principal, error) {
	secret, err := credential(r.Header)
	if err != nil {
		return gateway.Principal{}, err
	}
	hash := Hash(secret)
	if a.isMaster(hash) {
		return a.boss(), nil
	}
	key, err := a.find(r.Context(), hash)
	if err != nil {
		return gateway.Principal{}, err
	}
	if key == nil || !key.opens(hash, a.now()) {
		return gateway.Principal{}, unknownKey(name(secret))
	}
	return a.who(r.Context(), key)
}

// Principal is who the key with the id stands for, if it may be used now: whom work goes on for that was begun with it.
func (a *Authenticator) Principal(ctx context.Context, id string) (gateway.Principal, error) {
	if a.isMaster(id) {
		return a.boss(), nil
	}
	key, err := a.find(ctx, id)
	if err != nil {
		return gateway.Principal{}, err
	}
	if key == nil {
		return gateway.Principal{}, unknownKey(keyPrefix + "...")
	}
	return a.who(ctx, key)
}

func (a *Authenticator) isMaster(hash string) bool {
	return subtle.ConstantTimeCompare([]byte(hash), []byte(a.master)) == 1
}

func (a *Authenticator) boss() gateway.Principal {
	return gateway.Principal{KeyHash: a.master, KeyAlias: "master", Admin: true, Role: gateway.RoleAdmin}
}

// find returns the key whose id, or one of whose secrets, has the hash; nil if there is none.
func (a *Authenticator) find(ctx context.Context, hash string) (*Key, error) {
	key, err := a.keys.get(ctx, hash)
	if err == nil && key != nil && key.Of != "" {
		key, err = a.keys.get(ctx, key.Of)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return key, nil
}

func (a *Authenticator) who(ctx context.Context, key *Key) (gateway.Principal, error) {
	if err := key.check(a.now()); err != nil {
		return gateway.Principal{}, err
	}
	return a.resolve(ctx, key)
}

func unavailable(err error) *gateway.Error {
	return (&gateway.Error{Kind: gateway.KindUnavailable, Message: "Keys cannot be verified at the moment.",
		TypeName: "no_db_connection", RetryAfter: time.Second}).WithCause(err)
}

// Run keeps the memory in step with the store until ctx ends.
func (a *Authenticator) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { a.keys.run(ctx) })
	both.Go(func() { a.accounts.run(ctx) })
	both.Wait()
	return nil
}
