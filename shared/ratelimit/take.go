package ratelimit

import (
	"context"
	"fmt"
	"time"
)

// pool is what this process holds of one limit. Its methods are called under the limiter's lock.
type pool interface {
	// enough tells whether n more can be had from memory.
	enough(n, max int64) bool
	// hopeless tells that n more cannot be had, without asking the store.
	hopeless(n, max int64) bool
	// spend takes n, of which there is enough.
	spend(n int64)
	// leave gives n back at the end of a call, and tells whether Run has something to do now.
	leave(n int64) bool
	// remaining is how much of the limit is free for all processes, as far as is known.
	remaining(max int64) int64
	// depart begins an exchange with the store that gets n.
	depart(n, max int64, now time.Time) leg
	way() *lane
}

// lane orders the exchanges of a pool with the store: one at a time, for all calls that wait.
type lane struct {
	flight  *flight
	waiting int64 // what the calls want that wait
}

func (l *lane) way() *lane { return l }

// Take admits one call under all limits or under none: it takes one request, one slot and this many tokens, an upper bound
// of what the call can use, of each limit of the kind. The limits' IDs must differ. It asks the store only if memory does not
// suffice.
//
// Of a limit on tokens it reserves at most the whole limit: a bound is often far above the real use, which Ticket.Done
// settles. So one call, and only the first of its minute, can take a limit to its end and beyond.
//
// The error is *Exceeded if a limit does not admit the call, after a short wait for a slot; ctx's, if that ends while waiting;
// any other means that the store could not be asked.
func (l *Limiter) Take(ctx context.Context, tokens int64, limits []Limit) (*Ticket, error) {
	t := &Ticket{limiter: l}
	t.parts = t.few[:0]
	a := asking{tokens: max(tokens, 0), limits: limits}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		l.fill(t, &a)
		if e := l.refused(t, limits); e != nil {
			return nil, e
		}
		if s := t.near(); s != nil && !a.renewed {
			a.renewed = true // once: a lease that lasts admits even if it cannot be renewed
			_, _ = l.fly(ctx, s.depart(0, s.max, l.now()))
			continue
		}
		if l.spend(t) {
			return t, nil
		}
		if err := l.acquire(ctx, t, &a); err != nil {
			return nil, err
		}
	}
}

// asking is a call that is not admitted yet.
type asking struct {
	tokens   int64
	limits   []Limit
	renewed  bool
	deadline time.Time // of its wait for a slot
	last     bool      // it has looked after that
}

// fill finds the pools of the call for the minute that it is now.
func (l *Limiter) fill(t *Ticket, a *asking) {
	now := l.now()
	l.turn(now)
	t.standing.now, t.standing.reset = l.now, time.Unix((l.minute+1)*60, 0)
	t.parts = t.parts[:0]
	for i := range a.limits {
		limit := &a.limits[i]
		p := part{kind: limit.Kind, n: 1, max: limit.Max}
		switch limit.Kind {
		case Parallel:
			p.pool = l.slotsOf(limit)
		case Tokens:
			p.n = min(a.tokens, limit.Max)
			fallthrough
		default:
			p.pool = l.windowOf(limit)
		}
		t.parts = append(t.parts, p)
	}
}

// refused is what the call is refused with if it is known to be in vain.
func (l *Limiter) refused(t *Ticket, limits []Limit) error {
	for i, p := range t.parts {
		if p.max <= 0 || p.pool.hopeless(p.n, p.max) {
			return l.exceeded(t, limits[i], p)
		}
	}
	return nil
}

func (l *Limiter) exceeded(t *Ticket, limit Limit, p part) *Exceeded {
	now := l.now()
	e := &Exceeded{Limit: limit, Remaining: max(p.pool.remaining(p.max), 0), Reset: t.reset, standing: t.standing}
	if p.kind == Parallel {
		e.Reset = now.Add(time.Second)
	}
	e.RetryAfter = (max(e.Reset.Sub(now), 0) + time.Second - 1).Truncate(time.Second)
	for _, p := range t.parts {
		e.add(p.kind, p.max, p.pool.remaining(p.max))
	}
	return e
}

// near is a lease of the call that should be renewed.
func (t *Ticket) near() *slots {
	for _, p := range t.parts {
		if s, ok := p.pool.(*slots); ok && s.near() {
			return s
		}
	}
	return nil
}

// spend admits the call if memory suffices for all its limits.
func (l *Limiter) spend(t *Ticket) bool {
	for _, p := range t.parts {
		if !p.pool.enough(p.n, p.max) {
			return false
		}
	}
	for _, p := range t.parts {
		p.pool.spend(p.n)
		t.add(p.kind, p.max, p.pool.remaining(p.max))
	}
	return true
}

// acquire brings the call nearer to what it lacks: by an exchange with the store, or by waiting for another call's, or for
// a slot. Then the call looks again.
func (l *Limiter) acquire(ctx context.Context, t *Ticket, a *asking) error {
	lacking := make([]part, 0, len(t.parts))
	var full *slots // for which the call waits
	over := -1      // the limit for which it has waited long enough
	for i, p := range t.parts {
		if p.pool.enough(p.n, p.max) {
			continue
		}
		lacking = append(lacking, p)
		if s, ok := p.pool.(*slots); ok {
			wait, late := a.patience(s, l.Patience)
			if late && (wait || a.last && over < 0) {
				over = i
			}
			if wait {
				full = s
			}
		}
	}
	if over >= 0 {
		return l.exceeded(t, a.limits[over], t.parts[over])
	}
	for _, p := range lacking {
		if f := p.pool.way().flight; f != nil {
			if err := l.wait(ctx, lacking, f.landed, 0); err != nil {
				return err
			}
			return unable(f.err)
		}
	}
	if full != nil {
		until := full.next
		if a.deadline.Before(until) {
			until = a.deadline
		}
		return l.wait(ctx, lacking, full.told, time.Until(until))
	}
	a.last = !a.deadline.IsZero() && !time.Now().Before(a.deadline)
	legs := make([]leg, len(lacking))
	for i, p := range lacking {
		if s, ok := p.pool.(*slots); ok && s.asks.Before(a.deadline) {
			s.asks = a.deadline
		}
		legs[i] = p.pool.depart(p.n, p.max, l.now())
	}
	_, err := l.fly(ctx, legs...)
	return unable(err)
}

func unable(err error) error {
	if err != nil {
		err = fmt.Errorf("take rights of a limit: %w", err)
	}
	return err
}

// patience tells whether the slots are known to be taken, and whether the call has waited long enough.
func (a *asking) patience(s *slots, patience time.Duration) (wait, late bool) {
	now := time.Now()
	if a.deadline.IsZero() {
		a.deadline = now.Add(patience)
	}
	wait, late = now.Before(s.next), !now.Before(a.deadline)
	if wait && late {
		s.dry = now.Add(patience)
	}
	return wait, late
}

// wait waits for the event, at most so long unless that is 0. Meanwhile whoever asks the store asks for this call too.
func (l *Limiter) wait(ctx context.Context, lacking []part, event <-chan struct{}, most time.Duration) error {
	for _, p := range lacking {
		p.pool.way().waiting += p.n
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		for _, p := range lacking {
			p.pool.way().waiting -= p.n
		}
	}()
	var timeout <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-event:
	case <-timeout:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
