package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Sweep finds work that was lost on its way, by a message or a worker that is no more, and tells of it again: open batches,
// their chunks, files to remove. (Unsent events are for event.Sender.Sweep.) One document that it cannot deal with does not hold up the others. It is
// to run every minute; several at once do no harm.
func (e *Engine) Sweep(ctx context.Context) error {
	var errs []error
	for doc, err := range e.Store.Query(ctx, store.Query{Collection: batches, Eq: map[string]any{"open": true}}) {
		if err != nil {
			errs = append(errs, fmt.Errorf("query open batches: %w", err))
			break
		}
		var b batchDoc
		if err = doc.Decode(&b); err == nil {
			err = e.sweepBatch(ctx, &b, doc.Version)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("batch %s: %w", doc.ID, err))
		}
	}
	return errors.Join(append(errs, e.purgeExpired(ctx))...)
}

func (e *Engine) sweepBatch(ctx context.Context, b *batchDoc, at store.Version) error {
	if late, err := e.overdue(ctx, b); late || err != nil {
		return err
	}
	if b.State == inProgress {
		return e.sweepChunks(ctx, b)
	}
	if !e.isOld(b.Hinted) {
		return nil
	}
	b.Hinted = e.Now().Unix()
	if _, err := e.Store.Update(ctx, b.ref(), b, at); err != nil {
		return ignore(err, store.ErrChanged)
	}
	if b.State == validating {
		return e.tell(ctx, hint{TypeValidate, b.ID, 0})
	}
	return e.tell(ctx, hint{TypeFinalize, b.ID, 0})
}

// isOld reports whether a message sent at a time, in Unix seconds, should have been acted upon by now.
func (e *Engine) isOld(hinted int64) bool {
	return e.Now().Unix()-hinted >= int64(e.Settings.HintAfter.Seconds())
}

// sweepChunks tells of chunks that wait for too long or have lost their worker, and fills the window.
func (e *Engine) sweepChunks(ctx context.Context, b *batchDoc) error {
	var hints []hint
	atWork := 0
	for _, s := range []chunkState{queued, running} {
		for c, err := range e.chunks(ctx, inState(b.ID, s)) {
			if err != nil {
				return errors.Join(err, e.tell(ctx, hints...))
			}
			atWork++
			if !e.isLost(&c.chunkDoc) {
				continue
			}
			c.Hinted, c.NotBefore = e.Now().Unix(), 0
			if _, err := e.Store.Update(ctx, c.ref(), &c.chunkDoc, c.at); err == nil {
				hints = append(hints, hint{TypeChunk, b.ID, c.N})
			} else if !errors.Is(err, store.ErrChanged) {
				return errors.Join(err, e.tell(ctx, hints...))
			}
		}
	}
	if err := e.tell(ctx, hints...); err != nil {
		return err
	}
	if atWork < e.Settings.Window {
		n, err := e.pump(ctx, b.ID, e.Settings.Window-atWork)
		if n > 0 || err != nil {
			return err
		}
	}
	if atWork > 0 {
		return nil
	}
	left, err := e.unfinished(ctx, b.ID)
	if left || err != nil {
		return err
	}
	return e.tell(ctx, hint{TypeFinalize, b.ID, 0})
}

// isLost reports whether nobody will come to the chunk by themselves.
func (e *Engine) isLost(c *chunkDoc) bool {
	switch now := e.micros(0); {
	case c.State == running:
		return c.LeaseUntil <= now
	case c.NotBefore != 0:
		return c.NotBefore <= now
	default:
		return e.isOld(c.Hinted)
	}
}

// ignore is nil for an error of that kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
