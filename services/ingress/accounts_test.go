package ingress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue/memqueue"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store"
)

// row is a JSON object as it was answered.
type row map[string]any

// asks sends a request that must be answered with 200 and returns the answer, whatever it is.
func asks[T any](h *house, method, path, key, body string, header ...string) (v T) {
	h.t.Helper()
	answer, text := h.do(method, path, key, body, header...)
	if err := json.Unmarshal([]byte(text), &v); err != nil || answer.StatusCode != 200 {
		h.t.Fatalf("%s %s %s: %d %s", method, path, body, answer.StatusCode, text)
	}
	return v
}

func (h *house) post(path, key, body string) row {
	h.t.Helper()
	return asks[row](h, "POST", path, key, body)
}
func (h *house) get(path, key string) row { h.t.Helper(); return asks[row](h, "GET", path, key, "") }

// refused sends a request that must be refused.
func (h *house) refused(status int, typ, param, method, path, key, body string) {
	h.t.Helper()
	answer, text := h.do(method, path, key, body)
	f := parseFault(h.t, text)
	got := ""
	if f.Error.Param != nil {
		got = *f.Error.Param
	}
	if answer.StatusCode != status || f.Error.Type != typ || got != param || f.Error.Code == "" {
		h.t.Errorf("%s %s %.200s: %d, type %s, param %q; want %d, %s, %q: %s", method, path, body, answer.StatusCode, f.Error.Type, got, status, typ, param, text)
	}
}

// has compares parts of a row.
func (r row) has(t *testing.T, want row) {
	t.Helper()
	for name, value := range want {
		if !reflect.DeepEqual(r[name], value) {
			t.Errorf("%s is %#v, want %#v", name, r[name], value)
		}
	}
}

func (r row) sub(name string) row { sub, _ := r[name].(map[string]any); return sub }

func (r row) list(name string) (rows []row) {
	items, _ := r[name].([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		rows = append(rows, m)
	}
	return rows
}

func (h *house) user(fields string) (id, key string) {
	h.t.Helper()
	made := h.post("/user/new", master, fields)
	id, _ = made["user_id"].(string)
	key, _ = made["key"].(string)
	return id, key
}

// spend books what somebody has spent.
func (h *house) spend(e ledger.Entry) {
	h.t.Helper()
	books := &ledger.Booker{Store: h.store.Store, Now: time.Now, Events: &event.Sender{Store: h.store.Store, Now: time.Now}}
	if err := books.Book(h.t.Context(), []ledger.Entry{e}); err != nil {
		h.t.Fatal(err)
	}
}

// audits are the records that a query selects, the newest first.
func (h *house) audits(query string) []row {
	h.t.Helper()
	return h.get("/audit?size=100&"+query, master).list("audit_logs")
}

// Bad values are refused everywhere alike, with the field's name and without a trace.
func TestAccountBadFields(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/user/new", master, `{"user_id": "u"}`)
	h.post("/team/new", master, `{"team_id": "t"}`)
	h.post("/organization/new", master, `{"organization_id": "o"}`)
	h.post("/customer/new", master, `{"user_id": "c"}`)
	h.post("/tag/new", master, `{"name": "g"}`)
	h.post("/budget/new", master, `{"budget_id": "b"}`)
	before := h.get("/audit", master)["total"]
	routes := map[string]string{ // to the field that names one
		"/user/new": "", "/user/update": `"user_id": "u", `, "/team/new": "", "/team/update": `"team_id": "t", `, "/organization/new": "",
		"/organization/update": `"organization_id": "o", `, "/customer/new": `"user_id": "c2", `, "/customer/update": `"user_id": "c", `,
		"/end_user/update": `"user_id": "c", `, "/tag/new": `"name": "g2", `, "/tag/update": `"name": "g", `, "/budget/new": "",
		"/budget/update": `"budget_id": "b", `,
	}
	for field, values := range map[string][]string{
		"max_budget":       {`-1`, `"NaN"`, `1e308`, `0.1234567890123456789`, `"10 USD"`, `[]`, `1000000001`},
		"soft_budget":      {`-0.1`, `true`},
		"budget_duration":  {`"1y"`, `""`, `"-1d"`, `30`, `"99999999999d"`},
		"tpm_limit":        {`-1`, `1.5`, `"5"`, `1e400`},
		"rpm_limit":        {`-1`, `9223372036854775808`},
		"model_max_budget": {`{"m": 1}`, `[]`},
		"budget_limits":    {`[{}]`, `{}`},
	} {
		for _, value := range values {
			for path, who := range routes {
				h.refused(400, "invalid_request_error", field, "POST", path, master, `{`+who+`"`+field+`": `+value+`}`)
			}
		}
	}
	for path, who := range routes {
		h.refused(400, "invalid_request_error", "tenant_id", "POST", path, master, `{`+who+`"tenant_id": "x"}`)
		h.refused(400, "invalid_request_error", "role", "POST", path, master, `{`+who+`"role": "x"}`)
		h.refused(400, "invalid_request_error", "created_at", "POST", path, master, `{`+who+`"created_at": "2020-01-01"}`)
		h.refused(400, "invalid_request_error", "", "POST", path, master, `[]`)
		h.refused(400, "invalid_request_error", "", "POST", path, master, ``)
	}
	if after := h.get("/audit", master)["total"]; after != before {
		t.Errorf("%v records before, %v after", before, after)
	}
}

// Whoever is not there is 404, whoever is not named 400, and whoever exists cannot be made again.
func TestAccountIDs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/user/new", master, `{"user_id": "u", "user_email": "u@x.example"}`)
	h.post("/team/new", master, `{"team_id": "t"}`)
	h.post("/organization/new", master, `{"organization_id": "o"}`)
	h.post("/customer/new", master, `{"user_id": "c"}`)
	h.post("/tag/new", master, `{"name": "g"}`)
	h.post("/budget/new", master, `{"budget_id": "b"}`)
	for _, c := range []struct {
		status                         int
		typ, param, method, path, body string
	}{
		{409, "bad_request_error", "user_id", "POST", "/user/new", `{"user_id": "u"}`},
		{409, "bad_request_error", "user_email", "POST", "/user/new", `{"user_email": "U@x.example"}`},
		{400, "bad_request_error", "team_id", "POST", "/team/new", `{"team_id": "t"}`},
		{400, "bad_request_error", "organization_id", "POST", "/organization/new", `{"organization_id": "o"}`},
		{400, "bad_request_error", "user_id", "POST", "/customer/new", `{"user_id": "c"}`},
		{400, "bad_request_error", "name", "POST", "/tag/new", `{"name": "g"}`},
		{400, "bad_request_error", "budget_id", "POST", "/budget/new", `{"budget_id": "b"}`},

		{404, "not_found_error", "user_id", "POST", "/user/update", `{"user_id": "no"}`},
		{404, "not_found_error", "user_email", "POST", "/user/update", `{"user_email": "no@x.example"}`},
		{404, "not_found_error", "user_id", "POST", "/user/delete", `{"user_ids": ["u", "no"]}`},
		{404, "not_found_error", "user_id", "GET", "/user/info?user_id=no", ``},
		{404, "not_found_error", "user_id", "GET", "/v2/user/info?user_id=no", ``},
		{404, "not_found_error", "team_id", "POST", "/user/new", `{"teams": ["no"]}`},
		{404, "not_found_error", "team_id", "POST", "/team/update", `{"team_id": "no"}`},
		{404, "not_found_error", "team_id", "POST", "/team/delete", `{"team_ids": ["t", "no"]}`},
		{404, "not_found_error", "team_id", "POST", "/team/block", `{"team_id": "no"}`},
		{404, "not_found_error", "team_id", "POST", "/team/unblock", `{"team_id": "no"}`},
		{404, "not_found_error", "team_id", "GET", "/team/info?team_id=no", ``},
		{404, "not_found_error", "team_id", "GET", "/team/permissions_list?team_id=no", ``},
		{404, "not_found_error", "team_id", "POST", "/team/member_add", `{"team_id": "no", "member": {"user_id": "u"}}`},
		{404, "not_found_error", "user_id", "POST", "/team/member_update", `{"team_id": "t", "user_id": "u"}`},
		{404, "not_found_error", "user_id", "POST", "/team/member_delete", `{"team_id": "t", "user_id": "no"}`},
		{404, "not_found_error", "user_id", "POST", "/team/member_delete", `{"team_id": "t", "user_email": "no@x.example"}`},
		{404, "not_found_error", "team_id", "POST", "/team/model/add", `{"team_id": "no", "models": []}`},
		{404, "not_found_error", "organization_id", "PATCH", "/organization/update", `{"organization_id": "no"}`},
		{404, "not_found_error", "organization_id", "DELETE", "/organization/delete", `{"organization_ids": ["no"]}`},
		{404, "not_found_error", "organization_id", "GET", "/organization/info?organization_id=no", ``},
		{404, "not_found_error", "user_id", "PATCH", "/organization/member_update", `{"organization_id": "o", "user_id": "u"}`},
		{404, "not_found_error", "user_id", "POST", "/customer/update", `{"user_id": "no"}`},
		{404, "not_found_error", "user_id", "POST", "/customer/delete", `{"user_ids": ["no"]}`},
		{404, "not_found_error", "user_id", "POST", "/customer/unblock", `{"user_ids": ["c", "no"]}`},
		{404, "not_found_error", "user_id", "GET", "/end_user/info?end_user_id=no", ``},
		{404, "not_found_error", "name", "POST", "/tag/update", `{"name": "no"}`},
		{404, "not_found_error", "name", "POST", "/tag/delete", `{"name": "no"}`},
		{404, "not_found_error", "name", "POST", "/tag/info", `{"names": ["no"]}`},
		{404, "not_found_error", "budget_id", "POST", "/budget/update", `{"budget_id": "no"}`},
		{404, "not_found_error", "budget_id", "POST", "/budget/delete", `{"id": "no"}`},
		{404, "not_found_error", "budget_id", "GET", "/budget/settings?budget_id=no", ``},

		{400, "bad_request_error", "organization_id", "POST", "/team/new", `{"organization_id": "no"}`},
		{400, "bad_request_error", "budget_id", "POST", "/team/new", `{"budget_id": "no"}`},
		{400, "bad_request_error", "budget_id", "POST", "/user/update", `{"user_id": "u", "budget_id": "no"}`},

		{400, "invalid_request_error", "user_id", "POST", "/user/update", `{"user_alias": "x"}`},
		{400, "invalid_request_error", "user_ids", "POST", "/user/delete", `{"user_ids": []}`},
		{400, "invalid_request_error", "user_ids", "POST", "/user/delete", `{"user_ids": "u"}`},
		{400, "invalid_request_error", "team_id", "POST", "/team/update", `{}`},
		{400, "invalid_request_error", "team_id", "GET", "/team/info", ``},
		{400, "invalid_request_error", "member", "POST", "/team/member_add", `{"team_id": "t"}`},
		{400, "invalid_request_error", "member", "POST", "/team/member_add", `{"team_id": "t", "member": "u"}`},
		{400, "invalid_request_error", "user_id", "POST", "/team/member_add", `{"team_id": "t", "member": {"role": "user"}}`},
		{400, "invalid_request_error", "role", "POST", "/team/member_add", `{"team_id": "t", "member": {"role": "god", "user_id": "u"}}`},
		{400, "invalid_request_error", "max_budget_in_team", "POST", "/team/member_add", `{"team_id": "t", "max_budget_in_team": -1, "member": {"user_id": "u"}}`},
		{400, "invalid_request_error", "organization_id", "GET", "/organization/info", ``},
		{400, "invalid_request_error", "max_budget_in_organization", "POST", "/organization/member_add", `{"organization_id": "o", "max_budget_in_organization": 1, "member": {"user_id": "u"}}`},
		{400, "invalid_request_error", "user_id", "POST", "/customer/new", `{}`},
		{400, "invalid_request_error", "budget_id", "POST", "/customer/new", `{"user_id": "c3", "max_budget": 1, "budget_id": "b"}`},
		{400, "invalid_request_error", "end_user_id", "GET", "/customer/info", ``},
		{400, "invalid_request_error", "name", "POST", "/tag/new", `{}`},
		{400, "invalid_request_error", "budget_id", "POST", "/budget/update", `{"max_budget": 1}`},
		{400, "invalid_request_error", "budgets", "POST", "/budget/info", `{"budgets": []}`},
		{400, "invalid_request_error", "id", "POST", "/budget/delete", `{}`},
		{400, "invalid_request_error", "budget_id", "GET", "/budget/settings", ``},
		{400, "invalid_request_error", "user_id", "POST", "/user/new", `{"user_id": "` + strings.Repeat("x", 201) + `"}`},
		{400, "invalid_request_error", "team_id", "POST", "/team/new", `{"team_id": "a\u0000b"}`},
		{400, "invalid_request_error", "team_id", "POST", "/team/new", `{"team_id": "a\nb"}`},
		{400, "invalid_request_error", "team_id", "POST", "/team/new", `{"team_id": 7}`},
		{400, "invalid_request_error", "user_role", "POST", "/user/new", `{"user_role": "root"}`},
		{400, "invalid_request_error", "user_alias", "POST", "/user/new", `{"user_alias": "` + strings.Repeat("x", 10<<10) + `"}`},
		{400, "invalid_request_error", "auto_create_key", "POST", "/user/new", `{"auto_create_key": "no"}`},
		{400, "invalid_request_error", "teams", "POST", "/user/new", `{"teams": [7]}`},
		{400, "invalid_request_error", "page", "GET", "/user/list?page=0", ``},
		{400, "invalid_request_error", "page_size", "GET", "/user/list?page_size=1000", ``},
		{400, "invalid_request_error", "sort_by", "GET", "/user/list?sort_by=password", ``},
		{400, "invalid_request_error", "role", "GET", "/user/list?role=root", ``},
		{400, "invalid_request_error", "user_email", "GET", "/user/list?role=internal_user&user_email=a", ``},
		{400, "invalid_request_error", "organization_id", "GET", "/v2/team/list?user_id=u&organization_id=o", ``},
		{400, "invalid_request_error", "start_date", "GET", "/audit?start_date=yesterday", ``},
		{400, "invalid_request_error", "table", "GET", "/audit?table=user&actor=a", ``},
	} {
		h.refused(c.status, c.typ, c.param, c.method, c.path, master, c.body)
	}
	if total := h.get("/user/list", master)["total"]; total != 1. {
		t.Errorf("%v users: a refused request left some", total)
	}
	if total := h.get("/key/list", master)["total_count"]; total != 1. {
		t.Errorf("%v keys: a refused request left some", total)
	}
}

// Routes that a key may never use are 403, whoever it belongs to.
func TestAccountRoutesByRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, user := h.user(`{"user_id": "u"}`)
	_, viewer := h.user(`{"user_id": "v", "user_role": "proxy_admin_viewer"}`)
	_, second := h.user(`{"user_id": "a", "user_role": "proxy_admin"}`)
	change := []string{
		"/user/new", "/user/delete", "/organization/new", "/organization/update", "/organization/delete", "/budget/new", "/budget/update",
		"/budget/delete", "/customer/new", "/customer/update", "/customer/delete", "/customer/block", "/customer/unblock", "/end_user/new",
		"/tag/new", "/tag/update", "/tag/delete",
	}
	for _, path := range change {
		h.refused(403, "auth_error", "route", "POST", path, user, `{}`)
		h.refused(403, "auth_error", "route", "POST", path, viewer, `{}`)
		h.refused(401, "auth_error", "", "POST", path, "", `{}`)
	}
	see := []string{"/user/list", "/budget/list", "/customer/list", "/end_user/list", "/tag/list", "/audit"}
	for _, path := range see {
		h.refused(403, "auth_error", "route", "GET", path, user, ``)
		asks[any](h, "GET", path, viewer, "")
		asks[any](h, "GET", path, second, "")
	}
	h.refused(403, "auth_error", "route", "POST", "/team/new", user, `{}`)
	h.refused(403, "auth_error", "route", "POST", "/team/new", viewer, `{}`)
	h.post("/team/new", second, `{"team_id": "t"}`)
	h.refused(403, "auth_error", "route", "POST", "/team/update", viewer, `{"team_id": "t", "max_budget": 1}`)
	h.get("/team/info?team_id=t", viewer)
	h.get("/user/info?user_id=u", viewer)
	asks[[]row](h, "POST", "/budget/info", viewer, `{"budgets": ["x"]}`)
}

// connection fails once it is broken.
type connection struct {
	store.Store
	left atomic.Int64 // transactions until it breaks; negative: never
}

var errBroken = errors.New("the connection broke")

func (c *connection) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if left := c.left.Add(-1); left == -1 {
		c.left.Store(0)
		return errBroken
	} else if left < -1 {
		c.left.Store(-1 << 40)
	}
	return c.Store.Tx(ctx, fn)
}

// over is the house with an ingress of its own that reaches the store through another one.
func (h *house) over(s store.Store, owner config.Settings) *house {
	h.t.Helper()
	log := slog.New(slog.DiscardHandler)
	front := httptest.NewServer(ingress.New(ingress.Config{
		Engine: engine.Engine{Store: s, Queue: memqueue.New(nil), Bucket: memblob.New()}, Now: time.Now, Log: log, Owner: owner,
		Auth: auth.New(h.store, master, time.Now, log), Router: new(routing.Router),
	}).Handler())
	h.t.Cleanup(front.Close)
	return h.at(front.URL)
}

// A deletion that breaks off anywhere can be repeated until it is done, and leaves nothing behind.
func TestDeletionsAreRepeated(t *testing.T) {
	t.Parallel()
	for breaks := range 9 {
		t.Run(fmt.Sprint(breaks), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			link := &connection{Store: h.store.Store}
			link.left.Store(-1 << 40)
			h = h.in(t).over(link, config.Settings{})
			h.post("/organization/new", master, `{"organization_id": "o"}`)
			h.post("/team/new", master, `{"team_id": "t", "organization_id": "o", "members_with_roles": [{"user_id": "u"}, {"user_id": "w"}]}`)
			h.post("/organization/member_add", master, `{"organization_id": "o", "member": {"user_id": "u", "role": "org_admin"}}`)
			keys := []string{h.key(`{"user_id": "u"}`), h.key(`{"team_id": "t"}`), h.key(`{"user_id": "u", "team_id": "t"}`), h.key(`{"organization_id": "o"}`)}
			for path, body := range map[string]string{"/user/delete": `{"user_ids": ["u"]}`, "/organization/delete": `{"organization_ids": ["o"]}`} {
				link.left.Store(int64(breaks))
				answer, _ := h.do("POST", path, master, body)
				for tries := 0; answer.StatusCode != 200 && tries < 3; tries++ {
					link.left.Store(-1 << 40)
					answer, _ = h.do("POST", path, master, body)
					if answer.StatusCode == 404 {
						break // all was done but the answer
					}
				}
				link.left.Store(-1 << 40)
			}
			for _, key := range keys {
				if answer, text := h.do("GET", "/v1/models", key, ""); answer.StatusCode != 401 {
					t.Errorf("a key of who is gone: %d %s", answer.StatusCode, text)
				}
			}
			h.refused(404, "not_found_error", "team_id", "GET", "/team/info?team_id=t", master, "")
			h.post("/team/new", master, `{"team_id": "t"}`)
			if members := h.get("/team/info?team_id=t", master).sub("team_info")["members_with_roles"]; len(members.([]any)) != 0 {
				t.Errorf("members of the team before: %v", members)
			}
			h.refused(404, "not_found_error", "user_id", "POST", "/user/delete", master, `{"user_ids": ["u"]}`)
		})
	}
}
