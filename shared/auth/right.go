package auth

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// right is what somebody wants to do with a key.
type right int

const (
	toSee    right = iota
	toChange       // update, delete, regenerate: its user may
	toGovern       // block, reset: the admin of its team may
)

// may answers nil if the principal has the right. A key that it may not even see is not found.
func may(get getter, p gateway.Principal, r right, k *Key) error {
	if p.Admin {
		return nil
	}
	own := owns(p, k)
	switch {
	case r == toSee && (p.SeesAll() || k.ID == p.KeyHash || own),
		r == toChange && own && p.Role == gateway.RoleUser:
		return nil
	}
	admin, err := isTeamAdmin(get, p, k.Team)
	switch {
	case err != nil:
		return err
	case admin:
		return nil
	case p.SeesAll() || k.ID == p.KeyHash || own:
		return forbidden("This key may not do that with the key.")
	default:
		return notFound()
	}
}

func (w *work) may(r right, k *Key) error { return may(w.tx.Get, w.by.Principal, r, k) }

func forbidden(format string, args ...any) *gateway.Error {
	e := gateway.Errorf(gateway.KindForbidden, format, args...)
	e.Param, e.TypeName = "route", "auth_error"
	return e
}

// owns reports whether k belongs to the principal's user, whose role lets them see what is theirs.
func owns(p gateway.Principal, k *Key) bool {
	return p.UserID != "" && k.User == p.UserID && reaches(p, k.Team) &&
		(p.Role == gateway.RoleUser || p.Role == gateway.RoleUserViewer)
}

// reaches reports whether a key has power over keys of a team: that of a team only over those of the same. Somebody else may have
// made it in its user's name.
func reaches(p gateway.Principal, team string) bool { return p.TeamID == "" || p.TeamID == team }

// isTeamAdmin reports whether the principal's user is an admin of the team.
func isTeamAdmin(get getter, p gateway.Principal, team string) (bool, error) {
	if team == "" || p.UserID == "" || !reaches(p, team) || (p.Role != gateway.RoleUser && p.Role != "") {
		return false, nil
	}
	member, err := readAccount(get, account.Member, account.MemberID(team, p.UserID))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return member.Role == account.RoleTeamAdmin, err
}

// mayMake tells whether the caller may make such a key as the request says, and gives it to their user and team where nothing says
// whose it is.
func (w *work) mayMake(k *Key, request field.Request) error {
	p := w.by.Principal
	if p.Admin {
		return nil
	}
	if _, found := request["user_id"]; !found && k.User == "" {
		k.User = p.UserID
	}
	if _, found := request["team_id"]; !found && k.Team == "" {
		k.Team = p.TeamID
	}
	if err := w.mayPlace(k); err != nil {
		return err
	}
	if err := w.mayGrant(request, k.Team, nil); err != nil {
		return err
	}
	return w.within(k, request, true)
}

// mayPlace tells whether the caller may put a key where it belongs to its user and team.
func (w *work) mayPlace(k *Key) error {
	p := w.by.Principal
	admin, err := isTeamAdmin(w.tx.Get, p, k.Team)
	switch {
	case err != nil:
		return err
	case !admin && (p.Role != gateway.RoleUser || p.UserID == ""):
		return forbidden("Only a proxy admin may call this route.")
	case !reaches(p, k.Team):
		return scope("team_id", "A key of a team makes keys for the same team only.")
	case !admin && k.User != p.UserID:
		return scope("user_id", "This key makes keys for its own user only.")
	case !admin && k.Team != "":
		return w.mayJoin(k)
	case k.User != p.UserID && k.User != "":
		return w.mayStandFor(k, true)
	}
	return nil
}

// mayJoin tells whether the team lets its members make keys in it.
func (w *work) mayJoin(k *Key) error {
	var params struct {
		Permissions []string `json:"team_member_permissions"`
	}
	_, err := readAccount(w.tx.Get, account.Member, account.MemberID(k.Team, k.User))
	if err == nil {
		var team *account.Account
		if team, err = readAccount(w.tx.Get, account.Team, k.Team); err == nil {
			_ = json.Unmarshal([]byte(team.Params), &params) // checked when it was stored
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || !slices.Contains(params.Permissions, "/key/generate") {
		return scope("team_id", "Only an admin of the team may make keys in it.")
	}
	return nil
}

// mayStandFor tells whether the admin of a team may have a secret of a key in another user's name: that user must be in the team,
// and not see or change everything.
func (w *work) mayStandFor(k *Key, member bool) error {
	user, err := readAccount(w.tx.Get, account.User, k.User)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err == nil && (user.Role == gateway.RoleAdmin || user.Role == gateway.RoleViewer):
		return scope("user_id", "The key's user has more rights than the caller.")
	case !member:
		return nil
	}
	_, err = readAccount(w.tx.Get, account.Member, account.MemberID(k.Team, k.User))
	if errors.Is(err, store.ErrNotFound) {
		return scope("user_id", "The key's user is not in the team.")
	}
	return err
}

// mayUpdate tells whether the caller may make what before was into k.
func (w *work) mayUpdate(before, k *Key, given field.Request) error {
	p := w.by.Principal
	if p.Admin {
		return nil
	}
	if k.User != before.User || k.Team != before.Team {
		if k.Team != before.Team && before.Team != "" {
			if admin, err := isTeamAdmin(w.tx.Get, p, before.Team); err != nil {
				return err
			} else if !admin {
				return scope("team_id", "Only an admin of the team may take keys out of it.")
			}
		}
		if err := w.mayPlace(k); err != nil {
			return err
		}
	}
	if err := w.mayGrant(given, k.Team, before); err != nil {
		return err
	}
	return w.within(k, given, false)
}

// grants are fields that give more than money, models and routes do: only a proxy admin sets them.
var grants = []string{
	"organization_id", "permissions", "object_permission", "access_group_ids", "allowed_passthrough_routes",
	"allowed_vector_store_indexes", "disable_global_guardrails", "config", "router_settings",
}

// governs are fields that the admin of a team may set, too.
var governs = []string{"blocked", "temp_budget_increase"}

func (w *work) mayGrant(given field.Request, team string, before *Key) error {
	for _, name := range slices.Concat(grants, governs) {
		raw, found := given[name]
		if !found || before == nil && isEmpty(raw) {
			continue
		}
		if slices.Contains(governs, name) {
			if admin, err := isTeamAdmin(w.tx.Get, w.by.Principal, team); err != nil {
				return err
			} else if admin {
				continue
			}
		}
		return scope(name, "Only an admin may set %s.", name)
	}
	return nil
}

func isEmpty(raw json.RawMessage) bool {
	return isNull(raw) || slices.Contains([]string{"{}", "[]", "false", "0"}, string(raw))
}
