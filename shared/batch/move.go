package batch

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// happenings are the events of the states that have one.
var happenings = map[state]event.Type{
	validating: event.BatchCreated, completed: event.BatchCompleted, failed: event.BatchFailed,
	expired: event.BatchExpired, cancelled: event.BatchCancelled,
}

// move brings a batch to another state, if the moves allow that from where it is, and tells whether it did; b is the batch
// as it then is. change may set more of it, and also may write more, in the same transaction. Either may be nil.
func (d *Deps) move(ctx context.Context, id string, to state, change func(*batchDoc), also func(store.Tx) error) (b batchDoc, moved bool, err error) {
	var events []event.Event
	err = d.insist(ctx, func() error {
		return d.Store.Tx(ctx, func(tx store.Tx) error {
			b, moved, events = batchDoc{}, false, nil
			if _, err := tx.Get(batches.Ref(id), &b); err != nil {
				return err
			}
			if !b.State.mayBecome(to) {
				return nil
			}
			moved = true
			if change != nil {
				change(&b)
			}
			if events = b.enter(to, d.Now()); len(events) > 0 {
				if err := d.Events.Put(tx, events...); err != nil {
					return err
				}
			}
			if also != nil {
				if err := also(tx); err != nil {
					return err
				}
			}
			return tx.Put(b.ref(), b)
		})
	})
	if err != nil {
		return b, false, fmt.Errorf("move batch %s to %s: %w", id, to, err)
	}
	if moved {
		d.Log.InfoContext(ctx, "batch moved", "batch", id, "state", string(to))
	}
	d.send(ctx, events)
	return b, moved, nil
}

// enter sets the state and returns the events of it.
func (b *batchDoc) enter(s state, now time.Time) []event.Event {
	b.State, b.Open = s, !s.final()
	if b.At == nil {
		b.At = map[state]int64{}
	}
	b.At[s] = now.Unix()
	kind, tells := happenings[s]
	if !tells {
		return nil
	}
	return []event.Event{{
		ID: event.ID("batch", b.ID, string(s)), Type: kind, Owner: gateway.OwnerFrom(b.Owner),
		Subject: "batches/" + b.ID, Time: now, Data: b.news(),
	}}
}

// news is the data of a batch event.
func (b *batchDoc) news() any {
	return map[string]any{
		"id": b.ID, "status": string(b.State), "endpoint": b.Endpoint, "input_file_id": b.Input,
		"output_file_id": orNull(b.Output), "error_file_id": orNull(b.Errors), "request_counts": b.counts(b.Tally), "usage": b.Tally.usage(),
	}
}

// send publishes what a transaction has put into the outbox. The sweeper repeats what fails.
func (d *Deps) send(ctx context.Context, events []event.Event) {
	if err := d.Events.Send(ctx, events...); err != nil {
		d.Log.WarnContext(ctx, "events are sent later", "error", err)
	}
}
