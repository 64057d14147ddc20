package ratelimit

import "time"

// Ticket is an admitted call. It ends with Done or Cancel; whatever comes after the first of them changes nothing.
type Ticket struct {
	limiter *Limiter
	parts   []part
	few     [6]part // what parts usually fits in
	ended   bool

	standing
}

// part is one limit of a call.
type part struct {
	pool pool
	kind Kind
	n    int64 // how much the call takes of it
	max  int64
}

// Done ends a call that was made, and used this many tokens. What it had reserved and not used may serve other calls of the
// same minute; what it has used beyond that is a debt, taken from what this process is granted next in the same minute.
func (t *Ticket) Done(tokens int64) {
	t.end(func(p part) int64 {
		if p.kind == Tokens {
			return p.n - max(tokens, 0)
		}
		return 0
	})
}

// Cancel ends a call that was not made, as if it had never been admitted.
func (t *Ticket) Cancel() { t.end(func(p part) int64 { return p.n }) }

// end gives back the slots and, where the minute is still the same, what the call leaves of each limit.
func (t *Ticket) end(leaves func(part) int64) {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	for _, p := range t.parts {
		if p.pool.leave(leaves(p)) {
			l.wake()
		}
	}
}

// standing is where the limits of a call stood when it was admitted or refused, as this process knows it.
type standing struct {
	now   func() time.Time
	reset time.Time // of the limits per minute
	views [3]view
}

type view struct {
	limit, remaining int64
	known            bool
}

func (k Kind) index() int {
	switch k {
	case Requests:
		return 0
	case Tokens:
		return 1
	}
	return 2
}

func (s *standing) add(k Kind, limit, remaining int64) {
	v := &s.views[k.index()]
	if !v.known || remaining < v.remaining {
		*v = view{limit, max(remaining, 0), true}
	}
}

// State tells of the tightest of the call's limits of the kind what x-ratelimit-* headers tell: the limit, what remained of
// it when the call was admitted or refused, and how long it is until it is whole again (0 for Parallel). What other
// processes have taken since this one last asked is not yet in it. It is not ok if the call has no such limit.
func (s *standing) State(k Kind) (limit, remaining int64, reset time.Duration, ok bool) {
	v := s.views[k.index()]
	if v.known && k != Parallel {
		reset = max(s.reset.Sub(s.now()), 0)
	}
	return v.limit, v.remaining, reset, v.known
}
