package auth_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// deaf is a store whose watches have fallen silent without ending.
type deaf struct{ store.Store }

func (d deaf) Watch(ctx context.Context, _ store.Query) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		if yield(store.Change{Live: true}, nil) {
			<-ctx.Done()
		}
	}
}

// A watch that says nothing proves nothing: what is older than the limit is asked for before it is used.
func TestSilentWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, false)
		key := h.generate(t, `{}`)
		frozen := auth.New(deaf{h.store}, master, time.Now, slog.New(slog.DiscardHandler)) // nobody runs it, as in a frozen process
		if _, err := frozen.Authenticate(request(t, key)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.keys.Block(t.Context(), boss, key.Reveal(), true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := frozen.Authenticate(request(t, key)); err == nil {
			t.Error("a blocked key works in a process that was frozen for a minute")
		}
	})
}

// While the store is away a known key goes on, for as long as an outage may last; an unknown one is neither admitted nor refused.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		key := h.generate(t, `{"user_id": "u"}`)
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Fatal(err)
		}
		h.store.down.Store(true)
		for range 9 {
			time.Sleep(time.Minute)
			if _, err := h.try(t, bearer(key)); err != nil {
				t.Fatalf("a known key: %v", err)
			}
		}
		if _, err := h.try(t, bearer("sk-never-seen-before")); err == nil || err.Status() != 503 {
			t.Errorf("an unknown key: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := h.try(t, bearer(key)); err == nil || err.Status() != 503 {
			t.Errorf("a known key after a quarter of an hour: %v", err)
		}
		h.store.down.Store(false)
		time.Sleep(10 * time.Second)
		if _, err := h.try(t, bearer(key)); err != nil {
			t.Errorf("a known key when the store is back: %v", err)
		}
	})
}

// put stores an account as its manager would.
func (h house) put(t *testing.T, a account.Account) {
	t.Helper()
	a.Updated = time.Now().UnixMicro()
	if err := h.store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(account.Ref(a.Kind, a.ID), &a) }); err != nil {
		t.Fatal(err)
	}
}

func limit(n int64) gateway.Limits { return gateway.Limits{RPM: &n} }

// subjects are whom a principal counts for, with their limits on requests.
func subjects(p gateway.Principal) (all map[gateway.Scope]int64) {
	all = map[gateway.Scope]int64{}
	for _, s := range p.Subjects {
		all[s.Scope] = *s.Limits.RPM
	}
	return all
}

// A call counts for its key, and for the user, or instead of it the member and the team, and for the organization.
func TestWhomACallCountsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		h.put(t, account.Account{Kind: account.User, ID: "u", Limits: limit(2), Models: []string{"a*"}, Role: gateway.RoleUser})
		h.put(t, account.Account{Kind: account.Team, ID: "t", Org: "o", Limits: limit(3), Models: []string{"b*"}})
		h.put(t, account.Account{Kind: account.Member, ID: account.MemberID("t", "u"), Team: "t", User: "u", Limits: limit(4)})
		h.put(t, account.Account{Kind: account.Org, ID: "o", Limits: limit(5)})
		h.put(t, account.Account{Kind: account.Budget, ID: "shared", Limits: limit(6)})
		for fields, want := range map[string]map[gateway.Scope]int64{
			`{"rpm_limit": 1}`: {gateway.ScopeKey: 1},
			`{"user_id": "u"}`: {gateway.ScopeUser: 2},
			`{"user_id": "other", "budget_id": "shared"}`:      {gateway.ScopeKey: 6},
			`{"rpm_limit": 1, "budget_id": "shared"}`:          {gateway.ScopeKey: 1},
			`{"rpm_limit": 1, "user_id": "u", "team_id": "t"}`: {gateway.ScopeKey: 1, gateway.ScopeMember: 4, gateway.ScopeTeam: 3, gateway.ScopeOrg: 5},
			`{"team_id": "t"}`: {gateway.ScopeTeam: 3, gateway.ScopeOrg: 5},
			`{"organization_id": "o", "user_id": "nobody"}`: {gateway.ScopeOrg: 5},
		} {
			p, err := h.try(t, bearer(h.generate(t, fields)))
			if err != nil {
				t.Fatalf("%s: %v", fields, err)
			}
			if diff := cmp.Diff(want, subjects(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", fields, diff)
			}
		}
		of := h.generate(t, `{"user_id": "u", "team_id": "t", "models": ["a1", "b1"]}`)
		p, _ := h.try(t, bearer(of))
		if by, denied := p.Denies("a1"); !denied || by != gateway.ScopeTeam || p.MayCall("b2") || !p.MayCall("b1") || p.Role != gateway.RoleUser {
			t.Errorf("model lists do not add up: %s denies a1: %t", by, denied)
		}
	})
}

// What is changed above a key holds for it at once; blocked is blocked.
func TestChangesAboveAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		key := h.generate(t, `{"team_id": "t"}`)
		if p, err := h.try(t, bearer(key)); err != nil || len(p.Subjects) != 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		team := account.Account{Kind: account.Team, ID: "t", Limits: limit(3)}
		h.put(t, team)
		synctest.Wait()
		if p, err := h.try(t, bearer(key)); err != nil || subjects(p)[gateway.ScopeTeam] != 3 {
			t.Errorf("a limit of the team is not seen: %+v, %v", p, err)
		}
		team.Blocked = true
		time.Sleep(time.Millisecond)
		h.put(t, team)
		synctest.Wait()
		if _, err := h.try(t, bearer(key)); err == nil || err.Status() != 401 || !strings.Contains(err.Message, "Team=t is blocked") {
			t.Errorf("a key of a blocked team: %v", err)
		}
	})
}

func TestCustomersAndTags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		h.auth.Use(auth.Settings{Customers: limit(9)})
		h.put(t, account.Account{Kind: account.Customer, ID: "known", Limits: limit(1)})
		h.put(t, account.Account{Kind: account.Customer, ID: "bad", Blocked: true})
		h.put(t, account.Account{Kind: account.Tag, ID: "x", Limits: limit(2)})
		for _, c := range []struct {
			customer string
			tags     []string
			want     []int64
		}{
			{"", nil, nil}, {"known", nil, []int64{1}}, {"new", nil, []int64{9}}, {"known", []string{"x", "y"}, []int64{1, 2}}, {"", []string{"x"}, []int64{2}},
		} {
			list, err := h.auth.Counted(t.Context(), c.customer, c.tags)
			var got []int64
			for _, s := range list {
				got = append(got, *s.Limits.RPM)
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%q %v: %v (-want +got):\n%s", c.customer, c.tags, err, diff)
			}
		}
		var e *gateway.Error
		if _, err := h.auth.Counted(t.Context(), "bad", nil); !errors.As(err, &e) || e.Status() != 401 {
			t.Errorf("a blocked customer: %v", err)
		}
	})
}

func request(t *testing.T, key gateway.Secret) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = bearer(key)
	return r
}

func (c *counting) Query(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	if c.down.Load() {
		return func(yield func(store.Doc, error) bool) { yield(store.Doc{}, errors.New("the store is away")) }
	}
	return c.Store.Query(ctx, q)
}
