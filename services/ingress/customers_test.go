package ingress_test

import (
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// Both names of the routes serve the same customers.
func TestCustomers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/budget/new", master, `{"budget_id": "b", "max_budget": 3}`)
	h.spend(ledger.Entry{ID: "1", Customer: "c", Cost: gateway.USD / 8, Started: 1})
	h.refused(404, "not_found_error", "user_id", "GET", "/customer/info?end_user_id=c", master, "")
	h.post("/customer/new", master, `{"user_id": "c", "alias": "C", "max_budget": 1, "budget_duration": "1d", "allowed_model_region": "eu", "default_model": "echo"}`).
		has(t, row{"user_id": "c", "alias": "C", "blocked": false, "spend": .125, "allowed_model_region": "eu", "default_model": "echo"})
	info := h.get("/end_user/info?end_user_id=c", master)
	info.has(t, row{"user_id": "c", "spend": .125})
	info.sub("litellm_budget_table").has(t, row{"max_budget": 1., "budget_duration": "1d"})
	h.post("/end_user/update", master, `{"user_id": "c", "max_budget": null, "budget_id": "b"}`).sub("litellm_budget_table").has(t, row{"max_budget": 3., "budget_id": "b"})
	h.post("/customer/new", master, `{"user_id": "reset", "spend": 2}`).has(t, row{"spend": 2.})

	blocked := h.post("/customer/block", master, `{"user_ids": ["c", "unseen"]}`).list("blocked_users")
	if len(blocked) != 2 || blocked[0]["blocked"] != true || blocked[1]["blocked"] != true {
		t.Errorf("%v", blocked)
	}
	h.get("/customer/info?end_user_id=unseen", master).has(t, row{"blocked": true})
	h.post("/end_user/unblock", master, `{"user_ids": ["c"]}`)
	h.get("/customer/info?end_user_id=c", master).has(t, row{"blocked": false})
	for i := range 20 {
		h.post("/customer/new", master, fmt.Sprintf(`{"user_id": "many%d"}`, i))
	}
	if list := asks[[]row](h, "GET", "/customer/list", master, ""); len(list) != 23 {
		t.Errorf("%d customers", len(list))
	}
	h.post("/customer/delete", master, `{"user_ids": ["c", "unseen"]}`).has(t, row{"deleted_customers": 2.})
	h.refused(404, "not_found_error", "user_id", "GET", "/customer/info?end_user_id=c", master, "")
	h.post("/customer/new", master, `{"user_id": "c"}`).has(t, row{"spend": .125, "alias": nil, "litellm_budget_table": nil})
}

func TestTags(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.spend(ledger.Entry{ID: "1", Tags: []string{"g"}, Cost: gateway.USD / 8, Started: 1})
	made := h.post("/tag/new", master, `{"name": "g", "description": "D", "models": ["echo"], "max_budget": 1, "budget_duration": "1d", "soft_budget": 0.5}`)
	if made["message"] != "Tag g created successfully" {
		t.Errorf("%v", made)
	}
	made.sub("tag").has(t, row{"name": "g", "description": "D", "models": []any{"echo"}, "max_budget": 1., "soft_budget": .5, "spend": .125})
	h.post("/tag/update", master, `{"name": "g", "description": null, "max_budget": 2}`).sub("tag").has(t, row{"description": nil, "max_budget": 2., "budget_duration": "1d"})
	h.post("/tag/info", master, `{"names": ["g"]}`).sub("g").has(t, row{"name": "g"})
	if list := asks[[]row](h, "GET", "/tag/list", master, ""); len(list) != 1 || list[0]["name"] != "g" {
		t.Errorf("%v", list)
	}
	h.post("/tag/delete", master, `{"name": "g"}`)
	if list := asks[[]row](h, "GET", "/tag/list", master, ""); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.post("/budget/new", master, `{"max_budget": 10, "soft_budget": 8, "budget_duration": "30d", "tpm_limit": 1, "rpm_limit": 2, "max_parallel_requests": 3,
		"model_max_budget": {"m": {"budget_limit": 1, "time_period": "1d"}}}`)
	id, _ := made["budget_id"].(string)
	made.has(t, row{"max_budget": 10., "soft_budget": 8., "budget_duration": "30d", "tpm_limit": 1., "rpm_limit": 2., "max_parallel_requests": 3.,
		"model_max_budget": map[string]any{"m": map[string]any{"max_budget": 1., "budget_duration": "1d"}}, "created_by": "master"})
	h.post("/budget/update", master, `{"budget_id": "`+id+`", "max_budget": 11, "soft_budget": null}`).has(t, row{"max_budget": 11., "soft_budget": nil, "rpm_limit": 2.})
	if rows := asks[[]row](h, "POST", "/budget/info", master, `{"budgets": ["`+id+`", "none"]}`); len(rows) != 1 || rows[0]["budget_id"] != id {
		t.Errorf("%v", rows)
	}
	if rows := asks[[]row](h, "GET", "/budget/list", master, ""); len(rows) != 1 {
		t.Errorf("%v", rows)
	}
	fields := map[any]any{}
	for _, f := range asks[[]row](h, "GET", "/budget/settings?budget_id="+id, master, "") {
		fields[f["field_name"]] = f["field_value"]
	}
	if fields["max_budget"] != 11. || fields["budget_duration"] != "30d" || len(fields) != 7 {
		t.Errorf("%v", fields)
	}

	h.post("/team/new", master, `{"team_id": "t", "budget_id": "`+id+`"}`).sub("litellm_budget_table").has(t, row{"max_budget": 11.})
	h.key(`{"budget_id": "` + id + `"}`)
	h.post("/budget/update", master, `{"budget_id": "`+id+`", "max_budget": 12}`)
	h.get("/team/info?team_id=t", master).sub("team_info").sub("litellm_budget_table").has(t, row{"max_budget": 12.})
	answer, text := h.do("POST", "/budget/delete", master, `{"id": "`+id+`"}`)
	if f := parseFault(t, text); answer.StatusCode != 400 || f.Error.Message != "Budget "+id+" is in use: 2 others refer to it. Give them another budget first." {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
	free := h.post("/budget/new", master, `{"budget_id": "free"}`)
	h.post("/budget/delete", master, `{"id": "free"}`).has(t, row{"budget_id": free["budget_id"]})
}
