package ingress

import (
	"context"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// teamInfo shows a team. Its admins see all its keys, members their own. Memberships come in pages: each costs a sum.
func (s *Server) teamInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query, ctx := r.URL.Query(), r.Context()
	id := query.Get("team_id")
	if id == "" {
		return gateway.Invalid("team_id", "team_id is required.")
	}
	paging, err := pageIn(query, "page_size", 500, 500)
	if err != nil {
		return err
	}
	team, err := s.team(ctx, p, id, member)
	if err != nil {
		return err
	}
	row, err := s.teamRow(ctx, team)
	if err != nil {
		return err
	}
	is, err := s.standing(ctx, p, team)
	if err != nil {
		return err
	}
	keys, err := s.shownKeys(ctx, auth.Filter{Team: id}, func(k *auth.Key) bool {
		return is > member || p.SeesAll() || k.ID == p.KeyHash || k.User != "" && k.User == p.UserID
	})
	if err != nil {
		return err
	}
	members, _, err := s.Accounts.Page(ctx, account.Filter{Kind: account.Member, Team: id, Asc: true}, paging.page, paging.size)
	if err != nil {
		return err
	}
	memberships, err := each(ctx, members, s.accountRow)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"team_id": id, "team_info": row, "keys": keys, "team_memberships": memberships})
}

// teamQuery tells which teams a list shows: all that the filter selects, if it is of teams, or those of its memberships.
func (s *Server) teamQuery(r *http.Request, p gateway.Principal) (f account.Filter, err error) {
	query := r.URL.Query()
	if err := oneFilter(query, "user_id", "organization_id", "team_alias"); err != nil {
		return f, err
	}
	f = account.Filter{Kind: account.Team, Org: query.Get("organization_id"), Alias: query.Get("team_alias"), Asc: query.Get("sort_order") == "asc"}
	user := query.Get("user_id")
	if !p.SeesAll() {
		if f.Org != "" {
			_, err := s.org(r.Context(), p, f.Org, teamAdmin)
			return f, err
		}
		if user != "" && user != p.UserID {
			return f, account.NotFound(account.User, user)
		}
		if user = p.UserID; user == "" {
			return f, forbidden("The key belongs to no user, who would have teams.")
		}
	}
	if user != "" {
		f = account.Filter{Kind: account.Member, User: user, Asc: f.Asc}
	}
	return f, nil
}

// listed is the row of a team, or of a membership's team; nil if there is none.
func (s *Server) listed(ctx context.Context, a *account.Account) (map[string]any, error) {
	if a.Kind == account.Member {
		return s.teamByID(ctx, a.Team)
	}
	return s.teamRow(ctx, a)
}

// ownTeam is all that a key of a team sees: that team.
func (s *Server) ownTeam(ctx context.Context, p gateway.Principal) ([]map[string]any, error) {
	row, err := s.teamByID(ctx, p.TeamID)
	if row == nil || err != nil {
		return []map[string]any{}, err
	}
	return []map[string]any{row}, nil
}

func (s *Server) listTeams(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	if !p.SeesAll() && p.TeamID != "" {
		rows, err := s.ownTeam(r.Context(), p)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, rows)
	}
	filter, err := s.teamQuery(r, p)
	if err != nil {
		return err
	}
	return s.listAccounts(w, r, filter, s.listed)
}

func (s *Server) pageTeams(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	paging, err := pageIn(r.URL.Query(), "page_size", 10, 100)
	if err != nil {
		return err
	}
	if !p.SeesAll() && p.TeamID != "" {
		rows, err := s.ownTeam(r.Context(), p)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, paging.of("teams", rows, int64(len(rows))))
	}
	filter, err := s.teamQuery(r, p)
	if err != nil {
		return err
	}
	found, total, err := s.Accounts.Page(r.Context(), filter, paging.page, paging.size)
	if err != nil {
		return err
	}
	rows, err := each(r.Context(), found, s.listed)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(t map[string]any) bool { return t == nil })
	return writeJSON(w, http.StatusOK, paging.of("teams", rows, total))
}

// availableTeams are those that anybody may join without being asked in: none, members are added.
func availableTeams(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, []string{})
}
