package ingress_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

type explained struct {
	ID       string      `json:"id"`
	CallID   string      `json:"call_id"`
	Outcome  string      `json:"outcome"`
	Spend    json.Number `json:"spend"`
	Call     json.Number `json:"call_spend"`
	Reserved json.Number `json:"reserved"`
	Source   string      `json:"usage_source"`
	Book     string      `json:"price_book"`
	Lines    []struct {
		Class      string          `json:"class"`
		Tokens     int64           `json:"tokens"`
		PerMillion json.Number     `json:"usd_per_million_tokens"`
		Nano       gateway.NanoUSD `json:"amount_nano_usd"`
	} `json:"lines"`
	Attempts []struct {
		ID      string `json:"id"`
		Try     int    `json:"try"`
		Vendor  string `json:"vendor_model"`
		Base    string `json:"api_base"`
		Outcome string `json:"outcome"`
	} `json:"attempts"`
	Budgets []struct {
		Scope   string       `json:"scope"`
		Subject string       `json:"subject"`
		Limit   *json.Number `json:"max_budget"`
		Kept    bool         `json:"kept"`
	} `json:"budgets"`
}

// call makes a plain call and returns its id.
func (h *house) call(key, model string) string {
	h.t.Helper()
	body := `{"model":"` + model + `","messages":[{"role":"user","content":"hello"}],"max_tokens":20}`
	answer, text := h.do("POST", "/v1/chat/completions", key, body)
	if answer.StatusCode != 200 {
		h.t.Fatal(text)
	}
	return answer.Header.Get("X-Request-Id")
}

// A call that fell back to another deployment explains itself to the nano-dollar, by the attempt's id and by the call's.
func TestExplain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key, other := h.key(`{"team_id":""}`), h.key(`{}`)
	mine := h.call(key, "backed-up")
	tries := h.entries(key, 2)
	for _, id := range []string{mine, tries[0].ID} {
		x := asks[explained](h, "GET", "/spend/explain/"+id, key, "")
		if x.ID != tries[0].ID || x.CallID != mine || x.Outcome != "billed_actual" || x.Source != "reported" || x.Book == "" {
			t.Errorf("%+v", x)
		}
		var sum gateway.NanoUSD
		for _, line := range x.Lines {
			sum += line.Nano
			if line.Class == "" || line.Tokens == 0 || nano(t, line.PerMillion) == 0 {
				t.Errorf("%+v", line)
			}
		}
		if len(x.Lines) < 2 || sum != nano(t, x.Spend) || sum != priced(t, h.bill(x.ID)) || x.Call != x.Spend {
			t.Errorf("the lines add up to %d: %+v", sum, x)
		}
		if len(x.Attempts) != 2 || x.Attempts[0].Vendor != "fault-500" || x.Attempts[0].Outcome != "rejected" || x.Attempts[1].Vendor != "gpt-4o" ||
			x.Attempts[1].Try != 1 || !strings.HasPrefix(x.Attempts[1].Base, "http://127.0.0.1") {
			t.Errorf("%+v", x.Attempts)
		}
	}
	for _, id := range []string{mine, tries[0].ID, "nothing"} {
		h.refused(404, "invalid_request_error", "", "GET", "/spend/explain/"+id, other, "")
	}
	h.refused(404, "invalid_request_error", "", "GET", "/spend/explain/nothing", master, "")
}

// A key sees which budgets its call was charged to, but not how large those of others are.
func TestExplainBudgets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id":"red","max_budget":5}`)
	key := h.key(`{"max_budget":2,"budget_duration":"1d","team_id":"red"}`)
	mine := h.call(key, "gpt-4o")
	h.entries(key, 1)
	for _, who := range []string{key, master} {
		x := asks[explained](h, "GET", "/spend/explain/"+mine, who, "")
		limits := map[string]json.Number{}
		for _, b := range x.Budgets {
			if limits[b.Scope] = ""; b.Limit != nil {
				limits[b.Scope] = *b.Limit
			}
			if !b.Kept || b.Subject != map[string]string{"key": auth.Hash(gateway.Secret(key)), "team": "red"}[b.Scope] {
				t.Errorf("%+v", b)
			}
		}
		want := map[string]json.Number{"key": "2", "team": map[string]json.Number{master: "5"}[who]}
		if diff := cmp.Diff(want, limits); diff != "" || nano(t, x.Reserved) < nano(t, x.Spend) {
			t.Errorf("%s %+v", diff, x)
		}
	}
}

func TestCalculate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	type cost struct{ Cost json.Number }
	usage := `{"id":"x","object":"chat.completion","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}`
	for body, want := range map[string]string{
		`{"model":"gpt-4o","completion_response":` + usage + `}}`:                           "0.0075",
		`{"completion_response":` + usage + `,"model":"gpt-4o-2024-08-06"}}`:                "0.0075",
		`{"model":"public-name","completion_response":` + usage + `}}`:                      "0.00045",
		`{"model":"gpt-4o","completion_response":` + usage + `,"service_tier":"priority"}}`: "0.01275",
		`{"model":"echo","messages":[{"role":"user","content":"hi"}]}`:                      "0",
	} {
		if got := asks[cost](h, "POST", "/spend/calculate", master, body); got.Cost.String() != want {
			t.Errorf("%s: %s, want %s", body, got.Cost, want)
		}
	}
	if got := asks[cost](h, "POST", "/spend/calculate", master, `{"model":"gpt-4o","messages":[{"role":"user","content":"hello there"}]}`); nano(t, got.Cost) == 0 {
		t.Error("messages cost nothing")
	}
}
