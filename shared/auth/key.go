// Package auth turns a virtual key into a Principal and keeps the keys. Only hashes are stored. A warm key costs no store
// call; a watch on the store takes a revoked key out of memory within a second, in every process.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Keys holds one document per virtual key, named by its hash. A deleted key stays for a while, marked: the mark is what
// tells every process.
var Keys = store.Collection{
	Name: "keys",
	Indexes: []store.Index{
		{"updated"}, {"deleted", "created"}, {"user", "deleted", "created"}, {"team", "deleted", "created"}, {"alias", "deleted"},
	},
	TTL: "purge",
}

// Key is a virtual key as it is stored.
type Key struct {
	Hash      string           `json:"hash"` // Hash of the whole key
	Name      string           `json:"name"` // "sk-...1234"
	Alias     string           `json:"alias"`
	User      string           `json:"user"`
	Team      string           `json:"team"`
	Models    []string         `json:"models"`
	Tags      []string         `json:"tags,omitempty"`
	Blocked   bool             `json:"blocked"`
	Expires   int64            `json:"expires,omitempty"` // Unix seconds; 0 is never
	MaxBudget *gateway.NanoUSD `json:"max_budget,omitempty"`
	// Params holds the other fields of /key/generate as the caller gave them, a JSON object as text: stored and echoed.
	Params    string `json:"params"`
	Created   int64  `json:"created"` // Unix microseconds
	CreatedBy string `json:"created_by"`
	Updated   int64  `json:"updated"` // Unix microseconds; rises with every change
	UpdatedBy string `json:"updated_by"`
	Deleted   bool   `json:"deleted"`
	Purge     int64  `json:"purge,omitempty"` // Unix seconds, of a deleted key
}

// Principal is who presents this key.
func (k *Key) Principal() gateway.Principal {
	return gateway.Principal{
		KeyHash: k.Hash, KeyAlias: k.Alias, UserID: k.User, TeamID: k.Team, Models: k.Models, Tags: k.Tags,
	}
}

// Owner is what the key's files and batches belong to.
func (k *Key) Owner() gateway.Owner { return gateway.OwnerOf(k.Hash, k.User, k.Team) }

func (k *Key) expired(now time.Time) bool { return k.Expires != 0 && now.Unix() >= k.Expires }

// check tells why a key that exists may not be used now.
func (k *Key) check(now time.Time) error {
	switch {
	case k.Deleted:
		return unknownKey(k.Name)
	case k.Blocked:
		return denied("None", "", "Authentication Error, Key is blocked. Update via `/key/unblock` if you are an admin.")
	case k.expired(now):
		return denied(k.Name, "expired_key", "Authentication Error - Expired Key. Key Expiry time %s and current time %s",
			time.Unix(k.Expires, 0).UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

func unknownKey(name string) *gateway.Error {
	return denied("key", "token_not_found_in_db",
		"Authentication Error, Invalid proxy server token passed. Received API Key = %s. Unable to find it among the virtual keys.", name)
}

func denied(param, typeName, format string, args ...any) *gateway.Error {
	e := gateway.Errorf(gateway.KindUnauthenticated, format, args...)
	e.Param, e.TypeName = param, typeName
	return e
}

const keyPrefix = "sk-"

// Hash is how a virtual key is stored and looked up: the SHA-256 of the whole string in lower-case hex, which is LiteLLM's
// own scheme, so that its keys keep working.
func Hash(key gateway.Secret) string {
	sum := sha256.Sum256([]byte(key.Reveal()))
	return hex.EncodeToString(sum[:])
}

// newKey returns a random virtual key: sk- and 22 url-safe characters, 128 bits.
func newKey() gateway.Secret {
	var b [16]byte
	rand.Read(b[:])
	return gateway.Secret(keyPrefix + base64.RawURLEncoding.EncodeToString(b[:]))
}

// name shows the last four characters of a key that is long enough to hide the rest.
func name(key gateway.Secret) string {
	s := key.Reveal()
	if len(s) < 12 {
		return keyPrefix + "..."
	}
	return keyPrefix + "..." + printable(s[len(s)-4:])
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// refOf finds the document of a key given raw or as its hash.
func refOf(key string) (store.Ref, error) {
	switch {
	case strings.HasPrefix(key, keyPrefix):
		return Keys.Ref(Hash(gateway.Secret(key))), nil
	case isHash(key):
		return Keys.Ref(key), nil
	default:
		return store.Ref{}, gateway.Invalid("key", "Invalid key format. Expected a key that starts with 'sk-' or its hash.")
	}
}

func isHash(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil && strings.ToLower(s) == s
}
