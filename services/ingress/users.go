package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) userRoutes() []route {
	return []route{
		{"POST", "/user/new", admin, s.newUser},
		{"POST", "/user/update", anyKey, s.updateUser},
		{"POST", "/user/delete", admin, s.deleteUsers},
		{"GET", "/user/info", anyKey, s.userInfo},
		{"GET", "/v2/user/info", anyKey, s.userInfoLight},
		{"GET", "/user/list", viewer, s.listUsers},
	}
}

// keyFields are the fields of /user/new that its key gets, too. Limits are the user's: they hold for the key as well.
var keyFields = []string{
	"key", "key_alias", "key_type", "duration", "models", "aliases", "config", "permissions", "metadata", "tags", "guardrails", "policies",
	"prompts", "allowed_routes", "allowed_cache_controls", "enforced_params", "object_permission", "router_settings", "auto_rotate",
	"rotation_interval", "blocked", "team_id",
}

func (s *Server) newUser(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	request = s.withDefaults(request)
	drafts, err := userDrafts(request)
	if err != nil {
		return err
	}
	withKey := true
	if raw, given := request["auto_create_key"]; given && string(raw) != "null" {
		if err := readField(request, "auto_create_key", &withKey, "true or false"); err != nil {
			return err
		}
	}
	who := by(r, p)
	made, err := s.Accounts.Create(r.Context(), who, drafts...)
	if err != nil {
		return err
	}
	answer := map[string]any{}
	if withKey {
		if answer, err = s.firstKey(r.Context(), who, made[0], request); err != nil {
			return err
		}
	}
	row, err := s.userRow(r.Context(), made[0])
	if err != nil {
		return err
	}
	maps.Copy(answer, row)
	return writeJSON(w, http.StatusOK, answer)
}

// withDefaults adds what the owner gives new users to a request that says nothing about it. Those who see all are as they are made.
func (s *Server) withDefaults(request field.Request) field.Request {
	var role gateway.Role
	if field.Read(request, "user_role", &role); role == gateway.RoleAdmin || role == gateway.RoleViewer {
		return request
	}
	all := maps.Clone(s.UserDefaults)
	if all == nil {
		return request
	}
	maps.Copy(all, request)
	return all
}

// maxBelongs is how many teams and organizations one request makes a user a member of: one transaction.
const maxBelongs = 50

// userDrafts are the user of a request and its memberships.
func userDrafts(request field.Request) ([]account.Draft, error) {
	id, err := textIn(request, "user_id")
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = account.NewID()
	}
	team, err := textIn(request, "team_id")
	if err != nil {
		return nil, err
	}
	drafts := []account.Draft{{Kind: account.User, ID: id, Fields: request}}
	if team != "" {
		drafts = append(drafts, account.Draft{Kind: account.Member, ID: account.MemberID(team, id)})
	}
	for name, kind := range map[string]account.Kind{"teams": account.Team, "organizations": account.Org} {
		list, err := belongsIn(request, name)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if kind == account.Team && b.of == team {
				drafts[1].Fields = b.fields
				continue
			}
			d := account.Draft{Kind: account.Member, ID: account.MemberID(b.of, id), Fields: b.fields}
			if kind == account.Org {
				d.Kind = account.OrgUser
			}
			drafts = append(drafts, d)
		}
	}
	return drafts, nil
}

type belongs struct {
	of     string
	fields field.Request
}

// belongsIn reads a list of ids, or of objects with team_id, user_role and max_budget_in_team.
func belongsIn(request field.Request, name string) (list []belongs, err error) {
	raw, given := request[name]
	if !given || string(raw) == "null" {
		return nil, nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil || len(items) > maxBelongs {
		return nil, gateway.Invalid(name, "%s must be a list of at most %d.", name, maxBelongs)
	}
	seen := map[string]bool{}
	for _, item := range items {
		var b belongs
		var object field.Request
		if json.Unmarshal(item, &object) == nil && object != nil {
			b.fields = field.Request{}
			for from, to := range map[string]string{"user_role": "role", "max_budget_in_team": "max_budget_in_team"} {
				if raw, given := object[from]; given {
					b.fields[to] = raw
				}
			}
			item = object["team_id"]
		}
		if item == nil || account.ID(name, item) != nil {
			return nil, gateway.Invalid(name, "each of %s must be an id.", name)
		}
		_ = json.Unmarshal(item, &b.of)
		if !seen[b.of] {
			seen[b.of] = true
			list = append(list, b)
		}
	}
	return list, nil
}

// firstKey makes the key of a new user. If that is refused, the user goes again: the request as a whole was.
func (s *Server) firstKey(ctx context.Context, who audit.By, user *account.Account, request field.Request) (map[string]any, error) {
	fields := field.Request{}
	for _, name := range keyFields {
		if raw, given := request[name]; given {
			fields[name] = raw
		}
	}
	fields["user_id"], _ = json.Marshal(user.ID)
	secret, key, err := s.Keys.Generate(ctx, who, fields)
	if err != nil {
		return nil, errors.Join(err, s.removeUser(context.WithoutCancel(ctx), who, user.ID))
	}
	row, err := s.keyRow(ctx, key)
	if err != nil {
		return nil, err
	}
	row["key"], row["token"], row["token_id"] = secret.Reveal(), key.Hash, key.Hash
	return row, nil
}

// userRow is a user in LiteLLM's shape with the teams that it is a member of.
func (s *Server) userRow(ctx context.Context, user *account.Account) (map[string]any, error) {
	row, err := s.accountRow(ctx, user)
	if err != nil {
		return nil, err
	}
	teams, err := s.teamsOf(ctx, user.ID)
	row["teams"], row["model_spend"] = append([]string{}, teams...), struct{}{}
	return row, err
}

// teamsOf are the ids of a user's teams.
func (s *Server) teamsOf(ctx context.Context, user string) (teams []string, err error) {
	if user == "" {
		return nil, nil
	}
	for m, err := range s.Accounts.List(ctx, account.Filter{Kind: account.Member, User: user, Asc: true}) {
		if err != nil {
			return nil, err
		}
		teams = append(teams, m.Team)
	}
	return teams, nil
}

// namedUser finds the user that a request names by user_id, or else by user_email.
func (s *Server) namedUser(ctx context.Context, request field.Request) (*account.Account, error) {
	id, err := textIn(request, "user_id")
	if err != nil {
		return nil, err
	}
	if id != "" {
		return s.Accounts.Get(ctx, account.User, id)
	}
	email, err := textIn(request, "user_email")
	if err == nil && email == "" {
		err = gateway.Invalid("user_id", "user_id or user_email is required.")
	}
	if err != nil {
		return nil, err
	}
	return s.Accounts.ByEmail(ctx, email)
}

// ownFields are the fields that users may set of themselves.
var ownFields = []string{"user_id", "user_email", "user_alias", "metadata"}

func (s *Server) updateUser(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err == nil {
		err = mayChange(p)
	}
	if err != nil {
		return err
	}
	user, err := s.namedUser(r.Context(), request)
	if err != nil {
		return err
	}
	if !p.Admin {
		if p.UserID == "" || user.ID != p.UserID {
			return account.NotFound(account.User, cmpText(request, "user_id", "user_email"))
		}
		if !reaches(p, "") {
			return forbidden("A key of a team does not change its user.")
		}
		for name := range request {
			if !slices.Contains(ownFields, name) || name == "user_email" && request["user_id"] != nil {
				e := gateway.AsError(forbidden("Only a proxy admin may set %.100q.", name))
				e.Param = name
				return e
			}
		}
	}
	if request["user_id"] == nil {
		request = maps.Clone(request)
		delete(request, "user_email") // it said who
	}
	if user, err = s.Accounts.Update(r.Context(), by(r, p), account.User, user.ID, request); err != nil {
		return err
	}
	row, err := s.userRow(r.Context(), user)
	if err != nil {
		return err
	}
	return s.answerUpdated(w, row)
}

// answerUpdated answers with a row, and with the same as data: LiteLLM has done both.
func (s *Server) answerUpdated(w http.ResponseWriter, row map[string]any) error {
	answer := maps.Clone(row)
	answer["data"] = row
	return writeJSON(w, http.StatusOK, answer)
}

// cmpText is the first of the named fields that a request has.
func cmpText(request field.Request, names ...string) (text string) {
	for _, name := range names {
		if field.Read(request, name, &text); text != "" {
			return text
		}
	}
	return ""
}

func (s *Server) deleteUsers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	ids, err := idsIn(request, "user_ids")
	if err == nil {
		err = s.doomed(r.Context(), account.User, ids)
	}
	if err != nil {
		return err
	}
	if slices.Contains(ids, p.UserID) {
		e := gateway.Errorf(gateway.KindConflict, "You cannot delete the user whose key you call with.")
		e.Param = "user_ids"
		return e
	}
	for _, id := range ids {
		if err := s.removeUser(r.Context(), by(r, p), id); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, len(ids))
}

func (s *Server) removeUser(ctx context.Context, who audit.By, id string) error {
	return s.remove(ctx, who, account.User, id, s.keysOf(auth.Filter{User: id}),
		s.accountsOf(account.Filter{Kind: account.Member, User: id}), s.accountsOf(account.Filter{Kind: account.OrgUser, User: id}))
}

// user reads the user that a query names, or else the caller's own. Others' do not exist for callers who may not see all.
func (s *Server) user(r *http.Request, p gateway.Principal) (*account.Account, error) {
	id := r.URL.Query().Get("user_id")
	if id == "" {
		id = p.UserID
	}
	if id == "" {
		return nil, gateway.Invalid("user_id", "user_id is required: the key belongs to no user.")
	}
	if !p.SeesAll() && id != p.UserID {
		return nil, account.NotFound(account.User, id)
	}
	return s.Accounts.Get(r.Context(), account.User, id)
}

func (s *Server) userInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	if p.SeesAll() && p.UserID == "" && r.URL.Query().Get("user_id") == "" {
		return writeJSON(w, http.StatusOK, map[string]any{"user_id": nil, "user_info": struct{}{}, "keys": []any{}, "teams": []any{}})
	}
	user, err := s.user(r, p)
	if err != nil {
		return err
	}
	ctx := r.Context()
	row, err := s.userRow(ctx, user)
	if err != nil {
		return err
	}
	keys, err := s.shownKeys(ctx, auth.Filter{User: user.ID}, func(k *auth.Key) bool { return p.SeesAll() || reaches(p, k.Team) })
	if err != nil {
		return err
	}
	ids := slices.DeleteFunc(slices.Clone(row["teams"].([]string)), func(id string) bool { return !p.SeesAll() && !reaches(p, id) })
	teams, err := each(ctx, ids, func(ctx context.Context, id string) (map[string]any, error) { return s.teamOf(ctx, id, user.ID) })
	if err != nil {
		return err
	}
	teams = slices.DeleteFunc(teams, func(t map[string]any) bool { return t == nil })
	return writeJSON(w, http.StatusOK, map[string]any{"user_id": user.ID, "user_info": row, "keys": keys, "teams": teams})
}

// teamOf is the row of a team with a user's membership in it; nil if there is none.
func (s *Server) teamOf(ctx context.Context, id, user string) (map[string]any, error) {
	m, err := s.Accounts.Get(ctx, account.Member, account.MemberID(id, user))
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	team, err := s.teamByID(ctx, id)
	if team == nil || err != nil {
		return nil, err
	}
	membership, err := s.accountRow(ctx, m)
	team["team_memberships"] = []any{membership}
	return team, err
}

func (s *Server) userInfoLight(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	user, err := s.user(r, p)
	if err != nil {
		return err
	}
	row, err := s.userRow(r.Context(), user)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, row)
}
