package field

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// maxWindows is how many budgets one subject may have at once: each is looked at for every call.
const maxWindows = 8

// Apply sets those limits that a checked request names and keeps the others. null takes a limit away. Budgets come without Epoch,
// Since and Opening; whoever stores them gives them those.
func Apply(l gateway.Limits, request Request) (gateway.Limits, error) {
	l.Budgets = slices.Clone(l.Budgets)
	if err := applyBudgets(&l, request); err != nil {
		return l, err
	}
	readAmount(request, "soft_budget", &l.Soft)
	Read(request, "rpm_limit", &l.RPM)
	Read(request, "tpm_limit", &l.TPM)
	Read(request, "max_parallel_requests", &l.Parallel)
	applyModels(&l, request)
	return l, nil
}

func readAmount(request Request, name string, into **gateway.NanoUSD) bool {
	raw, found := request[name]
	if found {
		*into = nil
		if amount, err := gateway.ParseUSD(string(raw)); err == nil {
			*into = &amount
		}
	}
	return found
}

// window is an item of budget_limits, or a value of model_max_budget in either of its two forms.
type window struct {
	MaxBudget      json.RawMessage `json:"max_budget"`
	BudgetDuration *string         `json:"budget_duration"`
	BudgetLimit    json.RawMessage `json:"budget_limit"`
	TimePeriod     *string         `json:"time_period"`
}

func (w window) budget(name string) (b gateway.Budget, err error) {
	amount, every := w.MaxBudget, w.BudgetDuration
	if amount == nil {
		amount = w.BudgetLimit
	}
	if every == nil {
		every = w.TimePeriod
	}
	if amount == nil || string(amount) == "null" {
		return b, gateway.Invalid(name, "%s: each window needs a max_budget.", name)
	}
	if b.Max, err = gateway.ParseUSD(string(amount)); err != nil || amount[0] == '"' {
		return b, gateway.Invalid(name, "%s: max_budget: %v.", name, gateway.ErrAmount)
	}
	if every != nil {
		b.Every = *every
		text, _ := json.Marshal(*every)
		return b, Duration(name, text)
	}
	return b, nil
}

// applyBudgets keeps max_budget with its budget_duration first; the windows of budget_limits follow.
func applyBudgets(l *gateway.Limits, request Request) error {
	main, others := split(l.Budgets)
	var most *gateway.NanoUSD
	var every string
	if main != nil {
		most, every = &main.Max, main.Every
	}
	changed := readAmount(request, "max_budget", &most)
	changed = Read(request, "budget_duration", &every) || changed
	if raw, given := request["budget_limits"]; given {
		changed = true
		others = nil
		var list []window
		_ = json.Unmarshal(raw, &list)
		for _, w := range list {
			b, err := w.budget("budget_limits")
			if err != nil {
				return err
			}
			others = append(others, gateway.Budget{Max: b.Max, Every: b.Every, Extra: true})
		}
	}
	if !changed {
		return nil
	}
	l.Budgets = nil
	if most != nil {
		l.Budgets = append(l.Budgets, gateway.Budget{Max: *most, Every: every})
	}
	l.Budgets = append(l.Budgets, others...)
	for i, b := range l.Budgets {
		if slices.ContainsFunc(l.Budgets[:i], func(o gateway.Budget) bool { return o.Every == b.Every }) {
			return gateway.Invalid("budget_limits", "budget_limits: there are two budgets for the window %q.", b.Every)
		}
	}
	return nil
}

func split(budgets []gateway.Budget) (main *gateway.Budget, others []gateway.Budget) {
	for _, b := range budgets {
		if b.Extra {
			others = append(others, b)
		} else {
			main = &b
		}
	}
	return main, others
}

// applyModels sets limits of single models.
func applyModels(l *gateway.Limits, request Request) {
	byName := map[string]gateway.ModelLimits{}
	for _, m := range l.Models {
		byName[m.Model] = m
	}
	update(byName, request, "model_max_budget", func(m *gateway.ModelLimits, w *window) {
		m.Budgets = nil
		if w != nil {
			b, _ := w.budget("model_max_budget") // checked
			m.Budgets = []gateway.Budget{b}
		}
	})
	update(byName, request, "model_rpm_limit", func(m *gateway.ModelLimits, n *int64) { m.RPM = n })
	update(byName, request, "model_tpm_limit", func(m *gateway.ModelLimits, n *int64) { m.TPM = n })
	l.Models = nil
	for _, m := range byName {
		if len(m.Budgets) > 0 || m.RPM != nil || m.TPM != nil {
			l.Models = append(l.Models, m)
		}
	}
	slices.SortFunc(l.Models, func(a, b gateway.ModelLimits) int { return cmp.Compare(a.Model, b.Model) })
}

// update sets one kind of limit for the models that a field names, and takes it from the others: the field is replaced as a whole.
func update[T any](models map[string]gateway.ModelLimits, request Request, name string, set func(*gateway.ModelLimits, *T)) {
	raw, given := request[name]
	if !given {
		return
	}
	var values map[string]*T
	_ = json.Unmarshal(raw, &values)
	for model, m := range models {
		set(&m, nil)
		models[model] = m
	}
	for model, v := range values {
		m := models[model]
		m.Model = model
		set(&m, v)
		models[model] = m
	}
}

func budgetLimits(name string, raw json.RawMessage) error {
	var list []window
	if json.Unmarshal(raw, &list) != nil {
		return gateway.Invalid(name, "%s must be a list of objects with max_budget and budget_duration.", name)
	}
	if len(list) >= maxWindows {
		return gateway.Invalid(name, "%s must have fewer than %d windows.", name, maxWindows)
	}
	for _, w := range list {
		if _, err := w.budget(name); err != nil {
			return err
		}
	}
	return nil
}

// maxModels is how many models may have limits of their own.
const maxModels = 200

func modelBudgets(name string, raw json.RawMessage) error {
	var models map[string]window
	if json.Unmarshal(raw, &models) != nil {
		return gateway.Invalid(name, "%s must be an object of models, each with max_budget and budget_duration.", name)
	}
	for model, w := range models {
		if err := isModel(name, model, len(models)); err != nil {
			return err
		}
		if _, err := w.budget(name); err != nil {
			return err
		}
	}
	return nil
}

func counts(name string, raw json.RawMessage) error {
	var models map[string]*int64
	if json.Unmarshal(raw, &models) != nil {
		return gateway.Invalid(name, "%s must be an object of models, each with a whole number.", name)
	}
	for model, n := range models {
		if err := isModel(name, model, len(models)); err != nil {
			return err
		}
		if n == nil || *n < 0 {
			return gateway.Invalid(name, "%s: the limit of %.100q must be a whole number that is not negative.", name, model)
		}
	}
	return nil
}

func isModel(name, model string, n int) error {
	if n > maxModels {
		return gateway.Invalid(name, "%s must have at most %d models.", name, maxModels)
	}
	if model == "" || len(model) > MaxText || strings.ContainsFunc(model, unicode.IsControl) {
		return gateway.Invalid(name, "%s: a model's name must have 1 to %d bytes without control characters.", name, MaxText)
	}
	return nil
}
