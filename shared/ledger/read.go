package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// fields names the field of Facts that holds a scope's subjects. What is not here has rollups.
var fields = map[gateway.Scope]string{
	gateway.ScopeKey: "key", gateway.ScopeUser: "user", gateway.ScopeTeam: "team", gateway.ScopeOrg: "org",
	gateway.ScopeModel: "model", gateway.ScopeProvider: "provider",
}

// Spent is what a subject has spent in all. A member of a team is named by team and user with a line break between.
func Spent(ctx context.Context, s store.Reader, scope gateway.Scope, subject string) (gateway.NanoUSD, error) {
	return SpentSince(ctx, s, scope, subject, "")
}

// SpentSince is what a subject has spent from a UTC day such as "2026-11-22" on; from all days if it is empty. No scope is
// everybody. Of a lease it is what was charged, doubts included.
func SpentSince(ctx context.Context, s store.Reader, scope gateway.Scope, subject, day string) (gateway.NanoUSD, error) {
	if scope == gateway.ScopeMember {
		return memberSpent(ctx, s, subject, day)
	}
	_, sums, err := s.Sum(ctx, Range{Scope: scope, Subject: subject, From: day}.query(), "spend", "doubt")
	if err != nil {
		return 0, fmt.Errorf("sum what %s %s spent: %w", scope, subject, err)
	}
	spent := gateway.NanoUSD(sums[0])
	if scope == ScopeLease {
		spent = spent.Plus(gateway.NanoUSD(sums[1]))
	}
	return spent, nil
}

func memberSpent(ctx context.Context, s store.Reader, member, day string) (spent gateway.NanoUSD, err error) {
	team, user, _ := strings.Cut(member, "\n")
	for f, err := range SelectFacts(ctx, s, Range{Scope: gateway.ScopeUser, Subject: user, From: day}) {
		if err != nil {
			return 0, err
		}
		if f.Team == team {
			spent = spent.Plus(f.Spend)
		}
	}
	return spent, nil
}

// Range selects sums by their day, To included; empty fields select all. For rollups the Scope is needed.
type Range struct {
	Scope    gateway.Scope
	Subject  string
	Key      string // of rollups that are for one; not with a Subject
	From, To string // UTC days such as "2026-11-22"
	Desc     bool   // the last day first
}

// query selects from Facts if they know the scope.
func (r Range) query() store.Query {
	q := store.Query{Collection: Facts, Order: "day", Desc: r.Desc}
	switch field := fields[r.Scope]; {
	case field == "" && r.Scope != "":
		q.Collection, q.Eq = Rollups, map[string]any{"scope": string(r.Scope)}
		if r.Subject != "" {
			q.Eq["subject"] = r.Subject
		} else if r.Key != "" {
			q.Eq["key"] = r.Key
		}
	case r.Subject != "":
		q.Eq = map[string]any{field: r.Subject}
	}
	if r.From != "" {
		q.From = r.From
	}
	if r.To != "" {
		q.To = r.To + "~" // behind the day itself
	}
	return q
}

// SelectFacts yields the facts of a range day by day. The pointer is valid until the next.
func SelectFacts(ctx context.Context, s store.Reader, r Range) iter.Seq2[*Fact, error] {
	d := newDecoder()
	return decoded(s.Query(ctx, r.query()), d.read)
}

// SelectRollups yields the rollups of a range day by day.
func SelectRollups(ctx context.Context, s store.Reader, r Range) iter.Seq2[*Rollup, error] {
	return decoded(s.Query(ctx, r.query()), func(doc store.Doc) (*Rollup, error) {
		sum := new(Rollup)
		return sum, doc.Decode(sum)
	})
}

// decoded yields documents as what read makes of them.
func decoded[T any](docs iter.Seq2[store.Doc, error], read func(store.Doc) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for doc, err := range docs {
			var t T
			if err == nil {
				t, err = read(doc)
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// Filter selects entries; empty fields select all. Times are Unix microseconds, To excluded.
type Filter struct {
	Key, User, Team string
	From, To        int64
	Skip, Limit     int
}

func (f Filter) query() store.Query {
	q := store.Query{Collection: Entries, Order: "started", Desc: true}
	switch {
	case f.Key != "":
		q.Eq = map[string]any{"key": f.Key}
	case f.User != "":
		q.Eq = map[string]any{"user": f.User}
	case f.Team != "":
		q.Eq = map[string]any{"team": f.Team}
	}
	if f.From != 0 {
		q.From = f.From
	}
	if f.To != 0 {
		q.To = f.To
	}
	if !f.mixed() && f.Limit > 0 {
		q.Limit = f.Skip + f.Limit
	}
	return q
}

// mixed reports whether an index does not answer the filter by itself.
func (f Filter) mixed() bool {
	return f.Key != "" && f.User+f.Team != "" || f.User != "" && f.Team != ""
}

// Admits reports whether the filter's key, user and team are the entry's.
func (f Filter) Admits(e *Entry) bool {
	return (f.Key == "" || e.Key == f.Key) && (f.User == "" || e.User == f.User) && (f.Team == "" || e.Team == f.Team)
}

// Select yields the entries that the filter selects, the newest first.
func Select(ctx context.Context, s store.Reader, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		n := 0
		for doc, err := range s.Query(ctx, f.query()) {
			if n++; err == nil && n <= f.Skip && !f.mixed() {
				continue
			}
			var e Entry
			if err == nil {
				err = doc.Decode(&e)
			}
			switch {
			case err != nil:
				yield(Entry{}, err)
				return
			case !f.Admits(&e):
				n--
			case n > f.Skip && (!yield(e, nil) || n == f.Skip+f.Limit):
				return
			}
		}
	}
}

// Count is how many entries the filter selects, whatever its Skip and Limit.
func Count(ctx context.Context, s store.Reader, f Filter) (n int64, err error) {
	f.Skip, f.Limit = 0, 0
	if !f.mixed() {
		n, _, err = s.Sum(ctx, f.query())
		return n, err
	}
	for _, err := range Select(ctx, s, f) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// maxOfCall is how many attempts OfCall looks for: more than any call makes.
const maxOfCall = 10

// OfCall are the attempts of a call in the order in which they were made, found by the id of any of them.
func OfCall(ctx context.Context, s store.Reader, attempt string) (entries []Entry, err error) {
	first, _, _ := strings.Cut(attempt, triedAgain)
	for n := range maxOfCall {
		var e Entry
		_, err := s.Get(ctx, Entries.Ref(AttemptID(first, n)), &e)
		if errors.Is(err, store.ErrNotFound) {
			break
		} else if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
