package books

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// scopes that rollups are kept for.
var scopes = []gateway.Scope{gateway.ScopeCustomer, gateway.ScopeTag, ledger.ScopeLease}

// sum is the document of a fact or rollup as it was read.
type sum struct {
	version store.Version
	alias   string
	ledger.Sums
}

// key of a sum is a ledger.Group or a ledger.Part.
type key any

func refOf(k key) store.Ref {
	if g, ok := k.(ledger.Group); ok {
		return g.Ref()
	}
	return k.(ledger.Part).Ref()
}

// sumOf decodes a document of either collection.
func sumOf(c store.Collection, doc store.Doc) (key, sum, error) {
	if c.Name == ledger.Facts.Name {
		var f ledger.Fact
		err := doc.Decode(&f)
		return f.Group, sum{doc.Version, f.Alias, f.Sums}, err
	}
	var r ledger.Rollup
	err := doc.Decode(&r)
	return r.Part, sum{doc.Version, "", r.Sums}, err
}

// days are all that have entries or sums, in order. misfiled is told of documents that are not where their own fields put them.
func days(ctx context.Context, s store.Reader, misfiled func(c store.Collection, doc store.Doc, k key)) ([]string, error) {
	seen := map[string]bool{}
	for _, c := range []store.Collection{ledger.Facts, ledger.Rollups} {
		for doc, err := range s.Query(ctx, store.Query{Collection: c}) {
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", c.Name, err)
			}
			k, _, err := sumOf(c, doc)
			if ref := refOf(k); err != nil || ref.ID != doc.ID || !known(k) {
				misfiled(c, doc, k)
				continue
			}
			seen[dayOf(k)] = true
		}
	}
	for from := int64(0); ; {
		at, found, err := firstEntry(ctx, s, from)
		if err != nil || !found {
			return slices.Sorted(maps.Keys(seen)), err
		}
		seen[ledger.DayOf(at)] = true
		from = at.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1).UnixMicro()
	}
}

func known(k key) bool {
	p, rollup := k.(ledger.Part)
	_, err := time.Parse(time.DateOnly, dayOf(k))
	return err == nil && (!rollup || slices.Contains(scopes, p.Scope))
}

func dayOf(k key) string {
	if g, ok := k.(ledger.Group); ok {
		return g.Day
	}
	return k.(ledger.Part).Day
}

func firstEntry(ctx context.Context, s store.Reader, from int64) (at time.Time, found bool, err error) {
	q := store.Query{Collection: ledger.Entries, Order: "started", From: from, Limit: 1}
	for doc, err := range s.Query(ctx, q) {
		var e ledger.Entry
		if err == nil {
			err = doc.Decode(&e)
		}
		return time.UnixMicro(e.Started), err == nil, err
	}
	return time.Time{}, false, nil
}

// sumsOn reads the sums of a day.
func sumsOn(ctx context.Context, s store.Reader, day string) (map[key]sum, error) {
	sums := map[key]sum{}
	read := func(q store.Query) error {
		for doc, err := range s.Query(ctx, q) {
			if err != nil {
				return fmt.Errorf("read %s of %s: %w", q.Collection.Name, day, err)
			}
			k, one, err := sumOf(q.Collection, doc)
			if err == nil && refOf(k).ID == doc.ID {
				sums[k] = one
			}
		}
		return nil
	}
	err := read(store.Query{Collection: ledger.Facts, Eq: map[string]any{"day": day}})
	for _, scope := range scopes {
		if err == nil {
			err = read(store.Query{Collection: ledger.Rollups, Eq: map[string]any{"scope": string(scope), "day": day}})
		}
	}
	return sums, err
}

// entriesOn yields the entries of a day.
func entriesOn(ctx context.Context, s store.Reader, day string) iter.Seq2[ledger.Entry, error] {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil { // known has seen to that
		return func(func(ledger.Entry, error) bool) {}
	}
	return ledger.Select(ctx, s, ledger.Filter{From: at.UnixMicro(), To: at.AddDate(0, 0, 1).UnixMicro()})
}

// derived is what the sums of a day must be.
func derived(ctx context.Context, s store.Reader, day string) (map[key]sum, error) {
	facts, rollups := map[ledger.Group]*ledger.Fact{}, map[ledger.Part]*ledger.Sums{}
	for e, err := range entriesOn(ctx, s, day) {
		if err != nil {
			return nil, fmt.Errorf("read entries of %s: %w", day, err)
		}
		ledger.Gather(facts, rollups, &e)
	}
	sums := make(map[key]sum, len(facts)+len(rollups))
	for g, f := range facts {
		sums[g] = sum{0, f.Alias, f.Sums}
	}
	for p, r := range rollups {
		sums[p] = sum{0, "", *r}
	}
	return sums, nil
}

// sums compares each day's sums with its entries.
func (c *check) sums(ctx context.Context) error {
	all, err := days(ctx, c.store, func(col store.Collection, doc store.Doc, k key) {
		d := name(k)
		d.Kind, d.Document, d.Field, d.Why = kindOf(col), doc.ID, "id", "the document is not where its own fields put it"
		c.differs(d)
	})
	for _, day := range all {
		if err == nil {
			err = c.day(ctx, day)
		}
	}
	return err
}

// day compares the sums of one day. A sum that is the same before and after its entries were read had no booking in between, since
// an entry and its sums are booked together: it must be exact. Another lies between what it was before and after; if it does not,
// it is looked at again.
func (c *check) day(ctx context.Context, day string) error {
	for round := 0; ; round++ {
		before, err := sumsOn(ctx, c.store, day)
		if err != nil {
			return err
		}
		want, err := derived(ctx, c.store, day)
		if err != nil {
			return err
		}
		after, err := sumsOn(ctx, c.store, day)
		if err != nil {
			return err
		}
		found, moving, unsure := compare(before, want, after)
		if unsure && round < rounds {
			if err := pause(ctx, round); err != nil {
				return err
			}
			continue
		}
		for _, d := range found {
			c.differs(d)
		}
		c.report.Moving += moving
		c.take(want, after)
		return nil
	}
}

// take adds a day's sums to the totals.
func (c *check) take(want, after map[key]sum) {
	for k := range after {
		if _, fact := k.(ledger.Group); fact {
			c.report.Facts++
		} else {
			c.report.Rollups++
		}
	}
	for k, one := range want {
		switch k := k.(type) {
		case ledger.Group:
			c.report.Entries += one.Attempts
			c.report.Ledger = c.report.Ledger.Plus(one.Spend)
			c.report.Doubt = c.report.Doubt.Plus(one.Doubt)
		case ledger.Part:
			if k.Scope == ledger.ScopeLease {
				c.spent[k.Subject] = c.spent[k.Subject].Plus(one.Charged())
			}
		}
	}
}

// compare finds the sums that are wrong, in the order of their names. moving is how many were booked to meanwhile; unsure is set if
// one of those seems wrong.
func compare(before, want, after map[key]sum) (found []Difference, moving int64, unsure bool) {
	keys := maps.Clone(want)
	maps.Copy(keys, before)
	maps.Copy(keys, after)
	for k := range keys {
		b, w, a := before[k].Sums, want[k].Sums, after[k].Sums
		field, least, most := "", int64(0), int64(0)
		for i, f := range figures {
			if n := f.of(&w); n < f.of(&b) || n > f.of(&a) || b == a && n != f.of(&a) {
				field, least, most = figures[i].name, n, f.of(&a)
				break
			}
		}
		if b != a {
			moving++
			unsure = unsure || field != ""
		}
		if field != "" {
			d := name(k)
			d.Field, d.Want, d.Got, d.Why = field, least, most, "it is not the sum of its entries"
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Document, b.Document))
	})
	return found, moving, unsure
}

// figures are what sums consist of, the most important first.
var figures = []struct {
	name string
	of   func(*ledger.Sums) int64
}{
	{"spend", func(s *ledger.Sums) int64 { return int64(s.Spend) }},
	{"doubt", func(s *ledger.Sums) int64 { return int64(s.Doubt) }},
	{"attempts", func(s *ledger.Sums) int64 { return s.Attempts }},
	{"successes", func(s *ledger.Sums) int64 { return s.Successes }},
	{"failures", func(s *ledger.Sums) int64 { return s.Failures }},
	{"input_tokens", func(s *ledger.Sums) int64 { return s.InputTokens }},
	{"output_tokens", func(s *ledger.Sums) int64 { return s.OutputTokens }},
	{"cached_tokens", func(s *ledger.Sums) int64 { return s.CachedTokens }},
}

// name says which sum it is.
func name(k key) Difference {
	d := Difference{Document: refOf(k).ID, Day: dayOf(k)}
	switch k := k.(type) {
	case ledger.Group:
		d.Kind, d.Scope, d.Subject, d.Model = "fact", gateway.ScopeKey, k.Key, k.Model
	case ledger.Part:
		d.Kind, d.Scope, d.Subject, d.Model = "rollup", k.Scope, k.Subject, k.Model
	}
	return d
}

func kindOf(c store.Collection) string {
	if c.Name == ledger.Facts.Name {
		return "fact"
	}
	return "rollup"
}
