package dispatch

import (
	"context"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// line drains one subscription. Its fields belong to the goroutine of run; deliveries report back over done.
type line struct {
	*Dispatcher
	sub  Subscription
	name string // in the envelope
	flow *flow
	luck *luck

	running  int
	failures int // of the source, in a row
	done     chan result
}

// result is how a delivery went.
type result struct {
	started time.Time
	verdict verdict
}

func newLine(d *Dispatcher, s Subscription, i int) *line {
	return &line{
		Dispatcher: d, sub: s, name: s.fullName(d.project),
		flow: newFlow(s.Concurrency, d.backoffLimit),
		luck: newLuck(d.faults, uint64(i)),
		done: make(chan result, s.Concurrency),
	}
}

// run delivers until ctx ends, then finishes what runs.
func (l *line) run(ctx context.Context) {
	pushes, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	published := l.source.Published(l.sub.Name)
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for {
		alarm.Stop()
		if wake := l.fill(ctx, pushes); !wake.IsZero() {
			alarm.Reset(max(time.Until(wake), time.Millisecond)) // a driver may round due times: never spin
		}
		select {
		case <-ctx.Done():
			l.finish(ctx, cancel)
			return
		case r := <-l.done:
			l.note(r)
		case <-published:
		case <-alarm.C:
		}
	}
}

// fill starts as many pushes as may run now and answers when to try again, beyond a publish or the end of a push; zero
// means not before one of those.
func (l *line) fill(ctx, pushes context.Context) (wake time.Time) {
	l.noteAll()
	for ctx.Err() == nil {
		now := time.Now()
		room := l.flow.room(now, l.running)
		if room == 0 {
			return l.flow.wake(now, l.running)
		}
		leased, err := l.source.Lease(ctx, l.sub.Name, room, l.sub.AckDeadline+settleWithin)
		if err != nil {
			return l.sourceFailed(ctx, err)
		}
		l.luck.shuffle(leased)
		for _, m := range leased {
			l.start(pushes, m)
		}
		if len(leased) < room {
			at, ok, err := l.source.NextDue(ctx, l.sub.Name)
			if err != nil {
				return l.sourceFailed(ctx, err)
			}
			l.failures = 0
			if !ok {
				return time.Time{}
			}
			return at
		}
	}
	return time.Time{}
}

// noteAll notes every result that waits, so that one lease fills all the room there is.
func (l *line) noteAll() {
	for {
		select {
		case r := <-l.done:
			l.note(r)
		default:
			return
		}
	}
}

func (l *line) start(pushes context.Context, m queue.Leased) {
	now := time.Now()
	l.running++
	l.flow.started(now)
	bad := l.luck.next()
	go func() { l.done <- result{now, l.deliver(pushes, m, bad)} }()
}

func (l *line) note(r result) {
	l.running--
	switch r.verdict {
	case acked:
		l.flow.acked(time.Now())
	case refused:
		l.flow.refused(r.started, time.Now())
	}
}

// sourceFailed answers when to ask the source again: after 100 ms, doubling to 5 s.
func (l *line) sourceFailed(ctx context.Context, err error) time.Time {
	if ctx.Err() != nil {
		return time.Time{}
	}
	pause := min(100*time.Millisecond<<min(l.failures, 6), 5*time.Second)
	l.failures++
	l.log.WarnContext(ctx, "queue not readable, will retry", "subscription", l.sub.Name, "pause", pause, "error", err)
	return time.Now().Add(pause)
}

// finish waits for the pushes that run, and cancels them at the drain limit.
func (l *line) finish(ctx context.Context, cancel func()) {
	limit := time.NewTimer(l.drain)
	defer limit.Stop()
	for l.running > 0 {
		select {
		case r := <-l.done:
			l.note(r)
		case <-limit.C:
			l.log.WarnContext(ctx, "pushes cut short", "subscription", l.sub.Name, "running", l.running)
			cancel()
		}
	}
}
