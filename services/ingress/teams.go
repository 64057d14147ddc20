package ingress

import (
	"context"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) teamRoutes() []route {
	return []route{
		{"POST", "/team/new", anyKey, s.newTeam},
		{"POST", "/team/update", anyKey, s.updateTeam},
		{"POST", "/team/delete", anyKey, s.deleteTeams},
		{"POST", "/team/block", anyKey, s.blockTeam(true)},
		{"POST", "/team/unblock", anyKey, s.blockTeam(false)},
		{"GET", "/team/info", anyKey, s.teamInfo},
		{"GET", "/team/list", anyKey, s.listTeams},
		{"GET", "/v2/team/list", anyKey, s.pageTeams},
		{"GET", "/team/available", anyKey, availableTeams},
		{"GET", "/team/permissions_list", anyKey, s.listPermissions},
		{"POST", "/team/permissions_update", anyKey, s.updatePermissions},
		{"POST", "/team/model/add", anyKey, s.changeModels(addModels)},
		{"POST", "/team/model/delete", anyKey, s.changeModels(dropModels)},
	}
}

// teamRow is a team in LiteLLM's shape with its members.
func (s *Server) teamRow(ctx context.Context, team *account.Account) (map[string]any, error) {
	row, err := s.accountRow(ctx, team)
	if err != nil {
		return nil, err
	}
	members := []any{}
	for m, err := range s.Accounts.List(ctx, account.Filter{Kind: account.Member, Team: team.ID, Asc: true}) {
		if err != nil {
			return nil, err
		}
		members = append(members, map[string]any{"user_id": m.User, "user_email": orNull(m.Email), "role": m.Role})
	}
	row["members_with_roles"], row["members_count"] = members, len(members)
	row["admins"], row["members"], row["litellm_model_table"] = []string{}, []string{}, nil
	return row, nil
}

// teamByID is the row of a team, nil if there is none.
func (s *Server) teamByID(ctx context.Context, id string) (map[string]any, error) {
	team, err := s.Accounts.Get(ctx, account.Team, id)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.teamRow(ctx, team)
}

func (s *Server) answerTeam(w http.ResponseWriter, r *http.Request, team *account.Account, more map[string]any) error {
	row, err := s.teamRow(r.Context(), team)
	if err != nil {
		return err
	}
	for name, value := range more {
		row[name] = value
	}
	return writeJSON(w, http.StatusOK, row)
}

func (s *Server) newTeam(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if err := s.mayMakeTeam(ctx, p, request); err != nil {
		return err
	}
	id, err := textIn(request, "team_id")
	if err != nil {
		return err
	}
	if id == "" {
		id = account.NewID()
	}
	members, err := teamMembersIn(request)
	if err != nil {
		return err
	}
	if !p.Admin && p.UserID != "" {
		members = append(members, newMember{UserID: p.UserID, Role: account.RoleTeamAdmin})
	}
	drafts, err := s.memberDrafts(ctx, account.Member, id, members, nil)
	if err != nil {
		return err
	}
	drafts = slices.Insert(drafts, 0, account.Draft{Kind: account.Team, ID: id, Fields: request})
	made, err := s.createAll(ctx, by(r, p), drafts)
	if err != nil {
		return err
	}
	return s.answerTeam(w, r, made[0], nil)
}

func (s *Server) updateTeam(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	team, request, err := s.teamAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	if !p.Admin {
		if err := s.mayUpdateTeam(r.Context(), p, team, request); err != nil {
			return err
		}
	}
	if team, err = s.Accounts.Update(r.Context(), by(r, p), account.Team, team.ID, request); err != nil {
		return err
	}
	row, err := s.teamRow(r.Context(), team)
	if err != nil {
		return err
	}
	return s.answerUpdated(w, row)
}

func (s *Server) deleteTeams(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	ids, err := idsIn(request, "team_ids")
	if err != nil {
		return err
	}
	if p.Admin {
		err = s.doomed(r.Context(), account.Team, ids)
	} else {
		for _, id := range ids {
			if _, err = s.team(r.Context(), p, id, teamOwner); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.removeTeam(r.Context(), by(r, p), id); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"deleted_teams": ids})
}

func (s *Server) removeTeam(ctx context.Context, who audit.By, id string) error {
	return s.remove(ctx, who, account.Team, id, s.keysOf(auth.Filter{Team: id}), s.accountsOf(account.Filter{Kind: account.Member, Team: id}))
}

func (s *Server) blockTeam(blocked bool) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		team, _, err := s.teamAbout(w, r, p, teamOwner)
		if err != nil {
			return err
		}
		if team, err = s.Accounts.Block(r.Context(), by(r, p), account.Team, team.ID, blocked); err != nil {
			return err
		}
		return s.answerTeam(w, r, team, nil)
	}
}
