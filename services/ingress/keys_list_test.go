package ingress_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// listed is an answer of /key/list; names are aliases, or hashes where rows were not asked for.
type listed struct {
	Keys  []json.RawMessage
	Total int `json:"total_count"`
	Page  int `json:"current_page"`
	Pages int `json:"total_pages"`
}

func (l listed) aliases(t *testing.T) (names []string) {
	t.Helper()
	for _, raw := range l.Keys {
		var r keyRow
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		names = append(names, r.Alias)
	}
	return names
}

func TestListKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann, lead, viewer := h.people()
	h.seed(account.Account{Kind: account.User, ID: "only", Role: gateway.RoleUserViewer})
	only := h.key(`{"user_id": "only", "key_alias": "only's"}`)
	for _, fields := range []string{
		`{"key_alias": "k1", "user_id": "ann", "max_budget": 3}`, `{"key_alias": "k2", "user_id": "ann", "team_id": "t", "max_budget": 1}`,
		`{"key_alias": "k3", "team_id": "t", "max_budget": 2, "project_id": "p"}`, `{"key_alias": "k4", "organization_id": "o", "access_group_ids": ["g"]}`,
		`{"key_alias": "k5", "user_id": "bob", "team_id": "t"}`,
	} {
		h.key(fields)
	}
	gone := h.key(`{"user_id": "bob"}`)
	h.do("POST", "/key/delete", master, `{"keys": ["`+gone+`"]}`)
	k3 := h.key(`{"key_alias": "k6", "user_id": "lead"}`)
	for _, c := range []struct {
		who, query string
		want       []string // aliases
	}{
		{master, "team_id=t", []string{"k5", "k3", "k2"}}, {master, "team_id=t&sort_order=asc", []string{"k2", "k3", "k5"}},
		{master, "team_id=t&sort_by=max_budget", []string{"k3", "k2", "k5"}}, {master, "team_id=t&sort_by=key_alias&sort_order=asc", []string{"k2", "k3", "k5"}},
		{master, "team_id=t&user_id=ann", []string{"k2"}}, {master, "organization_id=o", []string{"k4"}}, {master, "key_alias=k3", []string{"k3"}},
		{master, "key_alias=k", nil}, {master, "key_alias=%25", nil}, {master, "project_id=p", []string{"k3"}}, {master, "access_group_id=g", []string{"k4"}},
		{master, "key_hash=" + auth.Hash(gateway.Secret(k3)), []string{"k6"}}, {master, "key_hash=" + auth.Hash("sk-none"), nil},
		{master, "user_id=lead&include_team_keys=True&size=3", []string{"k6", "k5", "k3"}}, {master, "user_id=bob&status=deleted", []string{""}},
		{viewer, "user_id=ann&team_id=t", []string{"k2"}}, {ann, "", []string{"k2", "k1", ""}}, {ann, "include_team_keys=true", []string{"k2", "k1", ""}},
		{ann, "team_id=t", []string{"k2"}}, {lead, "team_id=t", []string{"k5", "k3", "k2"}},
		{lead, "include_team_keys=true", []string{"k6", "k5", "k3", "k2", ""}}, {only, "", []string{"only's"}},
		{ann, "key_hash=" + auth.Hash(gateway.Secret(k3)), nil},
		{master, "user_id=master&include_created_by_keys=true&size=2", []string{"k6", "k5"}},
	} {
		var got listed
		h.read(&got, "GET", "/key/list?return_full_object=True&"+c.query, c.who, "")
		if names := got.aliases(t); !cmp.Equal(names, c.want) {
			t.Errorf("%s: %v, want %v", c.query, names, c.want)
		}
	}
	var all []string
	for page := 1; page <= 4; page++ {
		var got struct {
			Keys  []string
			Total int `json:"total_count"`
			Pages int `json:"total_pages"`
		}
		h.read(&got, "GET", fmt.Sprintf("/key/list?page=%d&size=3", page), master, "")
		if all = append(all, got.Keys...); got.Total != 10 || got.Pages != 4 {
			t.Errorf("page %d: %+v", page, got)
		}
	}
	if slices.Sort(all); len(slices.Compact(all)) != 10 {
		t.Errorf("the pages have %d keys", len(all))
	}
	var rows listed
	h.read(&rows, "GET", "/key/list?user_id=ann&size=1&expand=user", master, "")
	if !strings.Contains(string(rows.Keys[0]), `"user_role":"internal_user"`) {
		t.Errorf("expanded: %s", rows.Keys[0])
	}
}

func TestKeyAliases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann, _, _ := h.people()
	for _, alias := range []string{"zeta", "100%", "Alpha", "alpha_2", "a.c"} {
		h.key(`{"key_alias": "` + alias + `"}`)
	}
	h.key(`{"key_alias": "hers", "user_id": "ann"}`)
	for _, c := range []struct {
		who, query string
		want       []string
		total      int
	}{
		{master, "", []string{"100%", "Alpha", "a.c", "alpha_2", "hers", "zeta"}, 6}, {master, "?search=ALPHA", []string{"Alpha", "alpha_2"}, 2},
		{master, "?search=%25", []string{"100%"}, 1}, {master, "?search=_", []string{"alpha_2"}, 1}, {master, "?search=.*", []string{}, 0},
		{master, "?search=a.c", []string{"a.c"}, 1}, {master, "?size=2&page=2", []string{"a.c", "alpha_2"}, 6}, {ann, "", []string{"hers"}, 1},
	} {
		var got struct {
			Aliases []string
			Total   int `json:"total_count"`
			Size    int
		}
		h.read(&got, "GET", "/key/aliases"+c.query, c.who, "")
		if !cmp.Equal(got.Aliases, c.want) || got.Total != c.total || got.Size == 0 {
			t.Errorf("%q: %+v, want %v", c.query, got, c.want)
		}
	}
	h.refuses(403, "", "GET", "/key/aliases", h.key(`{}`), "")
}
