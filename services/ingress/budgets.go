package ingress

import (
	"context"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) budgetRoutes() []route {
	return []route{
		{"POST", "/budget/new", admin, s.newBudget},
		{"POST", "/budget/update", admin, s.updateBudget},
		{"POST", "/budget/info", viewer, s.budgetInfo},
		{"GET", "/budget/list", viewer, s.listBudgets},
		{"GET", "/budget/settings", viewer, s.budgetSettings},
		{"POST", "/budget/delete", admin, s.deleteBudget},
	}
}

func (s *Server) newBudget(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	id, err := textIn(request, "budget_id")
	if err != nil {
		return err
	}
	made, err := s.Accounts.Create(r.Context(), by(r, p), account.Draft{Kind: account.Budget, ID: id, Fields: request})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, made[0].Row())
}

func (s *Server) updateBudget(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id, request, err := s.about(w, r, "budget_id")
	if err != nil {
		return err
	}
	b, err := s.Accounts.Update(r.Context(), by(r, p), account.Budget, id, request)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, b.Row())
}

func (s *Server) budgetInfo(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	ids, err := idsIn(request, "budgets")
	if err != nil {
		return err
	}
	rows := []any{}
	for _, id := range ids {
		b, err := s.Accounts.Get(r.Context(), account.Budget, id)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		rows = append(rows, b.Row())
	}
	return writeJSON(w, http.StatusOK, rows)
}

func budgetRow(_ context.Context, b *account.Account) (map[string]any, error) { return b.Row(), nil }

func (s *Server) listBudgets(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	return s.listAccounts(w, r, account.Filter{Kind: account.Budget}, budgetRow)
}

// settings are the fields of a budget that LiteLLM's console shows.
var settings = []struct{ name, kind, text string }{
	{"max_budget", "Float", "The most that may be spent, in US dollars."},
	{"soft_budget", "Float", "Tells when it is passed, and stops nothing, in US dollars."},
	{"budget_duration", "String", "The window of the budget, such as 30d; none is for ever."},
	{"max_parallel_requests", "Integer", "The most calls at the same time."},
	{"tpm_limit", "Integer", "The most tokens in a minute."},
	{"rpm_limit", "Integer", "The most calls in a minute."},
	{"model_max_budget", "Dictionary", "Budgets of single models."},
}

func (s *Server) budgetSettings(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	id := r.URL.Query().Get("budget_id")
	if id == "" {
		return gateway.Invalid("budget_id", "budget_id is required.")
	}
	b, err := s.Accounts.Get(r.Context(), account.Budget, id)
	if err != nil {
		return err
	}
	row, fields := b.Row(), []any{}
	for _, f := range settings {
		fields = append(fields, map[string]any{
			"field_name": f.name, "field_type": f.kind, "field_description": f.text, "field_value": row[f.name],
			"stored_in_db": row[f.name] != nil, "field_default_value": nil,
		})
	}
	return writeJSON(w, http.StatusOK, fields)
}

func (s *Server) deleteBudget(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id, _, err := s.about(w, r, "id")
	if err != nil {
		return err
	}
	b, err := s.Accounts.Delete(r.Context(), by(r, p), account.Budget, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, b.Row())
}
