package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// The routes of accounts speak LiteLLM's shapes. What all of them share is here.

func (s *Server) accountRoutes() []route {
	return slices.Concat(s.userRoutes(), s.teamRoutes(), s.memberRoutes(), s.orgRoutes(), s.budgetRoutes(), s.customerRoutes(), s.tagRoutes(),
		s.auditRoutes())
}

func newAccounts(c Config) *account.Manager {
	keys := &auth.Manager{Store: c.Engine.Store, Now: c.Now}
	return &account.Manager{
		Store: c.Engine.Store, Now: c.Now, Location: c.Owner.Location,
		Spent: func(ctx context.Context, scope gateway.Scope, subject string, since time.Time) (gateway.NanoUSD, error) {
			day := "" // since ever
			if !since.IsZero() {
				day = since.UTC().Format(time.DateOnly)
			}
			return ledger.SpentSince(ctx, c.Engine.Store, scope, subject, day)
		},
		Referring: func(ctx context.Context, budget string) (int64, error) {
			return keys.Count(ctx, auth.Filter{Budget: budget})
		},
	}
}

// granted is a change that was allowed already and takes others with it: they are made in the name of the same actor.
func granted(who audit.By) audit.By {
	who.Principal.Admin = true
	return who
}

// mayChange refuses those who only look.
func mayChange(p gateway.Principal) error {
	switch {
	case p.Admin:
		return nil
	case p.Role == gateway.RoleViewer, p.Role == gateway.RoleUserViewer, p.Role == gateway.RoleCustomer:
		return forbidden("The role %s may not change anything.", p.Role)
	default:
		return nil
	}
}

func forbidden(format string, args ...any) error {
	e := gateway.Errorf(gateway.KindForbidden, format, args...)
	e.Param, e.TypeName = "route", "auth_error"
	return e
}

// reaches reports whether a key speaks for its user in matters of a team; "" is any other matter. That of a team does so in its own
// team only: the team's admin may have made it in the user's name.
func reaches(p gateway.Principal, team string) bool { return p.TeamID == "" || p.TeamID == team }

// accountRow is an account in LiteLLM's shape with what it has spent, and its limits together with those of its budget.
func (s *Server) accountRow(ctx context.Context, a *account.Account) (map[string]any, error) {
	row := a.Row()
	limits := a.Limits
	if a.Budget != "" {
		shared, err := s.Accounts.Get(ctx, account.Budget, a.Budget)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		if err == nil {
			limits = account.Merge(limits, shared.Limits)
		}
	}
	row["litellm_budget_table"] = nil
	if limits.Any() {
		table := account.LimitFields(limits)
		table["budget_id"] = row["budget_id"]
		row["litellm_budget_table"] = table
	}
	row["budget_reset_at"] = nil
	if at := s.Accounts.ResetAt(limits); at != 0 {
		row["budget_reset_at"] = stamp(at)
	}
	if a.Kind == account.OrgUser {
		return row, nil
	}
	spent, err := ledger.Spent(ctx, s.Store, gateway.Scope(a.Kind), a.ID)
	row["spend"] = json.Number(max(0, spent.Plus(a.Spent)).String())
	return row, err
}

func isNotFound(err error) bool {
	var e *gateway.Error
	return errors.As(err, &e) && e.Kind == gateway.KindNotFound
}

// answerRow answers with an account's row and more.
func (s *Server) answerRow(w http.ResponseWriter, r *http.Request, a *account.Account, more map[string]any) error {
	row, err := s.accountRow(r.Context(), a)
	if err != nil {
		return err
	}
	for name, value := range more {
		row[name] = value
	}
	return writeJSON(w, http.StatusOK, row)
}

// atOnce is how many reads one request makes at a time.
const atOnce = 16

// each makes a row of every item, in their order.
func each[T, R any](ctx context.Context, items []T, row func(context.Context, T) (R, error)) ([]R, error) {
	rows, errs := make([]R, len(items)), make([]error, len(items))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			rows[i], errs[i] = row(ctx, item)
		})
	}
	all.Wait()
	return rows, errors.Join(errs...)
}

func collect[T any](items func(func(T, error) bool)) (all []T, err error) {
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// listAccounts answers with the rows of all accounts that the filter selects, without holding them.
func (s *Server) listAccounts(w http.ResponseWriter, r *http.Request, f account.Filter, row func(context.Context, *account.Account) (map[string]any, error)) error {
	return writeList(w, func(yield func(any) bool) error {
		for a, err := range s.Accounts.List(r.Context(), f) {
			if err != nil {
				return err
			}
			item, err := row(r.Context(), a)
			if err != nil {
				return err
			}
			if item != nil && !yield(item) {
				return nil
			}
		}
		return nil
	})
}

// textIn reads an id or name from a request; an absent one is empty.
func textIn(request field.Request, name string) (text string, err error) {
	if raw, found := request[name]; found && string(raw) != "null" {
		if err := account.UsedID(name, raw); err != nil {
			return "", err
		}
	}
	field.Read(request, name, &text)
	return text, nil
}

// idIn reads an id that a request must have.
func idIn(request field.Request, name string) (string, error) {
	id, err := textIn(request, name)
	if err == nil && id == "" {
		err = gateway.Invalid(name, "%s is required.", name)
	}
	return id, err
}

// maxNamed is how many accounts one request names.
const maxNamed = 500

// idsIn reads the ids that a request is about.
func idsIn(request field.Request, name string) (ids []string, err error) {
	if err := readField(request, name, &ids, "a list of strings"); err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > maxNamed || slices.Contains(ids, "") {
		return nil, gateway.Invalid(name, "%s must name 1 to %d.", name, maxNamed)
	}
	once := ids[:0]
	for _, id := range ids {
		if !slices.Contains(once, id) {
			once = append(once, id)
		}
	}
	return once, nil
}

// about reads a request and the account it names.
func (s *Server) about(w http.ResponseWriter, r *http.Request, name string) (id string, request field.Request, err error) {
	if request, err = s.readObject(w, r); err == nil {
		id, err = idIn(request, name)
	}
	return id, request, err
}

// doomed checks ids that are to be deleted: each names an account, and at least one that is not deleted yet. So a request that was
// broken off can be repeated.
func (s *Server) doomed(ctx context.Context, k account.Kind, ids []string) error {
	var missing error
	alive := false
	for _, id := range ids {
		var a account.Account
		_, err := s.Store.Get(ctx, account.Ref(k, id), &a)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return account.NotFound(k, id)
		case err != nil:
			return err
		case a.Deleted:
			missing = account.NotFound(k, id)
		default:
			alive = true
		}
	}
	if alive {
		return nil
	}
	return missing
}

// belongings deletes what belongs to an account: what it is called with first, so that it is of no use from then on.
type belongings func(ctx context.Context, who audit.By) error

// remove deletes an account after what belongs to it, and again what came in between. A second time it changes nothing.
func (s *Server) remove(ctx context.Context, who audit.By, k account.Kind, id string, all ...belongings) error {
	sweep := func() error {
		for _, some := range all {
			if err := some(ctx, granted(who)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := sweep(); err != nil {
		return err
	}
	if _, err := s.Accounts.Delete(ctx, who, k, id); err != nil && !isNotFound(err) {
		return err
	}
	return sweep()
}

// accountsOf are the accounts that a filter selects, as belongings.
func (s *Server) accountsOf(f account.Filter) belongings {
	return func(ctx context.Context, who audit.By) error {
		_, err := s.Accounts.DeleteAll(ctx, who, f)
		return err
	}
}
