package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/store"
)

// pump tells of up to n chunks that nobody has been told of, in their order, and returns how many it found. Whoever
// finishes a chunk pumps one, so a batch never has more than its window at work, and many batches share the workers.
func (e *Engine) pump(ctx context.Context, id string, n int) (int, error) {
	var hints []hint
	waiting := inState(id, pending)
	waiting.Limit = n + e.Settings.Window // others may take some of them first
	for c, err := range e.chunks(ctx, waiting) {
		if err == nil && len(hints) < n {
			c.State, c.Hinted = queued, e.Now().Unix()
			_, err = e.Store.Update(ctx, c.ref(), &c.chunkDoc, c.at)
		} else if err == nil {
			break
		}
		if errors.Is(err, store.ErrChanged) {
			continue
		}
		if err != nil {
			return len(hints), errors.Join(fmt.Errorf("queue a chunk of %s: %w", id, err), e.tell(ctx, hints...))
		}
		hints = append(hints, hint{TypeChunk, id, c.N})
	}
	return len(hints), e.tell(ctx, hints...)
}

// next goes on after a chunk has ended: with another one, or if there is none with the end of the batch.
func (e *Engine) next(ctx context.Context, id string) error {
	if n, err := e.pump(ctx, id, 1); n > 0 || err != nil {
		return err
	}
	if left, err := e.unfinished(ctx, id); left || err != nil {
		return err
	}
	return e.tell(ctx, hint{TypeFinalize, id, 0})
}

// unfinished reports whether a batch has a chunk that is not done.
func (e *Engine) unfinished(ctx context.Context, id string) (bool, error) {
	q := notDone(id)
	q.Limit = 1
	for _, err := range e.chunks(ctx, q) {
		return err == nil, err
	}
	return false, nil
}

func inState(id string, s chunkState) store.Query {
	return store.Query{Collection: chunks, Eq: map[string]any{"batch": id, "state": string(s)}}
}

func notDone(id string) store.Query {
	return store.Query{Collection: chunks, Eq: map[string]any{"batch": id, "done": false}}
}

// foundChunk is a chunk as of a version.
type foundChunk struct {
	chunkDoc
	at store.Version
}

// chunks yields the chunks of a query, in their order.
func (e *Engine) chunks(ctx context.Context, q store.Query) func(yield func(foundChunk, error) bool) {
	return func(yield func(foundChunk, error) bool) {
		for doc, err := range e.Store.Query(ctx, q) {
			c := foundChunk{at: doc.Version}
			if err == nil {
				if err = doc.Decode(&c.chunkDoc); err != nil {
					err = fmt.Errorf("%w: chunk %s: %w", errBroken, doc.ID, err)
				}
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
