package auth_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// A key keeps all but its secret, and is known by every one that it ever had.
func TestRegenerate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first, k := o.make(boss, `{"max_budget": 10, "key_alias": "a", "user_id": "u"}`)
	before := *k
	o.now = o.now.Add(time.Hour)
	second, k, err := o.Regenerate(t.Context(), boss, first.Reveal(), object(t, `{"grace_period": "24h", "rpm_limit": 7}`))
	if err != nil {
		t.Fatal(err)
	}
	if k.ID != before.ID || k.Hash != auth.Hash(second) || k.Alias != "a" || *k.Limits.RPM != 7 || k.Limits.Budgets[0] != before.Limits.Budgets[0] ||
		k.Owner() != before.Owner() || k.Rotations != 1 {
		t.Errorf("after: %+v", k)
	}
	third, k, err := o.Regenerate(t.Context(), boss, second.Reveal(), object(t, `{"new_key": "sk-my-own-new-key"}`))
	if err != nil || third != "sk-my-own-new-key" || len(k.Former) != 1 || k.Former[0].Hash != auth.Hash(first) {
		t.Errorf("again: %s, %+v, %v", third, k, err)
	}
	for _, secret := range []gateway.Secret{first, second, third} {
		for _, name := range []string{secret.Reveal(), auth.Hash(secret)} {
			if found, err := o.Info(t.Context(), name); err != nil || found.ID != before.ID {
				t.Errorf("%s: %+v, %v", name, found, err)
			}
		}
		if id, err := o.IDOf(t.Context(), secret.Reveal()); err != nil || id != before.ID {
			t.Errorf("IDOf(%s) = %s, %v", secret, id, err)
		}
		if _, _, err := o.Generate(t.Context(), boss, field.Request{"key": []byte(`"` + secret.Reveal() + `"`)}); gateway.AsError(err).Status() != 400 {
			t.Errorf("a secret of one key was given to another: %v", err)
		}
	}
	for _, c := range []struct {
		what, name, fields string
		status             int
	}{
		{"a secret that it had", first.Reveal(), `{}`, 409},
		{"a hash that it had", auth.Hash(second), `{}`, 409},
		{"a secret that exists", third.Reveal(), `{"new_key": "` + first.Reveal() + `"}`, 400},
		{"a secret of no form", third.Reveal(), `{"new_key": "short"}`, 400},
		{"a grace period of no form", third.Reveal(), `{"grace_period": "soon"}`, 400},
		{"the master key", third.Reveal(), `{"new_master_key": "sk-x"}`, 400},
		{"no key", "sk-nobody-has-this", `{}`, 404},
		{"a field that is read only", third.Reveal(), `{"created_by": "x"}`, 400},
		{"its ID, which stays a name", before.ID, `{}`, 200},
	} {
		_, _, err := o.Regenerate(t.Context(), boss, c.name, object(t, c.fields))
		if status := statusOf(err); status != c.status {
			t.Errorf("%s: %d, %v", c.what, status, err)
		}
	}
}

func statusOf(err error) int {
	if err == nil {
		return 200
	}
	return gateway.AsError(err).Status()
}

// Two that rotate the same secret: one wins, the other hears of it.
func TestConcurrentRegenerations(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secret, k := o.make(boss, `{}`)
	const n = 8
	var all sync.WaitGroup
	got := make([]int, n)
	for i := range n {
		all.Go(func() {
			_, _, err := o.Regenerate(t.Context(), boss, secret.Reveal(), field.Request{})
			got[i] = statusOf(err)
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range got {
		count[status]++
	}
	if count[200] != 1 || count[409] != n-1 {
		t.Errorf("statuses %v", got)
	}
	if k, err := o.Info(t.Context(), k.ID); err != nil || k.Rotations != 1 {
		t.Errorf("%+v, %v", k, err)
	}
}

// Only so many secrets work at once.
func TestGraceIsBounded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, k := o.make(boss, `{}`)
	for i := range 11 {
		_, _, err := o.Regenerate(t.Context(), boss, k.ID, object(t, `{"grace_period": "1h"}`))
		if (i < 10) != (err == nil) {
			t.Errorf("rotation %d: %v", i, err)
		}
	}
	o.now = o.now.Add(2 * time.Hour)
	if _, k, err := o.Regenerate(t.Context(), boss, k.ID, object(t, `{"grace_period": "1h"}`)); err != nil || len(k.Former) != 1 {
		t.Errorf("after all have ended: %+v, %v", k, err)
	}
}

// A former secret opens the key until its grace period ends; work that was begun with the key goes on.
func TestFormerSecretEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, true)
		first := h.generate(t, `{"user_id": "u"}`)
		if _, err := h.try(t, bearer(first)); err != nil {
			t.Fatal(err)
		}
		second, key, err := h.keys.Regenerate(t.Context(), boss, first.Reveal(), object(t, `{"grace_period": "1h"}`))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Second)
		for _, secret := range []gateway.Secret{first, second} {
			if p, err := h.try(t, bearer(secret)); err != nil || p.KeyHash != auth.Hash(first) {
				t.Errorf("in the grace period: %+v, %v", p, err)
			}
		}
		time.Sleep(time.Second)
		if _, err := h.try(t, bearer(first)); err == nil || err.Type() != "token_not_found_in_db" {
			t.Errorf("after the grace period: %v", err)
		}
		if p, err := h.auth.Principal(t.Context(), key.ID); err != nil || p.KeyHash != key.ID {
			t.Errorf("what was begun with the key: %+v, %v", p, err)
		}
		third, _, err := h.keys.Regenerate(t.Context(), boss, second.Reveal(), object(t, `{}`))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := h.try(t, bearer(second)); err == nil {
			t.Error("a secret without a grace period goes on")
		}
		if _, err := h.try(t, bearer(third)); err != nil {
			t.Errorf("the current secret: %v", err)
		}
	})
}
