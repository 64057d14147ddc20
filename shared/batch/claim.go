package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Deaths after which a chunk is worked on line by line, and after which a line that was the only one in flight is given up.
const (
	carefulAfter = 5
	giveUpAfter  = 3
)

// claim takes a chunk for one attempt, unless it is done, somebody has it, or it is to wait. Whoever had it and let the
// lease run out is fenced off from then on: no commit of theirs succeeds, so they start no more lines than they had
// written ahead, and those are in doubt.
func (e *Engine) claim(ctx context.Context, id string, n int) (c chunkDoc, ok bool, err error) {
	owner := uuid.NewString()
	err = e.insist(ctx, func() error {
		return e.Store.Tx(ctx, func(tx store.Tx) error {
			c, ok = chunkDoc{}, false
			ref := chunks.Ref(chunkID(id, n))
			if _, err := tx.Get(ref, &c); err != nil {
				return err
			}
			if c.Owner == owner { // our own claim, whose answer was lost
				ok = true
				return nil
			}
			now := e.micros(0)
			if c.Done || c.NotBefore > now || (c.State == running && c.LeaseUntil > now) {
				return nil
			}
			c.doubtIfDead(now)
			ok = true
			c.State, c.Owner, c.LeaseUntil, c.NotBefore = running, owner, e.micros(e.Settings.Lease), 0
			c.Attempt, c.Step = c.Attempt+1, 0
			c.Started = c.First
			if c.Attempt == 1 { // which lines are left is known without reading parts
				c.Started = min(c.Last+1, c.First+e.Settings.FlushLines)
			}
			return tx.Put(ref, &c)
		})
	})
	if errors.Is(err, store.ErrNotFound) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("claim chunk %d: %w", n, err)
	}
	return c, ok, nil
}

// doubtIfDead writes down what an attempt that let its lease run out may have sent.
func (c *chunkDoc) doubtIfDead(now int64) {
	if c.State == running {
		c.Doubts = append(c.Doubts, doubt{Attempt: c.Attempt, Started: c.Started, Parts: len(c.Parts), At: now, Stakes: c.lose()})
	}
}

// isCareful reports whether so many attempts died that one of the lines may be the cause.
func (c *chunkDoc) isCareful() bool { return len(c.Doubts) >= carefulAfter }

// isPoison reports whether attempts have died while the line was the only one in flight.
func (c *chunkDoc) isPoison(no int) bool {
	deaths := 0
	for i, d := range c.Doubts {
		if i >= carefulAfter && d.Started == no+1 {
			deaths++
		}
	}
	return deaths >= giveUpAfter
}
