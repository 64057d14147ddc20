package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// office is a manager on a store of its own, with a clock to be set and books to be written.
type office struct {
	*auth.Manager
	t    *testing.T
	now  time.Time
	mu   sync.Mutex
	paid map[string]gateway.NanoUSD // by key, in the present window
	old  map[string]gateway.NanoUSD // by key, before
}

func newOffice(t *testing.T) *office {
	o := &office{
		t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), paid: map[string]gateway.NanoUSD{}, old: map[string]gateway.NanoUSD{},
	}
	o.Manager = &auth.Manager{Store: memstore.New(), Now: func() time.Time { return o.now }, Spent: o.spent}
	return o
}

func (o *office) spent(_ context.Context, scope gateway.Scope, subject string, since time.Time) (gateway.NanoUSD, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if scope != gateway.ScopeKey {
		return 0, fmt.Errorf("asked for %s", scope)
	}
	if since.IsZero() {
		return o.paid[subject].Plus(o.old[subject]), nil
	}
	return o.paid[subject], nil
}

func (o *office) make(by audit.By, fields string) (gateway.Secret, *auth.Key) {
	o.t.Helper()
	secret, key, err := o.Generate(o.t.Context(), by, object(o.t, fields))
	if err != nil {
		o.t.Fatalf("generate %s: %v", fields, err)
	}
	return secret, key
}

func (o *office) update(by audit.By, key, fields string) *auth.Key {
	o.t.Helper()
	k, err := o.Update(o.t.Context(), by, key, object(o.t, fields))
	if err != nil {
		o.t.Fatalf("update %s: %v", fields, err)
	}
	return k
}

func (o *office) row(k *auth.Key, spent gateway.NanoUSD) map[string]json.RawMessage {
	o.t.Helper()
	text, err := json.Marshal(o.Row(k, spent))
	if err != nil {
		o.t.Fatal(err)
	}
	return object(o.t, string(text))
}

// records are the audit records of a key, the newest first.
func (o *office) records(k *auth.Key) (all []audit.Record) {
	o.t.Helper()
	for r, err := range audit.Select(o.t.Context(), o.Store, audit.Filter{Object: k.ID}) {
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// A budget goes on when its amount changes; a new window begins with what was spent in it.
func TestBudgetsOfAKey(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{"max_budget": 10, "budget_duration": "1d"}`)
	first := k.Limits.Budgets[0]
	if first.Max != 10*gateway.USD || first.Every != "1d" || first.Epoch != o.now.UnixMicro() || first.Opening != 0 {
		t.Errorf("new: %+v", first)
	}
	if got := string(o.row(k, 0)["budget_reset_at"]); got != `"2026-11-23T00:00:00.000000Z"` {
		t.Errorf("budget_reset_at = %s", got)
	}
	o.paid[k.ID], o.old[k.ID] = 3*gateway.USD, 4*gateway.USD
	o.now = o.now.Add(time.Hour)
	k = o.update(boss, k.Hash, `{"max_budget": 1}`) // less than is spent: it is over budget then
	if b := k.Limits.Budgets[0]; b.Max != gateway.USD || b.Epoch != first.Epoch || b.Every != "1d" {
		t.Errorf("lowered: %+v", b)
	}
	k = o.update(boss, k.Hash, `{"budget_limits": [{"max_budget": 20, "budget_duration": "1mo"}, {"max_budget": 100, "budget_duration": "1h"}]}`)
	if b := k.Limits.Budgets; len(b) != 3 || b[0].Epoch != first.Epoch || b[1].Opening != 3*gateway.USD || b[2].Opening != 0 || !b[1].Extra {
		t.Errorf("windows: %+v", b)
	}
	k = o.update(boss, k.Hash, `{"budget_duration": null, "budget_limits": null}`)
	if b := k.Limits.Budgets; len(b) != 1 || b[0].Opening != 7*gateway.USD || b[0].Epoch == first.Epoch {
		t.Errorf("for ever: %+v", b)
	}
}

// A budget_duration waits for its max_budget.
func TestDurationBeforeBudget(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{"budget_duration": "30d"}`)
	if got := string(o.row(k, 0)["budget_duration"]); got != `"30d"` {
		t.Errorf("echoed as %s", got)
	}
	if k = o.update(boss, k.Hash, `{"max_budget": 5}`); k.Limits.Budgets[0].Every != "30d" {
		t.Errorf("%+v", k.Limits)
	}
}

func TestSpend(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{"spend": 2.5, "max_budget": 10}`)
	if got := string(o.row(k, 0)["spend"]); got != "2.5" || k.Limits.Budgets[0].Opening != 2_500_000_000 {
		t.Errorf("spend = %s, %+v", got, k.Limits)
	}
	o.paid[k.ID] = 3 * gateway.USD
	epoch := k.Limits.Budgets[0].Epoch
	o.now = o.now.Add(time.Minute)
	k, was, err := o.ResetSpend(t.Context(), boss, k.Hash, 1*gateway.USD)
	if b := k.Limits.Budgets[0]; err != nil || was != 5_500_000_000 || b.Opening != gateway.USD || b.Epoch == epoch {
		t.Errorf("reset from %s: %+v, %v", was, b, err)
	}
	if got := string(o.row(k, o.paid[k.ID])["spend"]); got != "1" {
		t.Errorf("spend = %s", got)
	}
	if k = o.update(boss, k.Hash, `{"budget_limits": [{"max_budget": 20, "budget_duration": "1mo"}]}`); k.Limits.Budgets[1].Opening != gateway.USD {
		t.Errorf("a window that is new begins from %s, want what is left of the spend", k.Limits.Budgets[1].Opening)
	}
	if _, _, err := o.ResetSpend(t.Context(), boss, k.Hash, 2*gateway.USD); gateway.AsError(err).Status() != 400 {
		t.Errorf("reset to more than was spent: %v", err)
	}
	if k = o.update(boss, k.Hash, `{"spend": 7}`); string(o.row(k, o.paid[k.ID])["spend"]) != "7" {
		t.Errorf("spend that was set: %s", o.row(k, o.paid[k.ID])["spend"])
	}
}

func TestTemporaryBudget(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{"max_budget": 10, "budget_limits": [{"max_budget": 1, "budget_duration": "1h"}]}`)
	for _, until := range []string{`"1d"`, `"2026-11-23T12:00:00Z"`, `"2026-11-23T13:00:00+01:00"`, `"2026-11-23 12:00:00"`} {
		k = o.update(boss, k.Hash, `{"temp_budget_increase": 5, "temp_budget_expiry": `+until+`}`)
		end := o.now.Add(24 * time.Hour)
		during, after := k.EffectiveLimits(end.Add(-time.Second)), k.EffectiveLimits(end)
		if during.Budgets[0].Max != 15*gateway.USD || during.Budgets[1].Max != gateway.USD || after.Budgets[0].Max != 10*gateway.USD ||
			k.Limits.Budgets[0].Max != 10*gateway.USD {
			t.Errorf("%s: %v during, %v after", until, during, after)
		}
	}
	for _, bad := range []string{
		`{"temp_budget_increase": 5}`, `{"temp_budget_expiry": "1d"}`, `{"temp_budget_increase": null, "temp_budget_expiry": "1d"}`,
		`{"temp_budget_increase": 5, "temp_budget_expiry": "2026-11-22T11:00:00Z"}`, `{"temp_budget_increase": -5, "temp_budget_expiry": "1d"}`,
		`{"temp_budget_increase": 5, "temp_budget_expiry": "9999-12-31T00:00:00Z"}`, `{"temp_budget_increase": 5, "temp_budget_expiry": "soon"}`,
		`{"temp_budget_increase": 5, "temp_budget_expiry": "1d", "max_budget": null}`,
	} {
		if _, err := o.Update(t.Context(), boss, k.Hash, object(t, bad)); gateway.AsError(err).Status() != 400 {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if k = o.update(boss, k.Hash, `{"temp_budget_increase": null, "temp_budget_expiry": null}`); k.EffectiveLimits(o.now).Budgets[0].Max != 10*gateway.USD {
		t.Errorf("taken away: %+v", k)
	}
}

func TestKeyTypes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for fields, want := range map[string][]string{
		`{}`: nil, `{"key_type": "default"}`: nil, `{"key_type": null}`: nil, `{"key_type": "llm_api"}`: {"llm_api_routes"},
		`{"key_type": "management"}`: {"management_routes"}, `{"key_type": "read_only", "allowed_routes": []}`: {"info_routes"},
		`{"key_type": "llm_api", "allowed_routes": ["/v1/*"]}`: {"/v1/*"}, `{"allowed_routes": ["/key/info"]}`: {"/key/info"},
	} {
		if _, k := o.make(boss, fields); !cmp.Equal(k.Routes, want) {
			t.Errorf("%s: routes %v, want %v", fields, k.Routes, want)
		}
	}
}

// What the owner of the gateway sets for all keys holds for each.
func TestDefaultsAndUpperBounds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Defaults = object(t, `{"max_budget": 5, "models": ["a"], "metadata": {"x": 1}}`)
	o.Upper = object(t, `{"max_budget": 10, "duration": "30d", "rpm_limit": 100, "budget_duration": null}`)
	_, k := o.make(boss, `{"max_budget": null}`)
	if k.Limits.Budgets[0].Max != 5*gateway.USD || k.Expires != o.now.Add(30*24*time.Hour).Unix() || *k.Limits.RPM != 100 || k.Models[0] != "a" {
		t.Errorf("completed: %+v", k)
	}
	_, k = o.make(boss, `{"max_budget": 10, "duration": "29d", "rpm_limit": 1, "models": []}`)
	if k.Limits.Budgets[0].Max != 10*gateway.USD || *k.Limits.RPM != 1 || len(k.Models) != 0 {
		t.Errorf("as given: %+v", k)
	}
	for name, fields := range map[string]string{
		"max_budget": `{"max_budget": 10.01}`, "duration": `{"duration": "31d"}`, "rpm_limit": `{"rpm_limit": 101}`,
	} {
		_, _, err := o.Generate(t.Context(), boss, object(t, fields))
		if e := gateway.AsError(err); e.Status() != 400 || e.Param != name || !strings.Contains(e.Message, "over max limit set in config") {
			t.Errorf("generate %s: %v", fields, err)
		}
		if _, err := o.Update(t.Context(), boss, k.Hash, object(t, fields)); gateway.AsError(err).Status() != 400 {
			t.Errorf("update %s: %v", fields, err)
		}
	}
	if _, err := o.Update(t.Context(), boss, k.Hash, object(t, `{"duration": "-1"}`)); gateway.AsError(err).Status() != 400 {
		t.Errorf("for ever: %v", err)
	}
	ann := as(func() *auth.Key {
		_, k := o.make(boss, `{"user_id": "ann", "max_budget": 1, "duration": "1d", "rpm_limit": 100}`)
		return k
	}(), gateway.RoleUser)
	if _, k := o.make(ann, `{}`); k.Limits.Budgets[0].Max != gateway.USD || k.Expires != o.now.Add(24*time.Hour).Unix() || *k.Limits.RPM != 100 {
		t.Errorf("of defaults and the maker's bounds the lower holds: %+v", k)
	}
	if k = o.update(boss, k.Hash, `{"rpm_limit": null}`); *k.Limits.RPM != 100 || k.Limits.Budgets[0].Max != 10*gateway.USD {
		t.Errorf("a bound was taken away: %+v", k.Limits)
	}
}

func TestReadOnlyFields(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{}`)
	for _, name := range []string{"token", "role", "tenant_id", "id", "created_at", "created_by", "updated_at", "hash", "key_hash", "expires", "rotation_count"} {
		_, err := o.Update(t.Context(), boss, k.Hash, field.Request{name: json.RawMessage(`"x"`), "rpm_limit": json.RawMessage(`5`)})
		if e := gateway.AsError(err); e.Status() != 400 || e.Code != "read_only_field" || e.Param != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if same, err := o.Info(t.Context(), k.ID); err != nil || !cmp.Equal(same, k) {
		t.Errorf("the key has changed: %s, %v", cmp.Diff(k, same), err)
	}
}

func TestAliasForms(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, alias := range []string{`<script>alert(1)</script>`, strings.Repeat("ü", 128), "🔑", "%", "' OR 1=1", "a/b"} {
		text, _ := json.Marshal(alias)
		_, k := o.make(boss, `{"key_alias": `+string(text)+`}`)
		if id, err := o.ByAlias(t.Context(), alias); err != nil || id != k.ID {
			t.Errorf("%s: %s, %v", alias, id, err)
		}
	}
	for _, alias := range []string{strings.Repeat("ü", 129), strings.Repeat("x", 10<<10), "a\x00", "a\nb", "\u0085"} {
		text, _ := json.Marshal(alias)
		if _, _, err := o.Generate(t.Context(), boss, field.Request{"key_alias": text}); gateway.AsError(err).Status() != 400 {
			t.Errorf("%.20q: %v", alias, err)
		}
	}
}

func TestTooManyFields(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	big := field.Request{"metadata": json.RawMessage(`{"x": "` + strings.Repeat("x", 70<<10) + `"}`)}
	if _, _, err := o.Generate(t.Context(), boss, big); gateway.AsError(err).Status() != 400 {
		t.Errorf("70 KiB of metadata: %v", err)
	}
}

func TestSharedBudgetMustExist(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if _, _, err := o.Generate(t.Context(), boss, object(t, `{"budget_id": "b"}`)); gateway.AsError(err).Param != "budget_id" {
		t.Errorf("an unknown budget: %v", err)
	}
	o.put(account.Account{Kind: account.Budget, ID: "b"})
	if _, k := o.make(boss, `{"budget_id": "b"}`); k.Budget != "b" {
		t.Errorf("%+v", k)
	}
}

func (o *office) put(accounts ...account.Account) {
	o.t.Helper()
	for _, a := range accounts {
		if _, err := o.Store.Create(o.t.Context(), account.Ref(a.Kind, a.ID), &a); err != nil {
			o.t.Fatal(err)
		}
	}
}

// Of changes that saw the same state one wins.
func TestIfMatch(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{}`)
	seen := k.ETag()
	var won, lost int
	for range 3 {
		_, err := o.If(seen).Update(t.Context(), boss, k.Hash, object(t, `{"rpm_limit": 1}`))
		switch {
		case err == nil:
			won++
		case gateway.AsError(err).Status() == 412:
			lost++
		default:
			t.Error(err)
		}
	}
	if won != 1 || lost != 2 {
		t.Errorf("%d won, %d lost", won, lost)
	}
	for _, match := range []string{"", "*"} {
		if _, err := o.If(match).Update(t.Context(), boss, k.Hash, object(t, `{"rpm_limit": 2}`)); err != nil {
			t.Errorf("If-Match %q: %v", match, err)
		}
	}
}

// Every change leaves a record; no record has a secret.
func TestChangesAreRecorded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secret, k := o.make(audit.By{Principal: boss.Principal, ChangedBy: "ann"}, `{"key": "sk-canary-1234567", "max_budget": 1, "key_alias": "a"}`)
	o.now = o.now.Add(time.Second)
	o.update(boss, k.Hash, `{"max_budget": 2}`)
	for _, step := range []func() error{
		func() error { _, err := o.Block(t.Context(), boss, k.Hash, true); return err },
		func() error { _, _, err := o.Regenerate(t.Context(), boss, k.Hash, field.Request{}); return err },
		func() error { _, _, err := o.ResetSpend(t.Context(), boss, k.Hash, 0); return err },
		func() error { _, err := o.Delete(t.Context(), boss, k.ID); return err },
	} {
		o.now = o.now.Add(time.Second)
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	var actions []string
	for _, r := range o.records(k) {
		actions = append(actions, r.Action+" by "+r.Actor)
		text, _ := json.Marshal(r)
		if strings.Contains(string(text), secret.Reveal()) {
			t.Errorf("a secret is in the record: %s", text)
		}
	}
	want := []string{"deleted by master", "reset by master", "regenerated by master", "blocked by master", "updated by master", "created by ann"}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	updated := o.records(k)[4]
	if !strings.Contains(updated.Before, `"max_budget":1`) || !strings.Contains(updated.After, `"max_budget":2`) || updated.Fields[0] != "max_budget" {
		t.Errorf("%+v", updated)
	}
}

// A warm instance hears of changes in their order, whatever the clock says.
func TestUpdatedRises(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{}`)
	last := k.Updated
	for range 3 {
		o.now = o.now.Add(-time.Second)
		k = o.update(boss, k.Hash, `{"rpm_limit": 1}`)
		if k.Updated <= last {
			t.Errorf("%d after %d", k.Updated, last)
		}
		last = k.Updated
	}
}
