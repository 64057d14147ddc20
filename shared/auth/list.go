package auth

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Filter selects keys to list; empty fields select all.
type Filter struct {
	User, Team, Org, Creator string
	Budget                   string // that their limits come from
	Alias, Project, Group    string // exact; Group is an access group
	Deleted                  bool   // those that are, rather than those that are not
	WithTeams                []string
	WithCreator              bool   // besides those of User, those that User made
	Sort                     string // a field of Sorts; empty is created_at
	Ascending                bool
}

// Sorts says what keys can be sorted by.
var Sorts = map[string]func(a, b *Key) int{
	"created_at":      func(a, b *Key) int { return cmp.Compare(a.Created, b.Created) },
	"updated_at":      func(a, b *Key) int { return cmp.Compare(a.Updated, b.Updated) },
	"key_alias":       func(a, b *Key) int { return cmp.Compare(a.Alias, b.Alias) },
	"key_name":        func(a, b *Key) int { return cmp.Compare(a.Name, b.Name) },
	"user_id":         func(a, b *Key) int { return cmp.Compare(a.User, b.User) },
	"team_id":         func(a, b *Key) int { return cmp.Compare(a.Team, b.Team) },
	"organization_id": func(a, b *Key) int { return cmp.Compare(a.Org, b.Org) },
	"expires":         func(a, b *Key) int { return cmp.Compare(a.Expires, b.Expires) },
	"max_budget":      func(a, b *Key) int { return cmp.Compare(a.mostBudget(), b.mostBudget()) },
}

func (k *Key) mostBudget() gateway.NanoUSD {
	if b := k.mainBudget(); b != nil {
		return b.Max
	}
	return -1
}

// maxSorted is how many keys are read to answer what no index answers.
const maxSorted = 20_000

// queries are what the filter's keys are among: one for each way to be selected.
func (f Filter) queries() []store.Query {
	of := func(name, value string) store.Query {
		q := store.Query{Collection: Keys, Eq: map[string]any{"deleted": f.Deleted}, Order: "created", Desc: !f.Ascending || f.Sort != ""}
		if name != "" {
			q.Eq[name] = value
		}
		return q
	}
	var all []store.Query
	switch {
	case f.Team != "":
		all = append(all, of("team", f.Team))
	case f.User != "":
		all = append(all, of("user", f.User))
	case f.Creator != "":
		all = append(all, of("created_by", f.Creator))
	case f.Org != "":
		all = append(all, of("org", f.Org))
	case f.Budget != "":
		all = append(all, of("budget", f.Budget))
	default:
		return []store.Query{of("", "")}
	}
	if f.WithCreator && f.User != "" {
		all = append(all, of("created_by", f.User))
	}
	for _, team := range f.WithTeams {
		all = append(all, of("team", team))
	}
	return all
}

// simple reports whether one index answers the filter, in its order.
func (f Filter) simple() bool {
	given := 0
	for _, s := range []string{f.User, f.Team, f.Org, f.Creator, f.Budget} {
		if s != "" {
			given++
		}
	}
	return given < 2 && f.Alias+f.Project+f.Group == "" && len(f.WithTeams) == 0 && !f.WithCreator && (f.Sort == "" || f.Sort == "created_at")
}

// Admits reports whether the filter selects a key, deleted or not.
func (f Filter) Admits(k *Key) bool {
	belongs := f.User == "" || k.User == f.User || f.WithCreator && k.CreatedBy == f.User || slices.Contains(f.WithTeams, k.Team)
	if !belongs || f.Team != "" && k.Team != f.Team || f.Org != "" && k.Org != f.Org || f.Creator != "" && k.CreatedBy != f.Creator ||
		f.Budget != "" && k.Budget != f.Budget || f.Alias != "" && k.Alias != f.Alias {
		return false
	}
	if f.Project+f.Group == "" {
		return true
	}
	var project string
	var groups []string
	params := k.params()
	field.Read(params, "project_id", &project)
	field.Read(params, "access_group_ids", &groups)
	return (f.Project == "" || project == f.Project) && (f.Group == "" || slices.Contains(groups, f.Group))
}

// Count is how many keys a filter by one of User, Team, Org, Creator and Budget, or by none, selects.
func (m *Manager) Count(ctx context.Context, f Filter) (int64, error) {
	n, _, err := m.Store.Sum(ctx, f.queries()[0])
	return n, err
}

// List yields the keys that the filter selects, the newest first; limit 0 is all.
func (m *Manager) List(ctx context.Context, f Filter, limit int) iter.Seq2[*Key, error] {
	if f.simple() {
		q := f.queries()[0]
		q.Limit = limit
		return m.query(ctx, q)
	}
	return func(yield func(*Key, error) bool) {
		keys, err := m.gather(ctx, f)
		if err != nil {
			yield(nil, err)
			return
		}
		for i, k := range keys {
			if limit > 0 && i == limit || !yield(k, nil) {
				return
			}
		}
	}
}

func (m *Manager) query(ctx context.Context, q store.Query) iter.Seq2[*Key, error] {
	return func(yield func(*Key, error) bool) {
		for doc, err := range m.Store.Query(ctx, q) {
			k := new(Key)
			if err == nil {
				if err = doc.Decode(k); err != nil {
					err = fmt.Errorf("key %s: %w", doc.ID, err)
				}
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// gather reads all keys that the filter selects and sorts them.
func (m *Manager) gather(ctx context.Context, f Filter) ([]*Key, error) {
	found := map[string]*Key{}
	read := 0
	for _, q := range f.queries() {
		for k, err := range m.query(ctx, q) {
			if err != nil {
				return nil, err
			}
			if read++; read > maxSorted {
				return nil, gateway.Invalid("", "More than %d keys would have to be read: ask for those of one user or team.", maxSorted)
			}
			if f.Admits(k) {
				found[k.ID] = k
			}
		}
	}
	keys := make([]*Key, 0, len(found))
	for _, k := range found {
		keys = append(keys, k)
	}
	order := Sorts[cmp.Or(f.Sort, "created_at")]
	slices.SortFunc(keys, func(a, b *Key) int {
		n := cmp.Or(order(a, b), cmp.Compare(a.Created, b.Created), strings.Compare(a.ID, b.ID))
		if f.Ascending {
			return n
		}
		return -n
	})
	return keys, nil
}

// Page returns a part of the keys that the filter selects, and how many there are in all.
func (m *Manager) Page(ctx context.Context, f Filter, offset, limit int) (keys []*Key, total int64, err error) {
	if !f.simple() {
		all, err := m.gather(ctx, f)
		from := min(offset, len(all))
		return all[from:min(from+limit, len(all))], int64(len(all)), err
	}
	if total, err = m.Count(ctx, f); err != nil || int64(offset) >= total {
		return nil, total, err
	}
	for k, err := range m.List(ctx, f, offset+limit) {
		if err != nil {
			return nil, 0, err
		}
		if offset--; offset < 0 {
			keys = append(keys, k)
		}
	}
	return keys, total, nil
}
