package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// stores are what the readers are tested on: they must not depend on how one of them pages.
func stores(t *testing.T) map[string]store.Store {
	t.Helper()
	db, err := sqlitestore.Open(t.Context(), t.TempDir()+"/sluice.db", ledger.Entries, ledger.Facts, ledger.Rollups, event.Outbox)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return map[string]store.Store{"memory": memstore.New(), "sqlite": db}
}

func full(n int) ledger.Entry {
	e := entry(n)
	e.KeyAlias, e.Team, e.Org, e.Customer, e.Tags = fmt.Sprint("alias", n%3), fmt.Sprint("team", n%2), "org", "customer", []string{"x", fmt.Sprint("tag", n%2), "x"}
	e.Leases, e.Doubt = []string{"lease"}, gateway.NanoUSD(n%2)
	e.Started = time.Date(2026, 11, 20+n%3, 12, 0, n, 0, time.UTC).UnixMicro()
	if n%5 == 0 {
		e.Outcome = gateway.Rejected
	}
	return e
}

// Every scope's spend is that of its entries, in all and from a day on.
func TestSpent(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var entries []ledger.Entry
			for n := range 60 {
				entries = append(entries, full(n))
			}
			if err := booker(s).Book(t.Context(), entries); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				scope   gateway.Scope
				subject string
				of      func(e *ledger.Entry) bool
			}{
				{"", "", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeKey, "key1", func(e *ledger.Entry) bool { return e.Key == "key1" }},
				{gateway.ScopeUser, "u", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeTeam, "team1", func(e *ledger.Entry) bool { return e.Team == "team1" }},
				{gateway.ScopeMember, "team1\nu", func(e *ledger.Entry) bool { return e.Team == "team1" }},
				{gateway.ScopeMember, "team1\nnobody", func(*ledger.Entry) bool { return false }},
				{gateway.ScopeOrg, "org", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeCustomer, "customer", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeTag, "x", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeTag, "tag0", func(e *ledger.Entry) bool { return e.Tags[1] == "tag0" }},
				{gateway.ScopeModel, "m", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeProvider, "p", func(*ledger.Entry) bool { return true }},
				{ledger.ScopeLease, "lease", func(*ledger.Entry) bool { return true }},
				{gateway.ScopeTag, "none", func(*ledger.Entry) bool { return false }},
			} {
				for _, day := range []string{"", "2026-11-21", "2026-12-01"} {
					var want gateway.NanoUSD
					for i := range entries {
						if e := &entries[i]; c.of(e) && e.Day() >= day {
							if want += e.Cost; c.scope == ledger.ScopeLease {
								want += e.Doubt
							}
						}
					}
					got, err := ledger.SpentSince(t.Context(), s, c.scope, c.subject, day)
					if err != nil || got != want {
						t.Errorf("%s %s since %q: %d, %v; want %d", c.scope, c.subject, day, got, err, want)
					}
				}
			}
		})
	}
}

// What is read is what was summed, however many pages it takes and from whichever end.
func TestSelectSums(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var entries []ledger.Entry
			for n := range 1800 {
				e := full(n)
				e.Key, e.Customer = fmt.Sprint("key", n), fmt.Sprint("customer", n)
				entries = append(entries, e)
			}
			if err := booker(s).Book(t.Context(), entries); err != nil {
				t.Fatal(err)
			}
			facts, rollups := ledger.Sum(entries)
			for _, r := range []ledger.Range{{}, {From: "2026-11-21"}, {To: "2026-11-21"}, {From: "2026-11-21", To: "2026-11-22"}, {Scope: gateway.ScopeTeam, Subject: "team1", From: "2026-11-21"}} {
				for _, r.Desc = range []bool{false, true} {
					in := func(day string) bool { return day >= r.From && (r.To == "" || day <= r.To) }
					want, last := 0, ""
					for g := range facts {
						if in(g.Day) && (r.Subject == "" || g.Team == r.Subject) {
							want++
						}
					}
					for f, err := range ledger.SelectFacts(t.Context(), s, r) {
						if err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(facts[f.Group], f); diff != "" || !in(f.Day) {
							t.Fatal(diff)
						}
						if last != "" && f.Day != last && f.Day > last == r.Desc {
							t.Errorf("%+v: %s comes after %s", r, f.Day, last)
						}
						want--
						last = f.Day
					}
					if want != 0 {
						t.Errorf("%+v: %d facts are missing", r, want)
					}
				}
			}
			n := 0
			for r, err := range ledger.SelectRollups(t.Context(), s, ledger.Range{Scope: gateway.ScopeCustomer, From: "2026-11-20", To: "2026-11-22"}) {
				if n++; err != nil || r.Sums != *rollups[r.Part] {
					t.Fatal(r, err)
				}
			}
			if n != 1800 {
				t.Errorf("%d customers", n)
			}
			from, to := entries[60].Started, entries[1700].Started // of the first and the last day
			want := 0
			for i := range entries {
				if e := &entries[i]; e.Started >= from && e.Started < to {
					want++
				}
			}
			for _, f := range []ledger.Filter{{From: from, To: to}, {From: from, To: to, Skip: 1100}, {From: from, To: to, User: "u", Skip: 7, Limit: 1500}, {To: to, From: from, User: "u", Team: "team1"}} {
				count, err := ledger.Count(t.Context(), s, f)
				if err != nil || f.Team == "" && count != int64(want) {
					t.Errorf("%+v: count %d, %v; want %d", f, count, err, want)
				}
				got, last := 0, int64(1)<<62
				for e, err := range ledger.Select(t.Context(), s, f) {
					if err != nil {
						t.Fatal(err)
					}
					if got++; e.Started > last || e.Started < from || e.Started >= to {
						t.Fatalf("%d comes after %d", e.Started, last)
					}
					last = e.Started
				}
				expect := int(count) - f.Skip
				if f.Limit > 0 {
					expect = min(expect, f.Limit)
				}
				if got != expect {
					t.Errorf("%+v: %d entries, want %d", f, got, expect)
				}
			}
		})
	}
}

func TestOfCall(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	var entries []ledger.Entry
	for n := range 3 {
		e := entry(0)
		e.ID, e.Try = ledger.AttemptID("call", n), n
		entries = append(entries, e)
	}
	if err := booker(s).Book(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"call", "call.1", "call.2"} {
		tries, err := ledger.OfCall(t.Context(), s, id)
		if err != nil || len(tries) != 3 || tries[0].ID != "call" || tries[2].ID != "call.2" {
			t.Errorf("%s: %v, %v", id, tries, err)
		}
	}
	if none, err := ledger.OfCall(t.Context(), s, "other"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}
