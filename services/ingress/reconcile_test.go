package ingress_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Calls with budgets leave books that balance; what is made wrong is named and set right.
func TestReconcile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id":"red","max_budget":5,"budget_duration":"30d"}`)
	key := h.key(`{"max_budget":1,"team_id":"red"}`)
	const calls = 12
	for range calls {
		if answer, text := h.do("POST", "/v1/chat/completions", key,
			`{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"user":"acme","max_tokens":20}`); answer.StatusCode != 200 {
			t.Fatal(text)
		}
	}
	var sum gateway.NanoUSD
	for _, e := range h.entries(key, calls) {
		sum += e.Cost
	}
	got := h.get("/spend/reconcile", master)
	if got["exact"] != true || got["entries"] != 12.0 || got["windows"] != 2.0 || got["ledger_nano_usd"] != float64(sum) || got["charged_nano_usd"] != 2*float64(sum) ||
		got["allocated_nano_usd"] != got["charged_nano_usd"].(float64)+got["outstanding_nano_usd"].(float64) {
		t.Errorf("%v", got)
	}
	entry := h.entries(key, calls)[0]
	ref := ledger.GroupOf(&entry).Ref()
	err := h.store.Tx(t.Context(), func(tx store.Tx) error { return tx.Add(ref, struct{}{}, store.Deltas{"spend": 7}) })
	if err != nil {
		t.Fatal(err)
	}
	got = h.get("/spend/reconcile", master)
	if got["exact"] != false || len(got.list("differences")) != 1 {
		t.Fatalf("%v", got)
	}
	got.list("differences")[0].has(t, row{"kind": "fact", "document": ref.ID, "field": "spend", "want": float64(sum), "got": float64(sum) + 7, "subject": entry.Key})
	changes := h.post("/spend/rebuild", master, "")
	if changes["updated"] != 1.0 || changes["created"] != 0.0 || changes["deleted"] != 0.0 || changes["skipped"] != 0.0 {
		t.Errorf("%v", changes)
	}
	if got = h.get("/spend/reconcile", master); got["exact"] != true {
		t.Errorf("%v", got)
	}
}
