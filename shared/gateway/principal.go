package gateway

import (
	"slices"
	"strings"
)

// Owner is what files, batches and everything else a caller makes belong to: the key's team if it has one, else its user,
// else the key itself. It is part of every document, object name and cache key of the caller.
type Owner struct{ id string }

// OwnerOf returns the owner for a key with the given hash, user and team.
func OwnerOf(keyHash, userID, teamID string) Owner {
	switch {
	case teamID != "":
		return Owner{"team:" + teamID}
	case userID != "":
		return Owner{"user:" + userID}
	default:
		return Owner{"key:" + keyHash}
	}
}

// OwnerFrom returns the owner whose String was stored.
func OwnerFrom(stored string) Owner { return Owner{stored} }

func (o Owner) String() string { return o.id }

// Principal is who a verified credential is. Only package auth makes one; its zero value may do nothing.
type Principal struct {
	KeyHash  string   // SHA-256 hex of the virtual key; of the master key for the admin
	KeyAlias string   // human name, may be empty
	UserID   string   // may be empty
	TeamID   string   // may be empty
	Models   []string // models it may call, with wildcards such as "openai/*"; empty means all
	Admin    bool     // the master key, or a proxy admin's key
	Tags     []string // recorded with every spend entry of the key

	OrgID    string            // may be empty
	Role     Role              // of the key's user; empty if it has none
	Routes   []string          // it may use, with wildcards and group names; empty means all
	Aliases  map[string]string // model names that stand for others
	Above    []ModelList       // lists of team, user and organization, which hold besides Models
	Subjects []Subject         // whose limits hold for its calls, without customer and tags of the call
}

// ModelList is what models somebody above a key may call; never empty.
type ModelList struct {
	Scope  Scope
	Models []string
}

// Owner is what this principal's files and batches belong to.
func (p Principal) Owner() Owner { return OwnerOf(p.KeyHash, p.UserID, p.TeamID) }

// Sees reports whether p may read what belongs to o.
func (p Principal) Sees(o Owner) bool { return p.Admin || (p.KeyHash != "" && p.Owner() == o) }

// MayCall reports whether every model list above p and its own admit the model.
func (p Principal) MayCall(model string) bool {
	_, denied := p.Denies(model)
	return !denied
}

// Denies tells whose model list does not admit the model.
func (p Principal) Denies(model string) (by Scope, denied bool) {
	if p.KeyHash == "" || !admits(p.Models, model) {
		return ScopeKey, true
	}
	for _, above := range p.Above {
		if !admits(above.Models, model) {
			return above.Scope, true
		}
	}
	return "", false
}

func admits(list []string, model string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(allowed string) bool { return MatchModel(allowed, model) })
}

// MatchModel reports whether a model name fits a pattern: the name itself, a prefix ending in *, or one of the words for all.
func MatchModel(pattern, model string) bool {
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(model, prefix)
	}
	return pattern == model || pattern == "all-proxy-models" || pattern == "all-team-models"
}
