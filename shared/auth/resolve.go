package auth

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// resolved is the principal of a key as its account documents made it.
type resolved struct {
	principal gateway.Principal
	key       *Key
	changes   uint64    // of both memories when it was made
	until     time.Time // zero: until something changes
}

// resolve is who presents the key: what its own document says, and what those of its user, team and organization add.
func (a *Authenticator) resolve(ctx context.Context, key *Key) (gateway.Principal, error) {
	if err := a.accounts.current(ctx); err != nil {
		return gateway.Principal{}, unavailable(err)
	}
	now := a.now()
	changes := a.keys.changes.Load() + a.accounts.changes.Load()
	a.mu.RLock()
	r, found := a.known[key.ID]
	a.mu.RUnlock()
	if found && r.key == key && r.changes == changes && (r.until.IsZero() || now.Before(r.until)) {
		return r.principal, nil
	}
	p, err := a.assemble(ctx, key, now)
	if err != nil {
		return p, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxHeld {
		clear(a.known)
	}
	a.known[key.ID] = resolved{p, key, changes, key.changesAt(now)}
	return p, nil
}

func (a *Authenticator) assemble(ctx context.Context, key *Key, now time.Time) (gateway.Principal, error) {
	p := key.principal()
	m := assembly{a: a, ctx: ctx, p: &p}
	own := key.EffectiveLimits(now)
	m.add(gateway.ScopeKey, key.ID, key.Hash, own, key.Budget)
	if key.User != "" {
		if user := m.find(account.User, key.User); user != nil {
			p.Role = user.Role
			p.Admin = user.Role == gateway.RoleAdmin
			m.refuse(user, "User")
			if key.Team == "" {
				m.user(user)
			}
		}
	}
	if key.Team != "" {
		m.team(key)
	}
	if p.OrgID != "" {
		if org := m.find(account.Org, p.OrgID); org != nil {
			m.refuse(org, "Organization")
			m.addAccount(gateway.ScopeOrg, org)
		}
	}
	return p, m.err
}

// assembly gathers what documents say about one principal.
type assembly struct {
	a   *Authenticator
	ctx context.Context
	p   *gateway.Principal
	err error
}

func (m *assembly) user(user *account.Account) {
	own := *user
	if own.Budget == "" && (own.Role == gateway.RoleUser || own.Role == gateway.RoleUserViewer) {
		own.Limits = account.Merge(own.Limits, m.a.settings.Users)
	}
	m.addAccount(gateway.ScopeUser, &own)
}

func (m *assembly) team(key *Key) {
	team := m.find(account.Team, key.Team)
	var shared gateway.Limits
	if team != nil {
		shared = account.DefaultMember(*team)
		if m.p.OrgID == "" {
			m.p.OrgID = team.Org
		}
		m.refuse(team, "Team")
	}
	if key.User != "" {
		id := account.MemberID(key.Team, key.User)
		if member := m.find(account.Member, id); member != nil {
			m.add(gateway.ScopeMember, id, key.User+":"+key.Team, account.Merge(member.Limits, shared), member.Budget)
		} else if shared.Any() {
			m.add(gateway.ScopeMember, id, key.User+":"+key.Team, shared, "")
		}
	}
	if team != nil {
		m.addAccount(gateway.ScopeTeam, team)
	}
}

func (m *assembly) find(k account.Kind, id string) *account.Account {
	if m.err != nil {
		return nil
	}
	acc, err := m.a.accounts.get(m.ctx, account.DocID(k, id))
	if err != nil {
		m.err = unavailable(err)
	}
	if acc == nil || acc.Deleted {
		return nil
	}
	return acc
}

func (m *assembly) refuse(acc *account.Account, what string) {
	if acc.Blocked && m.err == nil {
		m.err = denied("None", "", "Authentication Error, %s=%s is blocked. Update via `/%s/unblock` if you are an admin.", what, acc.ID, acc.Kind)
	}
}

// addAccount adds an account's limits, models and model aliases.
func (m *assembly) addAccount(s gateway.Scope, acc *account.Account) {
	m.add(s, acc.ID, acc.ID, acc.Limits, acc.Budget)
	if len(acc.Models) > 0 {
		m.p.Above = append(m.p.Above, gateway.ModelList{Scope: s, Models: acc.Models})
	}
	if acc.Aliases != "" {
		m.p.Aliases = merged(m.p.Aliases, acc.Aliases)
	}
}

// add adds a subject if anything limits it.
func (m *assembly) add(s gateway.Scope, id, name string, own gateway.Limits, budget string) {
	if budget != "" {
		if shared := m.find(account.Budget, budget); shared != nil {
			own = account.Merge(own, shared.Limits)
		}
	}
	if own.Any() {
		m.p.Subjects = append(m.p.Subjects, gateway.Subject{Scope: s, ID: id, Name: name, Limits: &own})
	}
}

// merged adds the aliases of a JSON text to those that are there, which win.
func merged(aliases map[string]string, text string) map[string]string {
	all := map[string]string{}
	_ = json.Unmarshal([]byte(text), &all) // checked when it was stored
	for from, to := range aliases {
		all[from] = to
	}
	return all
}

// Counted returns the subjects that one call counts under besides those of its principal: its customer and its tags. The error is
// a gateway.Error: the customer is blocked, or nobody could be asked.
func (a *Authenticator) Counted(ctx context.Context, customer string, tags []string) ([]gateway.Subject, error) {
	if customer == "" && len(tags) == 0 {
		return nil, nil
	}
	var p gateway.Principal
	m := assembly{a: a, ctx: ctx, p: &p}
	if customer != "" {
		if c := m.find(account.Customer, customer); c != nil {
			m.refuse(c, "Customer")
			m.addAccount(gateway.ScopeCustomer, c)
		} else if a.settings.Customers.Any() {
			m.add(gateway.ScopeCustomer, customer, customer, a.settings.Customers, "")
		}
	}
	for _, tag := range tags {
		if t := m.find(account.Tag, tag); t != nil {
			m.addAccount(gateway.ScopeTag, t)
		}
	}
	return p.Subjects, m.err
}
