package ingress_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/ledger"
)

func TestGlobalActivity(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	type activity struct {
		Daily []struct {
			Date     string `json:"date"`
			Requests int64  `json:"api_requests"`
			Tokens   int64  `json:"total_tokens"`
		} `json:"daily_data"`
		Requests int64 `json:"sum_api_requests"`
		Tokens   int64 `json:"sum_total_tokens"`
	}
	for key, chosen := range map[string]func(*ledger.Entry) bool{master: nil, h.keys[0]: h.of(0)} {
		got := asks[activity](h.house, "GET", "/global/activity?"+dates, key, "")
		want := h.sum(chosen)
		if got.Requests != want.Attempts || got.Tokens != want.Total() || len(got.Daily) != 3 || got.Daily[1].Date != "Nov 21" {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

type metricsRow struct {
	Spend      json.Number `json:"spend"`
	Prompt     int64       `json:"prompt_tokens"`
	Completion int64       `json:"completion_tokens"`
	Cached     int64       `json:"cache_read_input_tokens"`
	Total      int64       `json:"total_tokens"`
	Successful int64       `json:"successful_requests"`
	Failed     int64       `json:"failed_requests"`
	Requests   int64       `json:"api_requests"`
}

func metricsOf(s ledger.Sums) metricsRow {
	return metricsRow{json.Number(s.Spend.String()), s.InputTokens, s.OutputTokens, s.CachedTokens, s.Total(), s.Successes, s.Failures, s.Attempts}
}

type partRow struct {
	Metrics  metricsRow     `json:"metrics"`
	Metadata map[string]any `json:"metadata"`
}

type dailyAnswer struct {
	Results []struct {
		Date      string                        `json:"date"`
		Metrics   metricsRow                    `json:"metrics"`
		Breakdown map[string]map[string]partRow `json:"breakdown"`
	} `json:"results"`
	Metadata struct {
		Spend    json.Number `json:"total_spend"`
		Tokens   int64       `json:"total_tokens"`
		Requests int64       `json:"total_api_requests"`
		Page     int         `json:"page"`
		Pages    int         `json:"total_pages"`
		More     bool        `json:"has_more"`
	} `json:"metadata"`
}

func TestDailyActivity(t *testing.T) {
	t.Parallel()
	h := newSpenders(t)
	got := asks[dailyAnswer](h.house, "GET", "/user/daily/activity?"+dates, master, "")
	if len(got.Results) != 3 || got.Results[0].Date != "2026-11-22" || got.Metadata.More || got.Metadata.Pages != 1 {
		t.Fatalf("%+v", got)
	}
	all := h.sum(nil)
	if nano(t, got.Metadata.Spend) != all.Spend || got.Metadata.Tokens != all.Total() || got.Metadata.Requests != all.Attempts {
		t.Errorf("%+v, want %+v", got.Metadata, all)
	}
	for _, day := range got.Results {
		on := func(e *ledger.Entry) bool { return e.Day() == day.Date }
		if diff := cmp.Diff(metricsOf(h.sum(on)), day.Metrics); diff != "" {
			t.Errorf("%s: %s", day.Date, diff)
		}
		for part, name := range map[string]func(*ledger.Entry) string{
			"models": func(e *ledger.Entry) string { return e.Model }, "providers": func(e *ledger.Entry) string { return e.Provider },
			"api_keys": func(e *ledger.Entry) string { return e.Key },
		} {
			for at, row := range day.Breakdown[part] {
				want := h.sum(func(e *ledger.Entry) bool { return on(e) && name(e) == at })
				if diff := cmp.Diff(metricsOf(want), row.Metrics); diff != "" || want.Attempts == 0 {
					t.Errorf("%s %s %s: %s", day.Date, part, at, diff)
				}
			}
		}
		b := day.Breakdown
		if len(b["models"]) != 4 || len(b["providers"]) != 2 || len(b["api_keys"]) != 3 || len(b["entities"]) != 2 {
			t.Errorf("%+v", b)
		}
		if diff := cmp.Diff(map[string]any{"key_alias": "first", "team_id": "red"}, b["api_keys"][h.ids[0]].Metadata); diff != "" {
			t.Error(diff)
		}
	}
	for query, c := range map[string]struct {
		path, key string
		days      int
		chosen    func(*ledger.Entry) bool
		more      bool
	}{
		"user_id=ann":                {"user", master, 3, func(e *ledger.Entry) bool { return e.User == "ann" }, false},
		"model=model-3":              {"user", master, 3, func(e *ledger.Entry) bool { return e.Model == "model-3" }, false},
		"api_key=" + h.keys[2]:       {"user", master, 3, h.of(2), false},
		"api_key=" + h.ids[2] + "&x": {"user", h.keys[2], 3, h.of(2), false},
		"page_size=2":                {"user", master, 2, func(e *ledger.Entry) bool { return e.Day() > "2026-11-20" }, true},
		"page_size=2&page=2":         {"user", master, 1, func(e *ledger.Entry) bool { return e.Day() == "2026-11-20" }, false},
		"page_size=2&page=9":         {"user", master, 0, func(*ledger.Entry) bool { return false }, false},
		"y":                          {"team", master, 3, func(e *ledger.Entry) bool { return e.Team == "red" }, false},
		"team_ids=red,blue":          {"team", master, 3, func(e *ledger.Entry) bool { return e.Team == "red" }, false},
		"team_ids=blue":              {"team", master, 0, func(*ledger.Entry) bool { return false }, false},
		"team_ids=red":               {"team", h.keys[1], 3, h.of(1), false},
		"z":                          {"team", h.keys[2], 0, func(*ledger.Entry) bool { return false }, false},
	} {
		got := asks[dailyAnswer](h.house, "GET", "/"+c.path+"/daily/activity?"+dates+"&"+query, c.key, "")
		want := h.sum(c.chosen)
		if len(got.Results) != c.days || nano(t, got.Metadata.Spend) != want.Spend || got.Metadata.Requests != want.Attempts || got.Metadata.More != c.more {
			t.Errorf("%s: %d days, %+v; want %d, %+v", query, len(got.Results), got.Metadata, c.days, want)
		}
		if c.path == "team" && c.days > 0 && got.Results[0].Breakdown["entities"]["red"].Metadata["team_alias"] != "Red team" {
			t.Errorf("%s: %+v", query, got.Results[0].Breakdown["entities"])
		}
	}
}
