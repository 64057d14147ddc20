package books

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// window is the document of a budget window as it was read.
type window struct {
	escrow.Window
	version store.Version
}

// state is what the documents of all budgets were at one time. The windows were read before and after the leases: one that was the
// same both times has had no rights granted or returned, and nothing reported, in between.
type state struct {
	windows map[string]window
	stable  map[string]bool // windows
	leases  map[string]escrow.Lease
	held    map[string][]lease // by window
}

// lease is the document of a lease as it was read.
type lease struct {
	escrow.Lease
	id string
}

func readBudgets(ctx context.Context, s store.Reader) (*state, error) {
	before, err := readWindows(ctx, s)
	if err != nil {
		return nil, err
	}
	st := &state{stable: map[string]bool{}, leases: map[string]escrow.Lease{}, held: map[string][]lease{}}
	for doc, err := range s.Query(ctx, store.Query{Collection: escrow.Leases}) {
		var l escrow.Lease
		if err == nil {
			err = doc.Decode(&l)
		}
		if err != nil {
			return nil, fmt.Errorf("read leases: %w", err)
		}
		st.leases[doc.ID] = l
		st.held[l.Budget] = append(st.held[l.Budget], lease{l, doc.ID})
	}
	if st.windows, err = readWindows(ctx, s); err != nil {
		return nil, err
	}
	for id, w := range st.windows {
		st.stable[id] = before[id].version == w.version
	}
	return st, nil
}

func readWindows(ctx context.Context, s store.Reader) (map[string]window, error) {
	windows := map[string]window{}
	for doc, err := range s.Query(ctx, store.Query{Collection: escrow.Budgets}) {
		w := window{version: doc.Version}
		if err == nil {
			err = doc.Decode(&w.Window)
		}
		if err != nil {
			return nil, fmt.Errorf("read budget windows: %w", err)
		}
		windows[doc.ID] = w
	}
	return windows, nil
}

// budgets compares windows with their leases, and leases with the entries charged to them. first was read before the entries.
func (c *check) budgets(ctx context.Context, first *state) error {
	last, err := readBudgets(ctx, c.store)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(last.windows)) {
		if err := c.window(ctx, id, last); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(last.leases)) {
		if err := c.lease(ctx, id, first.leases[id], last); err != nil {
			return err
		}
	}
	return nil
}

// due reports whether a document may be gone at any time.
func (c *check) due(purge int64) bool { return purge != 0 && purge <= c.now.Unix() }

// window compares a window with the leases of it.
func (c *check) window(ctx context.Context, id string, st *state) error {
	w, mine, stable := st.windows[id], st.held[id], st.stable[id]
	for round := 0; ; round++ {
		if c.due(w.Purge) {
			return nil
		}
		d, gone := balance(&w, mine)
		if stable && d == nil || round == rounds {
			c.count(&w, mine, gone)
			if d != nil {
				c.differs(*d)
			}
			return nil
		}
		if err := pause(ctx, round); err != nil {
			return err
		}
		var err error
		if w, mine, stable, err = c.readWindow(ctx, id); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (c *check) readWindow(ctx context.Context, id string) (w window, mine []lease, stable bool, err error) {
	before, err := c.store.Get(ctx, escrow.Budgets.Ref(id), nil)
	if err != nil {
		return w, nil, false, err
	}
	for doc, err := range c.store.Query(ctx, store.Query{Collection: escrow.Leases, Eq: map[string]any{"budget": id}}) {
		var l escrow.Lease
		if err == nil {
			err = doc.Decode(&l)
		}
		if err != nil {
			return w, nil, false, fmt.Errorf("read leases of %s: %w", id, err)
		}
		mine = append(mine, lease{l, doc.ID})
	}
	w.version, err = c.store.Get(ctx, escrow.Budgets.Ref(id), &w.Window)
	return w, mine, before == w.version, err
}

// balance compares what a window says of its leases with what they say. Of a window without end, closed leases are dropped after a
// while: they have left the same amount in Alloc and in Spent.
func balance(w *window, mine []lease) (d *Difference, gone gateway.NanoUSD) {
	var granted, reported int64
	for i := range mine {
		granted += mine[i].Granted
		reported += mine[i].Reported
	}
	say := func(field string, want, got int64, why string) *Difference {
		return &Difference{
			Kind: "window", Document: w.ID, Scope: gateway.Scope(w.Scope), Subject: w.Subject, Model: w.Model, Window: nameOf(&w.Window),
			Field: field, Want: want, Got: got, Why: why,
		}
	}
	missing := w.Alloc - granted
	switch {
	case missing < 0 || missing > 0 && w.End != 0:
		return say("alloc", granted, w.Alloc, "it is not the sum of what its leases were granted"), 0
	case w.Spent-reported != missing:
		return say("spent", reported+missing, w.Spent, "it is not the sum of what its leases have reported"), 0
	}
	return nil, gateway.NanoUSD(missing)
}

func nameOf(w *escrow.Window) *Window {
	return &Window{ID: w.ID, Scope: gateway.Scope(w.Scope), Subject: w.Subject, Model: w.Model, Every: w.Every, Start: w.Start}
}

// lease compares a lease with the entries charged to it: before is how it was before they were read.
func (c *check) lease(ctx context.Context, id string, before escrow.Lease, st *state) error {
	after, entries := st.leases[id], c.spent[id]
	w, found := st.windows[after.Budget]
	if found && c.due(w.Purge) || c.due(after.Purge) {
		return nil
	}
	for round := 0; ; round++ {
		field, want, got, why := judge(&before, entries, &after)
		if field == "" && !found && (after.Granted != 0 || entries != 0) { // one that was granted nothing may have none
			field, want, why = "budget", 1, "its window does not exist"
		}
		if field == "" || round == rounds {
			if field != "" {
				c.differs(Difference{
					Kind: "lease", Document: id, Scope: gateway.Scope(w.Scope), Subject: w.Subject, Model: w.Model, Window: nameOf(&w.Window),
					Field: field, Want: want, Got: got, Why: why,
				})
			}
			return nil
		}
		if err := pause(ctx, round); err != nil {
			return err
		}
		var err error
		if before, entries, after, err = c.readLease(ctx, id); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if !found {
			_, err := c.store.Get(ctx, escrow.Budgets.Ref(after.Budget), &w.Window)
			if found = err == nil; err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
}

func (c *check) readLease(ctx context.Context, id string) (before escrow.Lease, entries gateway.NanoUSD, after escrow.Lease, err error) {
	if _, err = c.store.Get(ctx, escrow.Leases.Ref(id), &before); err != nil {
		return
	}
	if entries, err = ledger.Spent(ctx, c.store, ledger.ScopeLease, id); err != nil {
		return
	}
	_, err = c.store.Get(ctx, escrow.Leases.Ref(id), &after)
	return
}

// judge tells what is wrong with a lease: each field that must not exceed the next one, with the sum of the entries in its place. What
// was spent before is in the entries that were read, and they are within what was opened after.
func judge(before *escrow.Lease, entries gateway.NanoUSD, after *escrow.Lease) (field string, want, got int64, why string) {
	e := int64(entries)
	closed := !after.Open && !after.Dead
	switch {
	case after.Reported > after.Spent:
		return "reported", after.Spent, after.Reported, "its window was told more than it has spent"
	case after.Spent > after.Opened:
		return "opened", after.Spent, after.Opened, "it has spent more than was opened"
	case after.Opened > after.Granted:
		return "granted", after.Opened, after.Granted, "it has opened more than it was granted"
	case closed && after.Granted != after.Spent:
		return "granted", after.Spent, after.Granted, "it is closed and holds more than it has spent"
	case before.Spent > e:
		return "spent", e, before.Spent, "its entries do not explain what it has spent"
	case e > after.Opened:
		return "opened", e, after.Opened, "its entries cost more than was opened"
	}
	return "", 0, 0, ""
}

// count adds a window and its leases to the totals. What was charged to them was read before they were, so it is within what they hold.
func (c *check) count(w *window, mine []lease, gone gateway.NanoUSD) {
	r := &c.report
	r.Windows++
	r.Allocated = r.Allocated.Plus(gateway.NanoUSD(w.Alloc))
	r.Gone = r.Gone.Plus(gone)
	for i := range mine {
		l := &mine[i]
		entries := c.spent[l.id]
		rest := gateway.NanoUSD(l.Granted) - entries
		r.Leases++
		r.Charged = r.Charged.Plus(entries)
		if !l.Dead {
			r.Outstanding = r.Outstanding.Plus(rest)
			continue
		}
		r.Unknown = r.Unknown.Plus(rest)
		if rest > 0 && len(r.Unknowns) < maxNamed {
			r.Unknowns = append(r.Unknowns, Unknown{l.id, *nameOf(&w.Window), rest})
		}
	}
}
