package ingress_test

import (
	"fmt"
	"testing"
	"time"
)

// After a reset what was spent is gone from keys and teams, and their budgets pay again.
func TestResetAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/team/new", master, `{"team_id": "t", "max_budget": 0.00013}`)
	key := h.key(`{"team_id": "t"}`)
	call := `{"model": "public-name", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}`
	spend := func() (n int) {
		for n = 0; n < 1000; n++ {
			resp, text := h.do("POST", "/v1/chat/completions", key, call)
			switch resp.StatusCode {
			case 200:
			case 429:
				return n
			default:
				t.Fatalf("status %d: %s", resp.StatusCode, text)
			}
		}
		t.Fatal("the budget is never used up")
		return n
	}
	first := spend()
	if first == 0 {
		t.Fatal("nothing could be spent")
	}
	if got := h.post("/global/spend/reset", master, `{}`)["status"]; got != "success" {
		t.Errorf("status %v", got)
	}
	if got := fmt.Sprint(h.get("/team/info?team_id=t", master)["team_info"].(map[string]any)["spend"]); got != "0" {
		t.Errorf("the team has spent %s after the reset", got)
	}
	again := 0
	for deadline := time.Now().Add(10 * time.Second); again == 0 && time.Now().Before(deadline); { // until the change is heard of
		again = spend()
	}
	if again != first {
		t.Errorf("%d calls after the reset, %d before", again, first)
	}
}
