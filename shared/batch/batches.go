package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Sizes of a page of batches, and how old the counts of one may be.
const (
	batchesPage    = 20
	maxBatchesPage = 100
	countsLife     = time.Second
	maxCounts      = 1000 // batches whose counts are kept
)

// Batches is what callers do with batches. A batch belongs to its owner; for everybody else it is not there. All methods
// may be called concurrently; their errors are gateway.Errors.
type Batches struct {
	Deps
	mu     sync.Mutex
	counts map[string]counted
}

type counted struct {
	tally tally
	at    time.Time
}

// NewBatches returns batches on d.
func NewBatches(d Deps) *Batches {
	d.Settings = d.Settings.filled()
	return &Batches{Deps: d, counts: map[string]counted{}}
}

// Get returns a batch, or KindNotFound. Its counts are up to a second old.
func (b *Batches) Get(ctx context.Context, p gateway.Principal, id string) (Batch, error) {
	doc, err := b.load(ctx, p, id)
	if err != nil {
		return Batch{}, err
	}
	return b.object(ctx, &doc)
}

func (b *Batches) load(ctx context.Context, p gateway.Principal, id string) (doc batchDoc, err error) {
	if !isID(id) {
		return doc, noBatch(id)
	}
	_, err = b.Store.Get(ctx, batches.Ref(id), &doc)
	if errors.Is(err, store.ErrNotFound) || (err == nil && !p.Sees(gateway.OwnerFrom(doc.Owner))) {
		return doc, noBatch(id)
	}
	return doc, asError(err)
}

func noBatch(id string) error {
	e := gateway.Errorf(gateway.KindNotFound, "No batch found with id '%s'.", clip(id))
	e.Param = "id"
	return e
}

// List returns the principal's batches, the newest first.
func (b *Batches) List(ctx context.Context, p gateway.Principal, page Page) (List[Batch], error) {
	limit, err := page.limit(batchesPage, maxBatchesPage)
	if err != nil {
		return List[Batch]{}, err
	}
	q := store.Query{Collection: batches, Eq: scope(p), Order: "created", Desc: true, Limit: limit + 1}
	if page.After != "" {
		last, err := b.load(ctx, p, page.After)
		if err != nil {
			return List[Batch]{}, badCursor(err)
		}
		q.After = &store.Cursor{Value: last.Created, ID: last.ID}
	}
	return collect(ctx, b.Store, q, limit, func(doc *batchDoc) (Batch, string, bool, error) {
		o, err := b.object(ctx, doc)
		return o, doc.ID, true, err
	})
}

// Cancel stops a batch. What is finished is kept. Cancelling again is fine; a batch that is as good as final is
// KindConflict.
func (b *Batches) Cancel(ctx context.Context, p gateway.Principal, id string) (Batch, error) {
	if _, err := b.load(ctx, p, id); err != nil {
		return Batch{}, err
	}
	doc, moved, err := b.move(ctx, id, cancelling, func(doc *batchDoc) { doc.Hinted = b.Now().Unix() }, nil)
	switch {
	case err != nil:
		return Batch{}, asError(err)
	case moved:
		if err := b.tell(ctx, hint{TypeFinalize, id, 0}); err != nil {
			b.Log.WarnContext(ctx, "the sweeper will end the batch", "batch", id, "error", err)
		}
	case doc.State == expiring:
		return Batch{}, notCancellable(expired)
	case doc.State != cancelling:
		return Batch{}, notCancellable(doc.State)
	}
	return b.object(ctx, &doc)
}

func notCancellable(s state) error {
	return gateway.Errorf(gateway.KindConflict, "Cannot cancel a batch with status '%s'.", string(s))
}

// object is the batch with its counts as they are now.
func (b *Batches) object(ctx context.Context, doc *batchDoc) (Batch, error) {
	if !doc.Open || doc.Chunks == 0 {
		return doc.object(doc.Tally), nil
	}
	t, err := b.tally(ctx, doc.ID)
	return doc.object(t), asError(err)
}

func (b *Batches) tally(ctx context.Context, id string) (tally, error) {
	now := b.Now()
	b.mu.Lock()
	known, ok := b.counts[id]
	b.mu.Unlock()
	if ok && now.Sub(known.at).Abs() < countsLife {
		return known.tally, nil
	}
	t, err := b.sum(ctx, id)
	if err != nil {
		return t, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.counts) >= maxCounts {
		clear(b.counts)
	}
	b.counts[id] = counted{t, now}
	return t, nil
}

// sum adds up what a batch's chunks have done.
func (d *Deps) sum(ctx context.Context, id string) (tally, error) {
	all := store.Query{Collection: chunks, Eq: map[string]any{"batch": id}}
	_, sums, err := d.Store.Sum(ctx, all, tallyFields...)
	if err != nil {
		return tally{}, fmt.Errorf("sum chunks of %s: %w", id, err)
	}
	return newTally(sums), nil
}
