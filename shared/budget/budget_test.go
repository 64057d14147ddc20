package budget_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

func newBudgets(s store.Store, holder string, settings budget.Settings) *budget.Budgets {
	return budget.New(budget.Config{
		Store: s, Holder: holder, Events: &event.Sender{Store: s, Now: time.Now}, Settings: settings, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// ask is a call of a subject with limits that may cost so much.
func ask(l *gateway.Limits, bound gateway.NanoUSD) budget.Ask {
	return budget.Ask{
		Principal: gateway.Principal{KeyHash: "k", KeyAlias: "alias", Subjects: []gateway.Subject{{Scope: gateway.ScopeKey, ID: "k", Name: "k-hash", Limits: l}}},
		Model:     "m", Quote: budget.Quote{Bound: bound, Least: bound, Priced: true, Tokens: 100},
	}
}

func refused(t *testing.T, err error) *gateway.Error {
	t.Helper()
	var e *gateway.Error
	if !errors.As(err, &e) {
		t.Fatalf("not refused, or without reason: %v", err)
	}
	return e
}

// A window is never overspent, and the next one begins from zero.
func TestWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudgets(memstore.New(), "one", budget.Settings{})
		l := &gateway.Limits{Budgets: []gateway.Budget{{Max: 100, Every: "1d"}, {Max: 250, Extra: true}}}
		for day, want := range []int{10, 10, 5, 0} { // calls of 10
			n := 0
			for {
				r, err := b.Reserve(t.Context(), ask(l, 10))
				if err != nil {
					e := refused(t, err)
					scope := "Budget: key, 1d window until 2000-01-0"
					if day >= 2 {
						scope = "Budget: key, for its lifetime."
					}
					if e.Status() != 429 || e.Type() != "budget_exceeded" || !strings.HasPrefix(e.Message, "Budget has been exceeded! Key=k-hash Current cost: 0.0000") ||
						!strings.Contains(e.Message, scope) || (day < 2) != (e.RetryAfter > 0) {
						t.Fatalf("day %d: %d %s, retry after %v: %s", day, e.Status(), e.Type(), e.RetryAfter, e.Message)
					}
					break
				}
				r.Settle(10, 0)
				n++
			}
			if n != want {
				t.Errorf("day %d: %d calls, want %d", day, n, want)
			}
			time.Sleep(24 * time.Hour)
		}
	})
}

// What is not limited, costs nothing or has no subject is not asked about; what has no price is, where a budget holds.
func TestFreeAndUnpriced(t *testing.T) {
	t.Parallel()
	b := newBudgets(memstore.New(), "one", budget.Settings{})
	none := &gateway.Limits{Budgets: []gateway.Budget{{Max: 0}}}
	if r, err := b.Reserve(t.Context(), ask(none, 0)); err != nil || r.Limited() {
		t.Errorf("a free call: %v", err)
	}
	if _, err := b.Reserve(t.Context(), ask(none, 1)); refused(t, err).Kind != gateway.KindBudget {
		t.Errorf("a call without money: %v", err)
	}
	unpriced := ask(none, 0)
	unpriced.Quote.Priced = false
	if _, err := b.Reserve(t.Context(), unpriced); refused(t, err).Code != "model_unpriced" {
		t.Errorf("an unpriced call: %v", err)
	}
	if _, err := newBudgets(memstore.New(), "one", budget.Settings{AllowUnpriced: true}).Reserve(t.Context(), unpriced); err != nil {
		t.Errorf("an unpriced call that the owner allows: %v", err)
	}
	soft := gateway.NanoUSD(1)
	if _, err := b.Reserve(t.Context(), budget.Ask{Principal: ask(&gateway.Limits{Soft: &soft}, 0).Principal}); err != nil {
		t.Errorf("an unpriced call with a soft budget, which stops nothing: %v", err)
	}
	unpriced.Principal.Subjects = nil
	if _, err := b.Reserve(t.Context(), unpriced); err != nil {
		t.Errorf("an unpriced call without budget: %v", err)
	}
	if _, err := b.Reserve(t.Context(), budget.Ask{}); refused(t, err).Kind != gateway.KindUnauthenticated {
		t.Errorf("nobody's call: %v", err)
	}
}

// A refused call consumes nothing of any limit, whichever refuses.
func TestRefusedConsumesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudgets(memstore.New(), "one", budget.Settings{Status: 402, HideAmounts: true})
		two, one := int64(2), int64(1)
		l := &gateway.Limits{Budgets: []gateway.Budget{{Max: 10}}, RPM: &two, Parallel: &one}
		for range 5 {
			_, err := b.Reserve(t.Context(), ask(l, 11))
			if e := refused(t, err); e.Status() != 402 || strings.Contains(e.Message, "Current cost") {
				t.Fatalf("%d %s", e.Status(), e.Message)
			}
		}
		first, err := b.Reserve(t.Context(), ask(l, 5))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Reserve(t.Context(), ask(l, 5))
		e := refused(t, err)
		var over *ratelimit.Exceeded
		if !errors.As(err, &over) || over.Limit.Kind != ratelimit.Parallel || e.Type() != "throttling_error" ||
			!strings.HasPrefix(e.Message, "Rate limit exceeded for api_key: k-hash. Limit type: max_parallel_requests. Current limit: 1, Remaining: 0.") {
			t.Fatalf("%s: %s", e.Type(), e.Message)
		}
		first.Settle(5, 10)
		second, err := b.Reserve(t.Context(), ask(l, 5))
		if err != nil {
			t.Fatalf("refused calls have consumed something: %v", err)
		}
		if limit, remaining, reset, ok := second.Rates().State(ratelimit.Requests); !ok || limit != 2 || remaining != 0 || reset <= 0 || reset > time.Minute {
			t.Errorf("limit %d, remaining %d, reset %v", limit, remaining, reset)
		}
		second.Settle(5, 10)
		if _, err = b.Reserve(t.Context(), ask(l, 0)); refused(t, err).RetryAfter <= 0 {
			t.Errorf("a third call in the minute: %v", err)
		}
	})
}

// A call that could cost more than is left gets what is left, if that makes sense.
func TestLessThanAskedFor(t *testing.T) {
	t.Parallel()
	b := newBudgets(memstore.New(), "one", budget.Settings{})
	l := &gateway.Limits{Budgets: []gateway.Budget{{Max: 100}}}
	a := ask(l, 1000)
	a.Quote.Least = 20
	r, err := b.Reserve(t.Context(), a)
	if err != nil || r.Bound != 100 {
		t.Fatalf("%+v, %v", r, err)
	}
	r.Settle(90, 0)
	if _, err := b.Reserve(t.Context(), a); refused(t, err).Kind != gateway.KindBudget {
		t.Error(err)
	}
}

// What was spent before there was a budget counts in the window that it was spent in.
func TestOpening(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudgets(memstore.New(), "one", budget.Settings{})
		l := &gateway.Limits{Budgets: []gateway.Budget{{Max: 100, Every: "1d", Epoch: 7, Since: time.Now().UnixMicro(), Opening: 95}}}
		if _, err := b.Reserve(t.Context(), ask(l, 10)); refused(t, err).Kind != gateway.KindBudget {
			t.Error(err)
		}
		time.Sleep(24 * time.Hour)
		if _, err := b.Reserve(t.Context(), ask(l, 10)); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

// Thresholds are told once each, and the soft budget stops nothing. A budget that refuses calls is used up, even if a little is left;
// one that refuses a call for its size is not.
func TestThresholds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cost, last gateway.NanoUSD
		want       map[string]int
	}{
		"to the end":     {10, 10, map[string]int{"soft_budget_crossed": 1, "threshold_crossed": 2, "budget_crossed": 1}},
		"all but little": {31, 31, map[string]int{"soft_budget_crossed": 1, "threshold_crossed": 2, "budget_crossed": 1}},
		"a large call":   {11, 1000, map[string]int{"soft_budget_crossed": 1, "threshold_crossed": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := memstore.New()
			b := newBudgets(s, "one", budget.Settings{})
			soft := gateway.NanoUSD(30)
			l := &gateway.Limits{Budgets: []gateway.Budget{{Max: 100}}, Soft: &soft}
			calls := 12
			if c.last != c.cost {
				calls = 6
			}
			for range calls {
				r, err := b.Reserve(t.Context(), ask(l, c.cost))
				if err != nil {
					break
				}
				r.Settle(c.cost, 0)
				if err := b.Report(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				if _, err := b.Reserve(t.Context(), ask(l, c.last)); refused(t, err).Kind != gateway.KindBudget {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(c.want, told(t, s)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// told counts the events about the budget of k by what they tell.
func told(t *testing.T, s store.Store) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for line, err := range (&event.Sender{Store: s, Now: time.Now}).Log(t.Context(), "", false) {
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Data struct {
				Event, Subject string
				Percent        int
			}
		}
		if err := json.Unmarshal(line, &e); err != nil || e.Data.Subject != "k" {
			t.Fatalf("%s: %v", line, err)
		}
		counts[e.Data.Event]++
		if e.Data.Event == "threshold_crossed" && e.Data.Percent != 50 && e.Data.Percent != 80 {
			t.Errorf("%s", line)
		}
	}
	return counts
}
