package ingress_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

func TestOrganizations(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, u := h.user(`{"user_id": "u", "user_email": "u@x.example"}`)
	_, boss := h.user(`{"user_id": "boss"}`)
	_, stranger := h.user(`{"user_id": "stranger"}`)
	h.post("/budget/new", master, `{"budget_id": "b", "max_budget": 7, "budget_duration": "1mo"}`)
	made := h.post("/organization/new", master, `{"organization_alias": "O", "budget_id": "b", "models": ["echo"], "metadata": {"a": 1}}`)
	id, _ := made["organization_id"].(string)
	made.has(t, row{"organization_alias": "O", "budget_id": "b", "spend": 0., "max_budget": nil, "models": []any{"echo"}, "members": []any{}})
	made.sub("litellm_budget_table").has(t, row{"max_budget": 7., "budget_duration": "1mo", "budget_id": "b"})
	h.spend(ledger.Entry{ID: "1", Org: id, Cost: gateway.USD, Started: 1})
	asks[row](h, "PATCH", "/organization/update", master, `{"organization_id": "`+id+`", "organization_alias": "P", "rpm_limit": 4}`).
		has(t, row{"organization_alias": "P", "rpm_limit": 4., "budget_id": "b", "spend": 1.})

	in := func(fields string) string { return `{"organization_id": "` + id + `", ` + fields + `}` }
	added := h.post("/organization/member_add", master, in(`"member": [{"role": "org_admin", "user_id": "boss"}, {"role": "internal_user", "user_email": "u@x.example"}]`))
	if members := added.list("updated_organization_memberships"); len(members) != 2 || added["organization_id"] != id {
		t.Fatalf("%v", added)
	}
	h.post("/team/new", master, `{"team_id": "t", "organization_id": "`+id+`"}`)
	info := h.get("/organization/info?organization_id="+id, u)
	if members, teams := info.list("members"), info.list("teams"); len(members) != 2 || len(teams) != 1 || teams[0]["team_id"] != "t" ||
		members[0]["user_role"] != "org_admin" || members[0]["organization_id"] != id {
		t.Errorf("%v", info)
	}
	h.refused(404, "not_found_error", "organization_id", "GET", "/organization/info?organization_id="+id, stranger, "")
	for key, n := range map[string]int{master: 1, boss: 1, u: 1, stranger: 0} {
		if list := asks[[]row](h, "GET", "/organization/list", key, ""); len(list) != n {
			t.Errorf("%d organizations, want %d", len(list), n)
		}
	}
	h.refused(403, "auth_error", "route", "POST", "/organization/member_add", u, in(`"member": {"user_id": "x"}`))
	h.refused(404, "not_found_error", "organization_id", "POST", "/organization/member_add", stranger, in(`"member": {"user_id": "x"}`))
	h.refused(403, "auth_error", "route", "POST", "/organization/update", boss, in(`"max_budget": 1000`))
	h.refused(400, "bad_request_error", "user_id", "POST", "/organization/member_add", boss, in(`"member": {"user_id": "u"}`))
	h.refused(400, "invalid_request_error", "role", "POST", "/organization/member_add", boss, in(`"member": {"user_id": "x", "role": "proxy_admin"}`))
	h.post("/organization/member_add", boss, in(`"member": {"user_id": "x"}`))
	asks[row](h, "PATCH", "/organization/member_update", boss, in(`"user_id": "x", "role": "org_admin"`)).has(t, row{"user_role": "org_admin", "user_id": "x"})
	asks[row](h, "DELETE", "/organization/member_delete", boss, in(`"user_id": "x"`)).has(t, row{"user_id": "x"})
	h.refused(404, "not_found_error", "user_id", "POST", "/organization/member_delete", boss, in(`"user_id": "x"`))

	inTeam := h.key(`{"team_id": "t"}`)
	if rows := asks[[]row](h, "DELETE", "/organization/delete", master, `{"organization_ids": ["`+id+`"]}`); len(rows) != 1 || rows[0]["organization_id"] != id {
		t.Errorf("%v", rows)
	}
	h.comesTo(401, inTeam)
	h.comesTo(200, u)
	h.refused(404, "not_found_error", "team_id", "GET", "/team/info?team_id=t", master, "")
	if list := asks[[]row](h, "GET", "/organization/list", boss, ""); len(list) != 0 {
		t.Errorf("%v", list)
	}
}
