package auth

import (
	"errors"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Aliases holds one document per key alias in use, named by its hash: that is what makes aliases unique.
var Aliases = store.Collection{Name: "key_aliases"}

type alias struct {
	Key string `json:"key"` // ID
}

func aliasRef(a string) store.Ref { return Aliases.Ref(Hash(gateway.Secret(a))) }

// claimAlias gives a key's alias to it and frees the one it had.
func claimAlias(tx store.Tx, had string, key *Key) error {
	if key.Alias == had {
		return nil
	}
	if key.Alias != "" {
		var held alias
		_, err := tx.Get(aliasRef(key.Alias), &held)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && held.Key != key.ID {
			return gateway.Invalid("key_alias", "Key with alias '%s' already exists. Unique key aliases across all keys are required.", key.Alias)
		}
	}
	if had != "" {
		if err := tx.Delete(aliasRef(had)); err != nil {
			return err
		}
	}
	if key.Alias == "" {
		return nil
	}
	return tx.Put(aliasRef(key.Alias), alias{key.ID})
}
