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
	// gather is the least time between two groups: under load it is what makes them groups, and an idle gateway's calls are
	// not held up by it.
	gather = 20 * time.Millisecond
	// grace is how much longer a group waits for another call to join it: booking then begins when that call's answer has
	// just gone out, rather than while one is being worked on.
	grace = 5 * time.Millisecond
	// enough entries need not wait for more.
	enough = 32
)

// Sink makes a group of entries durable before it returns nil: a Booker books them at once, a Queue sends them to one.
type Sink interface {
	Book(ctx context.Context, entries []Entry) error
}

// Queue is the Sink where booking is a worker's job: a group travels as one message.
type Queue struct{ Publisher queue.Publisher }

var (
	_ Sink = Queue{}
	_ Sink = (*Booker)(nil)
)

// Book publishes the entries for a Booker's Handle.
func (q Queue) Book(ctx context.Context, entries []Entry) error {
	data, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return q.Publisher.Publish(ctx, queue.Ledger, queue.Message{Data: data})
}

// Recorder makes entries durable in groups: while one group is on its way, the next gathers. It has no goroutine of its
// own; the first caller of a group sends it for all, so nothing is left to do when the last caller has returned. What could
// not be recorded is kept until it can, and until then Ready holds back further calls.
type Recorder struct {
	sink  Sink
	slots chan struct{} // groups on their way

	mu      sync.Mutex
	pending *group
	last    time.Time // when the last group was closed
	kept    []Entry   // could not be recorded
}

type group struct {
	entries []Entry
	enough  chan struct{} // closed when the group need not wait for more
	ready   bool          // enough is closed
	done    chan struct{}
	err     error
}

// NewRecorder returns a recorder that lets up to inFlight groups be on their way at once: one where publishing is quick
// and costs a disk write, several where it is a network round trip.
func NewRecorder(s Sink, inFlight int) *Recorder {
	return &Recorder{sink: s, slots: make(chan struct{}, inFlight)}
}

// Record returns when the entries are durable. It does not stop when ctx is cancelled: what was spent must be recorded even
// if the caller is gone. After an error they are kept for Ready, and lost if the process ends before.
func (r *Recorder) Record(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	g, first := r.join(entries)
	if first {
		r.send(context.WithoutCancel(ctx), g)
	}
	<-g.done
	return g.err
}

func (r *Recorder) join(entries []Entry) (g *group, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil || len(r.pending.entries)+len(entries) > maxGroup {
		r.pending = &group{enough: make(chan struct{}), done: make(chan struct{})}
		first = true
	}
	g = r.pending
	g.entries = append(g.entries, entries...)
	if !g.ready && (len(g.entries) >= enough || time.Since(r.last) >= gather) {
		g.ready = true
		close(g.enough)
	}
	return g, first
}

// send waits for a slot while others join the group, then closes the group and makes it durable.
func (r *Recorder) send(ctx context.Context, g *group) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	r.mu.Lock()
	wait := gather + grace - time.Since(r.last)
	r.mu.Unlock()
	timer := time.NewTimer(wait)
	select {
	case <-timer.C:
	case <-g.enough:
		timer.Stop()
	}
	r.mu.Lock()
	r.last = time.Now()
	if r.pending == g {
		r.pending = nil
	}
	r.mu.Unlock()
	defer close(g.done)
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := r.sink.Book(ctx, g.entries); err != nil {
		g.err = fmt.Errorf("record %d ledger entries: %w", len(g.entries), err)
		r.mu.Lock()
		r.kept = append(r.kept, g.entries...)
		r.mu.Unlock()
	}
}

// Ready tells whether what a call will cost can be recorded: it first records what was kept. It costs nothing as long as
// nothing is.
func (r *Recorder) Ready(ctx context.Context) error {
	r.mu.Lock()
	n := len(r.kept)
	r.mu.Unlock()
	if n == 0 {
		return nil
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	r.mu.Lock()
	kept := r.kept
	r.kept = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	for len(kept) > 0 {
		n := min(len(kept), maxGroup)
		if err := r.sink.Book(ctx, kept[:n]); err != nil {
			r.mu.Lock()
			r.kept = append(kept, r.kept...)
			r.mu.Unlock()
			return fmt.Errorf("record %d kept ledger entries: %w", len(kept), err)
		}
		kept = kept[n:]
	}
	return nil
}

// Handle books the entries of a message from a Queue.
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
