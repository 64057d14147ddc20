package account_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

func TestLists(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(account.Team, "t", `{}`)
	for i := range 120 {
		role := ""
		if i%2 == 1 {
			role = `, "user_role": "proxy_admin"`
		}
		u := fmt.Sprintf("u%03d", i)
		o.create(account.User, u, `{"user_email": "`+u+`@x", "user_alias": "`+u+`"`+role+`}`)
		o.create(account.Member, account.MemberID("t", u), `{}`)
	}
	for _, c := range []struct {
		filter     account.Filter
		page, size int
		first      string
		n          int
		total      int64
	}{
		{account.Filter{Kind: account.User}, 3, 50, "", 20, 120},
		{account.Filter{Kind: account.User}, 4, 50, "", 0, 120},
		{account.Filter{Kind: account.User, Order: "id", Asc: true}, 2, 50, "u050", 50, 120},
		{account.Filter{Kind: account.User, Order: "email"}, 1, 5, "u119", 5, 120},
		{account.Filter{Kind: account.User, Role: gateway.RoleAdmin}, 2, 50, "", 10, 60},
		{account.Filter{Kind: account.User, Email: "u01", Asc: true}, 1, 50, "u010", 10, 10},
		{account.Filter{Kind: account.User, Alias: "u010", Asc: true}, 1, 50, "u010", 1, 1},
		{account.Filter{Kind: account.User, Email: "%"}, 1, 50, "", 0, 0},
		{account.Filter{Kind: account.Member, Team: "t"}, 1, 100, "", 100, 120},
		{account.Filter{Kind: account.Member, User: "u007"}, 1, 100, "t\nu007", 1, 1},
		{account.Filter{Kind: account.Member, Team: "other"}, 1, 100, "", 0, 0},
	} {
		got, total, err := o.Page(t.Context(), c.filter, c.page, c.size)
		if err != nil || len(got) != c.n || total != c.total || c.first != "" && got[0].ID != c.first {
			t.Errorf("%+v: %d of %d, %v", c.filter, len(got), total, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Store = &failing{Store: o.Store, after: 1, cancel: cancel}
	if n, err := o.DeleteAll(ctx, owner, account.Filter{Kind: account.Member, Team: "t"}); err == nil || n != 50 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := o.DeleteAll(t.Context(), owner, account.Filter{Kind: account.Member, Team: "t"}); err != nil || n != 70 {
		t.Errorf("the repetition: %d, %v", n, err)
	}
	if n, err := o.Count(t.Context(), account.Filter{Kind: account.Member, Team: "t"}); err != nil || n != 0 {
		t.Errorf("%d left, %v", n, err)
	}
}

// failing loses its connection after some transactions.
type failing struct {
	store.Store
	after  int
	cancel func()
}

func (f *failing) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if f.after--; f.after < 0 && ctx.Err() == nil {
		f.cancel()
	}
	return f.Store.Tx(ctx, fn)
}

// Changes at the same time are all in force.
func TestConcurrentChanges(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(account.Team, "t", `{}`)
	fields := []string{`{"rpm_limit": 1}`, `{"tpm_limit": 1}`, `{"metadata": {"a": 1}}`, `{"team_alias": "a"}`, `{"max_budget": 1}`, `{"models": ["m"]}`}
	var all sync.WaitGroup
	for _, f := range fields {
		all.Go(func() {
			if _, err := o.Update(t.Context(), owner, account.Team, "t", request(t, f)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a, err := o.Get(t.Context(), account.Team, "t")
	if err != nil {
		t.Fatal(err)
	}
	row := a.Row()
	for _, name := range []string{"rpm_limit", "tpm_limit", "team_alias", "max_budget"} {
		if row[name] == nil {
			t.Errorf("%s was lost", name)
		}
	}
	if len(a.Models) != 1 || a.Param("metadata") == nil || a.Param("tags") != nil {
		t.Errorf("%+v", a)
	}
	if a.Updated < start.UnixMicro()+int64(len(fields)) {
		t.Error("Updated did not rise with each change")
	}
}
