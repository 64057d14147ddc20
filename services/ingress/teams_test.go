package ingress_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

func TestTeams(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.user(`{"user_id": "u", "user_email": "u@x.example"}`)
	made := h.post("/team/new", master, `{"team_alias": "T", "max_budget": 10, "budget_duration": "1d", "models": ["echo"], "tpm_limit": 7,
		"members_with_roles": [{"role": "admin", "user_id": "u"}, {"role": "user", "user_email": "new@x.example"}, {"role": "user", "user_email": "NEW@x.example"}],
		"team_member_budget": 2, "metadata": {"a": 1}, "model_aliases": {"a": "echo"}, "guardrails": ["g"]}`)
	id, _ := made["team_id"].(string)
	made.has(t, row{"team_alias": "T", "max_budget": 10., "spend": 0., "budget_duration": "1d", "blocked": false, "models": []any{"echo"}, "tpm_limit": 7.,
		"team_member_budget": 2., "model_aliases": map[string]any{"a": "echo"}, "members_count": 2., "organization_id": nil})
	if made["budget_reset_at"] == nil || len(id) != 36 {
		t.Errorf("%v", made)
	}
	for i, members := range [][]row{made.list("members_with_roles"), h.get("/team/info?team_id="+id, master).sub("team_info").list("members_with_roles")} {
		if len(members) != 2 {
			t.Fatalf("%d: %v", i, members)
		}
		members[0].has(t, row{"user_id": "u", "user_email": nil, "role": "admin"}) // as it was named
		members[1].has(t, row{"user_email": "new@x.example", "role": "user"})
	}
	key := h.key(`{"team_id": "` + id + `"}`)
	h.spend(ledger.Entry{ID: "1", Team: id, User: "u", Cost: gateway.USD / 2, Started: 1})
	info := h.get("/team/info?team_id="+id, master)
	info.sub("team_info").has(t, row{"spend": .5, "team_alias": "T"})
	memberships := info.list("team_memberships")
	if len(memberships) != 2 || len(info.list("keys")) != 1 || memberships[0]["user_id"] != "u" {
		t.Fatalf("%v", info)
	}
	memberships[0].has(t, row{"team_id": id, "spend": .5, "role": "admin"})

	h.post("/team/update", master, `{"team_id": "`+id+`", "max_budget": 20, "team_alias": "T2"}`).sub("data").has(t, row{"max_budget": 20., "team_alias": "T2", "tpm_limit": 7.})
	h.post("/team/block", master, `{"team_id": "`+id+`"}`).has(t, row{"blocked": true})
	h.comesTo(401, key)
	h.post("/team/unblock", master, `{"team_id": "`+id+`"}`).has(t, row{"blocked": false})
	h.comesTo(200, key)

	add, drop := "/team/model/add", "/team/model/delete"
	for _, c := range []struct {
		path, models string
		want         []any
	}{
		{add, `["b", "echo"]`, []any{"echo", "b"}}, {drop, `["echo"]`, []any{"b"}}, {drop, `["b"]`, []any{"no-default-models"}}, {add, `["echo"]`, []any{"echo"}},
	} {
		h.post(c.path, master, `{"team_id": "`+id+`", "models": `+c.models+`}`).has(t, row{"models": c.want})
	}
	if got := asks[[]any](h, "GET", "/team/available", key, ""); len(got) != 0 {
		t.Errorf("%v", got)
	}
	h.post("/team/delete", master, `{"team_ids": ["`+id+`"]}`).has(t, row{"deleted_teams": []any{id}})
	h.comesTo(401, key)
	h.refused(404, "not_found_error", "team_id", "GET", "/team/info?team_id="+id, master, "")
	h.get("/user/info?user_id=u", master).sub("user_info").has(t, row{"teams": []any{}})
}

// comesTo waits until a key is answered so: others hear of a change within a second.
func (h *house) comesTo(status int, key string) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		answer, text := h.do("GET", "/v1/models", key, "")
		if answer.StatusCode == status {
			return
		}
		if time.Now().After(deadline) {
			h.t.Errorf("%d, want %d: %s", answer.StatusCode, status, text)
			return
		}
	}
}

func TestTeamMembers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t", "max_budget": 5}`)
	h.user(`{"user_id": "u", "user_email": "u@x.example"}`)
	added := h.post("/team/member_add", master, `{"team_id": "t", "member": {"role": "user", "user_id": "u"}, "max_budget_in_team": 1, "rpm_limit": 3}`)
	if users, members := added.list("updated_users"), added.list("updated_team_memberships"); len(users) != 1 || len(members) != 1 {
		t.Fatalf("%v", added)
	} else {
		members[0].has(t, row{"user_id": "u", "team_id": "t", "spend": 0., "budget_id": nil})
		members[0].sub("litellm_budget_table").has(t, row{"max_budget": 1., "rpm_limit": 3.})
	}
	h.refused(400, "team_member_already_in_team", "user_id", "POST", "/team/member_add", master, `{"team_id": "t", "member": {"user_email": "U@x.example"}}`)
	several := h.post("/team/member_add", master, `{"team_id": "t", "member": [{"user_id": "new"}, {"user_email": "n@x.example", "role": "admin"}]}`)
	several.has(t, row{"team_id": "t", "members_count": 3.})
	h.get("/user/info?user_id=new", master).sub("user_info").has(t, row{"teams": []any{"t"}, "user_role": "internal_user"})

	h.post("/team/member_update", master, `{"team_id": "t", "user_email": "u@x.example", "max_budget_in_team": 2, "role": "admin"}`).
		has(t, row{"user_id": "u", "team_id": "t", "user_email": "u@x.example", "max_budget_in_team": 2., "role": "admin", "rpm_limit": 3.})
	h.refused(400, "invalid_request_error", "max_budget_in_team", "POST", "/team/member_update", master, `{"team_id": "t", "user_id": "u", "max_budget_in_team": -2}`)

	inTeam, other := h.key(`{"team_id": "t", "user_id": "u"}`), h.key(`{"user_id": "u"}`)
	h.post("/team/member_delete", master, `{"team_id": "t", "user_id": "u"}`).has(t, row{"members_count": 2.})
	h.comesTo(401, inTeam)
	h.comesTo(200, other)
	h.refused(404, "not_found_error", "user_id", "POST", "/team/member_delete", master, `{"team_id": "t", "user_id": "u"}`)
}

// A large team comes in by lists, all of a list or none of it.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var members []string
	for i := range 200 {
		members = append(members, fmt.Sprintf(`{"user_id": "u%03d"}`, i))
	}
	list := "[" + strings.Join(members, ",") + "]"
	h.post("/team/new", master, `{"team_id": "t", "members_with_roles": `+list+`}`).has(t, row{"members_count": 200.})
	h.refused(400, "team_member_already_in_team", "user_id", "POST", "/team/member_add", master, `{"team_id": "t", "member": `+strings.Replace(list, "u000", "new", 1)+`}`)
	h.get("/team/info?team_id=t", master).sub("team_info").has(t, row{"members_count": 200.})
	if some := h.get("/team/info?team_id=t&page=2&page_size=150", master).list("team_memberships"); len(some) != 50 {
		t.Errorf("%d on the second page", len(some))
	}
	h.post("/team/delete", master, `{"team_ids": ["t"]}`)
	if n := len(h.audits("table=team_member&page=4")); n != 100 {
		t.Errorf("%d of 400 records on the last page", n)
	}
}

// To strangers a team does not exist; its members see it; its admins say who is a member; the rest is for admins above.
func TestTeamsByStanding(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	keys := map[string]string{}
	for _, u := range []string{"boss", "head", "member", "stranger", "plain"} {
		_, keys[u] = h.user(`{"user_id": "` + u + `"}`)
	}
	_, keys["looks"] = h.user(`{"user_id": "looks", "user_role": "internal_user_viewer"}`)
	h.post("/organization/new", master, `{"organization_id": "o", "max_budget": 100}`)
	h.post("/organization/member_add", master, `{"organization_id": "o", "member": [{"user_id": "boss", "role": "org_admin"}, {"user_id": "plain", "role": "internal_user"}]}`)
	h.post("/team/new", keys["boss"], `{"team_id": "t", "organization_id": "o", "max_budget": 10}`).has(t, row{"organization_id": "o", "members_count": 1.})
	h.post("/team/member_add", keys["boss"], `{"team_id": "t", "member": [{"user_id": "head", "role": "admin"}, {"user_id": "member"}, {"user_id": "looks", "role": "admin"}]}`)
	h.post("/team/new", master, `{"team_id": "other", "members_with_roles": [{"user_id": "stranger", "role": "admin"}]}`)
	keys["service"] = h.key(`{"team_id": "t"}`)
	keys["forged"] = h.key(`{"team_id": "other", "user_id": "boss"}`) // by the admin of the other team, in the boss's name

	for _, c := range []struct {
		method, path, body string
		want               map[string]int // by user
	}{
		{"GET", "/team/info?team_id=t", "", map[string]int{"boss": 200, "head": 200, "member": 200, "service": 200, "stranger": 404, "plain": 404, "looks": 200, "forged": 404}},
		{"GET", "/team/permissions_list?team_id=t", "", map[string]int{"member": 200, "stranger": 404}},
		{"POST", "/team/member_add", `{"team_id": "t", "member": {"user_id": "x-%s"}}`, map[string]int{"boss": 200, "head": 200, "member": 403, "stranger": 404, "looks": 403, "service": 403}},
		{"POST", "/team/member_add", `{"team_id": "t", "member": {"user_id": "y-%s"}, "max_budget_in_team": 11}`, map[string]int{"head": 403, "boss": 403}},
		{"POST", "/team/member_update", `{"team_id": "t", "user_id": "member", "max_budget_in_team": 10}`, map[string]int{"boss": 200, "head": 200, "member": 403, "stranger": 404}},
		{"POST", "/team/member_update", `{"team_id": "t", "user_id": "member", "max_budget_in_team": 10.000000001}`, map[string]int{"head": 403}},
		{"POST", "/team/update", `{"team_id": "t", "team_alias": "a"}`, map[string]int{"boss": 200, "head": 200, "member": 403, "stranger": 404, "looks": 403}},
		{"POST", "/team/update", `{"team_id": "t", "max_budget": 50}`, map[string]int{"boss": 200, "head": 403, "member": 403, "stranger": 404}},
		{"POST", "/team/update", `{"team_id": "t", "max_budget": 101}`, map[string]int{"boss": 403}},
		{"POST", "/team/update", `{"team_id": "t", "spend": 0}`, map[string]int{"boss": 400, "head": 403}},
		{"POST", "/team/update", `{"team_id": "t", "organization_id": null}`, map[string]int{"boss": 403, "head": 403}},
		{"POST", "/team/permissions_update", `{"team_id": "t", "team_member_permissions": ["/key/generate"]}`, map[string]int{"head": 200, "member": 403, "stranger": 404}},
		{"POST", "/team/permissions_update", `{"team_id": "t", "team_member_permissions": ["/user/new"]}`, map[string]int{"head": 400}},
		{"POST", "/team/model/add", `{"team_id": "t", "models": ["echo"]}`, map[string]int{"boss": 200, "head": 403, "stranger": 404}},
		{"POST", "/organization/member_add", `{"organization_id": "o", "member": {"user_id": "stranger"}}`, map[string]int{"forged": 404, "head": 404, "plain": 403}},
		{"POST", "/user/update", `{"user_id": "boss", "user_alias": "x"}`, map[string]int{"forged": 403, "head": 404}},
		{"GET", "/organization/list", "", map[string]int{"forged": 403, "boss": 200}},
		{"POST", "/team/block", `{"team_id": "t"}`, map[string]int{"head": 403, "member": 403, "stranger": 404}},
		{"POST", "/team/new", `{"organization_id": "o", "max_budget": 101}`, map[string]int{"boss": 403}},
		{"POST", "/team/new", `{"organization_id": "o"}`, map[string]int{"plain": 403, "stranger": 404}},
		{"POST", "/team/new", `{}`, map[string]int{"boss": 403, "head": 403, "member": 403}},
		{"POST", "/team/member_delete", `{"team_id": "t", "user_id": "x-boss"}`, map[string]int{"member": 403, "stranger": 404, "head": 200}},
		{"POST", "/team/delete", `{"team_ids": ["t"]}`, map[string]int{"head": 403, "member": 403, "stranger": 404, "plain": 404}},
	} {
		for who, status := range c.want {
			answer, text := h.do(c.method, c.path, keys[who], strings.ReplaceAll(c.body, "%s", who))
			if answer.StatusCode != status {
				t.Errorf("%s: %s %s %s: %d, want %d: %s", who, c.method, c.path, c.body, answer.StatusCode, status, text)
			}
			if status == 404 && strings.Contains(text, "admin") {
				t.Errorf("%s is told that it exists: %s", who, text)
			}
		}
	}
	absent, _ := h.do("GET", "/team/info?team_id=x", keys["stranger"], "")
	if absent.StatusCode != 404 {
		t.Error(absent.Status)
	}
	h.key(`{"team_id": "t", "user_id": "member"}`)
	for who, n := range map[string]int{"boss": 2, "head": 2, "member": 1, "service": 1} {
		if shown := h.get("/team/info?team_id=t", keys[who]).list("keys"); len(shown) != n {
			t.Errorf("%s sees %d keys, want %d", who, len(shown), n)
		}
	}
	for who, n := range map[string]int{"boss": 1, "member": 1, "stranger": 1, "plain": 0, "service": 1, "forged": 1} {
		if list := asks[[]row](h, "GET", "/team/list", keys[who], ""); len(list) != n {
			t.Errorf("%s sees %d teams", who, len(list))
		}
		if total := h.get("/v2/team/list", keys[who])["total"]; total != float64(n) {
			t.Errorf("%s pages through %v teams", who, total)
		}
	}
	h.refused(404, "not_found_error", "user_id", "GET", "/team/list?user_id=head", keys["member"], "")
	h.refused(404, "not_found_error", "organization_id", "GET", "/team/list?organization_id=o", keys["stranger"], "")
	h.refused(403, "auth_error", "route", "GET", "/team/list?organization_id=o", keys["plain"], "")
	if list := asks[[]row](h, "GET", "/team/list?organization_id=o", keys["boss"], ""); len(list) != 1 {
		t.Errorf("%v", list)
	}
	h.post("/team/delete", keys["boss"], `{"team_ids": ["t"]}`)
}

func TestTeamList(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 310 {
		h.post("/team/new", master, fmt.Sprintf(`{"team_id": "t%03d", "team_alias": "alias %03d", "members_with_roles": [{"user_id": "u%d"}]}`, i, i, i%2))
	}
	seen := map[any]bool{}
	for page := 1; page <= 4; page++ {
		answer := h.get(fmt.Sprintf("/v2/team/list?page=%d&page_size=100", page), master)
		answer.has(t, row{"total": 310., "total_pages": 4., "page": float64(page), "page_size": 100.})
		for _, team := range answer.list("teams") {
			seen[team["team_id"]] = true
		}
	}
	if len(seen) != 310 {
		t.Errorf("%d teams on four pages", len(seen))
	}
	for query, total := range map[string]float64{"user_id=u1": 155, "user_id=nobody": 0, "team_alias=alias%2003": 10, "team_alias=%25": 0, "organization_id=none": 0} {
		if got := h.get("/v2/team/list?"+query, master)["total"]; got != total {
			t.Errorf("%s: %v, want %v", query, got, total)
		}
	}
	if all := asks[[]row](h, "GET", "/team/list", master, ""); len(all) != 310 || all[0]["team_id"] != "t309" || len(all[0].list("members_with_roles")) != 1 {
		t.Errorf("%d teams in the plain list", len(all))
	}
	if some := asks[[]row](h, "GET", "/team/list?user_id=u0", master, ""); len(some) != 155 {
		t.Errorf("%d teams of u0", len(some))
	}
}

// What team members may have by default is theirs from the moment that it is set.
func TestMemberDefaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t", "team_member_budget": 1.5, "team_member_rpm_limit": 2, "members_with_roles": [{"user_id": "u"}]}`)
	var team account.Account
	if _, err := h.store.Get(t.Context(), account.Ref(account.Team, "t"), &team); err != nil {
		t.Fatal(err)
	}
	if l := account.DefaultMember(team); l.Budgets[0].Max != gateway.USD*3/2 || *l.RPM != 2 || l.Budgets[0].Epoch == 0 {
		t.Errorf("%+v", l)
	}
	h.post("/team/update", master, `{"team_id": "t", "team_member_budget": null}`).has(t, row{"team_member_budget": nil, "team_member_rpm_limit": 2.})
}
