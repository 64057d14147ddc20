package gateway

import (
	"slices"
	"strings"
)

// Scope is what money and calls are counted for.
type Scope string

// The scopes in the order in which limits are checked.
const (
	ScopeKey      Scope = "key"
	ScopeUser     Scope = "user"
	ScopeMember   Scope = "team_member"
	ScopeTeam     Scope = "team"
	ScopeOrg      Scope = "organization"
	ScopeCustomer Scope = "customer"
	ScopeTag      Scope = "tag"
	ScopeModel    Scope = "model"    // in reports
	ScopeProvider Scope = "provider" // in reports
)

// Limits are what an owner allows one subject. nil and empty are unlimited.
type Limits struct {
	Budgets  []Budget      `json:"budgets,omitempty"` // all of them hold; the first is max_budget
	Soft     *NanoUSD      `json:"soft,omitempty"`    // tells when passed, stops nothing; in the window of the first budget
	RPM      *int64        `json:"rpm,omitempty"`
	TPM      *int64        `json:"tpm,omitempty"`
	Parallel *int64        `json:"parallel,omitempty"`
	Models   []ModelLimits `json:"models,omitempty"` // for calls of that model only, besides those above
}

// Budget is the most that may be spent in a window.
type Budget struct {
	Max   NanoUSD `json:"max"`
	Every string  `json:"every,omitempty"` // a period such as 30d; empty is for ever
	Extra bool    `json:"extra,omitempty"` // from budget_limits, besides max_budget
	// Epoch names the budget's documents: another one begins from Opening, what was spent already in the window that Since is in.
	Epoch   int64   `json:"epoch,omitempty"`
	Since   int64   `json:"since,omitempty"` // Unix microseconds
	Opening NanoUSD `json:"opening,omitempty"`
}

// ModelLimits are limits for one model.
type ModelLimits struct {
	Model   string   `json:"model"`
	Budgets []Budget `json:"budgets,omitempty"`
	RPM     *int64   `json:"rpm,omitempty"`
	TPM     *int64   `json:"tpm,omitempty"`
}

// Any reports whether l limits anything.
func (l *Limits) Any() bool {
	return len(l.Budgets) > 0 || l.Soft != nil || l.RPM != nil || l.TPM != nil || l.Parallel != nil || len(l.Models) > 0
}

// Subject is somebody or something that limits hold for.
type Subject struct {
	Scope  Scope
	ID     string
	Name   string // for messages: an alias, or the id
	Limits *Limits
}

// Role is what a user may do with the gateway itself.
type Role string

const (
	RoleAdmin      Role = "proxy_admin"
	RoleViewer     Role = "proxy_admin_viewer"   // sees all, changes nothing
	RoleUser       Role = "internal_user"        // makes and sees keys of its own
	RoleUserViewer Role = "internal_user_viewer" // sees its own
	RoleCustomer   Role = "customer"
)

// Roles are all that a user may have.
var Roles = []Role{RoleAdmin, RoleViewer, RoleUser, RoleUserViewer, RoleCustomer}

// MayUse reports whether the principal's allowed routes admit the path: an exact one, a prefix ending in *, or a group's name.
func (p Principal) MayUse(path string, groups ...string) bool {
	return len(p.Routes) == 0 || slices.ContainsFunc(p.Routes, func(allowed string) bool {
		prefix, wild := strings.CutSuffix(allowed, "*")
		return slices.Contains(groups, allowed) || allowed == path || wild && strings.HasPrefix(path, prefix)
	})
}

// SeesAll reports whether p may read what belongs to anybody.
func (p Principal) SeesAll() bool { return p.Admin || p.Role == RoleViewer }
