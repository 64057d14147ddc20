package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// MaxBooking is how many entries one transaction books: with their sums they stay far below a commit's 10 MiB.
const MaxBooking = 200

// maxEventEntries keeps a spend event well under the 64 KB that every CloudEvents intermediary must forward.
const maxEventEntries = 100

// Book adds entries, their share of the daily sums and a spend event for each key to the transaction. The same entries must
// always be booked together: their ids make a repetition fail with store.ErrExists as a whole.
func Book(tx store.Tx, outbox *event.Sender, entries []Entry, now time.Time) ([]event.Event, error) {
	for i := range entries {
		if err := tx.Create(Entries.Ref(entries[i].ID), &entries[i]); err != nil {
			return nil, fmt.Errorf("create ledger entry %s: %w", entries[i].ID, err)
		}
	}
	facts, rollups := Sum(entries)
	for group, fact := range facts {
		if err := tx.Add(group.Ref(), fact.Named, fact.deltas()); err != nil {
			return nil, fmt.Errorf("add to the sum of key %s on %s: %w", group.Key, group.Day, err)
		}
	}
	for part, sums := range rollups {
		if err := tx.Add(part.Ref(), part, sums.deltas()); err != nil {
			return nil, fmt.Errorf("add to the sum of %s %s on %s: %w", part.Scope, part.Subject, part.Day, err)
		}
	}
	events := spendEvents(entries, now)
	return events, outbox.Put(tx, events...)
}

// spend is the data of a spend event: what one key's attempts cost.
type spend struct {
	Key     string          `json:"key"`
	Cost    gateway.NanoUSD `json:"cost_nano_usd"`
	Entries []spendEntry    `json:"entries"`
}

type spendEntry struct {
	ID           string          `json:"id"`
	CallID       string          `json:"call_id"`
	Batch        string          `json:"batch,omitempty"`
	Model        string          `json:"model"`
	Provider     string          `json:"provider"`
	Outcome      gateway.Outcome `json:"outcome"`
	InputTokens  int64           `json:"input_tokens"`
	OutputTokens int64           `json:"output_tokens"`
	Cost         gateway.NanoUSD `json:"cost_nano_usd"`
}

// spendEvents tells of the entries, one event for each key in their order.
func spendEvents(entries []Entry, now time.Time) []event.Event {
	var events []event.Event
	at := map[string]int{}
	for i := range entries {
		e := &entries[i]
		n, found := at[e.Key]
		if !found {
			n = len(events)
			at[e.Key] = n
			events = append(events, event.Event{
				ID: event.ID("spend", e.ID), Type: event.SpendRecorded, Owner: gateway.OwnerOf(e.Key, e.User, e.Team),
				Subject: "keys/" + e.Key, Time: now, Data: &spend{Key: e.Key},
			})
		}
		data := events[n].Data.(*spend)
		data.Cost = data.Cost.Plus(e.Cost)
		data.Entries = append(data.Entries, spendEntry{
			e.ID, e.CallID, e.Batch, e.Model, e.Provider, e.Outcome, e.Usage.InputTokens, e.Usage.OutputTokens, e.Cost,
		})
		if len(data.Entries) == maxEventEntries {
			delete(at, e.Key)
		}
	}
	return events
}

// Booker books groups of entries that arrive as messages.
type Booker struct {
	Store  store.Store
	Events *event.Sender
	Now    func() time.Time
}

// Book books the entries once, however often and in whatever grouping it is asked to.
func (b *Booker) Book(ctx context.Context, entries []Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), MaxBooking)
		if err := b.book(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

func (b *Booker) book(ctx context.Context, entries []Entry) error {
	var events []event.Event
	err := b.Store.Tx(ctx, func(tx store.Tx) (err error) {
		events, err = Book(tx, b.Events, entries, b.Now())
		return err
	})
	switch {
	case err == nil:
		_ = b.Events.Send(ctx, events...) // the sweeper sends what this could not
		return nil
	case !errors.Is(err, store.ErrExists):
		return err
	case len(entries) == 1:
		return nil // booked before
	}
	for i := range entries { // some or all were booked before: find out one by one
		if err := b.book(ctx, entries[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
