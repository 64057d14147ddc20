package ledger

import (
	"cmp"
	"context"
	"iter"

	"github.com/sluice-gateway/sluice/shared/store"
)

// pageDocs is how many documents walk asks for at a time.
const pageDocs = 1000

// walk yields what an ordered query selects; read decodes a document and tells the value that it is ordered by. While one page is
// yielded the next is read. Behind the first page it asks by position alone and sees for itself where the range ends: SQLite, given
// both, looks for each page from the beginning of the range on, and a month takes ten times as long.
func walk[T any, V cmp.Ordered](ctx context.Context, s store.Reader, q store.Query, read func(store.Doc) (T, V, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		from, to, left := q.From, q.To, q.Limit
		past := func(at V) bool {
			if q.Desc {
				return from != nil && at < from.(V)
			}
			return to != nil && at >= to.(V)
		}
		ctx, cancel := context.WithCancel(ctx)
		var next <-chan page
		defer func() {
			if cancel(); next != nil {
				<-next
			}
		}()
		ask := func() {
			if q.Limit = pageDocs; left > 0 {
				q.Limit = min(left, pageDocs)
			}
			next = fetch(ctx, s, q)
		}
		for ask(); next != nil; {
			p := <-next
			next = nil
			n := len(p.docs)
			if left -= n; p.err == nil && n == q.Limit && left != 0 {
				last := p.docs[n-1]
				_, at, err := read(last)
				if err == nil && !past(at) {
					q.From, q.To, q.After = nil, nil, &store.Cursor{Value: at, ID: last.ID}
					ask()
				}
			}
			for _, doc := range p.docs {
				t, at, err := read(doc)
				if err != nil {
					yield(t, err)
					return
				}
				if past(at) || !yield(t, nil) {
					return
				}
			}
			if p.err != nil {
				var none T
				yield(none, p.err)
				return
			}
		}
	}
}

// page is what one query answered.
type page struct {
	docs []store.Doc
	err  error
}

// fetch reads a page, beside its caller, who waits for it.
func fetch(ctx context.Context, s store.Reader, q store.Query) <-chan page {
	c := make(chan page, 1)
	go func() {
		var p page
		for doc, err := range s.Query(ctx, q) {
			if err != nil {
				p.err = err
				break
			}
			p.docs = append(p.docs, doc)
		}
		c <- p
	}()
	return c
}
