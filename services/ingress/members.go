package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) memberRoutes() []route {
	return []route{
		{"POST", "/team/member_add", anyKey, s.addTeamMembers},
		{"POST", "/team/member_update", anyKey, s.updateTeamMember},
		{"POST", "/team/member_delete", anyKey, s.deleteTeamMember},
	}
}

// newMember is somebody who is to be a member of a team or an organization.
type newMember struct {
	UserID string       `json:"user_id"`
	Email  string       `json:"user_email"`
	Role   gateway.Role `json:"role"`
}

// maxMembers is how many members one request names.
const maxMembers = 1000

// membersIn reads one member or a list of them.
func membersIn(request field.Request, name string) (members []newMember, err error) {
	raw, given := request[name]
	if !given || string(raw) == "null" {
		return nil, nil
	}
	items := []json.RawMessage{raw}
	if raw[0] == '[' {
		_ = json.Unmarshal(raw, &items)
	}
	if len(items) > maxMembers {
		return nil, gateway.Invalid(name, "%s must have at most %d members.", name, maxMembers)
	}
	for _, item := range items {
		var object field.Request
		if json.Unmarshal(item, &object) != nil || object == nil {
			return nil, gateway.Invalid(name, "%s must be an object with role and user_id or user_email, or a list of them.", name)
		}
		m, err := memberIn(object)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(members, m.same) {
			members = append(members, m)
		}
	}
	return members, nil
}

func (m newMember) same(o newMember) bool {
	return m.UserID != "" && m.UserID == o.UserID || m.UserID == "" && o.UserID == "" && strings.EqualFold(m.Email, o.Email)
}

func memberIn(object field.Request) (m newMember, err error) {
	if m.UserID, err = textIn(object, "user_id"); err != nil {
		return m, err
	}
	if m.Email, err = textIn(object, "user_email"); err != nil {
		return m, err
	}
	if m.UserID == "" && m.Email == "" {
		return m, gateway.Invalid("user_id", "Either user_id or user_email is required for each member.")
	}
	if raw, given := object["role"]; given && field.Text("role", raw) != nil {
		return m, gateway.Invalid("role", "role must be a string.")
	}
	field.Read(object, "role", &m.Role)
	return m, nil
}

// teamMembersIn reads the members of a new team, in the present and in the old form.
func teamMembersIn(request field.Request) ([]newMember, error) {
	members, err := membersIn(request, "members_with_roles")
	if err != nil {
		return nil, err
	}
	for name, role := range map[string]gateway.Role{"admins": account.RoleTeamAdmin, "members": account.RoleTeamUser} {
		if raw, given := request[name]; !given || string(raw) == "null" || string(raw) == "[]" {
			continue
		}
		ids, err := idsIn(request, name)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			members = append(members, newMember{UserID: id, Role: role})
		}
	}
	return members, nil
}

// memberDrafts make members of a team or an organization, and those users among them that nobody has made yet. fields are those of
// each membership besides its role.
func (s *Server) memberDrafts(ctx context.Context, k account.Kind, of string, members []newMember, fields field.Request) (drafts []account.Draft, err error) {
	seen := map[string]bool{}
	for _, m := range members {
		known := field.Request{}
		if m.UserID == "" {
			user, err := s.Accounts.ByEmail(ctx, m.Email)
			switch {
			case err == nil:
				m.UserID = user.ID
			case isNotFound(err):
				m.UserID = account.NewID()
			default:
				return nil, err
			}
		}
		if seen[m.UserID] {
			continue
		}
		seen[m.UserID] = true
		own := field.Request{}
		for name, raw := range fields {
			own[name] = raw
		}
		if m.Email != "" {
			email, _ := json.Marshal(m.Email)
			known["user_email"], own["user_email"] = email, email
		}
		if m.Role != "" {
			own["role"], _ = json.Marshal(m.Role)
		}
		drafts = append(drafts, account.Draft{Kind: account.User, ID: m.UserID, Fields: s.withDefaults(known), Spare: true},
			account.Draft{Kind: k, ID: account.MemberID(of, m.UserID), Fields: own})
	}
	return drafts, nil
}

// perCreate is how many accounts one transaction makes.
const perCreate = 60

// createAll makes accounts, a few in each transaction. What cannot be made is found before the first is.
func (s *Server) createAll(ctx context.Context, who audit.By, drafts []account.Draft) (made []*account.Account, err error) {
	if len(drafts) > perCreate {
		if err := s.Accounts.Check(ctx, drafts...); err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(drafts, perCreate) {
		more, err := s.Accounts.Create(ctx, who, some...)
		if err != nil {
			return nil, err
		}
		made = append(made, more...)
	}
	return made, nil
}

// limitFields are the fields of a membership that its request gives for all members alike.
var limitFields = []string{"max_budget_in_team", "tpm_limit", "rpm_limit", "budget_duration", "max_parallel_requests", "budget_id"}

func picked(request field.Request, names []string) field.Request {
	some := field.Request{}
	for _, name := range names {
		if raw, given := request[name]; given {
			some[name] = raw
		}
	}
	return some
}

// mayLimit refuses a member's budget that is more than the team's, unless a proxy admin sets it.
func (s *Server) mayLimit(ctx context.Context, p gateway.Principal, team *account.Account, request field.Request) error {
	if p.Admin {
		return nil
	}
	return s.within(ctx, team, request, "max_budget_in_team")
}

// newMembers are those whom a request adds: at least one.
func newMembers(request field.Request) ([]newMember, error) {
	members, err := membersIn(request, "member")
	if err == nil && len(members) == 0 {
		err = gateway.Invalid("member", "member is required: an object with role and user_id or user_email, or a list of them.")
	}
	return members, err
}

func (s *Server) addTeamMembers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	team, request, err := s.teamAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	members, err := newMembers(request)
	if err != nil {
		return err
	}
	ctx := r.Context()
	limits := picked(request, limitFields)
	if err := s.mayLimit(ctx, p, team, limits); err != nil {
		return err
	}
	drafts, err := s.memberDrafts(ctx, account.Member, team.ID, members, limits)
	if err != nil {
		return err
	}
	made, err := s.createAll(ctx, by(r, p), drafts)
	if err != nil {
		return alreadyIn(err)
	}
	rows, err := each(ctx, made, s.accountRow)
	if err != nil {
		return err
	}
	users, memberships := []any{}, []any{}
	for i, a := range made {
		if a.Kind == account.User {
			users = append(users, rows[i])
		} else {
			memberships = append(memberships, rows[i])
		}
	}
	return s.answerTeam(w, r, team, map[string]any{"updated_users": users, "updated_team_memberships": memberships})
}

// alreadyIn names the error for somebody who is a member already as LiteLLM does.
func alreadyIn(err error) error {
	var e *gateway.Error
	if errors.As(err, &e) && e.Param == "user_id" && e.TypeName == "bad_request_error" && e.Kind == gateway.KindInvalid {
		e.TypeName = "team_member_already_in_team"
	}
	return err
}

// memberOf finds the member that a request names by user_id or user_email. Whoever is no member is not found, user or not.
func (s *Server) memberOf(ctx context.Context, k account.Kind, of string, request field.Request) (*account.Account, error) {
	id, err := textIn(request, "user_id")
	if err != nil {
		return nil, err
	}
	email, err := textIn(request, "user_email")
	if err != nil {
		return nil, err
	}
	if id == "" && email == "" {
		return nil, gateway.Invalid("user_id", "Either user_id or user_email is required.")
	}
	name := id
	if id == "" {
		name = email
		user, err := s.Accounts.ByEmail(ctx, email)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		if err == nil {
			id = user.ID
		}
	}
	m, err := s.Accounts.Get(ctx, k, account.MemberID(of, id))
	if isNotFound(err) {
		return nil, account.NotFound(k, name)
	}
	return m, err
}

func (s *Server) updateTeamMember(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	team, request, err := s.teamAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	ctx := r.Context()
	m, err := s.memberOf(ctx, account.Member, team.ID, request)
	if err != nil {
		return err
	}
	fields := picked(request, append(limitFields, "role"))
	if err := s.mayLimit(ctx, p, team, fields); err != nil {
		return err
	}
	if m, err = s.Accounts.Update(ctx, by(r, p), account.Member, m.ID, fields); err != nil {
		return err
	}
	row, err := s.accountRow(ctx, m)
	if err != nil {
		return err
	}
	row["user_email"], row["max_budget_in_team"] = nil, row["max_budget"]
	if user, err := s.Accounts.Get(ctx, account.User, m.User); err == nil && user.Email != "" {
		row["user_email"] = user.Email
	}
	return writeJSON(w, http.StatusOK, row)
}

// deleteTeamMember takes somebody out of a team, and takes away the keys that it has there.
func (s *Server) deleteTeamMember(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	team, request, err := s.teamAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	m, err := s.memberOf(r.Context(), account.Member, team.ID, request)
	if err != nil {
		return err
	}
	err = s.remove(r.Context(), by(r, p), account.Member, m.ID, s.keysOf(auth.Filter{Team: m.Team, User: m.User}))
	if err != nil {
		return err
	}
	return s.answerTeam(w, r, team, nil)
}

// keysOf are the keys that a filter selects, as belongings.
func (s *Server) keysOf(f auth.Filter) belongings {
	return func(ctx context.Context, who audit.By) error {
		keys, err := collect(s.Keys.List(ctx, f, 0))
		if err != nil {
			return err
		}
		for _, k := range keys {
			if _, err := s.Keys.Delete(ctx, who, k.ID); err != nil && !isNotFound(err) {
				return err
			}
		}
		return nil
	}
}

// maxShownKeys is how many keys the answer about a user or a team has: /key/list has them all.
const maxShownKeys = 500

// shownKeys are the rows of the newest keys that a filter selects and that the caller sees.
func (s *Server) shownKeys(ctx context.Context, f auth.Filter, sees func(*auth.Key) bool) ([]map[string]any, error) {
	var keys []*auth.Key
	for k, err := range s.Keys.List(ctx, f, 0) {
		if err != nil {
			return nil, err
		}
		if sees(k) {
			if keys = append(keys, k); len(keys) == maxShownKeys {
				break
			}
		}
	}
	return s.keyRows(ctx, keys)
}
