package ingress

import (
	"context"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// standing is how somebody stands to a team.
type standing int

const (
	stranger  standing = iota // for whom it does not exist
	member                    // sees it
	teamAdmin                 // says who is a member
	teamOwner                 // changes all of it: proxy admins, and the admins of its organization
)

func (s *Server) standing(ctx context.Context, p gateway.Principal, team *account.Account) (standing, error) {
	if p.Admin {
		return teamOwner, nil
	}
	if team.Org != "" {
		if of, err := s.orgStanding(ctx, p, team.Org); err != nil || of >= teamAdmin {
			return teamOwner, err
		}
	}
	if p.UserID != "" && reaches(p, team.ID) {
		m, err := s.Accounts.Get(ctx, account.Member, account.MemberID(team.ID, p.UserID))
		switch {
		case err == nil && m.Role == account.RoleTeamAdmin:
			return teamAdmin, nil
		case err == nil:
			return member, nil
		case !isNotFound(err):
			return stranger, err
		}
	}
	if p.SeesAll() || p.TeamID == team.ID {
		return member, nil
	}
	return stranger, nil
}

// team reads a team for somebody who must stand to it at least so. To strangers it does not exist.
func (s *Server) team(ctx context.Context, p gateway.Principal, id string, least standing) (*account.Account, error) {
	team, err := s.Accounts.Get(ctx, account.Team, id)
	if err != nil {
		return nil, err
	}
	is, err := s.standing(ctx, p, team)
	switch {
	case err != nil:
		return nil, err
	case is == stranger:
		return nil, account.NotFound(account.Team, id)
	case is < least:
		return nil, forbidden("Only an admin may do this to team %.200s.", id)
	case least > member:
		return team, mayChange(p)
	}
	return team, nil
}

// teamAbout reads a request and the team it is about.
func (s *Server) teamAbout(w http.ResponseWriter, r *http.Request, p gateway.Principal, least standing) (*account.Account, field.Request, error) {
	id, request, err := s.about(w, r, "team_id")
	if err != nil {
		return nil, nil, err
	}
	team, err := s.team(r.Context(), p, id, least)
	return team, request, err
}

// mayMakeTeam admits proxy admins, and the admins of the organization that the team is to be in. A team takes the place of its
// members' own budgets, so nobody else may make one.
func (s *Server) mayMakeTeam(ctx context.Context, p gateway.Principal, request field.Request) error {
	if p.Admin {
		return nil
	}
	if err := mayChange(p); err != nil {
		return err
	}
	org, err := textIn(request, "organization_id")
	if err != nil {
		return err
	}
	if org == "" {
		return forbidden("Only a proxy admin, or an admin of the team's organization, may create a team.")
	}
	o, err := s.org(ctx, p, org, teamAdmin)
	if err != nil {
		return err
	}
	return s.within(ctx, o, request, "max_budget")
}

// within refuses a budget that is larger than that of the account above it. null is no budget, which is the larger.
func (s *Server) within(ctx context.Context, above *account.Account, request field.Request, names ...string) error {
	limits := above.Limits
	if above.Budget != "" {
		shared, err := s.Accounts.Get(ctx, account.Budget, above.Budget)
		if err != nil && !isNotFound(err) {
			return err
		}
		if err == nil {
			limits = account.Merge(limits, shared.Limits)
		}
	}
	for _, forbiddenField := range []string{"spend", "budget_id"} {
		if raw, given := request[forbiddenField]; given && string(raw) != "null" {
			return account.ReadOnly(forbiddenField)
		}
	}
	if len(limits.Budgets) == 0 {
		return nil
	}
	for _, name := range names {
		raw, given := request[name]
		if !given {
			continue
		}
		if most, err := gateway.ParseUSD(string(raw)); err == nil && most > limits.Budgets[0].Max {
			e := gateway.Errorf(gateway.KindForbidden, "%s must not be more than the %s of the %s.", name, limits.Budgets[0].Max, above.Kind)
			e.Param, e.Code = name, "scope_exceeds_creator"
			return e
		}
	}
	return nil
}

// adminFields are the fields of a team that its own admins may set.
var adminFields = []string{"team_id", "team_alias", "metadata", "team_member_permissions"}

func (s *Server) mayUpdateTeam(ctx context.Context, p gateway.Principal, team *account.Account, request field.Request) error {
	is, err := s.standing(ctx, p, team)
	if err != nil {
		return err
	}
	for name := range request {
		if is < teamOwner && !slices.Contains(adminFields, name) || name == "organization_id" {
			e := gateway.AsError(forbidden("A team admin may not set %.100q.", name))
			e.Param = name
			return e
		}
	}
	if is < teamOwner || team.Org == "" {
		return nil
	}
	org, err := s.Accounts.Get(ctx, account.Org, team.Org)
	if err != nil {
		return err
	}
	return s.within(ctx, org, request, "max_budget")
}
