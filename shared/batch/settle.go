package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// settlement is what a chunk still owes the ledger: the entries of its parts that are not booked, and one entry of unknown
// outcome for each line that an attempt which died may have sent. It is the same whoever asks, for the same chunk.
func (c *chunkDoc) settlement(b *batchDoc, lines []input, ps []partDoc) ([]ledger.Entry, error) {
	var owed []ledger.Entry
	for i := c.Booked; i < len(ps); i++ {
		if ps[i].Entries == "" {
			continue
		}
		var entries []ledger.Entry
		if err := json.Unmarshal([]byte(ps[i].Entries), &entries); err != nil {
			return nil, fmt.Errorf("decode entries of %s: %w", c.Parts[i], err)
		}
		owed = append(owed, entries...)
	}
	for _, d := range c.Doubts {
		if d.Booked {
			continue
		}
		have, err := answered(ps[:d.Parts])
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if l.no < d.Started && !have[l.no] {
				owed = append(owed, unknown(b, c, l, d))
			}
		}
	}
	return owed, nil
}

// unknown is the entry of a line that may have been sent by an attempt that died. What was set aside for it is charged.
func unknown(b *batchDoc, c *chunkDoc, l input, d doubt) ledger.Entry {
	id := callID(c.id(), l.no, d.Attempt, 0)
	e := ledger.Entry{
		ID: id, CallID: id, Key: b.Key, KeyAlias: b.KeyAlias, User: b.User, Team: b.Team, Tags: b.Tags, Batch: b.ID,
		CustomID: l.CustomID, Op: ops[b.Endpoint], Model: l.Model, Outcome: gateway.Unknown, Error: "worker_lost",
		Started: d.At, Ended: d.At,
	}
	for i := range d.Stakes {
		if s := &d.Stakes[i]; s.Line == l.no {
			e.Doubt, e.Reserved, e.Leases = gateway.NanoUSD(s.Bound), gateway.NanoUSD(s.Bound), c.leases(s)
		}
	}
	return e
}

// settled notes that nothing is owed any more.
func (c *chunkDoc) settled() {
	c.Booked = len(c.Parts)
	for i := range c.Doubts {
		c.Doubts[i].Booked = true
	}
}

// book books entries in a transaction. With known it leaves out those, and each id after its first.
func (d *Deps) book(tx store.Tx, entries []ledger.Entry, known map[string]bool) ([]event.Event, error) {
	if known != nil {
		seen := maps.Clone(known)
		entries = slices.DeleteFunc(slices.Clone(entries), func(e ledger.Entry) bool {
			twice := seen[e.ID]
			seen[e.ID] = true
			return twice
		})
	}
	if len(entries) == 0 {
		return nil, nil
	}
	return ledger.Book(tx, d.Events, entries, d.Now())
}

// bookTheRest goes on where an entry turns out to be in the ledger already. That is a fault of whoever gave it its id; it
// must not keep the chunk from ending.
func (d *Deps) bookTheRest(ctx context.Context, entries []ledger.Entry, try func(known map[string]bool) error) error {
	known := map[string]bool{}
	for i := range entries {
		_, err := d.Store.Get(ctx, ledger.Entries.Ref(entries[i].ID), nil)
		if err == nil {
			known[entries[i].ID] = true
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	d.Log.ErrorContext(ctx, "attempts share an id and are booked once", "entries", len(known))
	return d.insist(ctx, func() error { return try(known) })
}
