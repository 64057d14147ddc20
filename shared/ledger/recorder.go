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
	// gather is the least time between two groups: under load it is what makes them groups.
	gather = 20 * time.Millisecond
	// grace is how much longer a group waits for another call to join it: booking then begins when that call's answer has
	// just gone out, rather than while one is being worked on.
	grace = 5 * time.Millisecond
	// enough entries need not wait for more.
	enough = 32
	// few entries in one group say that there is no such load.
	few = 4
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
// not be recorded is kept until it can, and until then no further call begins.
type Recorder struct {
	sink  Sink
	slots chan struct{} // groups on their way
	eager bool

	mu      sync.Mutex
	pending *group
	last    time.Time // when the last group was closed
	small   bool      // it had few entries
	busy    int       // calls that have begun and are not waiting in a group
	kept    []Entry   // could not be recorded
}

type group struct {
	entries []Entry
	enough  chan struct{} // tells that the group need not wait for more
	done    chan struct{}
	err     error
}

// Pace is how groups leave.
type Pace struct {
	InFlight int  // how many may be on their way at once
	Eager    bool // a group does not wait when nobody is there to join it
}

// The paces of the two engines. On a disk a group is one write: cheap, and a caller that sends its calls one after the other should
// not wait for others. Over a network it is a round trip, a message and writes that are paid for.
var (
	OnDisk      = Pace{InFlight: 1, Eager: true}
	OverNetwork = Pace{InFlight: 2}
)

// NewRecorder returns a recorder of that pace.
func NewRecorder(s Sink, p Pace) *Recorder {
	return &Recorder{sink: s, slots: make(chan struct{}, p.InFlight), eager: p.Eager}
}

// Begin begins a call, which may join a group before it ends, or answers why its cost could not be recorded. It costs nothing as
// long as nothing is kept; else that is recorded first. Each call that has begun must End.
func (r *Recorder) Begin(ctx context.Context) error {
	r.mu.Lock()
	r.busy++
	behind := len(r.kept) > 0
	r.mu.Unlock()
	if !behind {
		return nil
	}
	err := r.catchUp(ctx)
	if err != nil {
		r.End()
	}
	return err
}

// End ends a call.
func (r *Recorder) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
	r.hurry()
}

// Record returns when the entries of a call that has begun are durable. It does not stop when ctx is cancelled: what was spent must
// be recorded even if the caller is gone. After an error they are kept for the next Begin, and lost if the process ends before.
func (r *Recorder) Record(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	g, first := r.join(entries)
	if first {
		r.send(context.WithoutCancel(ctx), g)
	}
	<-g.done
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy++
	return g.err
}

func (r *Recorder) join(entries []Entry) (g *group, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil || len(r.pending.entries)+len(entries) > maxGroup {
		r.pending = &group{enough: make(chan struct{}, 1), done: make(chan struct{})}
		first = true
	}
	g = r.pending
	g.entries = append(g.entries, entries...)
	r.busy--
	r.hurry()
	return g, first
}

// hurry lets the pending group go if it has no reason to wait. The caller holds the lock.
func (r *Recorder) hurry() {
	g := r.pending
	if g == nil {
		return
	}
	lonely := r.eager && (r.busy == 0 || r.small)
	if lonely || len(g.entries) >= enough || time.Since(r.last) >= gather {
		select {
		case g.enough <- struct{}{}:
		default: // it has been told
		}
	}
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
	r.last, r.small = time.Now(), len(g.entries) <= few
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

// catchUp records what was kept.
func (r *Recorder) catchUp(ctx context.Context) error {
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
