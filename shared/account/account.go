// Package account keeps whom keys work for and what calls are counted under: users, teams, their members, organizations, customers,
// tags, and budgets that several of them share. All are one kind of document with one kind of limits.
package account

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Accounts holds one document per account, named by kind and id. A deleted one stays for a while, marked: the mark is what tells
// every process.
var Accounts = store.Collection{
	Name: "accounts",
	Indexes: []store.Index{
		{"updated"}, {"kind", "deleted", "created"}, {"kind", "team", "deleted", "created"},
		{"kind", "user", "deleted", "created"}, {"kind", "org", "deleted", "created"}, {"kind", "budget", "deleted", "created"},
		{"kind", "role", "deleted", "created"}, {"kind", "deleted", "id"}, {"kind", "deleted", "email"}, {"kind", "deleted", "alias"},
	},
	TTL: "purge",
}

// Kind is what an account is; those that limits hold for bear their scope's name.
type Kind string

// The kinds of accounts.
const (
	User     = Kind(gateway.ScopeUser)
	Team     = Kind(gateway.ScopeTeam)
	Member   = Kind(gateway.ScopeMember) // of a team; its id is MemberID
	Org      = Kind(gateway.ScopeOrg)
	OrgUser  = Kind("organization_member") // its id is MemberID, too
	Customer = Kind(gateway.ScopeCustomer)
	Tag      = Kind(gateway.ScopeTag)
	Budget   = Kind("budget") // limits with a name, which others refer to
)

// Account is one of them as it is stored. Fields that a kind does not have are empty.
type Account struct {
	Kind  Kind   `json:"kind"`
	ID    string `json:"id"`
	Alias string `json:"alias"`
	Email string `json:"email"` // of a user, in lower case; of a member, if that is how it was named
	Team  string `json:"team"`  // of a member
	User  string `json:"user"`  // of a member
	Org   string `json:"org"`   // of a team, or of a member of an organization

	Role    gateway.Role `json:"role"` // of a user; of a member: admin or user
	Blocked bool         `json:"blocked,omitempty"`
	Models  []string     `json:"models,omitempty"`  // it may call; empty means all
	Aliases string       `json:"aliases,omitempty"` // JSON text of model aliases: their names are the caller's

	Limits gateway.Limits  `json:"limits"`
	Member gateway.Limits  `json:"member"`          // of a team: what its members may, each, that have no such limit of their own
	Budget string          `json:"budget"`          // id of the budget that limits come from where Limits sets none
	Spent  gateway.NanoUSD `json:"spent,omitempty"` // added to what its rollups say: set by an owner, moved by resets

	// Params holds the other fields of its request as the caller gave them, a JSON object as text: stored and echoed.
	Params    string `json:"params,omitempty"`
	Created   int64  `json:"created"` // Unix microseconds
	CreatedBy string `json:"created_by,omitempty"`
	Updated   int64  `json:"updated"` // Unix microseconds; rises with every change
	UpdatedBy string `json:"updated_by,omitempty"`
	Deleted   bool   `json:"deleted"`
	Purge     int64  `json:"purge,omitempty"` // Unix seconds, of a deleted account
}

// Role of a member in its team or organization, besides gateway.Roles.
const (
	RoleTeamAdmin gateway.Role = "admin"
	RoleTeamUser  gateway.Role = "user"
	RoleOrgAdmin  gateway.Role = "org_admin"
)

// Ref names the document of an account.
func Ref(k Kind, id string) store.Ref { return Accounts.Ref(DocID(k, id)) }

// DocID spreads accounts over the key space, whatever their ids.
func DocID(k Kind, id string) string {
	h := sha256.Sum256([]byte(string(k) + "\x00" + id))
	return hex.EncodeToString(h[:16])
}

// MemberID is the id of a user's membership in a team or organization. Ids have no line break, so it is unambiguous.
func MemberID(of, user string) string { return of + "\n" + user }
