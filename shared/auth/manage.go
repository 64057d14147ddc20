package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Aliases holds one document per key alias in use, named by its hash: that is what makes aliases unique.
var Aliases = store.Collection{Name: "key_aliases"}

type alias struct {
	Key string `json:"key"` // hash
}

const (
	minKeyChars = 12                  // of a key that a caller brings
	keepDeleted = 30 * 24 * time.Hour // so long a deleted key stays, marked
)

// Manager creates and changes virtual keys. The ingress decides who may.
type Manager struct {
	Store store.Store
	Now   func() time.Time
}

// Generate makes a key from the fields of a /key/generate request. The secret is returned this once.
func (m *Manager) Generate(ctx context.Context, by gateway.Principal, request map[string]json.RawMessage) (gateway.Secret, *Key, error) {
	secret, err := secretFrom(request)
	if err != nil {
		return "", nil, err
	}
	now := m.Now()
	key := &Key{
		Hash: Hash(secret), Name: name(secret), Models: []string{},
		Created: now.UnixMicro(), CreatedBy: actor(by), Updated: now.UnixMicro(), UpdatedBy: actor(by),
	}
	if err := key.set(request, now); err != nil {
		return "", nil, err
	}
	err = m.Store.Tx(ctx, func(tx store.Tx) error {
		if err := claimAlias(tx, "", key); err != nil {
			return err
		}
		return tx.Create(Keys.Ref(key.Hash), key)
	})
	if errors.Is(err, store.ErrExists) {
		return "", nil, gateway.Invalid("key", "Key already exists.")
	}
	return secret, key, err
}

func secretFrom(request map[string]json.RawMessage) (gateway.Secret, error) {
	raw, given := request["key"]
	if !given || string(raw) == "null" {
		return newKey(), nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) < minKeyChars || len(s) > maxText || s[:len(keyPrefix)] != keyPrefix {
		return "", gateway.Invalid("key", "key must be a string that starts with 'sk-' and has %d to %d characters.", minKeyChars, maxText)
	}
	return gateway.Secret(s), nil
}

// actor is how a principal appears in created_by.
func actor(p gateway.Principal) string {
	if p.Admin || p.UserID == "" {
		return p.KeyAlias
	}
	return p.UserID
}

// set takes over the fields of a request.
func (k *Key) set(request map[string]json.RawMessage, now time.Time) error {
	given, err := knownFields(request)
	if err != nil {
		return err
	}
	text := func(field string, into *string) {
		if raw, ok := given[field]; ok {
			*into = ""
			_ = json.Unmarshal(raw, into)
		}
	}
	text("key_alias", &k.Alias)
	text("user_id", &k.User)
	text("team_id", &k.Team)
	for field, into := range map[string]*[]string{"models": &k.Models, "tags": &k.Tags} {
		if raw, ok := given[field]; ok {
			*into = []string{}
			_ = json.Unmarshal(raw, into)
		}
	}
	if raw, ok := given["blocked"]; ok {
		_ = json.Unmarshal(raw, &k.Blocked)
	}
	if raw, ok := given["max_budget"]; ok {
		k.MaxBudget = nil
		if amount, err := gateway.ParseUSD(string(raw)); err == nil {
			k.MaxBudget = &amount
		}
	}
	if raw, ok := given["duration"]; ok {
		var duration string
		_ = json.Unmarshal(raw, &duration)
		k.Expires = 0
		if end, err := after(now, duration); err == nil {
			k.Expires = end.Unix()
		}
	}
	return k.setParams(given)
}

func (k *Key) setParams(given map[string]json.RawMessage) error {
	params := k.params()
	maps.Copy(params, given)
	maps.DeleteFunc(params, func(field string, _ json.RawMessage) bool { return kept[field] })
	text, err := json.Marshal(params)
	k.Params = string(text)
	return err
}

func (k *Key) params() map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal([]byte(k.Params), &m) // written by setParams: an object, or still empty
	return m
}

// claimAlias gives a key's alias to it and frees the one it had.
func claimAlias(tx store.Tx, had string, key *Key) error {
	if key.Alias == had {
		return nil
	}
	var held alias
	taken := false
	if key.Alias != "" {
		_, err := tx.Get(aliasRef(key.Alias), &held)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		taken = err == nil && held.Key != key.Hash
	}
	if taken {
		return gateway.Invalid("key_alias", "Key with alias '%s' already exists. Unique key aliases across all keys are required.", key.Alias)
	}
	if had != "" {
		if err := tx.Delete(aliasRef(had)); err != nil {
			return err
		}
	}
	if key.Alias == "" {
		return nil
	}
	return tx.Put(aliasRef(key.Alias), alias{key.Hash})
}

func aliasRef(a string) store.Ref { return Aliases.Ref(Hash(gateway.Secret(a))) }

// Info reads a key given raw or as its hash.
func (m *Manager) Info(ctx context.Context, key string) (*Key, error) {
	ref, err := refOf(key)
	if err != nil {
		return nil, err
	}
	k := new(Key)
	if _, err = m.Store.Get(ctx, ref, k); errors.Is(err, store.ErrNotFound) || (err == nil && k.Deleted) {
		return nil, notFound()
	}
	return k, err
}

func notFound() *gateway.Error {
	e := gateway.Errorf(gateway.KindNotFound, "Key not found in database")
	e.Param, e.TypeName = "key", "not_found_error"
	return e
}

// Update changes the given fields of a key.
func (m *Manager) Update(ctx context.Context, by gateway.Principal, key string, request map[string]json.RawMessage) (*Key, error) {
	return m.change(ctx, by, key, func(k *Key) error { return k.set(request, m.Now()) })
}

// Block blocks or unblocks a key.
func (m *Manager) Block(ctx context.Context, by gateway.Principal, key string, blocked bool) (*Key, error) {
	return m.change(ctx, by, key, func(k *Key) error { k.Blocked = blocked; return nil })
}

// Delete marks a key as deleted. It cannot be brought back.
func (m *Manager) Delete(ctx context.Context, by gateway.Principal, key string) (*Key, error) {
	return m.change(ctx, by, key, func(k *Key) error {
		k.Deleted, k.Alias, k.Purge = true, "", m.Now().Add(keepDeleted).Unix()
		return nil
	})
}

// ByAlias finds the hash of the key with an alias.
func (m *Manager) ByAlias(ctx context.Context, name string) (string, error) {
	var a alias
	_, err := m.Store.Get(ctx, aliasRef(name), &a)
	if errors.Is(err, store.ErrNotFound) {
		return "", notFound()
	}
	return a.Key, err
}

func (m *Manager) change(ctx context.Context, by gateway.Principal, key string, edit func(*Key) error) (*Key, error) {
	ref, err := refOf(key)
	if err != nil {
		return nil, err
	}
	var k *Key
	err = m.Store.Tx(ctx, func(tx store.Tx) error {
		k = new(Key)
		if _, err := tx.Get(ref, k); errors.Is(err, store.ErrNotFound) || (err == nil && k.Deleted) {
			return notFound()
		} else if err != nil {
			return err
		}
		had := k.Alias
		if err := edit(k); err != nil {
			return err
		}
		k.Updated, k.UpdatedBy = max(m.Now().UnixMicro(), k.Updated+1), actor(by)
		if err := claimAlias(tx, had, k); err != nil {
			return err
		}
		return tx.Put(ref, k)
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Filter selects keys to list; empty fields select all. At most one of User and Team is used.
type Filter struct{ User, Team string }

func (f Filter) query() store.Query {
	q := store.Query{Collection: Keys, Eq: map[string]any{"deleted": false}, Order: "created", Desc: true}
	switch {
	case f.Team != "":
		q.Eq["team"] = f.Team
	case f.User != "":
		q.Eq["user"] = f.User
	}
	return q
}

// Count is how many keys the filter selects.
func (m *Manager) Count(ctx context.Context, f Filter) (int64, error) {
	n, _, err := m.Store.Sum(ctx, f.query())
	return n, err
}

// List yields the keys that the filter selects, the newest first; limit 0 is all.
func (m *Manager) List(ctx context.Context, f Filter, limit int) iter.Seq2[*Key, error] {
	q := f.query()
	q.Limit = limit
	return func(yield func(*Key, error) bool) {
		for doc, err := range m.Store.Query(ctx, q) {
			k := new(Key)
			if err == nil {
				if err = doc.Decode(k); err != nil {
					err = fmt.Errorf("key %s: %w", doc.ID, err)
				}
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}
