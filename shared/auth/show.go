package auth

import (
	"context"
	"iter"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Narrow limits a filter to what the principal may see. The error is a gateway.Error: it may not see what the filter asks for.
// withTeams adds the keys of all teams that the filter's user, or else the principal's, is an admin of.
func (m *Manager) Narrow(ctx context.Context, p gateway.Principal, f Filter, withTeams bool) (Filter, error) {
	if p.SeesAll() {
		if withTeams && f.User != "" && f.Team == "" {
			teams, err := m.teamsOf(ctx, f.User)
			f.WithTeams = teams
			return f, err
		}
		return f, nil
	}
	admin, err := isTeamAdmin(m.getter(ctx), p, f.Team)
	switch {
	case err != nil || admin:
		return f, err
	case p.UserID == "" || p.Role != gateway.RoleUser && p.Role != gateway.RoleUserViewer:
		return f, forbidden("Only a proxy admin may call this route.")
	case f.User != "" && f.User != p.UserID:
		return f, forbidden("This key may list the keys of its own user only.")
	case !reaches(p, f.Team) && f.Team != "":
		return f, forbidden("This key may list keys of its own team only.")
	}
	f.User = p.UserID
	if p.TeamID != "" {
		f.Team, f.WithCreator = p.TeamID, false
		return f, nil
	}
	if withTeams && f.Team == "" && p.Role == gateway.RoleUser {
		f.WithTeams, err = m.teamsOf(ctx, p.UserID)
	}
	return f, err
}

// teamsOf are the teams that a user is an admin of.
func (m *Manager) teamsOf(ctx context.Context, user string) (teams []string, err error) {
	q := store.Query{
		Collection: account.Accounts, Eq: map[string]any{"kind": string(account.Member), "user": user, "deleted": false}, Order: "created",
	}
	for doc, err := range m.Store.Query(ctx, q) {
		var member account.Account
		if err == nil {
			err = doc.Decode(&member)
		}
		if err != nil {
			return nil, err
		}
		if member.Role == account.RoleTeamAdmin {
			teams = append(teams, member.Team)
		}
	}
	return teams, nil
}

// Show reads a key that the principal may see; another one is not found.
func (m *Manager) Show(ctx context.Context, p gateway.Principal, name string) (*Key, error) {
	k, err := m.Info(ctx, name)
	if err == nil {
		err = may(m.getter(ctx), p, toSee, k)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Names returns a part of the aliases in use that contain search, sorted, of keys that the principal may see, and how many there
// are in all.
func (m *Manager) Names(ctx context.Context, p gateway.Principal, search string, offset, limit int) (names []string, total int64, err error) {
	names = []string{}
	take := func(alias string) {
		if alias == "" || !strings.Contains(strings.ToLower(alias), strings.ToLower(search)) {
			return
		}
		if total++; int(total) > offset && len(names) < limit {
			names = append(names, alias)
		}
	}
	keys, err := m.named(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	for k, err := range keys {
		if err != nil {
			return nil, 0, err
		}
		take(k.Alias)
	}
	return names, total, nil
}

func (m *Manager) named(ctx context.Context, p gateway.Principal) (iter.Seq2[*Key, error], error) {
	if p.SeesAll() {
		named := store.Query{Collection: Keys, Eq: map[string]any{"deleted": false}, Order: "alias", From: "\x01"} // behind the empty one
		return m.query(ctx, named), nil
	}
	f, err := m.Narrow(ctx, p, Filter{Sort: "key_alias", Ascending: true}, true)
	if err != nil {
		return nil, err
	}
	return m.List(ctx, f, 0), nil
}
