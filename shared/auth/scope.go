package auth

import (
	"errors"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// scope is the error for a key that would be allowed more than whoever makes it.
func scope(name, format string, args ...any) *gateway.Error {
	e := gateway.Errorf(gateway.KindForbidden, format, args...)
	e.Param, e.Code = name, "scope_exceeds_creator"
	return e
}

func exceedsCreator(name string) *gateway.Error {
	return scope(name, "%s is more than the caller may give.", name)
}

// within tells whether a key is allowed no more than the caller's own key, and no more than its user or team. Only fields that the
// request gives are looked at; a new key is held to the caller's bounds in the others. given nil looks at all.
func (w *work) within(k *Key, given field.Request, isNew bool) error {
	p := w.by.Principal
	caller, err := find(w.tx.Get, p.KeyHash)
	if err != nil {
		return err
	}
	own := limitsOf(p)
	if isNew {
		inherit(k, caller, own, given)
	}
	named := func(names ...string) bool {
		return given == nil || slices.ContainsFunc(names, func(name string) bool { _, found := given[name]; return found })
	}
	switch {
	case named("duration") && outlives(k, caller):
		return exceedsCreator("duration")
	case named("allowed_routes", "key_type") && !covers(p.Routes, k.Routes):
		return exceedsCreator("allowed_routes")
	case named("models") && !covers(p.Models, k.Models):
		return exceedsCreator("models")
	}
	for _, target := range k.aliases() {
		if named("aliases") && !p.MayCall(target) {
			return exceedsCreator("aliases")
		}
	}
	above, err := w.above(k)
	if err != nil {
		return err
	}
	if len(k.Models) > 0 && named("models") && !covers(above.Models, k.Models) {
		return exceedsCreator("models")
	}
	if !named(limitNames...) {
		return nil
	}
	return w.limitsWithin(k, own, above)
}

var limitNames = func() (names []string) {
	for name := range field.Limits {
		names = append(names, name)
	}
	return names
}()

func (w *work) limitsWithin(k *Key, own gateway.Limits, above *account.Account) error {
	limits, err := w.merged(k.Limits, k.Budget)
	if err != nil {
		return err
	}
	most, err := w.merged(above.Limits, above.Budget)
	if err != nil {
		return err
	}
	if name := beyond(limits, own, true); name != "" {
		return exceedsCreator(name)
	}
	if name := beyond(limits, most, false); name != "" {
		return exceedsCreator(name)
	}
	return nil
}

// merged adds the limits of a shared budget.
func (w *work) merged(own gateway.Limits, budget string) (gateway.Limits, error) {
	if budget == "" {
		return own, nil
	}
	shared, err := readAccount(w.tx.Get, account.Budget, budget)
	if errors.Is(err, store.ErrNotFound) {
		return own, nil
	}
	return account.Merge(own, shared.Limits), err
}

// above is whom the key's calls are limited by besides its own limits: its team, or else its user. Empty if nobody.
func (w *work) above(k *Key) (*account.Account, error) {
	kind, id := account.User, k.User
	if k.Team != "" {
		kind, id = account.Team, k.Team
	}
	a, err := readAccount(w.tx.Get, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return new(account.Account), nil
	}
	return a, err
}

// limitsOf are the limits of the principal's own key.
func limitsOf(p gateway.Principal) gateway.Limits {
	for _, s := range p.Subjects {
		if s.Scope == gateway.ScopeKey && s.ID == p.KeyHash {
			return *s.Limits
		}
	}
	return gateway.Limits{}
}

// inherit holds a new key to the bounds of the caller's where the request says nothing, whatever the defaults are.
func inherit(k, caller *Key, own gateway.Limits, request field.Request) {
	absent := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { _, found := request[name]; return found })
	}
	if absent("duration") && outlives(k, caller) {
		k.Expires = caller.Expires
	}
	if absent("models") && !covers(caller.Models, k.Models) {
		k.Models = slices.Clone(caller.Models)
	}
	if absent("allowed_routes", "key_type") && !covers(caller.Routes, k.Routes) {
		k.Routes = slices.Clone(caller.Routes)
	}
	if absent("max_budget", "budget_limits", "budget_id") && beyondBudgets(k.Limits.Budgets, own.Budgets, true) != "" {
		k.Limits.Budgets = slices.Clone(own.Budgets)
	}
	if absent("model_max_budget", "model_rpm_limit", "model_tpm_limit", "budget_id") && beyondModels(k.Limits, own, true) != "" {
		k.Limits.Models = cloned(own.Models)
	}
	for _, rate := range []struct {
		name string
		most *int64
		into **int64
	}{
		{"rpm_limit", own.RPM, &k.Limits.RPM}, {"tpm_limit", own.TPM, &k.Limits.TPM},
		{"max_parallel_requests", own.Parallel, &k.Limits.Parallel},
	} {
		if absent(rate.name, "budget_id") && more(*rate.into, rate.most, true) {
			*rate.into = rate.most
		}
	}
}

// cloned copies limits whose budgets will get documents of their own.
func cloned(models []gateway.ModelLimits) []gateway.ModelLimits {
	models = slices.Clone(models)
	for i, m := range models {
		models[i].Budgets = slices.Clone(m.Budgets)
	}
	return models
}

// outlives reports whether a key works longer than the caller's.
func outlives(k, caller *Key) bool {
	return caller.Expires != 0 && (k.Expires == 0 || k.Expires > caller.Expires)
}

// covers reports whether a list of patterns admits all that another one does. Empty admits everything.
func covers(most, list []string) bool {
	if len(most) == 0 {
		return true
	}
	return len(list) > 0 && !slices.ContainsFunc(list, func(name string) bool {
		return name != "no-default-models" && !slices.ContainsFunc(most, func(p string) bool { return gateway.MatchModel(p, name) })
	})
}

// beyond names the field by which limits allow more than most. Where most has a limit and limits have none they do so only if
// strict is set: what nobody limits here is limited above.
func beyond(limits, most gateway.Limits, strict bool) string {
	if name := beyondBudgets(limits.Budgets, most.Budgets, strict); name != "" {
		return name
	}
	for _, rate := range []struct {
		name      string
		own, most *int64
	}{
		{"rpm_limit", limits.RPM, most.RPM}, {"tpm_limit", limits.TPM, most.TPM}, {"max_parallel_requests", limits.Parallel, most.Parallel},
	} {
		if more(rate.own, rate.most, strict) {
			return rate.name
		}
	}
	return beyondModels(limits, most, strict)
}

func beyondModels(limits, most gateway.Limits, strict bool) string {
	for _, model := range most.Models {
		var own gateway.ModelLimits
		for _, m := range limits.Models {
			if m.Model == model.Model {
				own = m
			}
		}
		switch {
		case beyondBudgets(own.Budgets, model.Budgets, strict) != "":
			return "model_max_budget"
		case more(own.RPM, model.RPM, strict):
			return "model_rpm_limit"
		case more(own.TPM, model.TPM, strict):
			return "model_tpm_limit"
		}
	}
	return ""
}

func more(own, most *int64, strict bool) bool {
	return most != nil && (own == nil && strict || own != nil && *own > *most)
}

func beyondBudgets(budgets, most []gateway.Budget, strict bool) string {
	for _, m := range most {
		n := slices.IndexFunc(budgets, func(b gateway.Budget) bool { return b.Every == m.Every })
		switch {
		case n < 0 && strict, n >= 0 && budgets[n].Max > m.Max && !budgets[n].Extra:
			return "max_budget"
		case n >= 0 && budgets[n].Max > m.Max:
			return "budget_limits"
		}
	}
	return ""
}
