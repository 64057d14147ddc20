package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// hashOf reads how a caller names a key: by its secret, or by the hash of it.
func hashOf(key string) (string, error) {
	switch {
	case strings.HasPrefix(key, keyPrefix):
		return Hash(gateway.Secret(key)), nil
	case isHash(key):
		return key, nil
	default:
		e := gateway.Invalid("key", "Invalid key format. Expected a key that starts with 'sk-' or its hash.")
		e.TypeName = "bad_request_error"
		return "", e
	}
}

func isHash(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil && strings.ToLower(s) == s
}

// getter reads a document, in a transaction or outside.
type getter func(ref store.Ref, into any) (store.Version, error)

func (m *Manager) getter(ctx context.Context) getter {
	return func(ref store.Ref, into any) (store.Version, error) { return m.Store.Get(ctx, ref, into) }
}

// find reads the key that any of its secrets ever, raw or as a hash, names. A deleted one is not found.
func find(get getter, name string) (*Key, error) {
	hash, err := hashOf(name)
	if err != nil {
		return nil, err
	}
	k := new(Key)
	_, err = get(Keys.Ref(hash), k)
	if err == nil && k.Of != "" {
		id := k.Of
		k = new(Key)
		_, err = get(Keys.Ref(id), k)
	}
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && k.Deleted:
		return nil, notFound()
	case err != nil:
		return nil, err
	}
	return k, nil
}

func notFound() *gateway.Error {
	e := gateway.Errorf(gateway.KindNotFound, "Key not found in database")
	e.Param, e.TypeName = "key", "not_found_error"
	return e
}

// Info reads the key that any of its secrets, raw or as a hash, names.
func (m *Manager) Info(ctx context.Context, name string) (*Key, error) {
	return find(m.getter(ctx), name)
}

// ByAlias finds the ID of the key with an alias.
func (m *Manager) ByAlias(ctx context.Context, name string) (string, error) {
	var a alias
	_, err := m.Store.Get(ctx, aliasRef(name), &a)
	if errors.Is(err, store.ErrNotFound) {
		return "", notFound()
	}
	return a.Key, err
}

// IDOf is what the ledger and budgets know a key by that any of its secrets, raw or as a hash, names; what is given if there is no
// such key. A deleted one has its ID still.
func (m *Manager) IDOf(ctx context.Context, name string) (string, error) {
	hash, err := hashOf(name)
	if err != nil {
		return "", err
	}
	var sign signpost
	_, err = m.Store.Get(ctx, Keys.Ref(hash), &sign)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && sign.Of == "":
		return hash, nil
	default:
		return sign.Of, err
	}
}
