// Package auth turns a virtual key into a Principal and keeps the keys. Only hashes are stored. A warm key costs no store
// call; a watch on the store takes a revoked key out of memory within a second, in every process.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Keys holds one document per virtual key, named by its ID, and one signpost per further secret that it got by rotation, named
// by that secret's hash. A deleted key stays for a while, marked: the mark is what tells every process.
var Keys = store.Collection{
	Name: "keys",
	Indexes: []store.Index{
		{"updated"}, {"deleted", "created"}, {"deleted", "alias"}, {"user", "deleted", "created"}, {"team", "deleted", "created"},
		{"org", "deleted", "created"}, {"created_by", "deleted", "created"}, {"budget", "deleted", "created"},
	},
	TTL: "purge",
}

// Key is a virtual key as it is stored.
type Key struct {
	ID      string   `json:"id"`   // hash of the first secret: what budgets, ledger and owners know the key by, for ever
	Hash    string   `json:"hash"` // hash of the current secret
	Name    string   `json:"name"` // "sk-...1234"
	Alias   string   `json:"alias"`
	User    string   `json:"user"`
	Team    string   `json:"team"`
	Org     string   `json:"org"`
	Models  []string `json:"models"`
	Aliases string   `json:"aliases,omitempty"` // JSON text of model aliases: their names are the caller's
	Routes  []string `json:"routes,omitempty"`  // it may use; empty means all
	Tags    []string `json:"tags,omitempty"`
	Blocked bool     `json:"blocked"`
	Expires int64    `json:"expires,omitempty"` // Unix seconds; 0 is never

	Limits    gateway.Limits  `json:"limits"`
	Budget    string          `json:"budget,omitempty"`     // id of the budget that limits come from where Limits sets none
	Spent     gateway.NanoUSD `json:"spent,omitempty"`      // added to what its rollups say: set by an owner, moved by resets
	TempMax   gateway.NanoUSD `json:"temp_max,omitempty"`   // added to max_budget until TempUntil
	TempUntil int64           `json:"temp_until,omitempty"` // Unix seconds

	Former    []Former `json:"former,omitempty"` // secrets before the current one that still work for a while
	Rotations int64    `json:"rotations,omitempty"`
	RotatedAt int64    `json:"rotated_at,omitempty"` // Unix microseconds

	// Params holds the other fields of /key/generate as the caller gave them, a JSON object as text: stored and echoed.
	Params    string `json:"params"`
	Created   int64  `json:"created"` // Unix microseconds
	CreatedBy string `json:"created_by"`
	Updated   int64  `json:"updated"` // Unix microseconds; rises with every change
	UpdatedBy string `json:"updated_by"`
	Deleted   bool   `json:"deleted"`
	Purge     int64  `json:"purge,omitempty"` // Unix seconds, of a deleted key

	// Of is set in a signpost, which has nothing else: the ID of the key that the secret belongs to.
	Of string `json:"of,omitempty"`
}

// Former is a secret that works until its grace period ends.
type Former struct {
	Hash  string `json:"hash"`
	Until int64  `json:"until"` // Unix seconds
}

// signpost leads from the hash of a later secret to its key. It never changes, and stays: a secret that leaked never becomes that of
// another key.
type signpost struct {
	Hash    string `json:"hash"`
	Of      string `json:"of"`
	Updated int64  `json:"updated"`
}

// principal is who presents this key, as far as its own document says.
func (k *Key) principal() gateway.Principal {
	return gateway.Principal{
		KeyHash: k.ID, KeyAlias: k.Alias, UserID: k.User, TeamID: k.Team, OrgID: k.Org, Models: k.Models, Tags: k.Tags,
		Routes: k.Routes, Aliases: k.aliases(),
	}
}

func (k *Key) aliases() (m map[string]string) {
	_ = json.Unmarshal([]byte(k.Aliases), &m) // checked when it was set, or still empty
	return m
}

// Owner is what the key's files and batches belong to.
func (k *Key) Owner() gateway.Owner { return gateway.OwnerOf(k.ID, k.User, k.Team) }

// EffectiveLimits are those in force now: max_budget is larger while a temporary increase lasts.
func (k *Key) EffectiveLimits(now time.Time) gateway.Limits {
	l := k.Limits
	if now.Unix() >= k.TempUntil {
		return l
	}
	l.Budgets = slices.Clone(l.Budgets)
	for i, b := range l.Budgets {
		if !b.Extra {
			l.Budgets[i].Max = b.Max.Plus(k.TempMax)
		}
	}
	return l
}

// changesAt is when the clock alone changes the key's limits; zero if it will not.
func (k *Key) changesAt(now time.Time) time.Time {
	if now.Unix() >= k.TempUntil {
		return time.Time{}
	}
	return time.Unix(k.TempUntil, 0)
}

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

// opens reports whether the secret with the hash is the key's current one, or a former one in its grace period.
func (k *Key) opens(hash string, now time.Time) bool {
	return k.Hash == hash ||
		slices.ContainsFunc(k.Former, func(f Former) bool { return f.Hash == hash && now.Unix() < f.Until })
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
