package account

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// keepDeleted is how long a deleted account stays, marked.
const keepDeleted = 30 * 24 * time.Hour

// Manager creates and changes accounts. The ingress decides who may. Every change writes its audit record in its own transaction.
// Errors that a caller caused are gateway.Errors. All methods may be called concurrently.
type Manager struct {
	Store    store.Store
	Now      func() time.Time
	Location *time.Location // that budget windows follow; nil is UTC
	Spent    Spent          // nil: nobody has spent anything
	// Referring counts what else refers to a budget, besides accounts; nil: nothing does.
	Referring func(ctx context.Context, budget string) (int64, error)
}

// Draft is an account to be created.
type Draft struct {
	Kind   Kind
	ID     string // of a member: MemberID; empty is a random one where that makes sense
	Fields field.Request
	Spare  bool // one that exists is left as it is, and is no error
}

// NewID returns an id that nobody can guess.
func NewID() string { return uuid.NewString() }

// Create makes accounts, all of them or none. It returns them in the order of the drafts, with those that were spared. A hundred or
// so fit one transaction.
func (m *Manager) Create(ctx context.Context, by audit.By, drafts ...Draft) ([]*Account, error) {
	for i, d := range drafts {
		if d.ID == "" {
			drafts[i].ID = NewID()
		} else if err := d.check(); err != nil {
			return nil, err
		}
	}
	for {
		made, changes, err := m.drafted(ctx, by, drafts)
		if err != nil {
			return nil, err
		}
		if err := m.commit(ctx, by, changes); !errors.Is(err, errStale) {
			return made, err
		}
	}
}

func (d Draft) check() error {
	k := kinds[d.Kind]
	of, user, isMember := strings.Cut(d.ID, "\n")
	if isMember != (d.Kind == Member || d.Kind == OrgUser) {
		return gateway.Invalid(k.id, "%s must not contain control characters.", k.id)
	}
	for _, id := range []string{of, user} {
		if id == "" && !isMember {
			continue
		}
		raw, _ := json.Marshal(id)
		if err := d.isID(k, raw); err != nil {
			return err
		}
	}
	return nil
}

func (d Draft) isID(k *kind, raw json.RawMessage) error {
	if k.virtual {
		return UsedID(k.id, raw)
	}
	return ID(k.id, raw)
}

func (m *Manager) drafted(ctx context.Context, by audit.By, drafts []Draft) (made []*Account, changes []change, err error) {
	for _, d := range drafts {
		var old Account
		ref := Ref(d.Kind, d.ID)
		version, err := m.Store.Get(ctx, ref, &old)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return nil, nil, err
		case err == nil && !old.Deleted && d.Spare:
			made = append(made, &old)
			continue
		case err == nil && !old.Deleted:
			return nil, nil, kinds[d.Kind].exists(d.ID)
		}
		a, err := m.draft(ctx, by, d, old.Updated)
		if err != nil {
			return nil, nil, err
		}
		made = append(made, a)
		changes = append(changes, change{ref, version, nil, a, "created", d.Fields})
	}
	return made, changes, nil
}

// draft is a new account. One that was deleted under the same id began earlier: the new one's Updated is later.
func (m *Manager) draft(ctx context.Context, by audit.By, d Draft, after int64) (*Account, error) {
	k, now := kinds[d.Kind], m.Now()
	a := &Account{
		Kind: d.Kind, ID: d.ID, Role: k.first, Created: now.UnixMicro(), CreatedBy: by.Actor(),
		Updated: max(now.UnixMicro(), after+1), UpdatedBy: by.Actor(),
	}
	switch of, user, _ := strings.Cut(d.ID, "\n"); d.Kind {
	case Member:
		a.Team, a.User = of, user
	case OrgUser:
		a.Org, a.User = of, user
	}
	spend, err := k.set(a, d.Fields)
	if err != nil {
		return nil, err
	}
	if spend == nil && !k.virtual {
		spend = new(gateway.NanoUSD) // whoever had the id before does not count
	}
	return a, m.renew(ctx, a, &Account{}, spend)
}

// Get reads an account.
func (m *Manager) Get(ctx context.Context, k Kind, id string) (*Account, error) {
	a, _, err := m.read(ctx, k, id)
	return a, err
}

func (m *Manager) read(ctx context.Context, k Kind, id string) (*Account, store.Version, error) {
	a := new(Account)
	version, err := m.Store.Get(ctx, Ref(k, id), a)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Deleted {
		return nil, 0, kinds[k].notFound(id)
	}
	return a, version, err
}

// ByEmail finds the user with an email address.
func (m *Manager) ByEmail(ctx context.Context, email string) (*Account, error) {
	var held claim
	_, err := m.Store.Get(ctx, emailRef(strings.ToLower(strings.TrimSpace(email))), &held)
	if errors.Is(err, store.ErrNotFound) {
		e := gateway.AsError(kinds[User].notFound(email))
		e.Message, e.Param = "User not found, passed user_email="+email, "user_email"
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	return m.Get(ctx, User, held.Owner)
}

// Update changes the fields that a request names.
func (m *Manager) Update(ctx context.Context, by audit.By, k Kind, id string, request field.Request) (*Account, error) {
	return m.change(ctx, by, k, id, "updated", request, func(a *Account) (*gateway.NanoUSD, error) { return kinds[k].set(a, request) })
}

// Edit changes an account as edit says; request is what the audit record names. edit may run several times.
func (m *Manager) Edit(ctx context.Context, by audit.By, k Kind, id string, request field.Request, edit func(*Account) error) (*Account, error) {
	return m.change(ctx, by, k, id, "updated", request, func(a *Account) (*gateway.NanoUSD, error) { return nil, edit(a) })
}

// Block blocks or unblocks an account.
func (m *Manager) Block(ctx context.Context, by audit.By, k Kind, id string, blocked bool) (*Account, error) {
	action := "unblocked"
	if blocked {
		action = "blocked"
	}
	return m.change(ctx, by, k, id, action, nil, func(a *Account) (*gateway.NanoUSD, error) { a.Blocked = blocked; return nil, nil })
}

func (m *Manager) change(ctx context.Context, by audit.By, k Kind, id, action string, request field.Request, edit func(*Account) (*gateway.NanoUSD, error)) (*Account, error) {
	for {
		old, version, err := m.read(ctx, k, id)
		if err != nil {
			return nil, err
		}
		now := *old
		spend, err := edit(&now)
		if err != nil {
			return nil, err
		}
		if err := m.renew(ctx, &now, old, spend); err != nil {
			return nil, err
		}
		now.Updated, now.UpdatedBy = max(m.Now().UnixMicro(), old.Updated+1), by.Actor()
		err = m.commit(ctx, by, []change{{Ref(k, id), version, old, &now, action, request}})
		if !errors.Is(err, errStale) {
			return &now, err
		}
	}
}

// ResetAt is when the window of the first budget ends, in Unix microseconds; 0 if never.
func (m *Manager) ResetAt(l gateway.Limits) int64 { return ResetAt(l, m.Now(), m.location()) }

// Check tells why drafts could not be made, as far as each of them shows it; that what it refers to exists is for Create to find.
func (m *Manager) Check(ctx context.Context, drafts ...Draft) error {
	for _, d := range drafts {
		if d.ID != "" {
			if err := d.check(); err != nil {
				return err
			}
		}
	}
	_, _, err := m.drafted(ctx, audit.By{}, drafts)
	return err
}

func (m *Manager) location() *time.Location {
	if m.Location == nil {
		return time.UTC
	}
	return m.Location
}

// renew gives new budgets their documents. If it is said what the account has spent, all begin anew from there.
func (m *Manager) renew(ctx context.Context, a, old *Account, spend *gateway.NanoUSD) error {
	now, loc, scope := m.Now(), m.location(), gateway.Scope(a.Kind)
	var nobody, spent Spent
	if kinds[a.Kind].spends && m.Spent != nil {
		spent = func(ctx context.Context, s gateway.Scope, id string, since time.Time) (gateway.NanoUSD, error) {
			n, err := m.Spent(ctx, s, id, since)
			if since.IsZero() {
				n = n.Plus(a.Spent)
			}
			return n, err
		}
	}
	if err := nobody.Renew(ctx, scope, a.ID, a.Member.Budgets, old.Member.Budgets, now, loc); err != nil {
		return err
	}
	if err := renewModels(ctx, a, old, now, loc); err != nil {
		return err
	}
	if spend == nil {
		return spent.Renew(ctx, scope, a.ID, a.Limits.Budgets, old.Limits.Budgets, now, loc)
	}
	a.Spent = 0
	if spent != nil {
		before, err := spent(ctx, scope, a.ID, time.Time{})
		if err != nil {
			return err
		}
		a.Spent = *spend - before
	}
	Reset(a.Limits.Budgets, *spend, now)
	return nil
}

func renewModels(ctx context.Context, a, old *Account, now time.Time, loc *time.Location) error {
	had := map[string][]gateway.Budget{}
	for _, l := range old.Limits.Models {
		had[l.Model] = l.Budgets
	}
	var nobody Spent // what each model cost a subject is not summed up
	for _, l := range a.Limits.Models {
		if err := nobody.Renew(ctx, gateway.ScopeModel, l.Model, l.Budgets, had[l.Model], now, loc); err != nil {
			return err
		}
	}
	return nil
}
