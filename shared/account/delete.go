package account

import (
	"context"
	"errors"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Delete marks an account as deleted. A budget that others refer to stays. What belongs to it, such as members and keys, is the
// caller's to delete first.
func (m *Manager) Delete(ctx context.Context, by audit.By, k Kind, id string) (*Account, error) {
	if k == Budget {
		if err := m.unused(ctx, id); err != nil {
			return nil, err
		}
	}
	a, err := m.change(ctx, by, k, id, "deleted", nil, func(a *Account) (*gateway.NanoUSD, error) { m.mark(a); return nil, nil })
	if err != nil || k != Budget {
		return a, err
	}
	// Nobody can refer to it any more; who did since they were counted is found now.
	if err := m.unused(ctx, id); err != nil {
		return nil, errors.Join(err, m.restore(ctx, by, a))
	}
	return a, nil
}

func (m *Manager) mark(a *Account) {
	a.Deleted, a.Purge = true, m.Now().Add(keepDeleted).Unix()
}

func (m *Manager) restore(ctx context.Context, by audit.By, deleted *Account) error {
	version, err := m.Store.Get(ctx, Ref(deleted.Kind, deleted.ID), nil)
	if err != nil {
		return err
	}
	a := *deleted
	a.Deleted, a.Purge, a.Updated = false, 0, max(m.Now().UnixMicro(), deleted.Updated+1)
	return m.commit(ctx, by, []change{{Ref(a.Kind, a.ID), version, nil, &a, "created", nil}})
}

// perCommit is how many accounts one transaction deletes.
const perCommit = 50

// DeleteAll marks all accounts that the filter selects, a few in each transaction, and returns how many. After an error it can be
// repeated.
func (m *Manager) DeleteAll(ctx context.Context, by audit.By, f Filter) (n int, err error) {
	f.Limit = perCommit
	for {
		changes, err := m.marked(ctx, by, f)
		if err != nil || len(changes) == 0 {
			return n, err
		}
		switch err := m.commit(ctx, by, changes); {
		case err == nil:
			n += len(changes)
		case !errors.Is(err, errStale):
			return n, err
		}
	}
}

func (m *Manager) marked(ctx context.Context, by audit.By, f Filter) (changes []change, err error) {
	for doc, err := range m.Store.Query(ctx, f.query()) {
		old := new(Account)
		if err == nil {
			err = doc.Decode(old)
		}
		if err != nil {
			return nil, err
		}
		now := *old
		m.mark(&now)
		now.Updated, now.UpdatedBy = max(m.Now().UnixMicro(), old.Updated+1), by.Actor()
		changes = append(changes, change{Ref(old.Kind, old.ID), doc.Version, old, &now, "deleted", nil})
	}
	return changes, nil
}

// referrers are the kinds that may refer to a budget.
var referrers = []Kind{User, Team, Member, Org, Customer, Tag}

// unused returns an error that says how many refer to the budget, if any do.
func (m *Manager) unused(ctx context.Context, budget string) error {
	var sum int64
	for _, k := range referrers {
		n, err := m.Count(ctx, Filter{Kind: k, Budget: budget})
		if err != nil {
			return err
		}
		sum += n
	}
	if m.Referring != nil {
		n, err := m.Referring(ctx, budget)
		if err != nil {
			return err
		}
		sum += n
	}
	if sum == 0 {
		return nil
	}
	e := gateway.Invalid("id", "Budget %.200s is in use: %d others refer to it. Give them another budget first.", budget, sum)
	e.TypeName = "bad_request_error"
	return e
}
