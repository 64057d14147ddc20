package ingress_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// ledgerDay is when the entries of book begin.
var ledgerDay = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// spenders are three keys: one of a user in a team, one of the team alone, one of nobody. sums adds up what book has booked.
type spenders struct {
	*house
	keys    [3]string
	ids     [3]string
	entries []ledger.Entry
}

// newSpenders has booked 60 entries over three days, 20 of each key.
func newSpenders(t *testing.T) *spenders {
	t.Helper()
	h := &spenders{house: newHouse(t)}
	h.post("/team/new", master, `{"team_id":"red","team_alias":"Red team"}`)
	h.user(`{"user_id":"ann","auto_create_key":false}`)
	h.keys = [3]string{
		h.key(`{"key_alias":"first","user_id":"ann","team_id":"red"}`), h.key(`{"key_alias":"second","team_id":"red"}`), h.key(`{}`),
	}
	for i, key := range h.keys {
		h.ids[i] = auth.Hash(gateway.Secret(key))
	}
	for n := range 60 {
		k := n % 3
		e := ledger.Entry{
			ID: fmt.Sprintf("entry-%02d", n), CallID: fmt.Sprintf("call-%02d", n/2*2), Try: n % 2, Key: h.ids[k], KeyAlias: []string{"first", "second", ""}[k],
			User: []string{"ann", "", ""}[k], Team: []string{"red", "red", ""}[k], Customer: []string{"", "acme"}[n%2], Tags: []string{"all", fmt.Sprint("tag", n%2)},
			Op: gateway.OpChat, Model: fmt.Sprint("model-", n%4), Provider: fmt.Sprint("vendor-", n%2), Vendor: "v", Outcome: gateway.BilledActual,
			Usage: gateway.Usage{InputTokens: 100, CachedTokens: 40, OutputTokens: int64(n), Source: gateway.UsageReported}, Cost: gateway.NanoUSD(1_000_000 + n),
			Started: ledgerDay.Add(time.Duration(n) * 72 * time.Minute).UnixMicro(),
		}
		e.Ended = e.Started + 1000
		if n%10 == 9 {
			e.Outcome, e.Cost, e.Error = gateway.Rejected, 0, "rate_limit"
		}
		h.entries = append(h.entries, e)
	}
	books := &ledger.Booker{Store: h.store.Store, Now: time.Now, Events: &event.Sender{Store: h.store.Store, Now: time.Now}}
	if err := books.Book(t.Context(), h.entries); err != nil {
		t.Fatal(err)
	}
	return h
}

// sum adds up what was booked and is chosen.
func (h *spenders) sum(chosen func(*ledger.Entry) bool) (s ledger.Sums) {
	for i := range h.entries {
		if chosen == nil || chosen(&h.entries[i]) {
			s.Count(&h.entries[i])
		}
	}
	return s
}

func (h *spenders) of(k int) func(*ledger.Entry) bool {
	return func(e *ledger.Entry) bool { return e.Key == h.ids[k] }
}

// nano reads an amount exactly.
func nano(t *testing.T, amount json.Number) gateway.NanoUSD {
	t.Helper()
	n, err := gateway.ParseUSD(amount.String())
	if err != nil {
		t.Fatalf("%q: %v", amount, err)
	}
	return n
}

const dates = "start_date=2026-11-20&end_date=2026-11-22"

func TestSpendLogs(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type line struct {
		ID      string      `json:"request_id"`
		Spend   json.Number `json:"spend"`
		Team    string      `json:"team_id"`
		Session string      `json:"session_id"`
		Tags    []string    `json:"request_tags"`
		Status  string      `json:"status"`
		EndUser string      `json:"end_user"`
	}
	for query, c := range map[string]struct {
		key   string
		n     int
		first string
	}{
		"":                                {master, 60, "entry-59"},
		"limit=7":                         {master, 7, "entry-59"},
		"user_id=ann":                     {master, 20, "entry-57"},
		"team_id=red":                     {master, 40, "entry-58"},
		"team_id=red&user_id=ann":         {master, 20, "entry-57"},
		"team_id=red&user_id=ann&limit=3": {master, 3, "entry-57"},
		"api_key=" + h.keys[2]:            {master, 20, "entry-59"},
		"api_key=" + h.ids[2]:             {master, 20, "entry-59"},
		"request_id=entry-07":             {master, 1, "entry-07"},
		"request_id=entry-70":             {master, 0, ""},
		"start_date=2026-11-21+12:00:00":  {master, 30, "entry-59"},
		"start_date=2026-11-21&end_date=2026-11-21&summarize=False&x=" + h.keys[0]: {h.keys[0], 7, "entry-39"},
		"x=" + h.keys[1]:                                                  {h.keys[1], 20, "entry-58"},
		"request_id=entry-07&x=" + h.keys[0]:                              {h.keys[0], 0, ""},
		"request_id=entry-06&x=" + h.keys[0]:                              {h.keys[0], 1, "entry-06"},
		"team_id=red&user_id=ann&api_key=" + h.ids[0] + "&x=" + h.keys[0]: {h.keys[0], 20, "entry-57"},
		"summarize=false&start_date=2026-11-21&end_date=2026-11-21":       {master, 20, "entry-39"},
		"summarize=0&start_date=2026-11-21&end_date=2026-11-21":           {master, 20, "entry-39"},
		"summarize=true":                     {master, 60, "entry-59"},
		"api_key=" + strings.Repeat("0", 64): {master, 0, ""},
	} {
		got := asks[[]line](h.house, "GET", "/spend/logs?"+query, c.key, "")
		if len(got) != c.n || c.n > 0 && got[0].ID != c.first {
			t.Errorf("%s: %d lines, want %d; the first is %+v, want %s", query, len(got), c.n, got[:min(1, len(got))], c.first)
		}
	}
	one := asks[[]line](h.house, "GET", "/spend/logs?request_id=entry-09", master, "")[0]
	want := line{"entry-09", "0", "red", "call-08", []string{"all", "tag1"}, "failure", "acme"}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Error(diff)
	}
}

// A call's id finds all its attempts, the one that answered first; an attempt's finds that one.
func TestSpendLogsOfCall(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	var tries []ledger.Entry
	for n, outcome := range []gateway.Outcome{gateway.NotSent, gateway.Rejected, gateway.BilledActual} {
		e := h.entries[0]
		e.ID, e.CallID, e.Try, e.Outcome, e.Cost = ledger.AttemptID("again", n), "again", n, outcome, gateway.NanoUSD(n)
		tries = append(tries, e)
	}
	books := &ledger.Booker{Store: h.store.Store, Now: time.Now, Events: &event.Sender{Store: h.store.Store, Now: time.Now}}
	if err := books.Book(t.Context(), tries); err != nil {
		t.Fatal(err)
	}
	type row struct {
		ID string `json:"request_id"`
	}
	for query, want := range map[string][]string{
		"again": {"again.2", "again.1", "again"}, "again.1": {"again.1"}, "again.2&user_id=ann": {"again.2"},
		"again&user_id=bob": {}, "again.3": {},
	} {
		all := asks[[]row](h.house, "GET", "/spend/logs?request_id="+query, master, "")
		paged := asks[struct{ Data []row }](h.house, "GET", "/spend/logs/v2?request_id="+query, master, "").Data
		for _, rows := range [][]row{all, paged} {
			got := []string{}
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
	}
	if got := asks[[]any](h.house, "GET", "/spend/logs?request_id=again", h.keys[1], ""); len(got) != 0 {
		t.Errorf("another key sees %v", got)
	}
}

func TestSpendLogsPaged(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type pageOf struct {
		Data []struct {
			ID string `json:"request_id"`
		} `json:"data"`
		Total, Page int
		Size        int `json:"page_size"`
		Pages       int `json:"total_pages"`
	}
	for query, c := range map[string]struct {
		key          string
		n, total, of int
		first        string
	}{
		"":                               {master, 50, 60, 2, "entry-59"},
		"page=2":                         {master, 10, 60, 2, "entry-09"},
		"page=3":                         {master, 0, 60, 2, ""},
		"page=2&page_size=7&team_id=red": {master, 7, 40, 6, "entry-48"},
		"page=2&page_size=7&team_id=red&user_id=ann": {master, 7, 20, 3, "entry-36"},
		"page_size=1000&start_date=2026-11-22":       {master, 20, 20, 1, "entry-59"},
		"request_id=entry-11":                        {master, 1, 1, 1, "entry-11"},
		"page_size=15":                               {h.keys[1], 15, 20, 2, "entry-58"},
	} {
		got := asks[pageOf](h.house, "GET", "/spend/logs/v2?"+query, c.key, "")
		if len(got.Data) != c.n || got.Total != c.total || got.Pages != c.of || c.n > 0 && got.Data[0].ID != c.first {
			t.Errorf("%s: %d of %d on %d pages: %+v", query, len(got.Data), got.Total, got.Pages, got.Data[:min(1, len(got.Data))])
		}
	}
}

func TestSpendSummary(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	got := asks[[]map[string]json.RawMessage](h.house, "GET", "/spend/logs?"+dates, master, "")
	if len(got) != 3 {
		t.Fatalf("%d days: %v", len(got), got)
	}
	for _, yes := range []string{"true", "True", "1", "yes"} {
		if diff := cmp.Diff(got, asks[[]map[string]json.RawMessage](h.house, "GET", "/spend/logs?summarize="+yes+"&"+dates, master, "")); diff != "" {
			t.Errorf("summarize=%s: %s", yes, diff)
		}
	}
	for i, day := range got {
		name := ledgerDay.AddDate(0, 0, i).Format(time.DateOnly)
		on := func(e *ledger.Entry) bool { return e.Day() == name }
		if string(day["startTime"]) != `"`+name+`"` || nano(t, json.Number(day["spend"])) != h.sum(on).Spend {
			t.Errorf("%s: %v", name, day)
		}
		key := h.sum(func(e *ledger.Entry) bool { return on(e) && e.Key == h.ids[2] })
		if nano(t, json.Number(day[h.ids[2]])) != key.Spend {
			t.Errorf("%s: key %s, want %d", name, day[h.ids[2]], key.Spend)
		}
		var models, users map[string]json.Number
		if json.Unmarshal(day["models"], &models) != nil || json.Unmarshal(day["users"], &users) != nil || len(models) != 4 || len(users) != 2 {
			t.Errorf("%s: %s, %s", name, day["models"], day["users"])
		}
		ann := h.sum(func(e *ledger.Entry) bool { return on(e) && e.User == "ann" })
		if nano(t, users["ann"]) != ann.Spend {
			t.Errorf("%s: ann %s, want %d", name, users["ann"], ann.Spend)
		}
	}
	own := asks[[]map[string]json.RawMessage](h.house, "GET", "/spend/logs?summarize=true&"+dates, h.keys[0], "")
	if own[0][h.ids[1]] != nil || own[0][h.ids[0]] == nil {
		t.Errorf("a key sees another's spend: %v", own[0])
	}
}

// Bad values are refused with the field's name, on all routes alike.
func TestSpendBadFields(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for path, fields := range map[string][]string{
		"/spend/logs?":          {"start_date=x", "end_date=2026-13-01", "limit=0", "limit=x", "summarize=2", "api_key=x", "start_date=2026-01-02&end_date=2026-01-01"},
		"/spend/logs/v2?":       {"page=0", "page=-1", "page_size=1001", "page_size=x", "start_date=1/2/2026", "team_id=a,b"},
		"/spend/keys?":          {"limit=0"},
		"/key/list?":            {"return_full_object=maybe", "include_team_keys=2", "include_created_by_keys=x"},
		"/spend/tags?":          {"start_date=soon"},
		"/global/spend/report?": {"", "start_date=2026-01-01=end_date", dates + "&group_by=planet", "start_date=2026-01-02&end_date=2026-01-01"},
		"/global/spend/logs?":   {"end_date=never"},
		"/global/spend/keys?":   {"limit=99999"},
		"/global/spend/models?": {"limit=x"},
		"/global/activity?":     {"", "end_date=2026-01-01=start_date"},
		"/user/daily/activity?": {"", dates + "&page=0", dates + "&page_size=0", "start_date=1900-01-01&end_date=2026-01-01"},
		"/team/daily/activity?": {"", dates + "&page=x"},
	} {
		for _, field := range fields {
			query, param := field, "start_date"
			if i := strings.LastIndex(field, "="); strings.Count(field, "=") > strings.Count(field, "&")+1 {
				query, param = field[:i], field[i+1:]
			} else if field != "" && !strings.HasPrefix(field, "start_date") || strings.HasPrefix(field, dates) {
				last := field[strings.LastIndex(field, "&")+1:]
				param, _, _ = strings.Cut(last, "=")
			}
			h.refused(400, "invalid_request_error", param, "GET", path+query, master, "")
		}
	}
	for body, param := range map[string]string{
		`{}`: "model", `{"model":7}`: "model", `{"model":"no-such-model","messages":[]}`: "model", `{"model":"gpt-4o"}`: "messages",
		`{"model":"gpt-4o","messages":"hi"}`: "messages", `{"completion_response":7}`: "completion_response", `{"completion_response":{}}`: "model",
		`{"model":"gpt-4o","completion_response":[]}`: "completion_response", `[]`: "",
	} {
		h.refused(400, "invalid_request_error", param, "POST", "/spend/calculate", master, body)
	}
}

// Who does not see all sees its own; others' ids are not found, as if they did not exist.
func TestSpendIsolation(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	stranger := h.keys[2]
	for _, path := range []string{
		"/spend/logs?", "/spend/logs/v2?", "/spend/keys?", "/spend/users?", "/spend/tags?", "/global/spend/report?" + dates, "/global/spend/logs?",
		"/global/spend/keys?", "/global/spend/teams?", "/global/spend/models?", "/global/spend/tags?", "/global/spend/provider?",
		"/global/activity?" + dates, "/user/daily/activity?" + dates, "/team/daily/activity?" + dates,
	} {
		for _, foreign := range []string{"&api_key=" + h.keys[0], "&api_key=" + h.ids[0], "&api_key=" + strings.Repeat("0", 64), "&api_key=sk-unknown", "&user_id=ann", "&team_id=red", "&team_ids=red"} {
			h.refused(404, "invalid_request_error", "", "GET", path+foreign, stranger, "")
		}
		if _, text := h.do("GET", path, stranger, ""); strings.Contains(text, h.ids[0]) || strings.Contains(text, "ann") || strings.Contains(text, "ed team") {
			t.Errorf("%s shows others' spend: %s", path, text)
		}
	}
	h.refused(404, "invalid_request_error", "", "GET", "/spend/explain/entry-00", stranger, "")
	h.refused(404, "invalid_request_error", "", "GET", "/spend/explain/call-00", h.keys[2], "")
	h.refused(403, "auth_error", "route", "GET", "/spend/reconcile", stranger, "")
	h.refused(403, "auth_error", "route", "POST", "/spend/rebuild", stranger, "")
	_, viewer := h.user(`{"user_id":"vera","user_role":"proxy_admin_viewer"}`)
	if got := asks[[]any](h.house, "GET", "/spend/logs", viewer, ""); len(got) != 60 {
		t.Errorf("a viewer sees %d entries", len(got))
	}
	if got := h.get("/spend/reconcile", viewer); got["exact"] != true {
		t.Errorf("a viewer sees %v", got)
	}
	h.refused(403, "auth_error", "route", "POST", "/spend/rebuild", viewer, "")
}
