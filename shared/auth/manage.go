package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

const keepDeleted = 30 * 24 * time.Hour // so long a deleted key stays, marked

// Manager creates and changes virtual keys, for those who may: admins all of them, users their own, and admins of teams those of
// their teams. To others a key does not exist. Every change is recorded with it. All methods may be called concurrently.
type Manager struct {
	Store    store.Store
	Now      func() time.Time
	Spent    account.Spent  // nil: nothing was spent
	Location *time.Location // whose calendar budgets follow; nil is UTC
	Defaults field.Request  // what /key/generate takes for fields that are not given
	Upper    field.Request  // the most that amounts, counts and durations may be, and what they are if not given

	match string // see If
}

// If returns a Manager that changes a key only if the If-Match header names its ETag; an empty header always does.
func (m *Manager) If(match string) *Manager {
	c := *m
	c.match = match
	return &c
}

// ETag names the state of a key for If.
func (k *Key) ETag() string { return `"` + strconv.FormatInt(k.Updated, 36) + `"` }

func (m *Manager) matches(k *Key) error {
	if m.match == "" || m.match == "*" || slices.Contains(strings.Split(strings.ReplaceAll(m.match, " ", ""), ","), k.ETag()) {
		return nil
	}
	e := gateway.Errorf(gateway.KindConflict, "The key has changed since: its ETag is %s.", k.ETag())
	e.HTTPStatus, e.Param = http.StatusPreconditionFailed, "If-Match"
	return e
}

func (m *Manager) location() *time.Location {
	if m.Location == nil {
		return time.UTC
	}
	return m.Location
}

// Generate makes a key from the fields of a /key/generate request. The secret is returned this once.
func (m *Manager) Generate(ctx context.Context, by audit.By, request field.Request) (gateway.Secret, *Key, error) {
	secret, err := secretFrom(request, "key")
	if err != nil {
		return "", nil, err
	}
	given, err := m.pick(by, request, true)
	if err != nil {
		return "", nil, err
	}
	var key *Key
	err = m.work(ctx, by, func(w *work) error {
		key = &Key{
			ID: Hash(secret), Hash: Hash(secret), Name: name(secret),
			Created: w.now.UnixMicro(), CreatedBy: by.Actor(), Updated: w.now.UnixMicro(), UpdatedBy: by.Actor(),
		}
		if err := key.set(given, w.now); err != nil {
			return err
		}
		if err := w.mayMake(key, request); err != nil {
			return err
		}
		if err := w.limit(key, gateway.Limits{}, given); err != nil {
			return err
		}
		if err := claimAlias(w.tx, "", key); err != nil {
			return err
		}
		if err := w.tx.Create(Keys.Ref(key.ID), key); err != nil {
			return err
		}
		return w.record("created", request, nil, key)
	})
	if errors.Is(err, store.ErrExists) {
		err = gateway.Invalid("key", "Key already exists.")
	}
	if err != nil {
		return "", nil, err
	}
	return secret, key, nil
}

const minKeyChars = 12 // of a key that a caller brings

func secretFrom(request field.Request, name string) (gateway.Secret, error) {
	raw, given := request[name]
	if !given || string(raw) == "null" {
		return newKey(), nil
	}
	var s string
	if field.Text(name, raw) != nil || json.Unmarshal(raw, &s) != nil || len(s) < minKeyChars || !strings.HasPrefix(s, keyPrefix) {
		return "", gateway.Invalid(name, "%s must be a string that starts with 'sk-' and has %d to %d characters.", name, minKeyChars, field.MaxText)
	}
	return gateway.Secret(s), nil
}

// pick returns the fields of a request that are known, checked and completed from defaults.
func (m *Manager) pick(by audit.By, request field.Request, fill bool) (field.Request, error) {
	if err := checkReadOnly(request, by.Principal.Admin); err != nil {
		return nil, err
	}
	request, err := m.bound(request, fill)
	if err != nil {
		return nil, err
	}
	return table.Pick(request)
}

// Update changes the given fields of a key.
func (m *Manager) Update(ctx context.Context, by audit.By, key string, request field.Request) (*Key, error) {
	given, err := m.pick(by, request, false)
	if err != nil {
		return nil, err
	}
	return m.change(ctx, by, key, "updated", request, func(w *work, k *Key) error { return w.update(k, given) })
}

func (w *work) update(k *Key, given field.Request) error {
	before := *k
	if err := w.may(toChange, k); err != nil {
		return err
	}
	if err := k.set(given, w.now); err != nil {
		return err
	}
	if err := w.mayUpdate(&before, k, given); err != nil {
		return err
	}
	return w.limit(k, before.Limits, given)
}

// Block blocks or unblocks a key.
func (m *Manager) Block(ctx context.Context, by audit.By, key string, blocked bool) (*Key, error) {
	action := map[bool]string{true: "blocked", false: "unblocked"}[blocked]
	return m.change(ctx, by, key, action, field.Request{"blocked": nil}, func(w *work, k *Key) error {
		k.Blocked = blocked
		return w.may(toGovern, k)
	})
}

// Delete marks a key as deleted. It cannot be brought back.
func (m *Manager) Delete(ctx context.Context, by audit.By, key string) (*Key, error) {
	return m.change(ctx, by, key, "deleted", nil, func(w *work, k *Key) error {
		if err := w.may(toChange, k); err != nil {
			return err
		}
		k.Deleted, k.Alias, k.Purge = true, "", w.now.Add(keepDeleted).Unix()
		return nil
	})
}

// DeleteAll deletes keys, none of them if one is not there or not the caller's to delete.
func (m *Manager) DeleteAll(ctx context.Context, by audit.By, keys []string) error {
	for _, key := range keys {
		k, err := m.Info(ctx, key)
		if err != nil {
			return err
		}
		if err := may(m.getter(ctx), by.Principal, toChange, k); err != nil {
			return err
		}
	}
	for _, key := range keys {
		_, err := m.Delete(ctx, by, key)
		if e := gateway.AsError(err); err != nil && e.Kind != gateway.KindNotFound { // named twice, or somebody else was faster
			return err
		}
	}
	return nil
}

// ResetSpend makes a key's spend and that of its budgets what is given, and tells what it was.
func (m *Manager) ResetSpend(ctx context.Context, by audit.By, key string, to gateway.NanoUSD) (k *Key, was gateway.NanoUSD, err error) {
	k, err = m.change(ctx, by, key, "reset", field.Request{"spend": nil}, func(w *work, k *Key) error {
		if err := w.may(toGovern, k); err != nil {
			return err
		}
		var err error
		if was, err = w.total(k); err != nil {
			return err
		}
		if to > was {
			return gateway.Invalid("reset_to", "reset_to must not be more than what was spent, which is %s.", was)
		}
		return w.respend(k, to)
	})
	return k, was, err
}

// change edits a key in a transaction. A deleted one is not found.
func (m *Manager) change(ctx context.Context, by audit.By, name, action string, request field.Request, edit func(*work, *Key) error) (*Key, error) {
	var k *Key
	err := m.work(ctx, by, func(w *work) (err error) {
		if k, err = find(w.tx.Get, name); err != nil {
			return err
		}
		before := *k
		if err := edit(w, k); err != nil {
			return err
		}
		if err := m.matches(&before); err != nil {
			return err
		}
		k.Updated, k.UpdatedBy = max(w.now.UnixMicro(), k.Updated+1), by.Actor()
		if err := claimAlias(w.tx, before.Alias, k); err != nil {
			return err
		}
		if k.Hash != before.Hash {
			if err := w.tx.Create(Keys.Ref(k.Hash), signpost{Hash: k.Hash, Of: k.ID, Updated: k.Updated}); err != nil {
				return err
			}
		}
		if err := w.tx.Put(Keys.Ref(k.ID), k); err != nil {
			return err
		}
		return w.record(action, request, &before, k)
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}
