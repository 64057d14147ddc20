package escrow

import "slices"

// How a lease deals with rights that cannot be had, in microseconds.
const (
	firstPause = 10_000    // to the next look, growing
	lastPause  = 160_000   // to this
	dryTime    = 1_000_000 // for which a refusal is remembered, if nobody has any rights that might come back
	scarceTime = 250_000   // and if somebody has
)

// scarcity is what a lease remembers of rights that could not be had. Times are Unix microseconds.
type scarcity struct {
	dry, dryUntil int64 // so much was refused, and when that is forgotten; 0 is none
	tries         int   // fruitless looks in a row
	pauseUntil    int64 // before the next one
	reach, looked int64 // what could be had at best, on top of what is spent, and the plan that saw it; 0 is none
	wished        int64 // when this process last asked others for idle rights
	heard         int64 // when others last asked
	asked         bool  // they did, and have no answer yet
}

// await makes a waiter known, and tells whether it was not.
func (l *lease) await(w *waiter) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := w.came[l]; !again {
		w.came[l] = l.seq
	}
	d := demand{w, w.amount, w.least}
	if i := slices.IndexFunc(l.waiters, func(d demand) bool { return d.waiter == w }); i >= 0 {
		l.waiters[i] = d
		return false
	}
	l.waiters = append(l.waiters, d)
	return true
}

// lookedSince tells whether the window has taken part in a write since the plan.
func (l *lease) lookedSince(seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.carried > seq
}

func (l *lease) forget(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters = slices.DeleteFunc(l.waiters, func(d demand) bool { return d.waiter == w })
}

// wakeAll lets every waiter look again, or fail. The caller holds the lock.
func (l *lease) wakeAll(err error) {
	for _, d := range l.waiters {
		d.waiter.call(err)
	}
}

// wakeFitting lets those look again for whom there is room, the oldest first. The caller holds the lock.
func (l *lease) wakeFitting() {
	if len(l.waiters) == 0 {
		return
	}
	room := l.room()
	for _, d := range l.waiters {
		if d.amount <= room {
			d.waiter.call(nil)
			room -= d.amount
		}
	}
}

func (w *waiter) call(err error) {
	select {
	case w.wake <- err:
	default: // it is about to look
	}
}

// most is what may be hoped for by a waiter who came at that plan.
func (l *lease) most(seq, now int64) (amount int64, isGone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	amount = l.budget.Limit
	if l.dry > 0 && now < l.dryUntil {
		amount = min(amount, l.dry-1)
	}
	if l.looked > seq {
		amount = min(amount, l.reach)
	}
	return amount, l.state == gone
}

// offer tells how much there is room for, or remembers that least could not be had.
func (l *lease) offer(least, now int64) (room int64, short *Short) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room = l.room(); room >= least {
		return room, nil
	}
	if l.dry == 0 || now >= l.dryUntil || least < l.dry {
		l.dry, l.dryUntil = least, now+scarceTime
		if l.looked > 0 && l.reach < least {
			l.dryUntil = now + dryTime
		}
	}
	opening := l.window.Opening
	if l.window.ID == "" {
		opening = l.budget.Opening
	}
	return 0, &Short{
		Budget: l.budget,
		Spent:  plus(plus(opening, l.window.Spent), l.spent-l.reported),
		Left:   plus(l.window.free(l.budget.Limit), max(0, l.granted-l.used())),
	}
}

// gathered takes note of a look for the rights of others.
func (l *lease) gathered(p *plan, h holders) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.wished {
		l.wished = p.now
	}
	if !p.short {
		l.tries, l.pauseUntil = 0, 0
		return
	}
	l.looked = 0
	if p.window.Alloc <= h.alloc { // else somebody was granted rights after we looked who has any
		l.reach = plus(plus(l.window.free(l.budget.Limit), max(0, l.granted-l.spent)), h.held)
		l.looked = p.seq
	}
	l.pauseUntil = p.now + min(int64(firstPause)<<min(l.tries, 8), lastPause)
	l.tries++
}

// hear takes in the window's document as a watch told it, and tells whether its holders are asked to give back what they
// do not use.
func (l *lease) hear(w Window) (asked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.free(l.budget.Limit) > l.window.free(l.budget.Limit) || w.Limit > l.window.Limit {
		l.dry, l.pauseUntil, l.looked = 0, 0, 0
		l.wakeAll(nil)
	}
	l.window = w
	if w.Wanted > l.heard {
		l.heard = w.Wanted
		l.asked = l.state != gone && w.Wanted != l.wished && max(l.open, l.granted) > l.used()
	}
	return l.asked
}
