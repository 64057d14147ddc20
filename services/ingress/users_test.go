package ingress_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t", "team_alias": "Team"}`)
	h.post("/organization/new", master, `{"organization_id": "o"}`)
	made := h.post("/user/new", master, `{"user_id": "u", "user_email": "Ann@X.example", "user_alias": "Ann", "max_budget": 10, "budget_duration": "30d",
		"models": ["echo"], "key_alias": "first", "duration": "30d", "metadata": {"a": 1}, "tpm_limit": 5, "teams": ["t"], "organizations": ["o"],
		"send_invite_email": true}`)
	made.has(t, row{"user_id": "u", "user_email": "ann@x.example", "user_alias": "Ann", "user_role": "internal_user", "max_budget": 10., "spend": 0.,
		"budget_duration": "30d", "key_alias": "first", "tpm_limit": 5., "teams": []any{"t"}, "models": []any{"echo"}})
	key, _ := made["key"].(string)
	if made["expires"] == nil || made["budget_reset_at"] == nil || made["created_at"] == nil || made["token"] != auth.Hash(gateway.Secret(key)) {
		t.Errorf("%v", made)
	}
	if answer, text := h.do("GET", "/v1/models", key, ""); answer.StatusCode != 200 {
		t.Errorf("the key: %d %s", answer.StatusCode, text)
	}
	if bare := h.post("/user/new", master, `{"auto_create_key": false}`); bare["key"] != nil || len(bare["user_id"].(string)) != 36 {
		t.Errorf("without a key: %v", bare)
	}

	h.spend(ledger.Entry{ID: "1", Key: auth.Hash(gateway.Secret(key)), User: "u", Cost: gateway.USD / 4, Started: 1})
	info := h.get("/user/info?user_id=u", master)
	info.sub("user_info").has(t, row{"user_id": "u", "spend": .25, "max_budget": 10., "metadata": map[string]any{"a": 1.}, "teams": []any{"t"}})
	if keys, teams := info.list("keys"), info.list("teams"); info["user_id"] != "u" || len(keys) != 1 || keys[0]["key_alias"] != "first" ||
		len(teams) != 1 || teams[0]["team_alias"] != "Team" {
		t.Errorf("%v", info)
	}
	h.get("/v2/user/info?user_id=u", master).has(t, row{"user_id": "u", "spend": .25, "keys": nil})
	h.get("/user/info", key).sub("user_info").has(t, row{"user_id": "u"})
	h.get("/user/info", master).has(t, row{"user_id": nil})

	h.post("/user/update", master, `{"user_email": "ANN@x.example", "max_budget": 0.5, "user_role": "internal_user_viewer"}`).sub("data").
		has(t, row{"user_id": "u", "max_budget": .5, "budget_duration": "30d", "user_email": "ann@x.example", "user_role": "internal_user_viewer"})
	h.post("/user/update", master, `{"user_id": "u", "user_email": "b@x.example", "spend": 0}`).has(t, row{"user_email": "b@x.example", "spend": 0.})
	h.refused(404, "not_found_error", "user_email", "POST", "/user/update", master, `{"user_email": "ann@x.example"}`)

	if n := asks[int](h, "POST", "/user/delete", master, `{"user_ids": ["u"]}`); n != 1 {
		t.Errorf("%d deleted", n)
	}
	h.refused(404, "not_found_error", "user_id", "GET", "/user/info?user_id=u", master, "")
	if members := h.get("/team/info?team_id=t", master).list("team_memberships"); len(members) != 0 {
		t.Errorf("memberships of who is gone: %v", members)
	}
	h.post("/user/new", master, `{"user_id": "u", "user_email": "b@x.example", "key_alias": "first"}`).has(t, row{"spend": 0., "teams": []any{}})
}

// Who is made for a team is a member of it, and so is the key.
func TestUserOfTeam(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t"}`)
	h.post("/team/new", master, `{"team_id": "other"}`)
	h.post("/user/new", master, `{"user_id": "u", "team_id": "t", "teams": ["other", "t"]}`).has(t, row{"team_id": "t", "teams": []any{"t", "other"}})
	h.post("/team/member_update", master, `{"team_id": "t", "user_id": "u", "max_budget_in_team": 0.0000001}`)
	teams := h.get("/user/info?user_id=u", master).list("teams")
	if len(teams) != 2 || len(teams[0].list("team_memberships")) != 1 {
		t.Fatalf("%v", teams)
	}
	membership := teams[0].list("team_memberships")[0]
	membership.has(t, row{"team_id": "t", "user_id": "u", "spend": 0.})
	membership.sub("litellm_budget_table").has(t, row{"max_budget": 1e-7})

	h.post("/user/new", master, `{"user_id": "v", "team_id": null}`).has(t, row{"team_id": nil, "teams": []any{}})
	h.refused(400, "invalid_request_error", "team_id", "POST", "/user/new", master, `{"user_id": "w", "team_id": 7}`)
	h.refused(404, "not_found_error", "team_id", "POST", "/user/new", master, `{"user_id": "w", "team_id": "none"}`)
	h.refused(404, "not_found_error", "user_id", "GET", "/user/info?user_id=w", master, "")
}

// A user whose key is refused is not made.
func TestUserWithoutItsKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.key(`{"key_alias": "taken"}`)
	answer, text := h.do("POST", "/user/new", master, `{"user_id": "u", "key_alias": "taken"}`)
	if answer.StatusCode != 400 {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
	h.refused(404, "not_found_error", "user_id", "GET", "/user/info?user_id=u", master, "")
	h.post("/user/new", master, `{"user_id": "u"}`)
}

// Users see and change themselves, and nobody else; their role and limits are not theirs to set.
func TestUsersOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, ann := h.user(`{"user_id": "ann", "user_email": "ann@x.example"}`)
	h.user(`{"user_id": "bob", "user_email": "bob@x.example"}`)
	_, looks := h.user(`{"user_id": "eve", "user_role": "internal_user_viewer"}`)
	_, second := h.user(`{"user_id": "second", "user_role": "proxy_admin"}`)
	h.post("/user/update", ann, `{"user_id": "ann", "user_alias": "A"}`).has(t, row{"user_alias": "A", "user_role": "internal_user"})
	h.post("/user/update", ann, `{"user_email": "ann@x.example", "metadata": {"x": 1}}`)
	for _, path := range []string{"/user/info", "/v2/user/info"} {
		h.refused(404, "not_found_error", "user_id", "GET", path+"?user_id=bob", ann, "")
		h.refused(404, "not_found_error", "user_id", "GET", path+"?user_id=nobody", ann, "")
	}
	h.refused(404, "not_found_error", "user_id", "POST", "/user/update", ann, `{"user_id": "bob", "user_alias": "x"}`)
	h.refused(404, "not_found_error", "user_id", "POST", "/user/update", ann, `{"user_id": "nobody", "user_alias": "x"}`)
	for _, field := range []string{`"user_role": "proxy_admin"`, `"max_budget": 1000`, `"spend": 0`, `"models": []`, `"user_email": "new@x.example"`, `"budget_id": null`} {
		answer, text := h.do("POST", "/user/update", ann, `{"user_id": "ann", `+field+`}`)
		if answer.StatusCode != 403 {
			t.Errorf("%s: %d %s", field, answer.StatusCode, text)
		}
	}
	h.get("/user/info", ann).sub("user_info").has(t, row{"user_role": "internal_user", "max_budget": nil, "user_email": "ann@x.example", "user_alias": "A"})
	h.refused(403, "auth_error", "route", "POST", "/user/update", looks, `{"user_id": "eve", "user_alias": "x"}`)
	h.get("/user/info", looks)
	h.refused(409, "invalid_request_error", "user_ids", "POST", "/user/delete", second, `{"user_ids": ["second"]}`)
	asks[int](h, "POST", "/user/delete", second, `{"user_ids": ["bob", "eve"]}`)
	homeless := h.key(`{}`)
	h.refused(400, "invalid_request_error", "user_id", "GET", "/user/info", homeless, "")
	h.refused(404, "not_found_error", "user_id", "GET", "/user/info?user_id=ann", homeless, "")
}

func TestUserList(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t"}`)
	for i := range 60 {
		role, teams := "internal_user", ""
		if i%3 == 0 {
			role, teams = "proxy_admin_viewer", `"teams": ["t"], `
		}
		h.post("/user/new", master, fmt.Sprintf(`{"user_id": "u%02d", "user_email": "U%02d@x.example", %s"user_role": "%s", "auto_create_key": false}`, i, i, teams, role))
	}
	for _, c := range []struct {
		query, first string
		n            int
		total, pages float64
	}{
		{"", "u59", 25, 60, 3},
		{"?page=3", "u09", 10, 60, 3},
		{"?page=4", "", 0, 60, 3},
		{"?page_size=100&sort_by=user_id&sort_order=asc", "u00", 60, 60, 1},
		{"?sort_by=user_email&sort_order=desc", "u59", 25, 60, 3},
		{"?role=proxy_admin_viewer&page_size=15&page=2", "u12", 5, 20, 2},
		{"?user_email=u1", "u19", 10, 10, 1},
		{"?user_email=u1%25", "", 0, 0, 0},
		{"?user_email=.*", "", 0, 0, 0},
		{"?user_email=U07@x.example", "u07", 1, 1, 1},
		{"?user_ids=u05,%20u06,nobody", "u05", 2, 2, 1},
		{"?user_ids=u05,u06&page_size=1&page=2", "u06", 1, 2, 2},
		{"?team=t&page_size=5", "u57", 5, 20, 4},
	} {
		page := h.get("/user/list"+c.query, master)
		users := page.list("users")
		if len(users) != c.n || page["total"] != c.total || page["total_pages"] != c.pages || c.n > 0 && users[0]["user_id"] != c.first {
			t.Errorf("%s: %d users, %v, %v pages, first %v", c.query, len(users), page["total"], page["total_pages"], users)
		}
	}
}

// What the owner gives new users is theirs where a request says nothing, null included, and where they come in with a team.
func TestUserDefaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t"}`)
	h = h.over(h.store, config.Settings{UserDefaults: field.Request{
		"max_budget": json.RawMessage(`5`), "user_role": json.RawMessage(`"internal_user_viewer"`), "teams": json.RawMessage(`["t"]`),
	}})
	h.post("/user/new", master, `{}`).has(t, row{"max_budget": 5., "user_role": "internal_user_viewer", "teams": []any{"t"}})
	h.post("/user/new", master, `{"max_budget": null, "user_role": "internal_user", "teams": []}`).has(t, row{"max_budget": nil, "user_role": "internal_user", "teams": []any{}})
	h.post("/user/new", master, `{"user_role": "proxy_admin"}`).has(t, row{"max_budget": nil, "user_role": "proxy_admin", "teams": []any{}})
	h.post("/team/member_add", master, `{"team_id": "t", "member": {"user_id": "in"}}`)
	h.get("/v2/user/info?user_id=in", master).has(t, row{"max_budget": 5., "user_role": "internal_user_viewer"})
}
