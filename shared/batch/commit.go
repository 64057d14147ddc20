package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/ledger"
)

// lastingTimeout bounds what must be done even if the handler is to end, with its repetitions: less than a lease.
const lastingTimeout = 20 * time.Second

// lasting is a context for that.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastingTimeout)
}

// commit stores, in one transaction that a fenced attempt cannot make: a part of the results that wait, the sign of life,
// what change sets, what became of the money, and that the lines ask is for may be sent. With the last commit of a chunk,
// or when they get many, its entries are booked. Afterwards the run's chunk is the stored one. If it fails nothing is
// changed here, and the attempt must end.
func (r *run) commit(ctx context.Context, change func(*chunkDoc), ask ask) error {
	ctx, cancel := lasting(ctx)
	defer cancel()
	next := r.chunk
	next.Parts, next.Doubts = slices.Clone(next.Parts), slices.Clone(next.Doubts)
	next.Step++
	next.LeaseUntil = r.micros(r.Settings.Lease)
	s := &step{from: &r.chunk, next: &next, purse: &purse{escrow: r.Escrow, money: r.money, ask: ask}}
	n := r.fits()
	if n > 0 || len(r.entries) > 0 {
		s.id = partID(next.id(), next.Attempt, next.Step)
		if err := r.cut(ctx, s, n); err != nil {
			return err
		}
	}
	change(&next)
	unbooked := slices.Concat(r.unbooked, r.entries)
	if next.Done || len(unbooked) > ledger.MaxBooking {
		s.book, unbooked = unbooked, nil
		next.settled()
	}
	if err := r.apply(ctx, s); err != nil {
		return fmt.Errorf("commit chunk %d: %w", next.N, err)
	}
	for _, p := range r.pending[:n] {
		r.size -= len(p.text)
	}
	r.chunk, r.pending, r.entries, r.unbooked, r.committed = next, r.pending[n:], nil, unbooked, time.Now()
	r.money = next.clone()
	r.allow(ctx, ask, s.purse.taken(&next))
	return nil
}

// fits is how many of the results that wait make a part.
func (r *run) fits() (n int) {
	for size := 0; n < len(r.pending) && n < r.Settings.FlushLines; n++ {
		if size += len(r.pending[n].text); n > 0 && size > partBytes {
			break
		}
	}
	return n
}

// cut makes a part of the first n results and all entries. A part that is too large for a document goes to an object.
func (r *run) cut(ctx context.Context, s *step, n int) error {
	s.part = partDoc{Batch: r.batch.ID, Chunk: s.next.id(), Owner: r.batch.Owner, Count: n, Expires: resultsExpire(r.batch)}
	s.next.Parts = append(s.next.Parts, s.id)
	for _, p := range r.pending[:n] {
		s.part.Results = append(s.part.Results, p.text)
		if p.ok {
			s.next.OK++
		} else {
			s.next.Failed++
		}
	}
	for i := range r.entries {
		s.next.add(r.entries[i].Usage)
	}
	if len(r.entries) > 0 {
		text, err := json.Marshal(r.entries)
		if err != nil {
			return fmt.Errorf("encode entries: %w", err)
		}
		s.part.Entries = string(text)
	}
	return r.spill(ctx, s)
}
