package batch

import (
	"context"
	"errors"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// errFenced means that the chunk is somebody else's by now.
var errFenced = errors.New("the chunk has another owner")

// step brings a chunk from one state to the next, with what belongs to that. All of next is fixed before but its money.
type step struct {
	from, next *chunkDoc
	id         string // of the part, if there is one
	part       partDoc
	book       []ledger.Entry
	purse      *purse
}

// at identifies a chunk's state as far as steps go.
func (c *chunkDoc) at() [3]any { return [3]any{c.Owner, c.Attempt, c.Step} }

// apply makes the step in one transaction, once: it may be asked to again when the answer to an earlier try was lost. If
// the chunk is in neither state it answers errFenced.
func (d *Deps) apply(ctx context.Context, s *step) error {
	var events []event.Event
	try := func(known map[string]bool) error {
		return d.Store.Tx(ctx, func(tx store.Tx) (err error) {
			events = nil
			var now chunkDoc
			if _, err := tx.Get(s.next.ref(), &now); err != nil {
				return err
			}
			switch now.at() {
			case s.next.at():
				s.purse.recall(&now, s.next)
				return nil
			case s.from.at():
			default:
				return errFenced
			}
			if err := s.purse.open(tx, s.from, s.next); err != nil {
				return err
			}
			if s.id != "" {
				if err := tx.Create(parts.Ref(s.id), &s.part); err != nil {
					return err
				}
			}
			if events, err = d.book(tx, s.book, known); err != nil {
				return err
			}
			if err := s.purse.write(tx); err != nil {
				return err
			}
			return tx.Put(s.next.ref(), s.next)
		})
	}
	err := d.insist(ctx, func() error { return try(nil) })
	if errors.Is(err, store.ErrExists) && len(s.book) > 0 {
		err = d.bookTheRest(ctx, s.book, try)
	}
	if err == nil {
		s.purse.committed()
		d.send(ctx, events)
	}
	return err
}
