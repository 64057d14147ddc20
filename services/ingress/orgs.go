package ingress

import (
	"context"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// orgRoutes take the methods that LiteLLM takes, and POST for all that change something.
func (s *Server) orgRoutes() []route {
	return []route{
		{"POST", "/organization/new", admin, s.newOrg},
		{"POST", "/organization/update", admin, s.updateOrg},
		{"PATCH", "/organization/update", admin, s.updateOrg},
		{"POST", "/organization/delete", admin, s.deleteOrgs},
		{"DELETE", "/organization/delete", admin, s.deleteOrgs},
		{"GET", "/organization/info", anyKey, s.orgInfo},
		{"GET", "/organization/list", anyKey, s.listOrgs},
		{"POST", "/organization/member_add", anyKey, s.addOrgMembers},
		{"POST", "/organization/member_update", anyKey, s.updateOrgMember},
		{"PATCH", "/organization/member_update", anyKey, s.updateOrgMember},
		{"POST", "/organization/member_delete", anyKey, s.deleteOrgMember},
		{"DELETE", "/organization/member_delete", anyKey, s.deleteOrgMember},
	}
}

// orgStanding is how somebody stands to an organization: its admins say who is a member, and own its teams.
func (s *Server) orgStanding(ctx context.Context, p gateway.Principal, id string) (standing, error) {
	if p.Admin {
		return teamOwner, nil
	}
	if p.UserID != "" && reaches(p, "") {
		m, err := s.Accounts.Get(ctx, account.OrgUser, account.MemberID(id, p.UserID))
		switch {
		case err == nil && m.Role == account.RoleOrgAdmin:
			return teamAdmin, nil
		case err == nil:
			return member, nil
		case !isNotFound(err):
			return stranger, err
		}
	}
	if p.SeesAll() {
		return member, nil
	}
	return stranger, nil
}

// org reads an organization for somebody who must stand to it at least so. To strangers it does not exist.
func (s *Server) org(ctx context.Context, p gateway.Principal, id string, least standing) (*account.Account, error) {
	org, err := s.Accounts.Get(ctx, account.Org, id)
	if err != nil {
		return nil, err
	}
	is, err := s.orgStanding(ctx, p, id)
	switch {
	case err != nil:
		return nil, err
	case is == stranger:
		return nil, account.NotFound(account.Org, id)
	case is < least:
		return nil, forbidden("Only an admin may do this to organization %.200s.", id)
	case least > member:
		return org, mayChange(p)
	}
	return org, nil
}

func (s *Server) orgAbout(w http.ResponseWriter, r *http.Request, p gateway.Principal, least standing) (*account.Account, field.Request, error) {
	id, request, err := s.about(w, r, "organization_id")
	if err != nil {
		return nil, nil, err
	}
	org, err := s.org(r.Context(), p, id, least)
	return org, request, err
}

// orgRow is an organization in LiteLLM's shape with its members and teams.
func (s *Server) orgRow(ctx context.Context, org *account.Account) (map[string]any, error) {
	row, err := s.accountRow(ctx, org)
	if err != nil {
		return nil, err
	}
	members, err := collect(s.Accounts.List(ctx, account.Filter{Kind: account.OrgUser, Org: org.ID, Asc: true}))
	if err != nil {
		return nil, err
	}
	teams, err := collect(s.Accounts.List(ctx, account.Filter{Kind: account.Team, Org: org.ID, Asc: true}))
	if err != nil {
		return nil, err
	}
	memberRows, teamRows := []any{}, []any{}
	for _, m := range members {
		memberRows = append(memberRows, orgMemberRow(m))
	}
	for _, t := range teams {
		teamRows = append(teamRows, t.Row())
	}
	row["members"], row["teams"], row["model_spend"] = memberRows, teamRows, struct{}{}
	return row, nil
}

func orgMemberRow(m *account.Account) map[string]any {
	row := m.Row()
	row["user_role"], row["budget_id"], row["litellm_budget_table"] = row["role"], nil, nil
	delete(row, "role")
	return row
}

func (s *Server) answerOrg(w http.ResponseWriter, r *http.Request, org *account.Account) error {
	row, err := s.orgRow(r.Context(), org)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, row)
}

func (s *Server) newOrg(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	id, err := textIn(request, "organization_id")
	if err != nil {
		return err
	}
	made, err := s.Accounts.Create(r.Context(), by(r, p), account.Draft{Kind: account.Org, ID: id, Fields: request})
	if err != nil {
		return err
	}
	return s.answerOrg(w, r, made[0])
}

func (s *Server) updateOrg(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id, request, err := s.about(w, r, "organization_id")
	if err != nil {
		return err
	}
	org, err := s.Accounts.Update(r.Context(), by(r, p), account.Org, id, request)
	if err != nil {
		return err
	}
	return s.answerOrg(w, r, org)
}

// deleteOrgs deletes organizations with their teams, the keys of both, and memberships; users stay.
func (s *Server) deleteOrgs(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	ids, err := idsIn(request, "organization_ids")
	if err == nil {
		err = s.doomed(r.Context(), account.Org, ids)
	}
	if err != nil {
		return err
	}
	rows := []any{}
	for _, id := range ids {
		org, err := s.Accounts.Get(r.Context(), account.Org, id)
		if err == nil {
			rows = append(rows, org.Row())
		} else if !isNotFound(err) {
			return err
		}
		err = s.remove(r.Context(), by(r, p), account.Org, id, s.keysOf(auth.Filter{Org: id}), s.teamsIn(id),
			s.accountsOf(account.Filter{Kind: account.OrgUser, Org: id}))
		if err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, rows)
}

// teamsIn are the teams of an organization, as belongings.
func (s *Server) teamsIn(org string) belongings {
	return func(ctx context.Context, who audit.By) error {
		teams, err := collect(s.Accounts.List(ctx, account.Filter{Kind: account.Team, Org: org}))
		for _, t := range teams {
			if err == nil {
				err = s.removeTeam(ctx, who, t.ID)
			}
		}
		return err
	}
}

func (s *Server) orgInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.URL.Query().Get("organization_id")
	if id == "" {
		return gateway.Invalid("organization_id", "organization_id is required.")
	}
	org, err := s.org(r.Context(), p, id, member)
	if err != nil {
		return err
	}
	return s.answerOrg(w, r, org)
}

// listOrgs shows all to those who see all, and to others those that they are members of.
func (s *Server) listOrgs(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	if p.SeesAll() {
		return s.listAccounts(w, r, account.Filter{Kind: account.Org}, s.orgRow)
	}
	if p.UserID == "" || !reaches(p, "") {
		return forbidden("The key does not speak for a user, who would have organizations.")
	}
	ctx := r.Context()
	memberships, err := collect(s.Accounts.List(ctx, account.Filter{Kind: account.OrgUser, User: p.UserID, Asc: true}))
	if err != nil {
		return err
	}
	rows, err := each(ctx, memberships, func(ctx context.Context, m *account.Account) (map[string]any, error) {
		org, err := s.Accounts.Get(ctx, account.Org, m.Org)
		if isNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return s.orgRow(ctx, org)
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, slices.DeleteFunc(rows, func(row map[string]any) bool { return row == nil }))
}

func (s *Server) addOrgMembers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	org, request, err := s.orgAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	members, err := newMembers(request)
	if err != nil {
		return err
	}
	ctx := r.Context()
	drafts, err := s.memberDrafts(ctx, account.OrgUser, org.ID, members, picked(request, []string{"max_budget_in_organization"}))
	if err != nil {
		return err
	}
	made, err := s.createAll(ctx, by(r, p), drafts)
	if err != nil {
		return err
	}
	users, memberships := []any{}, []any{}
	for _, a := range made {
		if a.Kind == account.User {
			users = append(users, a.Row())
		} else {
			memberships = append(memberships, orgMemberRow(a))
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"organization_id": org.ID, "updated_users": users, "updated_organization_memberships": memberships,
	})
}

func (s *Server) updateOrgMember(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	org, request, err := s.orgAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	m, err := s.memberOf(r.Context(), account.OrgUser, org.ID, request)
	if err != nil {
		return err
	}
	fields := picked(request, []string{"role", "max_budget_in_organization"})
	if m, err = s.Accounts.Update(r.Context(), by(r, p), account.OrgUser, m.ID, fields); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, orgMemberRow(m))
}

func (s *Server) deleteOrgMember(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	org, request, err := s.orgAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	m, err := s.memberOf(r.Context(), account.OrgUser, org.ID, request)
	if err != nil {
		return err
	}
	if _, err := s.Accounts.Delete(r.Context(), by(r, p), account.OrgUser, m.ID); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, orgMemberRow(m))
}
