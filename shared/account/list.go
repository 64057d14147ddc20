package account

import (
	"context"
	"fmt"
	"iter"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Filter selects accounts of a kind. At most one of the fields from Team to Alias is used, in their order; empty ones select all.
type Filter struct {
	Kind   Kind
	Team   string // members of it
	User   string // memberships of it
	Org    string // teams or members of it
	Budget string // that refer to it
	Role   gateway.Role
	Email  string // that begin so, in lower case
	Alias  string // that begin so
	Order  string // created, id, email or alias; empty is created. Together with one of the fields above it is not used
	Asc    bool
	Limit  int // 0 is all
}

func (f Filter) query() store.Query {
	q := store.Query{
		Collection: Accounts, Eq: map[string]any{"kind": string(f.Kind), "deleted": false}, Order: "created", Desc: !f.Asc, Limit: f.Limit,
	}
	for _, by := range []struct{ name, value string }{
		{"team", f.Team}, {"user", f.User}, {"org", f.Org}, {"budget", f.Budget}, {"role", string(f.Role)},
	} {
		if by.value != "" {
			q.Eq[by.name] = by.value
			return q
		}
	}
	for _, by := range []struct{ name, prefix string }{{"email", f.Email}, {"alias", f.Alias}} {
		if by.prefix != "" {
			q.Order, q.From, q.To = by.name, by.prefix, by.prefix+"\U0010ffff"
			return q
		}
	}
	if f.Order != "" {
		q.Order = f.Order
	}
	return q
}

// Count is how many accounts the filter selects, whatever its Limit.
func (m *Manager) Count(ctx context.Context, f Filter) (int64, error) {
	f.Limit = 0
	n, _, err := m.Store.Sum(ctx, f.query())
	return n, err
}

// List yields the accounts that the filter selects, the newest first unless it says otherwise.
func (m *Manager) List(ctx context.Context, f Filter) iter.Seq2[*Account, error] {
	return func(yield func(*Account, error) bool) {
		for doc, err := range m.Store.Query(ctx, f.query()) {
			a := new(Account)
			if err == nil {
				if err = doc.Decode(a); err != nil {
					err = fmt.Errorf("account %s: %w", doc.ID, err)
				}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// Page returns the accounts of one page, which are numbered from 1, and how many the filter selects in all.
func (m *Manager) Page(ctx context.Context, f Filter, page, size int) (found []*Account, total int64, err error) {
	if total, err = m.Count(ctx, f); err != nil {
		return nil, 0, err
	}
	skip := (page - 1) * size
	if int64(skip) >= total {
		return nil, total, nil
	}
	f.Limit = page * size
	for a, err := range m.List(ctx, f) {
		if err != nil {
			return nil, 0, err
		}
		if skip--; skip < 0 {
			found = append(found, a)
		}
	}
	return found, total, nil
}
