package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// as is who presents a key, in a role that its user has.
func as(k *auth.Key, role gateway.Role) audit.By {
	p := gateway.Principal{
		KeyHash: k.ID, UserID: k.User, TeamID: k.Team, Models: k.Models, Routes: k.Routes, Role: role, Admin: role == gateway.RoleAdmin,
	}
	if k.Limits.Any() {
		p.Subjects = []gateway.Subject{{Scope: gateway.ScopeKey, ID: k.ID, Limits: &k.Limits}}
	}
	return audit.By{Principal: p}
}

func member(team, user string, role gateway.Role) account.Account {
	return account.Account{Kind: account.Member, ID: account.MemberID(team, user), Team: team, User: user, Role: role}
}

// Who may do what with whose key. What somebody may not even see is not there for them.
func TestRights(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.put(member("t", "lead", account.RoleTeamAdmin), member("t", "ann", account.RoleTeamUser), member("s", "lead", account.RoleTeamAdmin),
		account.Account{Kind: account.User, ID: "root", Role: gateway.RoleAdmin}, member("t", "root", account.RoleTeamUser))
	key := func(fields string) *auth.Key { _, k := o.make(boss, fields); return k }
	ann, plain := key(`{"user_id": "ann"}`), key(`{}`)
	callers := map[string]audit.By{
		"master": boss, "viewer": as(key(`{"user_id": "v"}`), gateway.RoleViewer), "ann": as(ann, gateway.RoleUser),
		"ann, who only sees": as(key(`{"user_id": "ann"}`), gateway.RoleUserViewer), "plain": as(plain, ""), "ann without a role": as(ann, ""),
		"ann's of another team": as(key(`{"user_id": "ann", "team_id": "s"}`), gateway.RoleUser),
		"bob":                   as(key(`{"user_id": "bob"}`), gateway.RoleUser), "lead": as(key(`{"user_id": "lead"}`), gateway.RoleUser),
		"lead's of another team": as(key(`{"user_id": "lead", "team_id": "s"}`), gateway.RoleUser),
	}
	type want struct{ see, change, govern int } // status
	all, none, visible := want{200, 200, 200}, want{404, 404, 404}, want{200, 403, 403}
	for whose, c := range map[string]struct {
		fields string
		want   map[string]want
	}{
		"ann's": {`{"user_id": "ann"}`, map[string]want{
			"master": all, "viewer": visible, "ann": {200, 200, 403}, "ann, who only sees": visible, "plain": none, "ann without a role": none,
			"ann's of another team": none, "bob": none, "lead": none, "lead's of another team": none,
		}},
		"ann's in team t": {`{"user_id": "ann", "team_id": "t"}`, map[string]want{
			"master": all, "viewer": visible, "ann": {200, 200, 403}, "ann, who only sees": visible, "plain": none, "ann without a role": none,
			"ann's of another team": none, "bob": none, "lead": all, "lead's of another team": none,
		}},
		"team t's": {`{"team_id": "t"}`, map[string]want{
			"master": all, "viewer": visible, "ann": none, "plain": none, "bob": none, "lead": all, "lead's of another team": none,
		}},
		"nobody's": {`{}`, map[string]want{"master": all, "viewer": visible, "ann": none, "plain": none, "lead": none}},
	} {
		for who, want := range c.want {
			by, k := callers[who], key(c.fields)
			_, err := o.Show(t.Context(), by.Principal, k.Hash)
			check(t, fmt.Sprintf("%s sees %s key", who, whose), err, want.see)
			_, err = o.Update(t.Context(), by, k.Hash, object(t, `{"metadata": {"x": 1}}`))
			check(t, fmt.Sprintf("%s updates %s key", who, whose), err, want.change)
			_, err = o.Block(t.Context(), by, k.Hash, true)
			check(t, fmt.Sprintf("%s blocks %s key", who, whose), err, want.govern)
			_, _, err = o.ResetSpend(t.Context(), by, k.Hash, 0)
			check(t, fmt.Sprintf("%s resets %s key", who, whose), err, want.govern)
			_, _, err = o.Regenerate(t.Context(), by, k.Hash, field.Request{})
			check(t, fmt.Sprintf("%s regenerates %s key", who, whose), err, want.change)
			check(t, fmt.Sprintf("%s deletes %s key", who, whose), o.DeleteAll(t.Context(), by, []string{k.ID}), want.change)
		}
	}
	if _, err := o.Show(t.Context(), callers["plain"].Principal, plain.ID); err != nil {
		t.Errorf("a key sees itself: %v", err)
	}
	roots := key(`{"user_id": "root", "team_id": "t"}`)
	_, _, err := o.Regenerate(t.Context(), callers["lead"], roots.ID, field.Request{})
	check(t, "an admin of a team regenerates the key of a proxy admin", err, 403)
}

func check(t *testing.T, what string, err error, status int) {
	t.Helper()
	if got := statusOf(err); got != status {
		t.Errorf("%s: %d, want %d: %v", what, got, status, err)
	}
}

func TestWhoseKeysMayBeMade(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.put(member("t", "lead", account.RoleTeamAdmin), member("t", "ann", account.RoleTeamUser), member("open", "ann", account.RoleTeamUser),
		account.Account{Kind: account.User, ID: "root", Role: gateway.RoleAdmin}, member("t", "root", account.RoleTeamUser),
		account.Account{Kind: account.Team, ID: "t"},
		account.Account{Kind: account.Team, ID: "open", Params: `{"team_member_permissions": ["/key/generate"]}`})
	key := func(fields string) *auth.Key { _, k := o.make(boss, fields); return k }
	ann, lead := as(key(`{"user_id": "ann"}`), gateway.RoleUser), as(key(`{"user_id": "lead"}`), gateway.RoleUser)
	inTeam := as(key(`{"user_id": "lead", "team_id": "t"}`), gateway.RoleUser)
	for _, c := range []struct {
		by         audit.By
		fields     string
		param      string
		user, team string
	}{
		{ann, `{}`, "", "ann", ""}, {ann, `{"user_id": "ann"}`, "", "ann", ""}, {ann, `{"user_id": "bob"}`, "user_id", "", ""},
		{ann, `{"user_id": null}`, "user_id", "", ""}, {ann, `{"team_id": "t"}`, "team_id", "", ""}, {ann, `{"team_id": "open"}`, "", "ann", "open"},
		{ann, `{"team_id": "none"}`, "team_id", "", ""}, {lead, `{"team_id": "t"}`, "", "lead", "t"},
		{lead, `{"team_id": "t", "user_id": "ann"}`, "", "ann", "t"}, {lead, `{"team_id": "t", "user_id": null}`, "", "", "t"},
		{lead, `{"team_id": "t", "user_id": "root"}`, "user_id", "", ""}, {lead, `{"team_id": "t", "user_id": "stranger"}`, "user_id", "", ""},
		{lead, `{"user_id": "ann"}`, "user_id", "", ""}, {lead, `{"team_id": "open", "user_id": "ann"}`, "user_id", "", ""},
		{inTeam, `{}`, "", "lead", "t"}, {inTeam, `{"team_id": null}`, "team_id", "", ""},
		{as(key(`{}`), ""), `{}`, "route", "", ""}, {as(key(`{"user_id": "ann"}`), gateway.RoleUserViewer), `{}`, "route", "", ""},
		{as(key(`{"user_id": "v"}`), gateway.RoleViewer), `{}`, "route", "", ""}, {as(key(`{"user_id": "c"}`), gateway.RoleCustomer), `{}`, "route", "", ""},
	} {
		_, k, err := o.Generate(t.Context(), c.by, object(t, c.fields))
		switch e := gateway.AsError(err); {
		case c.param != "" && (err == nil || e.Status() != 403 || e.Param != c.param):
			t.Errorf("%s makes %s: %+v, %v; want 403 for %s", c.by.Principal.UserID, c.fields, k, err, c.param)
		case c.param == "" && (err != nil || k.User != c.user || k.Team != c.team):
			t.Errorf("%s makes %s: %+v, %v", c.by.Principal.UserID, c.fields, k, err)
		}
	}
	for _, c := range []struct {
		had, fields string
		status      int
	}{
		{`{"user_id": "ann"}`, `{"user_id": "bob"}`, 403}, {`{"user_id": "ann"}`, `{"user_id": null}`, 403},
		{`{"user_id": "ann"}`, `{"team_id": "t"}`, 403}, {`{"user_id": "ann"}`, `{"team_id": "open"}`, 200},
		{`{"user_id": "ann", "team_id": "t"}`, `{"team_id": null}`, 403},
	} {
		_, err := o.Update(t.Context(), ann, key(c.had).ID, object(t, c.fields))
		check(t, "ann changes "+c.had+" to "+c.fields, err, c.status)
	}
}

// Nobody gives a key more than they have.
func TestScopeOfTheCreator(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	limits := gateway.Limits{Budgets: []gateway.Budget{{Max: 50 * gateway.USD, Every: "30d"}}}
	o.put(account.Account{Kind: account.User, ID: "ann", Models: []string{"a", "b/*"}, Limits: limits},
		account.Account{Kind: account.Budget, ID: "rich", Limits: gateway.Limits{Budgets: []gateway.Budget{{Max: 1000 * gateway.USD}}}},
		account.Account{Kind: account.Budget, ID: "poor", Limits: gateway.Limits{Budgets: []gateway.Budget{{Max: gateway.USD}}}})
	_, bound := o.make(boss, `{"user_id": "ann", "models": ["a", "b/*", "c"], "max_budget": 10, "rpm_limit": 5, "duration": "10d",
		"key_type": "llm_api", "model_rpm_limit": {"a": 3}}`)
	_, free := o.make(boss, `{"user_id": "ann"}`)
	for _, c := range []struct {
		by     *auth.Key
		fields string
		param  string // that is refused
	}{
		{bound, `{}`, ""}, {bound, `{"models": ["a", "b/x"], "max_budget": 10, "rpm_limit": 5, "duration": "10d"}`, ""},
		{bound, `{"models": ["d"]}`, "models"}, {bound, `{"models": ["*"]}`, "models"}, {bound, `{"models": []}`, "models"},
		{bound, `{"models": ["c"]}`, "models"}, {bound, `{"models": null}`, "models"}, {bound, `{"models": ["all-proxy-models"]}`, "models"},
		{bound, `{"max_budget": 10.000000001}`, "max_budget"}, {bound, `{"max_budget": null}`, "max_budget"},
		{bound, `{"max_budget": 10, "budget_duration": "1d"}`, "max_budget"}, {bound, `{"budget_id": "rich"}`, "max_budget"},
		{bound, `{"budget_id": "poor", "rpm_limit": 1, "model_rpm_limit": {"a": 1}}`, ""},
		{bound, `{"duration": "11d"}`, "duration"}, {bound, `{"duration": null}`, "duration"}, {bound, `{"duration": "-1"}`, "duration"},
		{bound, `{"rpm_limit": 6}`, "rpm_limit"}, {bound, `{"rpm_limit": null}`, "rpm_limit"},
		{bound, `{"model_rpm_limit": {"a": 4}}`, "model_rpm_limit"}, {bound, `{"model_rpm_limit": {}}`, "model_rpm_limit"},
		{bound, `{"key_type": "default"}`, "allowed_routes"}, {bound, `{"allowed_routes": ["management_routes"]}`, "allowed_routes"},
		{bound, `{"aliases": {"a": "d"}}`, "aliases"}, {bound, `{"aliases": {"x": "a"}}`, ""},
		{bound, `{"permissions": {"x": true}}`, "permissions"}, {bound, `{"permissions": {}}`, ""}, {bound, `{"organization_id": "o"}`, "organization_id"},
		{bound, `{"blocked": true}`, "blocked"}, {bound, `{"spend": 1}`, "spend"},
		{free, `{}`, ""}, {free, `{"models": ["b/z"], "max_budget": 1000}`, ""}, {free, `{"models": ["c"]}`, "models"},
		{free, `{"max_budget": 50.1, "budget_duration": "30d"}`, "max_budget"}, {free, `{"max_budget": 50, "budget_duration": "30d"}`, ""},
	} {
		_, k, err := o.Generate(t.Context(), as(c.by, gateway.RoleUser), object(t, c.fields))
		if c.param == "" {
			if err != nil {
				t.Errorf("%s: %v", c.fields, err)
			}
			continue
		}
		code := map[bool]string{true: "read_only_field", false: "scope_exceeds_creator"}[c.param == "spend"]
		if e := gateway.AsError(err); err == nil || e.Code != code || e.Param != c.param {
			t.Errorf("%s: %+v, %v; want %s for %s", c.fields, k, err, code, c.param)
		}
	}
	_, child, err := o.Generate(t.Context(), as(bound, gateway.RoleUser), object(t, `{}`))
	if err != nil || len(child.Models) != 3 || child.Limits.Budgets[0].Max != 10*gateway.USD || *child.Limits.RPM != 5 ||
		child.Expires != bound.Expires || child.Routes[0] != "llm_api_routes" || child.Limits.Models[0].Model != "a" {
		t.Errorf("a key that says nothing has not its maker's bounds: %+v, %v", child, err)
	}
}

// A key raises neither itself nor another one above itself, and does not take the secret of one that is above it.
func TestScopeOfChanges(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	make := func(fields string) *auth.Key { _, k := o.make(boss, fields); return k }
	low, high := make(`{"user_id": "ann", "max_budget": 1, "models": ["a"]}`), make(`{"user_id": "ann"}`)
	by := as(low, gateway.RoleUser)
	for name, c := range map[string]struct {
		key    *auth.Key
		fields string
		status int
	}{
		"itself higher":          {low, `{"max_budget": 2}`, 403},
		"itself lower":           {low, `{"max_budget": 0.5}`, 200},
		"itself for ever":        {low, `{"models": []}`, 403},
		"another, about itself":  {high, `{"metadata": {"x": 1}}`, 200},
		"another, above itself":  {high, `{"max_budget": 5}`, 403},
		"another, as it is":      {high, `{"models": ["a"]}`, 200},
		"a grant taken away":     {low, `{"permissions": {}}`, 403},
		"unblocked":              {low, `{"blocked": false}`, 403},
		"more for some time":     {low, `{"temp_budget_increase": 1, "temp_budget_expiry": "1d"}`, 403},
		"what it said it spent":  {low, `{"spend": 0}`, 400},
		"alias of a long length": {low, `{"key_alias": "x"}`, 200},
	} {
		_, err := o.Update(t.Context(), by, c.key.ID, object(t, c.fields))
		check(t, name, err, c.status)
	}
	_, _, err := o.Regenerate(t.Context(), by, make(`{"user_id": "ann"}`).ID, field.Request{})
	check(t, "the secret of a key that may do more", err, 403)
	o.now = o.now.Add(time.Second)
	_, _, err = o.Regenerate(t.Context(), by, low.ID, field.Request{})
	check(t, "its own secret", err, 200)
}
