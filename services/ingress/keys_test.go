package ingress_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// keyRow is a key as the routes show it.
type keyRow struct {
	Key, Token string
	Name       string `json:"key_name"`
	Alias      string `json:"key_alias"`
	User       string `json:"user_id"`
	Team       string `json:"team_id"`
	CreatedBy  string `json:"created_by"`
	Blocked    bool
	Rotations  int `json:"rotation_count"`
	Metadata   map[string]any
}

// read sends a request whose answer must be 200, and reads it.
func (h *house) read(into any, method, path, key, body string, header ...string) http.Header {
	h.t.Helper()
	answer, text := h.do(method, path, key, body, header...)
	if answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %s %s: %d %s", method, path, body, answer.StatusCode, text)
	}
	reflect.ValueOf(into).Elem().SetZero() // null would leave what is there
	if err := json.Unmarshal([]byte(text), into); err != nil {
		h.t.Fatalf("%s %s: %s, %v", method, path, text, err)
	}
	return answer.Header
}

// refuses sends a request that must be refused.
func (h *house) refuses(status int, code, method, path, key, body string, header ...string) {
	h.t.Helper()
	answer, text := h.do(method, path, key, body, header...)
	if f := parseFault(h.t, text); answer.StatusCode != status || code != "" && f.Error.Code != code && f.Error.Type != code {
		h.t.Errorf("%s %s %.200s: %d %s, want %d %s", method, path, body, answer.StatusCode, text, status, code)
	}
}

func (h *house) seed(accounts ...account.Account) {
	h.t.Helper()
	for _, a := range accounts {
		a.Updated = time.Now().UnixMicro()
		if _, err := h.store.Create(h.t.Context(), account.Ref(a.Kind, a.ID), &a); err != nil {
			h.t.Fatal(err)
		}
	}
}

// people are a user, an admin of team t, and a viewer, with a key each.
func (h *house) people() (ann, lead, viewer string) {
	h.seed(
		account.Account{Kind: account.User, ID: "ann", Role: gateway.RoleUser, Models: []string{"a", "b"}},
		account.Account{Kind: account.User, ID: "lead", Role: gateway.RoleUser},
		account.Account{Kind: account.User, ID: "viewer", Role: gateway.RoleViewer},
		account.Account{Kind: account.Team, ID: "t"},
		account.Account{Kind: account.Member, ID: account.MemberID("t", "lead"), Team: "t", User: "lead", Role: account.RoleTeamAdmin},
		account.Account{Kind: account.Member, ID: account.MemberID("t", "ann"), Team: "t", User: "ann", Role: account.RoleTeamUser},
	)
	return h.key(`{"user_id": "ann"}`), h.key(`{"user_id": "lead"}`), h.key(`{"user_id": "viewer"}`)
}

func TestGenerateAnswersEveryField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.seed(account.Account{Kind: account.Budget, ID: "shared"})
	var got map[string]any
	header := h.read(&got, "POST", "/key/generate", master, `{"max_budget": 0.1, "budget_duration": "30d", "duration": "10d", "rpm_limit": 3,
		"budget_id": "shared", "allowed_routes": ["/v1/*"], "model_max_budget": {"m": {"budget_limit": 1, "time_period": "1d"}}}`)
	for _, name := range strings.Fields(`key token token_id key_name key_alias soft_budget_cooldown spend expires models aliases config router_settings
		user_id team_id agent_id project_id permissions max_parallel_requests metadata blocked tpm_limit rpm_limit max_budget budget_duration
		budget_reset_at allowed_cache_controls allowed_routes policies access_group_ids model_spend model_max_budget budget_id organization_id
		object_permission_id created_at created_by updated_at updated_by last_active rotation_count auto_rotate rotation_interval
		last_rotation_at key_rotation_at object_permission litellm_budget_table duration`) {
		if _, found := got[name]; !found {
			t.Errorf("%s is not in the answer", name)
		}
	}
	if got["max_budget"] != 0.1 || got["duration"] != "10d" || got["budget_reset_at"] == nil || got["token"] != got["token_id"] || header.Get("ETag") == "" {
		t.Errorf("answered %v", got)
	}
	if table, _ := got["litellm_budget_table"].(map[string]any); table["budget_id"] != "shared" {
		t.Errorf("litellm_budget_table = %v", got["litellm_budget_table"])
	}
	if limit := fmt.Sprint(got["model_max_budget"]); limit != "map[m:map[budget_limit:1 time_period:1d]]" {
		t.Errorf("model_max_budget = %s", limit)
	}
}

// What is refused leaves everything as it is.
func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var before, after map[string]any
	key := h.key(`{"key_alias": "taken", "max_budget": 1}`)
	h.read(&before, "GET", "/key/info?key="+key, master, "")
	for _, c := range []struct {
		status     int
		code, path string
		body       string
	}{
		{400, "read_only_field", "update", `"token": "x"`}, {400, "read_only_field", "update", `"role": "proxy_admin"`},
		{400, "read_only_field", "update", `"created_at": "2020-01-01"`}, {400, "read_only_field", "update", `"hash": "x"`},
		{400, "", "update", `"max_budget": -1`}, {400, "", "update", `"max_budget": "10 USD"`}, {400, "", "update", `"max_budget": 1e308`},
		{400, "", "update", `"max_budget": 0.1234567890123456789`}, {400, "", "update", `"duration": "-5d"`}, {400, "", "update", `"duration": "9999y"`},
		{400, "", "update", `"expires": "2020-01-01T00:00:00Z"`}, {400, "", "update", `"key_alias": "a\u0000"`},
		{400, "", "update", `"key_alias": "` + strings.Repeat("x", 129) + `"`}, {400, "", "update", `"key_type": "king"`},
		{400, "", "update", `"budget_id": "none"`}, {400, "", "update", `"aliases": ["a"]`}, {400, "", "update", `"temp_budget_increase": 1`},
		{400, "", "generate", `"key_alias": "taken"`}, {400, "", "generate", `"models": "a"`},
		{400, "", "regenerate", `"grace_period": "x"`}, {400, "", "regenerate", `"new_key": "abc"`},
		{400, "", key + "/reset_spend", ``}, {400, "", key + "/reset_spend", `"reset_to": -1`}, {400, "", key + "/reset_spend", `"reset_to": "0"`},
		{400, "", key + "/reset_spend", `"reset_to": 99`}, {404, "", "sk-nobody-has-this/reset_spend", `"reset_to": 0`},
		{400, "", "service-account/generate", `"user_id": "u", "team_id": "t"`}, {400, "", "service-account/generate", `"models": []`},
		{400, "", "bulk_update", ``}, {400, "", "bulk_update", `"keys": []`}, {400, "", "bulk_update", `"keys": {}`},
		{400, "", "bulk_update", `"keys": [` + strings.Repeat(`{},`, 500) + `{}]`},
		{400, "", "delete", ``}, {400, "", "delete", `"key_aliases": []`}, {404, "", "delete", `"key_aliases": ["none"]`},
		{404, "", "delete", `"keys": ["` + key + `", "sk-nobody-has-this"]`},
	} {
		body := `{` + c.body + `}`
		switch c.path {
		case "update", "regenerate":
			body = `{"key": "` + key + `", ` + c.body + `}`
		}
		h.refuses(c.status, c.code, "POST", "/key/"+c.path, master, body)
	}
	h.refuses(400, "bad_request_error", "POST", "/key/block", master, `{"key": "no-key"}`)
	h.refuses(404, "not_found_error", "POST", "/key/unblock", master, `{"key": "sk-nobody-has-this"}`)
	h.refuses(400, "", "POST", "/v2/key/info", master, `{"keys": []}`)
	for _, query := range []string{"sort_by=password", "sort_order=up", "status=gone", "page=0", "size=101", "key_hash=x"} {
		h.refuses(400, "", "GET", "/key/list?"+query, master, "")
	}
	if h.read(&after, "GET", "/key/info?key="+key, master, ""); !cmp.Equal(before, after) {
		t.Errorf("the key has changed: %s", cmp.Diff(before, after))
	}
}

// Each role does what it may. What somebody may not see is 404 for them.
func TestKeyRoles(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann, lead, viewer := h.people()
	others, teams := h.key(`{"user_id": "bob"}`), h.key(`{"user_id": "bob", "team_id": "t"}`)
	about := func(key string) string { return `{"key": "` + key + `"}` }
	for who, key := range map[string]string{"ann": ann, "lead": lead} {
		for _, path := range []string{"update", "block", "unblock", "regenerate"} {
			h.refuses(404, "not_found_error", "POST", "/key/"+path, key, about(others))
		}
		h.refuses(404, "", "POST", "/key/delete", key, `{"keys": ["`+others+`"]}`)
		h.refuses(404, "", "POST", "/key/"+others+"/reset_spend", key, `{"reset_to": 0}`)
		h.refuses(404, "", "GET", "/key/info?key="+others, key, "")
		h.refuses(403, "", "GET", "/key/list?user_id=bob", key, "")
		var infos struct{ Info []keyRow }
		if h.read(&infos, "POST", "/v2/key/info", key, `{"keys": ["`+others+`", "`+key+`"]}`); len(infos.Info) != 1 {
			t.Errorf("%s sees %+v", who, infos.Info)
		}
	}
	for _, path := range []string{"update", "block", "regenerate"} {
		h.refuses(403, "auth_error", "POST", "/key/"+path, viewer, about(others))
	}
	h.refuses(403, "auth_error", "POST", "/key/generate", viewer, `{}`)
	var info struct{ Info keyRow }
	if h.read(&info, "GET", "/key/info?key="+others, viewer, ""); info.Info.User != "bob" {
		t.Errorf("a viewer sees %+v", info)
	}

	var made, updated keyRow
	h.read(&made, "POST", "/key/generate", ann, `{"models": ["a"]}`)
	h.read(&updated, "POST", "/key/update", ann, `{"key": "`+made.Token+`", "metadata": {"x": 1}}`)
	if made.User != "ann" || made.CreatedBy != "ann" || updated.Metadata["x"] != 1.0 {
		t.Errorf("ann's own key: %+v, %+v", made, updated)
	}
	h.refuses(403, "scope_exceeds_creator", "POST", "/key/generate", ann, `{"models": ["c"]}`)
	h.refuses(403, "scope_exceeds_creator", "POST", "/key/generate", ann, `{"user_id": "bob"}`)
	h.refuses(403, "scope_exceeds_creator", "POST", "/key/generate", ann, `{"team_id": "t"}`)
	h.refuses(400, "read_only_field", "POST", "/key/generate", ann, `{"spend": 1}`)
	h.refuses(403, "auth_error", "POST", "/key/block", ann, about(made.Key))
	var gone struct {
		Deleted []string `json:"deleted_keys"`
	}
	if h.read(&gone, "POST", "/key/delete", ann, `{"keys": ["`+made.Token+`"]}`); gone.Deleted[0] != made.Token {
		t.Errorf("deleted %v", gone)
	}

	h.read(&updated, "POST", "/key/update", lead, `{"key": "`+teams+`", "max_budget": 5}`)
	h.read(&updated, "POST", "/key/block", lead, about(teams))
	if !updated.Blocked {
		t.Errorf("blocked by the team's admin: %+v", updated)
	}
	h.read(&made, "POST", "/key/service-account/generate", lead, `{"team_id": "t", "key_alias": "robot"}`)
	if made.User != "" || made.Team != "t" {
		t.Errorf("a service account's: %+v", made)
	}
	h.refuses(403, "", "POST", "/key/service-account/generate", ann, `{"team_id": "t"}`)
	var health map[string]any
	if h.read(&health, "POST", "/key/health", ann, ""); health["key"] != "healthy" {
		t.Errorf("health: %v", health)
	}
}

// A former secret works as the same key until its grace period ends; without one it stops at once.
func TestRegenerateKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.key(`{"models": ["echo"], "key_alias": "a", "max_budget": 10}`)
	id := auth.Hash(gateway.Secret(first))
	h.do("POST", "/v1/chat/completions", first, ask("echo", "hi", ""))
	var second, third keyRow
	h.read(&second, "POST", "/key/"+first+"/regenerate", master, `{"grace_period": "1h", "rpm_limit": 100}`)
	if second.Key == first || second.Alias != "a" || second.Token != auth.Hash(gateway.Secret(second.Key)) || second.Rotations != 1 {
		t.Errorf("regenerated: %+v", second)
	}
	for _, secret := range []string{first, second.Key} {
		h.eventually(200, secret)
		var info struct{ Info keyRow }
		if h.read(&info, "GET", "/key/info", secret, ""); info.Info.Alias != "a" || info.Info.Name != second.Name {
			t.Errorf("info of itself: %+v", info)
		}
	}
	h.read(&third, "POST", "/key/regenerate", master, `{"key": "`+second.Token+`", "new_key": "sk-chosen-by-the-owner"}`)
	h.eventually(200, third.Key)
	h.eventually(401, second.Key)
	h.eventually(200, first)
	h.refuses(409, "", "POST", "/key/"+first+"/regenerate", master, "")
	for _, name := range []string{first, second.Key, third.Key, id, third.Token} {
		var info struct{ Info keyRow }
		if h.read(&info, "GET", "/key/info?key="+name, master, ""); info.Info.Alias != "a" || info.Info.Rotations != 2 {
			t.Errorf("info by %s: %+v", name, info)
		}
	}
	for _, e := range h.entries(first, 5) { // one before, one of each of two, one of the third, and one more of the first
		if e.Key != id {
			t.Errorf("an entry is another key's: %+v", e)
		}
	}
	h.read(&third, "POST", "/key/block", master, `{"key": "`+first+`"}`)
	h.eventually(401, first)
	h.eventually(401, third.Key)
}

// eventually waits until a call with the key is answered with a status; a call that is not is not counted.
func (h *house) eventually(status int, key string) {
	h.t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		answer, text := h.do("GET", "/v1/models", key, "")
		if answer.StatusCode == status {
			break
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d %s, want %d", answer.StatusCode, text, status)
		}
	}
	if answer, text := h.do("POST", "/v1/chat/completions", key, ask("echo", "hi", "")); answer.StatusCode != status {
		h.t.Errorf("a call: %d %s, want %d", answer.StatusCode, text, status)
	}
}

func TestConcurrentChangesOfAKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{}`)
	count := func(method func(i int) (*http.Response, string)) map[int]int {
		var all sync.WaitGroup
		got := make([]int, 8)
		for i := range got {
			all.Go(func() { answer, _ := method(i); got[i] = answer.StatusCode })
		}
		all.Wait()
		statuses := map[int]int{}
		for _, status := range got {
			statuses[status]++
		}
		return statuses
	}
	var info struct{ Info keyRow }
	etag := h.read(&info, "GET", "/key/info?key="+key, master, "").Get("ETag")
	updates := count(func(i int) (*http.Response, string) {
		return h.do("POST", "/key/update", master, fmt.Sprintf(`{"key": "%s", "rpm_limit": %d}`, key, i), "If-Match", etag)
	})
	if !cmp.Equal(updates, map[int]int{200: 1, 412: 7}) {
		t.Errorf("updates of one state: %v", updates)
	}
	rotations := count(func(int) (*http.Response, string) { return h.do("POST", "/key/"+key+"/regenerate", master, `{}`) })
	if !cmp.Equal(rotations, map[int]int{200: 1, 409: 7}) {
		t.Errorf("rotations of one secret: %v", rotations)
	}
}

func TestBulkUpdate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.key(`{}`), h.key(`{}`)
	var got struct {
		Total   int `json:"total_requested"`
		Updated []struct {
			Key  string
			Info struct {
				Max json.Number `json:"max_budget"`
			} `json:"key_info"`
		} `json:"successful_updates"`
		Failed []struct {
			Key    string
			Reason string `json:"failed_reason"`
		} `json:"failed_updates"`
	}
	h.read(&got, "POST", "/key/bulk_update", master, `{"keys": [{"key": "`+a+`", "max_budget": 1}, {"key": "sk-nobody-has-this"}, {"max_budget": 1},
		{"key": "`+b+`", "max_budget": -1}, {"key": "`+b+`", "max_budget": 2.5}]}`)
	if got.Total != 5 || len(got.Updated) != 2 || len(got.Failed) != 3 || got.Updated[0].Key != a || got.Updated[1].Info.Max != "2.5" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.Failed[0].Reason, "not found") || !strings.Contains(got.Failed[2].Reason, "max_budget") {
		t.Errorf("reasons: %+v", got.Failed)
	}
}

// The spend of a key is what was booked, and what an owner makes it.
func TestResetSpend(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var made, info struct {
		Key, Token string
		Spend      json.Number
		Info       struct{ Spend json.Number }
	}
	h.read(&made, "POST", "/key/generate", master, `{"spend": 4, "max_budget": 10, "budget_duration": "1d"}`)
	h.read(&info, "GET", "/key/info?key="+made.Key, master, "")
	if made.Spend != "4" || info.Info.Spend != "4" {
		t.Errorf("spend %s, %s", made.Spend, info.Info.Spend)
	}
	var reset map[string]any
	h.read(&reset, "POST", "/key/"+made.Key+"/reset_spend", master, `{"reset_to": 1.5}`, "Litellm-Changed-By", "auditor")
	if reset["key_hash"] != made.Token || reset["spend"] != 1.5 || reset["previous_spend"] != 4.0 || reset["max_budget"] != 10.0 || reset["budget_reset_at"] == nil {
		t.Errorf("reset: %v", reset)
	}
	for r, err := range audit.Select(t.Context(), h.store, audit.Filter{Object: made.Token, Limit: 1}) {
		if err != nil || r.Action != "reset" || r.Actor != "auditor" {
			t.Errorf("%+v, %v", r, err)
		}
	}
	h.refuses(403, "auth_error", "POST", "/key/"+made.Key+"/reset_spend", made.Key, `{"reset_to": 0}`)
}
