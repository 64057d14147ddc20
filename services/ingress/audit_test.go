package ingress_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Every change of every kind leaves a record of who made it, what it named, and what was before and after.
func TestAuditOfEveryRoute(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, second := h.user(`{"user_id": "second", "user_role": "proxy_admin"}`)
	for _, c := range []struct {
		method, path, body, action, table, object string
	}{
		{"POST", "/budget/new", `{"budget_id": "b"}`, "created", "budget", "b"},
		{"POST", "/budget/update", `{"budget_id": "b", "max_budget": 1}`, "updated", "budget", "b"},
		{"POST", "/user/new", `{"user_id": "u", "auto_create_key": false}`, "created", "user", "u"},
		{"POST", "/user/update", `{"user_id": "u", "max_budget": 1}`, "updated", "user", "u"},
		{"POST", "/organization/new", `{"organization_id": "o"}`, "created", "organization", "o"},
		{"PATCH", "/organization/update", `{"organization_id": "o", "max_budget": 1}`, "updated", "organization", "o"},
		{"POST", "/organization/member_add", `{"organization_id": "o", "member": {"user_id": "u"}}`, "created", "organization_member", "o/u"},
		{"PATCH", "/organization/member_update", `{"organization_id": "o", "user_id": "u", "role": "org_admin"}`, "updated", "organization_member", "o/u"},
		{"DELETE", "/organization/member_delete", `{"organization_id": "o", "user_id": "u"}`, "deleted", "organization_member", "o/u"},
		{"POST", "/team/new", `{"team_id": "t"}`, "created", "team", "t"},
		{"POST", "/team/update", `{"team_id": "t", "max_budget": 1}`, "updated", "team", "t"},
		{"POST", "/team/block", `{"team_id": "t"}`, "blocked", "team", "t"},
		{"POST", "/team/unblock", `{"team_id": "t"}`, "unblocked", "team", "t"},
		{"POST", "/team/model/add", `{"team_id": "t", "models": ["m"]}`, "updated", "team", "t"},
		{"POST", "/team/model/delete", `{"team_id": "t", "models": ["m"]}`, "updated", "team", "t"},
		{"POST", "/team/permissions_update", `{"team_id": "t", "team_member_permissions": []}`, "updated", "team", "t"},
		{"POST", "/team/member_add", `{"team_id": "t", "member": {"user_id": "u"}}`, "created", "team_member", "t/u"},
		{"POST", "/team/member_update", `{"team_id": "t", "user_id": "u", "max_budget_in_team": 1}`, "updated", "team_member", "t/u"},
		{"POST", "/team/member_delete", `{"team_id": "t", "user_id": "u"}`, "deleted", "team_member", "t/u"},
		{"POST", "/customer/new", `{"user_id": "c"}`, "created", "customer", "c"},
		{"POST", "/customer/update", `{"user_id": "c", "max_budget": 1}`, "updated", "customer", "c"},
		{"POST", "/customer/block", `{"user_ids": ["c"]}`, "blocked", "customer", "c"},
		{"POST", "/customer/unblock", `{"user_ids": ["c"]}`, "unblocked", "customer", "c"},
		{"POST", "/end_user/delete", `{"user_ids": ["c"]}`, "deleted", "customer", "c"},
		{"POST", "/tag/new", `{"name": "g"}`, "created", "tag", "g"},
		{"POST", "/tag/update", `{"name": "g", "max_budget": 1}`, "updated", "tag", "g"},
		{"POST", "/tag/delete", `{"name": "g"}`, "deleted", "tag", "g"},
		{"POST", "/budget/delete", `{"id": "b"}`, "deleted", "budget", "b"},
		{"POST", "/team/delete", `{"team_ids": ["t"]}`, "deleted", "team", "t"},
		{"DELETE", "/organization/delete", `{"organization_ids": ["o"]}`, "deleted", "organization", "o"},
		{"POST", "/user/delete", `{"user_ids": ["u"]}`, "deleted", "user", "u"},
	} {
		before := h.get("/audit", master)["total"].(float64)
		if answer, text := h.do(c.method, c.path, second, c.body, "litellm-changed-by", "somebody"); answer.StatusCode != 200 {
			t.Fatalf("%s %s: %d %s", c.path, c.body, answer.StatusCode, text)
		}
		after := h.get("/audit?size=1", master)
		if after["total"] != before+1 {
			t.Errorf("%s: %v records before, %v after", c.path, before, after["total"])
		}
		record := after.list("audit_logs")[0]
		record.has(t, row{"action": c.action, "table_name": c.table, "object_id": c.object, "changed_by": "somebody"})
		if (record["before_value"] == nil) != (c.action == "created") || (record["updated_values"] == nil) != (c.action == "deleted") {
			t.Errorf("%s: %v", c.path, record)
		}
		if strings.Contains(c.body, `"max_budget"`) && !slices.Contains(record["fields"].([]any), any("max_budget")) {
			t.Errorf("%s: fields %v", c.path, record["fields"])
		}
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, second := h.user(`{"user_id": "second", "user_role": "proxy_admin"}`)
	for i := range 30 {
		h.post("/tag/new", second, fmt.Sprintf(`{"name": "g%02d"}`, i))
	}
	h.post("/tag/update", master, `{"name": "g00", "max_budget": 0.25}`)
	for query, total := range map[string]float64{
		"table=tag": 31, "table_name=tag": 31, "object=g00": 2, "object_id=g01": 1, "actor=second": 30, "changed_by=second": 30, "table=team": 0,
		"table=tag&start=2020-01-01": 31, "table=tag&start_date=2999-01-01": 0, "actor=second&end=2020-01-01": 0, "actor=second&end=2999-01-01": 30,
	} {
		if got := h.get("/audit?"+query, master)["total"]; got != total {
			t.Errorf("%s: %v, want %v", query, got, total)
		}
	}
	page := h.get("/audit?table=tag&size=20&page=2", master)
	page.has(t, row{"page": 2., "page_size": 20., "total_pages": 2.})
	if logs := page.list("audit_logs"); len(logs) != 11 {
		t.Errorf("%d on the second page", len(logs))
	}
	record := h.audits("object=g00")[0]
	if record.sub("before_value")["max_budget"] != nil || record.sub("updated_values")["max_budget"] != .25 || record["changed_by"] != "master" {
		t.Errorf("%v", record)
	}
	_, user := h.user(`{"user_id": "u"}`)
	asks[row](h, "POST", "/user/update", user, `{"user_id": "u", "user_alias": "x"}`, "litellm-changed-by", "master")
	if record := h.audits("object=u")[0]; record["changed_by"] != "u" {
		t.Errorf("a user wrote another's name: %v", record)
	}
}
