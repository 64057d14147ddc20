package ledger

import (
	"cmp"
	"context"
	"iter"

	"github.com/sluice-gateway/sluice/shared/store"
)

// pageDocs is how many documents walk asks for at a time.
const pageDocs = 1000

// walk yields what an ordered query selects; read decodes a document and tells the value that it is ordered by. Behind the first
// page it asks by position alone and sees for itself where the range ends: SQLite, given both, looks for each page from the
// beginning of the range on, and a month takes ten times as long.
func walk[T any, V cmp.Ordered](ctx context.Context, s store.Reader, q store.Query, read func(store.Doc) (T, V, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		from, to, left := q.From, q.To, q.Limit
		past := func(at V) bool {
			if q.Desc {
				return from != nil && at < from.(V)
			}
			return to != nil && at >= to.(V)
		}
		for {
			n, last := 0, store.Cursor{}
			if q.Limit = pageDocs; left > 0 {
				q.Limit = min(left, pageDocs)
			}
			for doc, err := range s.Query(ctx, q) {
				var t T
				var at V
				if err == nil {
					t, at, err = read(doc)
				}
				if err != nil {
					yield(t, err)
					return
				}
				if past(at) || !yield(t, nil) {
					return
				}
				if n++; n == q.Limit {
					last = store.Cursor{Value: at, ID: doc.ID}
				}
			}
			if left -= n; n < q.Limit || left == 0 {
				return
			}
			q.From, q.To, q.After = nil, nil, &last
		}
	}
}
