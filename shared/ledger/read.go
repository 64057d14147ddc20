package ledger

import (
	"context"
	"iter"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Spent is what a subject has spent in all, from its rollups.
func Spent(ctx context.Context, s store.Reader, scope Scope, subject string) (gateway.NanoUSD, error) {
	_, sums, err := s.Sum(ctx, store.Query{
		Collection: Rollups, Eq: map[string]any{"scope": string(scope), "subject": subject}, Order: "day",
	}, "spend")
	if err != nil {
		return 0, err
	}
	return gateway.NanoUSD(sums[0]), nil
}

// Filter selects entries; empty fields select all. Times are Unix microseconds, To excluded.
type Filter struct {
	Key, User string
	From, To  int64
	Limit     int
}

// Select yields the entries that the filter selects, the newest first.
func Select(ctx context.Context, s store.Reader, f Filter) iter.Seq2[Entry, error] {
	q := store.Query{Collection: Entries, Order: "started", Desc: true, Limit: f.Limit}
	switch {
	case f.Key != "":
		q.Eq = map[string]any{"key": f.Key}
	case f.User != "":
		q.Eq = map[string]any{"user": f.User}
	}
	if f.From != 0 {
		q.From = f.From
	}
	if f.To != 0 {
		q.To = f.To
	}
	return func(yield func(Entry, error) bool) {
		for doc, err := range s.Query(ctx, q) {
			var e Entry
			if err == nil {
				err = doc.Decode(&e)
			}
			if (f.Key == "" || f.User == "" || e.User == f.User) && !yield(e, err) {
				return
			}
			if err != nil {
				return
			}
		}
	}
}
