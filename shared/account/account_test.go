package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var start = time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)

// office is a Manager on memory with a clock that stands still and a ledger that is a map.
type office struct {
	*account.Manager
	t     *testing.T
	spent map[string]gateway.NanoUSD // by scope and id
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, spent: map[string]gateway.NanoUSD{}}
	o.Manager = &account.Manager{
		Store: memstore.New(), Now: func() time.Time { return start },
		Spent: func(_ context.Context, s gateway.Scope, id string, _ time.Time) (gateway.NanoUSD, error) {
			return o.spent[string(s)+" "+id], nil
		},
	}
	return o
}

var owner = audit.By{Principal: gateway.Principal{KeyHash: "hash", KeyAlias: "master", Admin: true}}

func request(t *testing.T, text string) (r field.Request) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func (o *office) create(k account.Kind, id, fields string) *account.Account {
	o.t.Helper()
	made, err := o.Create(o.t.Context(), owner, account.Draft{Kind: k, ID: id, Fields: request(o.t, fields)})
	if err != nil {
		o.t.Fatalf("create %s %s: %v", k, id, err)
	}
	return made[0]
}

func (o *office) records() (records []audit.Record) {
	o.t.Helper()
	for r, err := range audit.Select(o.t.Context(), o.Store, audit.Filter{}) {
		if err != nil {
			o.t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func status(err error) int {
	if err == nil {
		return 200
	}
	return gateway.AsError(err).Status()
}

// What a request says is stored, shown, changed and taken away again, for every kind alike.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind               account.Kind
		id, create, update string
		made, updated      map[string]any // parts of rows
	}{
		{account.User, "u", `{"user_email": "A@B.example", "user_alias": "Ann", "user_role": "proxy_admin_viewer", "max_budget": 0.1, "budget_duration": "30d",
			"models": ["m"], "metadata": {"a": 1}, "tpm_limit": 5, "aliases": {"x": "y"}, "ignored": true}`, `{"max_budget": null, "user_role": null, "metadata": null}`,
			map[string]any{"user_id": "u", "user_email": "a@b.example", "user_alias": "Ann", "user_role": "proxy_admin_viewer", "max_budget": json.Number("0.1"),
				"budget_duration": "30d", "tpm_limit": int64(5)},
			map[string]any{"max_budget": nil, "user_role": "internal_user", "tpm_limit": int64(5), "user_alias": "Ann"}},
		{account.Team, "t", `{"team_alias": "T", "team_member_budget": 2, "team_member_rpm_limit": 3, "blocked": true, "model_aliases": {"a": "b"}}`,
			`{"team_alias": null, "blocked": false, "max_budget": 0.000000001}`,
			map[string]any{"team_id": "t", "team_alias": "T", "blocked": true}, map[string]any{"team_alias": nil, "blocked": false, "max_budget": json.Number("0.000000001")}},
		{account.Org, "o", `{"organization_alias": "O", "model_max_budget": {"m": {"budget_limit": 1, "time_period": "1d"}}}`, `{"rpm_limit": 0}`,
			map[string]any{"organization_id": "o", "organization_alias": "O"}, map[string]any{"rpm_limit": int64(0)}},
		{account.Customer, "c\u00e9/1", `{"alias": "C", "allowed_model_region": "eu", "max_budget": 1}`, `{"max_budget": 2, "blocked": true}`,
			map[string]any{"user_id": "cé/1", "alias": "C", "max_budget": json.Number("1")}, map[string]any{"blocked": true, "max_budget": json.Number("2")}},
		{account.Tag, "g", `{"description": "d", "soft_budget": 1}`, `{"soft_budget": ""}`,
			map[string]any{"name": "g", "soft_budget": json.Number("1")}, map[string]any{"soft_budget": nil}},
		{account.Budget, "b", `{"max_budget": 5, "budget_duration": "1d", "max_parallel_requests": 2}`, `{"max_parallel_requests": null}`,
			map[string]any{"budget_id": "b", "max_parallel_requests": int64(2)}, map[string]any{"max_parallel_requests": nil, "max_budget": json.Number("5")}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			made := o.create(c.kind, c.id, c.create)
			parts(t, made.Row(), c.made)
			changed, err := o.Update(t.Context(), owner, c.kind, c.id, request(t, c.update))
			if err != nil {
				t.Fatal(err)
			}
			parts(t, changed.Row(), c.updated)
			if changed.Updated <= made.Updated {
				t.Error("Updated did not rise")
			}
			got, err := o.Get(t.Context(), c.kind, c.id)
			if diff := cmp.Diff(changed, got); err != nil || diff != "" {
				t.Errorf("%v (-returned +stored):\n%s", err, diff)
			}
			if _, err := o.Create(t.Context(), owner, account.Draft{Kind: c.kind, ID: c.id}); status(err) != 400 && (c.kind != account.User || status(err) != 409) {
				t.Errorf("created twice: %v", err)
			}
			gone, err := o.Delete(t.Context(), owner, c.kind, c.id)
			if err != nil || !gone.Deleted || gone.Purge == 0 || gone.Updated <= changed.Updated {
				t.Errorf("%+v, %v", gone, err)
			}
			if _, err := o.Get(t.Context(), c.kind, c.id); status(err) != 404 || gateway.AsError(err).Type() != "not_found_error" {
				t.Errorf("read after deletion: %v", err)
			}
			if _, err := o.Delete(t.Context(), owner, c.kind, c.id); status(err) != 404 {
				t.Errorf("deleted twice: %v", err)
			}
			again := o.create(c.kind, c.id, `{}`)
			if again.Updated <= gone.Updated || again.Deleted || again.Limits.Any() {
				t.Errorf("created again: %+v", again)
			}
			var actions []string
			for _, r := range o.records() {
				actions = append(actions, r.Action)
				if r.Table != string(c.kind) || r.Object != c.id || r.Actor != "master" || r.Key != "hash" || (r.Before == "") != (r.Action == "created") || (r.After == "") != (r.Action == "deleted") {
					t.Errorf("record %+v", r)
				}
			}
			if len(actions) != 4 {
				t.Errorf("records of %v", actions)
			}
		})
	}
}

// parts compares those parts of a row that are wanted.
func parts(t *testing.T, row, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	for name := range want {
		got[name] = row[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(account.Team, "t", `{}`)
	o.create(account.User, "u", `{"user_email": "u@x.example"}`)
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		kind       account.Kind
		id, fields string
		status     int
		param      string
	}{
		{account.User, long, `{}`, 400, "user_id"},
		{account.User, "a\x00", `{}`, 400, "user_id"},
		{account.User, "a\nb", `{}`, 400, "user_id"},
		{account.User, "v", `{"user_role": "root"}`, 400, "user_role"},
		{account.User, "v", `{"user_email": "U@x.example"}`, 409, "user_email"},
		{account.User, "v", `{"created_at": "2020-01-01"}`, 400, "created_at"},
		{account.User, "v", `{"spend": -1}`, 400, "spend"},
		{account.User, "v", `{"budget_id": "nowhere"}`, 400, "budget_id"},
		{account.User, "v", `{"user_alias": "` + strings.Repeat("é", 129) + `"}`, 400, "user_alias"},
		{account.User, "v", `{"metadata": {"x": "` + strings.Repeat("x", 100_000) + `"}}`, 400, ""},
		{account.Team, "v", `{"max_budget": 1e308}`, 400, "max_budget"},
		{account.Team, "v", `{"max_budget": 0.1234567890123456789}`, 400, "max_budget"},
		{account.Team, "v", `{"max_budget": "NaN"}`, 400, "max_budget"},
		{account.Team, "v", `{"team_member_budget": -1}`, 400, "team_member_budget"},
		{account.Team, "v", `{"budget_duration": "1y"}`, 400, "budget_duration"},
		{account.Team, "v", `{"organization_id": "nowhere"}`, 400, "organization_id"},
		{account.Member, account.MemberID("t", "nobody"), `{}`, 404, "user_id"},
		{account.Member, account.MemberID("nowhere", "u"), `{}`, 404, "team_id"},
		{account.Member, account.MemberID("t", "u"), `{"role": "owner"}`, 400, "role"},
		{account.Member, "t", `{}`, 400, "user_id"},
		{account.OrgUser, account.MemberID("o", "u"), `{"max_budget_in_organization": 1}`, 400, "max_budget_in_organization"},
		{account.Customer, "c", `{"max_budget": 1, "budget_id": "b"}`, 400, "budget_id"},
		{account.Customer, "c", `{"allowed_model_region": "mars"}`, 400, "allowed_model_region"},
	} {
		_, err := o.Create(t.Context(), owner, account.Draft{Kind: c.kind, ID: c.id, Fields: request(t, c.fields)})
		if e := gateway.AsError(err); status(err) != c.status || e.Param != c.param {
			t.Errorf("%s %.60s: %d, param %q, want %d, %q: %v", c.kind, c.fields, status(err), e.Param, c.status, c.param, err)
		}
	}
	if n := len(o.records()); n != 2 {
		t.Errorf("%d records: a refused request left some", n)
	}
	if _, err := o.ByEmail(t.Context(), " U@X.example"); err != nil {
		t.Error(err)
	}
	if _, err := o.ByEmail(t.Context(), "other@x.example"); status(err) != 404 {
		t.Error(err)
	}
}

// All of several drafts are made or none.
func TestCreateTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	member := account.MemberID("t", "u")
	drafts := []account.Draft{{Kind: account.Team, ID: "t"}, {Kind: account.User, ID: "u", Spare: true}, {Kind: account.Member, ID: member}, {Kind: account.Team, ID: "t2", Fields: request(t, `{"budget_id": "b"}`)}}
	if _, err := o.Create(t.Context(), owner, drafts...); status(err) != 400 {
		t.Errorf("unknown budget: %v", err)
	}
	if _, err := o.Get(t.Context(), account.Team, "t"); status(err) != 404 {
		t.Errorf("some were made: %v", err)
	}
	for range 2 {
		made, err := o.Create(t.Context(), owner, drafts[1:2:2]...)
		if err != nil || made[0].ID != "u" {
			t.Fatalf("%+v, %v", made, err)
		}
	}
	made, err := o.Create(t.Context(), owner, drafts[:3]...)
	if err != nil || len(made) != 3 || made[2].Role != account.RoleTeamUser || made[2].Team != "t" || made[2].User != "u" {
		t.Fatalf("%+v, %v", made, err)
	}
	if n := len(o.records()); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}

// Email addresses are freed with their user, and move with it.
func TestEmails(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(account.User, "u", `{"user_email": "a@x"}`)
	if _, err := o.Update(t.Context(), owner, account.User, "u", request(t, `{"user_email": "b@x"}`)); err != nil {
		t.Fatal(err)
	}
	o.create(account.User, "v", `{"user_email": "a@x"}`)
	if _, err := o.Update(t.Context(), owner, account.User, "u", request(t, `{"user_email": "A@x"}`)); status(err) != 409 {
		t.Errorf("taken: %v", err)
	}
	if _, err := o.Delete(t.Context(), owner, account.User, "v"); err != nil {
		t.Fatal(err)
	}
	o.create(account.User, "w", `{"user_email": "a@x"}`)
	twins := []account.Draft{{Kind: account.User, ID: "x", Fields: request(t, `{"user_email": "c@x"}`)}, {Kind: account.User, ID: "y", Fields: request(t, `{"user_email": "c@x"}`)}}
	if _, err := o.Create(t.Context(), owner, twins...); status(err) != 409 {
		t.Errorf("two users with one address at once: %v", err)
	}
}

func TestBudgetInUse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(account.Budget, "b", `{"max_budget": 1}`)
	o.create(account.User, "u", `{"budget_id": "b"}`)
	o.create(account.Tag, "g", `{"budget_id": "b"}`)
	o.Referring = func(context.Context, string) (int64, error) { return 3, nil }
	_, err := o.Delete(t.Context(), owner, account.Budget, "b")
	if status(err) != 400 || !strings.Contains(err.Error(), "5 others") {
		t.Errorf("%v", err)
	}
	for k, id := range map[account.Kind]string{account.User: "u", account.Tag: "g"} {
		if _, err := o.Update(t.Context(), owner, k, id, request(t, `{"budget_id": null}`)); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	o.Referring = func(context.Context, string) (int64, error) { asked++; return int64(asked - 1), nil } // one comes in between
	if _, err = o.Delete(t.Context(), owner, account.Budget, "b"); status(err) != 400 {
		t.Errorf("%v", err)
	}
	if b, err := o.Get(t.Context(), account.Budget, "b"); err != nil || b.Limits.Budgets[0].Max != gateway.USD {
		t.Errorf("the budget is not back: %+v, %v", b, err)
	}
	o.Referring = nil
	if _, err = o.Delete(t.Context(), owner, account.Budget, "b"); err != nil {
		t.Error(err)
	}
	if _, err := o.Update(t.Context(), owner, account.User, "u", request(t, `{"budget_id": "b"}`)); status(err) != 400 {
		t.Errorf("a deleted budget was taken: %v", err)
	}
}

// Budgets begin from what was spent, keep their documents when only the amount changes, and begin anew when an owner says what was spent.
func TestBudgetDocuments(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.spent["user u"], o.spent["customer c"] = 7, 8
	u := o.create(account.User, "u", `{"max_budget": 1}`)
	if b := u.Limits.Budgets[0]; u.Spent != -7 || b.Opening != 0 || b.Epoch == 0 {
		t.Errorf("a new user begins with what its id spent before: %+v", u)
	}
	if c := o.create(account.Customer, "c", `{"max_budget": 1}`); c.Spent != 0 || c.Limits.Budgets[0].Opening != 8 {
		t.Errorf("a customer that calls were made for: %+v", c)
	}
	o.spent["user u"] = 10
	update := func(fields string) *account.Account {
		a, err := o.Update(t.Context(), owner, account.User, "u", request(t, fields))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if got := update(`{"max_budget": 2}`).Limits.Budgets[0]; got.Epoch != u.Limits.Budgets[0].Epoch || got.Max != 2*gateway.USD {
		t.Errorf("another amount: %+v", got)
	}
	if got := update(`{"max_budget": null}`); len(got.Limits.Budgets) != 0 {
		t.Errorf("%+v", got.Limits)
	}
	if got := update(`{"max_budget": 2}`).Limits.Budgets[0]; got.Opening != 3 {
		t.Errorf("a lifetime budget for who has spent 3: %+v", got)
	}
	if got := update(`{"spend": 0.5}`); got.Spent != gateway.USD/2-10 || got.Limits.Budgets[0].Opening != gateway.USD/2 {
		t.Errorf("spend was set: %+v", got)
	}
	if got := update(`{"max_budget": null, "budget_duration": "1d"}`).Row(); fmt.Sprintf("%s", got["budget_duration"]) != `"1d"` {
		t.Errorf("a duration without an amount: %v", got["budget_duration"])
	}
	if got := update(`{"max_budget": 3}`).Limits.Budgets[0]; got.Every != "1d" {
		t.Errorf("the amount came after its duration: %+v", got)
	}
	team := o.create(account.Team, "t", `{"team_member_budget": 2, "team_member_budget_duration": "1d", "team_member_tpm_limit": 9}`)
	if l := account.DefaultMember(*team); len(l.Budgets) != 1 || l.Budgets[0].Epoch == 0 || l.Budgets[0].Every != "1d" || *l.TPM != 9 {
		t.Errorf("default of members: %+v", l)
	}
	b := o.create(account.Budget, "b", `{"max_budget": 2, "model_max_budget": {"m": {"max_budget": 1}}}`)
	if b.Limits.Budgets[0].Epoch == 0 || b.Limits.Models[0].Budgets[0].Epoch == 0 {
		t.Errorf("%+v", b.Limits)
	}
}

func TestStoreAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Create(ctx, owner, account.Draft{Kind: account.Team, ID: "t"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := o.Get(ctx, account.Team, "t"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
