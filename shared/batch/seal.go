package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// seal freezes every chunk of a batch that has ended early and tells whether all are frozen. A chunk that somebody still
// holds is left: they notice soon, or their lease runs out. One that somebody moves meanwhile is looked at again: it may be
// another finalizer that has frozen it, and of several at once the last must see that all are frozen.
func (e *Engine) seal(ctx context.Context, b *batchDoc) (all bool, err error) {
	for {
		held, moved, err := e.sealOnce(ctx, b)
		if err != nil || !moved {
			return err == nil && !held, err
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
}

// sealOnce passes over the chunks that are not frozen and tells whether any is held, or was moved under its hands.
func (e *Engine) sealOnce(ctx context.Context, b *batchDoc) (held, moved bool, err error) {
	var errs []error
	for c, err := range e.chunks(ctx, notDone(b.ID)) {
		if err != nil {
			return false, false, err
		}
		if c.State == running && c.LeaseUntil > e.micros(0) {
			held = true
			continue
		}
		if err := e.freeze(ctx, b, c.chunkDoc); errors.Is(err, errFenced) {
			moved = true
		} else if err != nil {
			errs = append(errs, fmt.Errorf("seal chunk %d: %w", c.N, err))
		}
	}
	return held, moved, errors.Join(errs...)
}

// freeze ends a chunk with the parts it has, and settles it. Whoever held it is fenced off.
func (e *Engine) freeze(ctx context.Context, b *batchDoc, c chunkDoc) error {
	next := c
	next.Doubts = slices.Clone(c.Doubts)
	next.doubtIfDead(e.micros(0))
	s := &step{from: &c, next: &next, purse: &purse{escrow: e.Escrow, money: next.money}}
	if len(next.Parts) > 0 || len(next.Doubts) > 0 {
		lines, err := e.lines(ctx, b, &next)
		if err != nil {
			return err
		}
		ps, err := e.parts(ctx, &next)
		if err != nil {
			return err
		}
		if s.book, err = next.settlement(b, lines, ps); err != nil {
			return err
		}
	}
	next.settled()
	next.State, next.Done, next.LeaseUntil = done, true, 0
	next.Owner, next.Attempt, next.Step = uuid.NewString(), next.Attempt+1, 0
	return e.apply(ctx, s)
}
