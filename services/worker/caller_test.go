package worker

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
	"github.com/sluice-gateway/sluice/shared/upstream"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// A line gets the answer that the ingress would have given, an error without one has a code of its own, and only what the
// provider surely did not begin is worth another try. Every attempt has its entry, and the bill agrees.
func TestCall(t *testing.T) {
	t.Parallel()
	provider := fakeprovider.New()
	vendor := httptest.NewServer(provider)
	t.Cleanup(vendor.Close)
	router := new(routing.Router)
	credential := routing.Credential{Kind: routing.Bearer, Value: fakeprovider.DefaultKey}
	router.Use(routing.NewTable([]routing.Deployment{
		{Model: "*", Provider: "openai", VendorModel: "*", BaseURL: vendor.URL + "/v1", Credential: credential},
		{Model: "nowhere", Provider: "openai", VendorModel: "x", BaseURL: "http://127.0.0.1:1/v1", Credential: credential},
	}))
	calls := upstream.New(nil, time.Now, slog.New(slog.DiscardHandler))
	calls.Timers = upstream.Timers{Header: time.Second, Idle: time.Second}
	lines := newCaller(t, calls, router)
	for name, c := range map[string]struct {
		model, more string
		status      int
		code        string // of an error without an answer
		retryable   bool
		attempts    int
		outcome     gateway.Outcome
	}{
		"good":        {"gpt-4o-mini", "", 200, "", false, 1, gateway.BilledActual},
		"400":         {"fault-400", "", 400, "", false, 1, gateway.Rejected},
		"401":         {"fault-401", "", 401, "", false, 1, gateway.Rejected},
		"429":         {"fault-429+retry-after-30", "", 429, "", true, 1, gateway.Rejected},
		"500":         {"fault-500+retry-after-0", "", 500, "", true, 3, gateway.Rejected},
		"silent":      {"fault-silent", "", 0, "request_timeout", false, 1, gateway.Unknown},
		"html":        {"fault-html", "", 0, "upstream_invalid_response", false, 1, gateway.Unknown},
		"cut":         {"fault-cut-after-1", "", 0, "upstream_outcome_unknown", false, 1, gateway.Unknown},
		"unreachable": {"nowhere", "", 0, "upstream_unreachable", true, 3, gateway.NotSent},
		"bad field":   {"gpt-4o-mini", `, "n": 0`, 400, "", false, 0, ""},
		"not allowed": {"secret-model", "", 403, "", false, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := gateway.Principal{KeyHash: "h", Models: []string{"gpt-4o-mini", "fault-*", "nowhere"}}
			body := `{"model": "` + c.model + `", "messages": [{"role": "user", "content": "line ` + name + `"}]` + c.more + `}`
			id := "batch-1-" + name
			got := lines.Call(t.Context(), batch.Call{ID: id, Principal: p, Op: gateway.OpChat, Body: []byte(body), Batch: "b", CustomID: name})
			if got.Status != c.status || got.ErrorCode != c.code || got.Retryable != c.retryable || len(got.Entries) != c.attempts {
				t.Fatalf("%+v %s", got, got.Body)
			}
			if (got.Status == 0) != (len(got.Body) == 0) || (got.Status == 0) != (got.ErrorMessage != "") {
				t.Errorf("both or neither of answer and error: %+v", got)
			}
			for _, e := range got.Entries {
				if e.Outcome != c.outcome || e.Batch != "b" || e.CustomID != name || e.Key != "h" {
					t.Errorf("entry %+v", e)
				}
			}
			for _, line := range provider.Bill() {
				if line.RequestID == id && c.outcome == gateway.BilledActual &&
					(line.PromptTokens != got.Entries[0].Usage.InputTokens || line.CompletionTokens != got.Entries[0].Usage.OutputTokens) {
					t.Errorf("entry %+v, bill %+v", got.Entries[0], line)
				}
			}
		})
	}
}

// newCaller is a caller on a store of its own, for whom nobody counts but the principal.
func newCaller(t *testing.T, calls *upstream.Client, router *routing.Router) *caller {
	t.Helper()
	return &caller{
		upstream: calls, router: router,
		counted: func(context.Context, string, []string) ([]gateway.Subject, error) { return nil, nil },
		budgets: budget.New(budget.Config{Store: memstore.New(), Holder: "test", Now: time.Now, Log: slog.New(slog.DiscardHandler)}),
	}
}

// A line under a budget is quoted with all windows that it counts towards, is sent only within what was set aside for it, and
// gets the ingress's answer if a budget does not pay.
func TestQuote(t *testing.T) {
	t.Parallel()
	provider := fakeprovider.New()
	vendor := httptest.NewServer(provider)
	t.Cleanup(vendor.Close)
	router := new(routing.Router)
	credential := routing.Credential{Kind: routing.Bearer, Value: fakeprovider.DefaultKey}
	router.Use(routing.NewTable([]routing.Deployment{
		{Model: "*", Provider: "openai", VendorModel: "*", BaseURL: vendor.URL + "/v1", Credential: credential},
	}))
	calls := upstream.New(nil, time.Now, slog.New(slog.DiscardHandler))
	lines := newCaller(t, calls, router)
	day := gateway.Limits{
		Budgets: []gateway.Budget{{Max: gateway.USD}, {Max: 5 * gateway.USD, Every: "30d", Extra: true}},
		Models:  []gateway.ModelLimits{{Model: "gpt-4o", Budgets: []gateway.Budget{{Max: gateway.USD, Every: "1d"}}}},
	}
	limited := gateway.Principal{
		KeyHash: "h", Aliases: map[string]string{"mine": "gpt-4o-mini"},
		Subjects: []gateway.Subject{{Scope: gateway.ScopeKey, ID: "h", Name: "h", Limits: &day}},
	}
	line := func(p gateway.Principal, model string) batch.Call {
		body := `{"model": "` + model + `", "max_tokens": 100, "messages": [{"role": "user", "content": "one"}]}`
		return batch.Call{ID: t.Name() + p.KeyHash + model, Principal: p, Op: gateway.OpChat, Body: []byte(body)}
	}
	for name, c := range map[string]struct {
		principal gateway.Principal
		model     string
		budgets   int
		refused   int // status
	}{
		"no budget":           {gateway.Principal{KeyHash: "free"}, "gpt-4o-mini", 0, 0},
		"two windows":         {limited, "gpt-4o-mini", 2, 0},
		"a model's window":    {limited, "gpt-4o", 3, 0},
		"by an alias":         {limited, "mine", 2, 0},
		"unpriced":            {limited, "fake-anything", 0, 400},
		"unpriced, unlimited": {gateway.Principal{KeyHash: "free"}, "fake-anything", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := line(c.principal, c.model)
			l.ID += name
			q := lines.Quote(t.Context(), l)
			if status := 0; q.Refusal != nil {
				if status = q.Refusal.Status; status != c.refused || q.Refusal.Retryable {
					t.Fatalf("refused: %+v", q.Refusal)
				}
				return
			} else if len(q.Budgets) != c.budgets || (q.Bound > 0) != (c.model != "fake-anything") || c.refused != 0 {
				t.Fatalf("%+v", q)
			}
			if c.budgets > 0 {
				if got := lines.Call(t.Context(), l); !got.Stale || len(got.Entries) != 0 {
					t.Errorf("without money: %+v", got)
				}
				l.Bound, l.Leases = q.Bound, []string{"a", "b"}
				short := &escrow.Short{Budget: q.Budgets[1], Spent: 3}
				if got := lines.Refuse(t.Context(), l, short); got.Status != 429 || !strings.Contains(string(got.Body), "budget_exceeded") || got.Retryable {
					t.Errorf("refusal: %+v %s", got, got.Body)
				}
			}
			got := lines.Call(t.Context(), l)
			if got.Status != 200 || len(got.Entries) != 1 || got.Entries[0].Cost > q.Bound || len(got.Entries[0].Leases) != len(l.Leases) {
				t.Errorf("%+v %s", got, got.Body)
			}
		})
	}
	for _, billed := range provider.Bill() {
		if billed.CompletionTokens > 100 {
			t.Errorf("more than the bound: %+v", billed)
		}
	}
}
