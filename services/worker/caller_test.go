package worker

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
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
	lines := &caller{upstream: calls, router: router, budgets: new(budget.Budgets)}
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
