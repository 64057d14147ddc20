package batch

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// run is one attempt at a chunk. One goroutine, the handler's, starts lines, takes what becomes of them and writes to the
// store; each line in flight has a goroutine of its own that touches nothing but the channels and what never changes.
type run struct {
	*Engine
	batch   *batchDoc
	id      string // of the chunk; like all above for every goroutine to read
	attempt int

	chunk    chunkDoc      // as last committed
	money    money         // with what lines have come to since
	todo     []input       // not started yet, in order
	width    int           // lines in flight at most
	ahead    int           // lines written ahead
	gate     int           // lines below it may be sent
	short    *escrow.Short // the next line cannot be paid for until something changes
	hopeless bool          // nothing will
	gaveWay  bool          // the attempt ends to wait for it

	active   int // lines in flight
	outcomes chan outcome
	stopping chan struct{} // closed when no more lines are started
	stopped  bool
	cutAt    time.Time        // when calls in flight are cut
	grace    <-chan time.Time // fires then
	later    time.Duration    // the longest wait that a provider asked for

	pending   []encoded      // results that no part has yet
	size      int            // of them, in bytes
	entries   []ledger.Entry // that no part has yet
	unbooked  []ledger.Entry // that are in parts or in doubt, and not in the ledger yet
	committed time.Time
}

// encoded is a result as JSON.
type encoded struct {
	text json.RawMessage
	ok   bool
}

// loop works until the chunk is done, or must be handed back.
func (r *run) loop(ctx context.Context, began time.Time) error {
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	tick := time.NewTicker(min(r.Settings.FlushEvery, r.Settings.Heartbeat))
	defer tick.Stop()
	yield := time.NewTimer(r.Settings.YieldAfter - time.Since(began))
	defer yield.Stop()
	ended := ctx.Done()
	r.committed = time.Now()
	var err error
	for err == nil {
		r.start(calls)
		if r.short != nil && r.active == 0 && !r.stopped {
			r.giveWay(ctx)
		}
		if r.active == 0 && (r.stopped || len(r.todo) == 0) {
			return r.finish(ctx)
		}
		if r.isDue() {
			err = r.advance(ctx)
			continue
		}
		select {
		case o := <-r.outcomes:
			r.take(o)
		case <-tick.C:
			err = r.beat(ctx)
		case <-yield.C:
			r.stop(r.Settings.YieldBy - r.Settings.YieldAfter)
		case <-ended:
			ended = nil
			r.stop(r.Settings.Grace / 6)
		case <-r.grace:
			cut()
		}
	}
	r.stop(0)
	cut()
	for ; r.active > 0; r.active-- {
		for o := <-r.outcomes; !o.final; o = <-r.outcomes {
		}
	}
	return err
}

// start begins lines that are written ahead, as long as there is room.
func (r *run) start(calls context.Context) {
	for !r.stopped && len(r.todo) > 0 && r.active < r.width && r.todo[0].no < r.gate {
		l := r.todo[0]
		r.todo = r.todo[1:]
		switch {
		case l.lost:
			r.add(result{Line: l.no, Code: "input_file_missing", Message: "The input file is gone."})
		case r.chunk.isPoison(l.no):
			r.add(result{CustomID: l.CustomID, Line: l.no, Code: "request_failed", Message: poison})
		default:
			r.active++
			go r.call(calls, l)
		}
	}
}

// isDue reports whether a commit would let something go on: results fill a part, or more lines can be written ahead.
func (r *run) isDue() bool {
	return len(r.pending) >= r.Settings.FlushLines || r.size >= partBytes ||
		(!r.stopped && r.short == nil && len(r.todo) > 0 && r.active < r.width && r.todo[0].no >= r.gate)
}

// advance commits, and writes ahead that the next lines may have been sent.
func (r *run) advance(ctx context.Context) error {
	return r.commit(ctx, func(*chunkDoc) {}, r.ask(ctx))
}

// take notes what has become of a line, or of one try at it.
func (r *run) take(o outcome) {
	r.entries = append(r.entries, o.entries...)
	if o.final {
		r.active--
		if r.money.settle(o.line, o.entries) {
			r.short = nil
		}
	}
	if o.result != nil {
		r.add(*o.result)
	}
	if o.later > 0 {
		r.leave(o.later)
	}
}

// leave hands the chunk back soon, not to be taken up again for a while.
func (r *run) leave(wait time.Duration) {
	r.later = max(r.later, wait)
	r.stop(r.Settings.YieldBy - r.Settings.YieldAfter)
}

func (r *run) add(res result) {
	text, _ := json.Marshal(res) // strings and numbers always encode
	r.pending, r.size = append(r.pending, encoded{text, res.ok()}), r.size+len(text)
}

// beat gives a sign of life, stores results that wait, and looks whether the batch still wants them.
func (r *run) beat(ctx context.Context) error {
	b, ok, err := r.open(ctx, r.batch.ID)
	switch {
	case err != nil:
		r.Log.WarnContext(ctx, "batch state is not known at the moment", "batch", r.batch.ID, "error", err)
	case !ok || b.State != inProgress || b.ExpiresAt <= r.Now().Unix():
		r.stop(r.Settings.Grace)
	}
	if len(r.pending) == 0 && len(r.entries) == 0 && time.Since(r.committed)+r.Settings.FlushEvery <= r.Settings.Heartbeat {
		return nil
	}
	return r.advance(ctx)
}

// stop starts no more lines; those in flight are cut after the grace. Of several reasons the most urgent counts.
func (r *run) stop(grace time.Duration) {
	if !r.stopped {
		r.stopped = true
		close(r.stopping)
	}
	if at := time.Now().Add(grace); r.grace == nil || at.Before(r.cutAt) {
		r.cutAt, r.grace = at, time.After(grace)
	}
}

// finish ends the attempt when no line is in flight: the chunk is done, or goes back.
func (r *run) finish(ctx context.Context) error {
	r.money.Stakes = nil // of lines that were not sent after all
	for len(r.pending) > r.Settings.FlushLines || r.size > partBytes && len(r.pending) > 1 {
		if err := r.commit(ctx, func(*chunkDoc) {}, ask{}); err != nil {
			return err
		}
	}
	if len(r.todo) == 0 && r.isComplete() {
		if err := r.commit(ctx, func(c *chunkDoc) { c.State, c.Done, c.LeaseUntil = done, true, 0 }, ask{}); err != nil {
			return err
		}
		return r.goOn(ctx)
	}
	return r.handBack(ctx)
}

// isComplete reports whether every line has a result.
func (r *run) isComplete() bool {
	return r.chunk.OK+r.chunk.Failed+int64(len(r.pending)) == int64(r.chunk.Lines)
}

// handBack lets somebody else go on with the chunk: at once, or when the provider wants to be asked again.
func (r *run) handBack(ctx context.Context) error {
	err := r.commit(ctx, func(c *chunkDoc) {
		c.State, c.LeaseUntil, c.Started, c.Hinted = queued, 0, c.First, r.Now().Unix()
		if r.later > 0 {
			c.NotBefore = r.micros(r.later)
		}
		if r.gaveWay {
			c.Starved++
		}
	}, ask{})
	if err != nil {
		return err
	}
	return r.goOn(ctx)
}

// goOn tells of what comes after this attempt.
func (r *run) goOn(ctx context.Context) error {
	ctx, cancel := lasting(ctx)
	defer cancel()
	b, ok, err := r.open(ctx, r.batch.ID)
	switch {
	case err != nil || !ok:
		return err
	case b.State != inProgress:
		return r.tell(ctx, hint{TypeFinalize, b.ID, 0})
	case r.chunk.Done:
		return r.next(ctx, b.ID)
	case r.later > 0:
		return nil // the sweeper watches the clock
	default:
		return r.tell(ctx, hint{TypeChunk, b.ID, r.chunk.N})
	}
}
