package account

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// change is one account before and after.
type change struct {
	ref      store.Ref
	version  store.Version // of the document that was read; 0: there was none
	old, now *Account      // old is nil if now is created
	action   string
	fields   field.Request
}

// errStale tells that an account changed while a change of it was made up.
var errStale = errors.New("account: changed meanwhile")

// commit writes changes with their audit records, all or none.
func (m *Manager) commit(ctx context.Context, by audit.By, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	return m.Store.Tx(ctx, func(tx store.Tx) error {
		for _, c := range changes {
			if version, err := tx.Get(c.ref, nil); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			} else if version != c.version {
				return errStale
			}
		}
		if err := refer(tx, changes); err != nil {
			return err
		}
		claims, err := claimEmails(tx, changes)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if err := tx.Put(c.ref, c.now); err != nil {
				return err
			}
			if err := audit.Put(tx, by, c.record(), m.Now()); err != nil {
				return err
			}
		}
		return writeClaims(tx, claims)
	})
}

func (c change) record() audit.Change {
	r := audit.Change{Action: c.action, Table: string(c.now.Kind), Object: c.now.Label(), Fields: c.fields}
	if c.old != nil {
		r.Before = c.old.Row()
	}
	if !c.now.Deleted {
		r.After = c.now.Row()
	}
	return r
}

// Label is the id as audit records have it: of a member, both ids with a slash between.
func (a *Account) Label() string { return strings.Replace(a.ID, "\n", "/", 1) }

// refer checks that what new references name exists.
func refer(tx store.Tx, changes []change) error {
	known := map[store.Ref]bool{}
	for _, c := range changes {
		known[c.ref] = !c.now.Deleted
	}
	for _, c := range changes {
		if c.now.Deleted {
			continue
		}
		for _, r := range c.references() {
			exists, asked := known[r.ref()]
			if !asked {
				var a Account
				_, err := tx.Get(r.ref(), &a)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				exists = err == nil && !a.Deleted
				known[r.ref()] = exists
			}
			if !exists {
				return r.missing()
			}
		}
	}
	return nil
}

type reference struct {
	kind Kind
	id   string
	own  bool // the account is part of it
}

func (r reference) ref() store.Ref { return Ref(r.kind, r.id) }

func (r reference) missing() error {
	e := gateway.AsError(kinds[r.kind].notFound(r.id))
	if !r.own {
		e.Kind, e.TypeName = gateway.KindInvalid, "bad_request_error"
	}
	return e
}

// references are those that the change makes.
func (c change) references() (made []reference) {
	var old Account
	if c.old != nil {
		old = *c.old
	}
	add := func(k Kind, id, had string, own bool) {
		if id != "" && id != had {
			made = append(made, reference{k, id, own})
		}
	}
	member := c.now.Kind == Member || c.now.Kind == OrgUser
	add(Team, c.now.Team, old.Team, true)
	add(Org, c.now.Org, old.Org, member)
	add(User, c.now.User, old.User, true)
	add(Budget, c.now.Budget, old.Budget, false)
	return made
}

// claim says whose an email address is: that is what makes addresses unique. It is a document among the accounts that no query
// finds, for it has none of their fields.
type claim struct {
	Owner string `json:"owner"`
}

func emailRef(email string) store.Ref { return Ref("email", email) }

// claimEmails tells which addresses the changes give to whom; "" frees one.
func claimEmails(tx store.Tx, changes []change) (map[string]string, error) {
	claims := map[string]string{}
	for _, c := range changes {
		if c.now.Kind != User {
			continue
		}
		had, has := "", c.now.Email
		if c.old != nil {
			had = c.old.Email
		}
		if c.now.Deleted {
			has = ""
		}
		if had == has {
			continue
		}
		if had != "" {
			claims[had] = ""
		}
		if has == "" {
			continue
		}
		var held claim
		_, err := tx.Get(emailRef(has), &held)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if other := claims[has]; other != "" || err == nil && held.Owner != c.now.ID {
			return nil, emailTaken(has)
		}
		claims[has] = c.now.ID
	}
	return claims, nil
}

func emailTaken(email string) error {
	e := gateway.Errorf(gateway.KindConflict, "User with email %s already exists in DB.", email)
	e.Param, e.TypeName, e.HTTPStatus = "user_email", "bad_request_error", http.StatusConflict
	return e
}

func writeClaims(tx store.Tx, claims map[string]string) error {
	for email, user := range claims {
		err := error(nil)
		if user == "" {
			err = tx.Delete(emailRef(email))
		} else {
			err = tx.Put(emailRef(email), claim{user})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
