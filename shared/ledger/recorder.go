package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// Limits of one group: it travels as one message and is booked in one transaction.
const (
	maxGroup      = MaxBooking
	recordTimeout = 10 * time.Second
)

// Recorder makes entries durable by publishing them to the ledger topic, grouped: while one group is on its way, the next
// gathers. It has no goroutine of its own; the first caller of a group publishes it for all, so nothing is left to do when
// the last caller has returned.
type Recorder struct {
	queue queue.Publisher
	slots chan struct{} // groups on their way

	mu      sync.Mutex
	pending *group
}

type group struct {
	entries []Entry
	done    chan struct{}
	err     error
}

// NewRecorder returns a recorder that lets up to inFlight groups be on their way at once: one where publishing is quick
// and costs a disk write, several where it is a network round trip.
func NewRecorder(q queue.Publisher, inFlight int) *Recorder {
	return &Recorder{queue: q, slots: make(chan struct{}, inFlight)}
}

// Record returns when the entries are durable. It does not stop when ctx is cancelled: what was spent must be recorded even
// if the caller is gone. An error means that they may be lost; it is for the log, with the entries.
func (r *Recorder) Record(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	g, first := r.join(entries)
	if first {
		r.publish(context.WithoutCancel(ctx), g)
	}
	<-g.done
	return g.err
}

func (r *Recorder) join(entries []Entry) (g *group, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil || len(r.pending.entries)+len(entries) > maxGroup {
		r.pending = &group{done: make(chan struct{})}
		first = true
	}
	r.pending.entries = append(r.pending.entries, entries...)
	return r.pending, first
}

// publish waits for a slot while others join the group, then closes the group and sends it.
func (r *Recorder) publish(ctx context.Context, g *group) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	r.mu.Lock()
	if r.pending == g {
		r.pending = nil
	}
	r.mu.Unlock()
	defer close(g.done)
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	data, err := json.Marshal(g.entries)
	if err == nil {
		err = r.queue.Publish(ctx, queue.Ledger, queue.Message{Data: data})
	}
	if err != nil {
		g.err = fmt.Errorf("record %d ledger entries: %w", len(g.entries), err)
	}
}

// Handle books the entries of a message from a Recorder.
func (b *Booker) Handle(ctx context.Context, m queue.Message) error {
	var entries []Entry
	if err := json.Unmarshal(m.Data, &entries); err != nil {
		return fmt.Errorf("decode ledger entries: %w", err)
	}
	if err := b.Book(ctx, entries); err != nil {
		return queue.Retry(err)
	}
	return nil
}
