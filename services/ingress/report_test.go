package ingress_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

type usageRow struct {
	Model  string      `json:"model"`
	Spend  json.Number `json:"spend"`
	Tokens int64       `json:"total_tokens"`
	Key    string      `json:"api_key"`
}

type reportDay struct {
	Day   string `json:"group_by_day"`
	Teams []struct {
		Name     string      `json:"team_name"`
		Total    json.Number `json:"total_spend"`
		Metadata []usageRow  `json:"metadata"`
	} `json:"teams"`
	Customers []struct {
		Customer string      `json:"customer"`
		Total    json.Number `json:"total_spend"`
		Metadata []usageRow  `json:"metadata"`
	} `json:"customers"`
}

func TestReportByTeam(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	for _, query := range []string{"", "&group_by=team"} {
		got := asks[[]reportDay](h.house, "GET", "/global/spend/report?"+dates+query, master, "")
		if len(got) != 3 || got[1].Day != "2026-11-21T00:00:00+00:00" || len(got[1].Teams) != 2 || got[0].Customers != nil {
			t.Fatalf("%+v", got)
		}
		none, red := got[1].Teams[0], got[1].Teams[1]
		on := func(team string) func(*ledger.Entry) bool {
			return func(e *ledger.Entry) bool { return e.Day() == "2026-11-21" && e.Team == team }
		}
		if none.Name != "Unassigned" || red.Name != "Red team" || nano(t, red.Total) != h.sum(on("red")).Spend || nano(t, none.Total) != h.sum(on("")).Spend {
			t.Errorf("%+v", got[1].Teams)
		}
		var sum gateway.NanoUSD
		for _, u := range red.Metadata {
			part := h.sum(func(e *ledger.Entry) bool { return on("red")(e) && e.Model == u.Model && e.Key == u.Key })
			if sum += nano(t, u.Spend); nano(t, u.Spend) != part.Spend || u.Tokens != part.Total() {
				t.Errorf("%+v, want %+v", u, part)
			}
		}
		if sum != nano(t, red.Total) || len(red.Metadata) != 8 {
			t.Errorf("%d parts add up to %d", len(red.Metadata), sum)
		}
	}
	own := asks[[]reportDay](h.house, "GET", "/global/spend/report?"+dates, h.keys[1], "")
	if len(own) != 3 || len(own[0].Teams) != 1 || own[0].Teams[0].Metadata[0].Key != h.ids[1] {
		t.Errorf("a key's own: %+v", own)
	}
}

func TestReportByCustomer(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	got := asks[[]reportDay](h.house, "GET", "/global/spend/report?group_by=customer&"+dates, master, "")
	if len(got) != 3 || len(got[0].Customers) != 1 || got[0].Customers[0].Customer != "acme" {
		t.Fatalf("%+v", got)
	}
	want := h.sum(func(e *ledger.Entry) bool { return e.Customer == "acme" && e.Day() == "2026-11-20" })
	if c := got[0].Customers[0]; nano(t, c.Total) != want.Spend || len(c.Metadata) != 6 {
		t.Errorf("%+v, want %d", c, want.Spend)
	}
	own := asks[[]reportDay](h.house, "GET", "/global/spend/report?group_by=customer&"+dates, h.keys[2], "")
	for _, u := range own[0].Customers[0].Metadata {
		if u.Key != h.ids[2] {
			t.Errorf("a key sees %+v", u)
		}
	}
}

func TestReportByKey(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type details struct {
		Model  string      `json:"model"`
		Cost   json.Number `json:"total_cost"`
		Input  int64       `json:"total_input_tokens"`
		Output int64       `json:"total_output_tokens"`
	}
	type report struct {
		Key    string      `json:"api_key"`
		Cost   json.Number `json:"total_cost"`
		Input  int64       `json:"total_input_tokens"`
		Output int64       `json:"total_output_tokens"`
		Models []details   `json:"model_details"`
	}
	for query, c := range map[string]struct {
		key string
		n   int
	}{
		"&group_by=api_key": {master, 3}, "&api_key=" + h.keys[1]: {master, 1}, "&internal_user_id=ann": {master, 1}, "&internal_user_id=bob": {master, 0},
		"&group_by=api_key&x": {h.keys[0], 1},
	} {
		got := asks[[]report](h.house, "GET", "/global/spend/report?"+dates+query, c.key, "")
		if len(got) != c.n {
			t.Errorf("%s: %d keys, want %d", query, len(got), c.n)
		}
		for _, one := range got {
			want := h.sum(func(e *ledger.Entry) bool { return e.Key == one.Key })
			if nano(t, one.Cost) != want.Spend || one.Input != want.InputTokens || one.Output != want.OutputTokens || len(one.Models) != 4 {
				t.Errorf("%s: %+v, want %+v", query, one, want)
			}
			model := h.sum(func(e *ledger.Entry) bool { return e.Key == one.Key && e.Model == "model-2" })
			if diff := cmp.Diff(details{"model-2", json.Number(model.Spend.String()), model.InputTokens, model.OutputTokens}, one.Models[2]); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestGlobalSpend(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	all := h.sum(nil)
	for key, want := range map[string]gateway.NanoUSD{master: all.Spend, h.keys[1]: h.sum(h.of(1)).Spend} {
		got := asks[struct {
			Spend json.Number
			Max   json.Number `json:"max_budget"`
		}](h.house, "GET", "/global/spend", key, "")
		if nano(t, got.Spend) != want || got.Max == "" {
			t.Errorf("%+v, want %d", got, want)
		}
	}
	type ranked struct {
		Key      string      `json:"api_key"`
		Alias    *string     `json:"key_alias"`
		Model    string      `json:"model"`
		Provider string      `json:"provider"`
		Date     string      `json:"date"`
		Total    json.Number `json:"total_spend"`
		Spend    json.Number `json:"spend"`
	}
	lately := "?" + dates
	for path, name := range map[string]func(ranked) (json.Number, func(*ledger.Entry) bool){
		"keys": func(r ranked) (json.Number, func(*ledger.Entry) bool) {
			return r.Total, func(e *ledger.Entry) bool { return e.Key == r.Key }
		},
		"models": func(r ranked) (json.Number, func(*ledger.Entry) bool) {
			return r.Total, func(e *ledger.Entry) bool { return e.Model == r.Model }
		},
		"provider": func(r ranked) (json.Number, func(*ledger.Entry) bool) {
			return r.Spend, func(e *ledger.Entry) bool { return e.Provider == r.Provider }
		},
		"logs": func(r ranked) (json.Number, func(*ledger.Entry) bool) {
			return r.Spend, func(e *ledger.Entry) bool { return e.Day() == r.Date }
		},
	} {
		var sum gateway.NanoUSD
		rows := asks[[]ranked](h.house, "GET", "/global/spend/"+path+lately, master, "")
		for _, r := range rows {
			got, chosen := name(r)
			if sum += nano(t, got); nano(t, got) != h.sum(chosen).Spend {
				t.Errorf("%s: %+v, want %d", path, r, h.sum(chosen).Spend)
			}
		}
		if sum != all.Spend {
			t.Errorf("%s: the rows add up to %d, want %d", path, sum, all.Spend)
		}
	}
	if rows := asks[[]ranked](h.house, "GET", "/global/spend/keys"+lately+"&limit=1", master, ""); len(rows) != 1 {
		t.Errorf("limit=1 gives %d rows", len(rows))
	}
	if rows := asks[[]ranked](h.house, "GET", "/global/spend/keys"+lately, h.keys[0], ""); len(rows) != 1 || rows[0].Alias == nil || *rows[0].Alias != "first" {
		t.Errorf("a key's own: %+v", rows)
	}
}

func TestGlobalTeams(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	got := h.get("/global/spend/teams?"+dates, master)
	if diff := cmp.Diff([]any{"Red team", "Unassigned"}, got["teams"]); diff != "" {
		t.Error(diff)
	}
	daily, totals := got.list("daily_spend"), got.list("total_spend_per_team")
	if len(daily) != 3 || daily[0]["date"] != "2026-11-20" || daily[0]["Red team"] == nil || len(totals) != 2 || totals[0]["team_id"] != "red" {
		t.Errorf("%v", got)
	}
	red := h.sum(func(e *ledger.Entry) bool { return e.Team == "red" })
	if totals[0]["total_spend"] != red.Spend.Dollars() {
		t.Errorf("%v, want %s", totals, red.Spend)
	}
}

func TestSpendTags(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type tagRow struct {
		Tag   string      `json:"individual_request_tag"`
		Name  string      `json:"name"`
		Count int64       `json:"log_count"`
		Total json.Number `json:"total_spend"`
		Spend json.Number `json:"spend"`
	}
	odd := h.sum(func(e *ledger.Entry) bool { return e.Tags[1] == "tag1" })
	for query, c := range map[string]struct {
		key  string
		want []string
	}{
		"": {master, []string{"all", "tag0", "tag1"}}, "tags=tag1": {master, []string{"tag1"}}, "tags=all-tags": {master, []string{"all", "tag0", "tag1"}},
		"start_date=2026-12-01": {master, nil}, "x": {h.keys[0], []string{"all", "tag0", "tag1"}},
	} {
		rows := asks[[]tagRow](h.house, "GET", "/spend/tags?"+query, c.key, "")
		ui := asks[map[string][]tagRow](h.house, "GET", "/global/spend/tags?"+query, c.key, "")["spend_per_tag"]
		var names []string
		for i, r := range rows {
			names = append(names, r.Tag)
			if ui[i].Name != r.Tag || ui[i].Spend != r.Total || ui[i].Count != r.Count {
				t.Errorf("%s: %+v and %+v", query, r, ui[i])
			}
			if r.Tag == "tag1" && c.key == master && (nano(t, r.Total) != odd.Spend || r.Count != odd.Attempts) {
				t.Errorf("%+v, want %+v", r, odd)
			}
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestSpendOfKeysAndUsers(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type spender struct {
		Token string      `json:"token"`
		Alias string      `json:"key_alias"`
		User  string      `json:"user_id"`
		Spend json.Number `json:"spend"`
	}
	unused := h.key(`{"key_alias":"unused"}`)
	rows := asks[[]spender](h.house, "GET", "/spend/keys", master, "")
	var sum gateway.NanoUSD
	for _, r := range rows {
		sum += nano(t, r.Spend)
	}
	if len(rows) != 4 || sum != h.sum(nil).Spend || rows[3].Alias != "unused" || nano(t, rows[0].Spend) < nano(t, rows[1].Spend) {
		t.Errorf("%+v", rows)
	}
	h.post("/key/delete", master, `{"keys":["`+h.keys[2]+`"]}`)
	if rows := asks[[]spender](h.house, "GET", "/spend/keys?limit=3", master, ""); len(rows) != 3 {
		t.Errorf("%+v", rows)
	}
	if rows := asks[[]spender](h.house, "GET", "/spend/keys", unused, ""); len(rows) != 1 || rows[0].Alias != "unused" {
		t.Errorf("a key's own: %+v", rows)
	}
	users := asks[[]spender](h.house, "GET", "/spend/users?user_id="+url.QueryEscape("ann"), master, "")
	if len(users) != 1 || users[0].User != "ann" || nano(t, users[0].Spend) != h.sum(h.of(0)).Spend {
		t.Errorf("%+v", users)
	}
	if users := asks[[]spender](h.house, "GET", "/spend/users", h.keys[0], ""); len(users) != 1 || users[0].User != "ann" {
		t.Errorf("a key's own: %+v", users)
	}
}

// Without dates the rankings and days are those of the last thirty days.
func TestGlobalLately(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, at := range []time.Time{time.Now(), time.Now().AddDate(0, 0, -29), time.Now().AddDate(0, 0, -31)} {
		h.spend(ledger.Entry{ID: string(rune('a' + i)), Key: "k", Model: "m", Provider: "p", Cost: 1 << i, Started: at.UnixMicro()})
	}
	for path, field := range map[string]string{"models": "total_spend", "provider": "spend", "keys": "total_spend"} {
		rows := asks[[]map[string]json.RawMessage](h, "GET", "/global/spend/"+path, master, "")
		if len(rows) != 1 || nano(t, json.Number(rows[0][field])) != 3 {
			t.Errorf("%s: %s", path, rows)
		}
	}
}
