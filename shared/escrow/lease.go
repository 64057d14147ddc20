package escrow

import (
	"slices"
	"sync"
)

// lease is what this process knows of its part in one window. It does no I/O and reads no clock: begin makes a plan of what
// to write, plan.apply carries it out on the documents, and answer, lost or failed tells how that went. Four rules keep it
// safe (in brackets where they are met):
//
//	R1  what goes down is lowered here before the write is sent; what goes up counts only after the answer.
//	R2  one write is in flight at most.
//	R3  an unknown outcome admits nothing until a later write has been answered.
//	R4  a lease found dead is used no more: its calls stay charged to it, and new ones go to a lease with a new id.
type lease struct {
	id, of, holder string // of the document, its window and its holder

	mu      sync.Mutex
	budget  Budget // as last passed to Reserve
	state   state
	closed  bool // gone, and the document says so
	told    bool // that the window is used up
	busy    bool // a write is in flight: see acquire
	over    bool // the limit was lowered: admit only what a grant was made for
	waiters []demand

	spent    int64 // by calls that have ended
	inflight int64 // the most that running calls can spend
	open     int64 // what may be spent without asking, spent and inflight included; the document never says less
	granted  int64 // as the document said last; others may have taken what is not open
	seq      int64 // of the last plan

	written  int64  // spent, as the document says
	reported int64  // spent, as the window's document contains
	renewed  int64  // when the document was written; times are Unix microseconds
	window   Window // as heard of last
	carried  int64  // the last plan that the window took part in,
	alloc    int64  // and what it had granted then

	uses, usesSeen int64   // admissions, and how many Run has seen
	idleSince      int64   // when Run last saw new ones
	marks          [2]mark // what was used at two moments of the last seconds
	scarcity
}

type state uint8

const (
	usable  state = iota
	unknown       // the last write's outcome is (R3)
	closing       // the document is being closed
	gone          // found dead (R4) or closed: another lease takes its place
)

// mark is how much was used when.
type mark struct{ at, used int64 }

func (l *lease) used() int64 { return plus(l.spent, l.inflight) }

// room is what may be admitted now.
func (l *lease) room() int64 {
	if l.state != usable {
		return 0
	}
	return l.open - l.used()
}

// admit charges amount to the lease, if there is room.
func (l *lease) admit(b *Budget, amount int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Limit != l.budget.Limit || b.Soft != l.budget.Soft {
		l.limit(b)
	}
	if l.room() < amount {
		return false
	}
	l.inflight += amount
	l.uses++
	return true
}

// limit takes note that the owner has changed the limit.
func (l *lease) limit(b *Budget) {
	if b.Limit < l.budget.Limit {
		l.over = true
		l.open = min(l.open, l.used())
	} else {
		l.scarcity = scarcity{}
	}
	l.budget = *b
}

// settle ends a call that was admitted with amount.
func (l *lease) settle(amount, actual int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inflight -= amount
	l.spent = plus(l.spent, actual)
	if l.over {
		l.open = min(l.open, l.used())
	}
	if actual < amount {
		l.dry = 0
		l.wakeFitting()
	}
}

// intent is what a write is for. None of these bits: it writes down what is spent, and opens what waiters need.
type intent uint8

const (
	lower intent = 1 << iota // what is open goes down to what is used
	carry                    // the window takes part: it grants what waiters lack and learns what is spent
	back                     // all rights that are not open go back to the window
	end                      // the document is closed
)

// The intents there are. Any of them serves who waits.
const (
	flush    intent = 0
	shrink          = lower
	grant           = carry
	giveBack        = lower | carry | back
	finish          = lower | carry | back | end
)

// begin makes the plan of a write. The caller holds the lock and has the flight (R2).
func (l *lease) begin(what intent, now int64) *plan {
	fence, before, keep := l.state == unknown, l.open, int64(0)
	if l.asked {
		if what&lower == 0 || l.inflight > 0 {
			keep = l.soon(now)
		}
		what |= giveBack
		l.asked = false
	}
	if what&end != 0 && l.state != gone {
		l.state = closing
	}
	if what&lower != 0 {
		l.open = min(l.open, plus(l.used(), keep)) // R1
	}
	l.seq++
	want, least := l.demand()
	return &plan{
		id: l.id, holder: l.holder, budget: l.budget, intent: what, seq: l.seq, now: now, fence: fence, before: before,
		spent: l.spent, used: l.used(), floor: l.open, want: want, least: least, head: l.headroom(now),
	}
}

// soon is what a busy lease keeps when others ask, to use it in a while: it would only be taken again.
func (l *lease) soon(now int64) int64 {
	keep := l.pace(now, pace)
	if l.inflight == 0 || keep < hasty*(l.used()/max(1, l.uses)) {
		return 0
	}
	return keep
}

// demand is the sum of what requests wait for, and the least that is of use to one of them.
func (l *lease) demand() (want, least int64) {
	for i, d := range l.waiters {
		want = plus(want, d.amount)
		if i == 0 || d.least < least {
			least = d.least
		}
	}
	return want, least
}

// headroom is how much to open ahead of need: as much as is used in a while at the rate of the last seconds, within bounds. Who has to
// collect rights from others takes no more than it needs.
func (l *lease) headroom(now int64) int64 {
	used := l.used()
	if now-l.marks[1].at >= pace {
		l.marks[0], l.marks[1] = l.marks[1], mark{now, used}
		if l.marks[0].at == 0 {
			l.marks[0] = l.marks[1]
		}
	}
	if l.tries > 0 {
		return 0
	}
	left := plus(l.free(), max(0, l.granted-used))
	least := min(l.budget.Limit/headLeast, left/headLeft)
	most := max(l.budget.Limit/headShare, min(times(used/max(1, l.uses), headCalls), l.budget.Limit/headMost))
	return min(max(least, l.pace(now, glance)), most, left/spareShare)
}

// pace is how much the lease will use in a while if it goes on as in the last seconds, at least so many microseconds of them.
func (l *lease) pace(now, least int64) int64 {
	if l.marks[0].at == 0 {
		return 0
	}
	used := float64(l.used() - l.marks[0].used)
	return max(0, int64(used*pace/float64(max(least, now-l.marks[0].at))))
}

// free is what the window can still grant, as far as is known.
func (l *lease) free() int64 {
	if l.window.ID == "" {
		return max(0, l.budget.Limit-l.budget.Opening)
	}
	return l.window.free(l.budget.Limit)
}

// answer takes in the outcome of a plan that was carried out. The caller holds the lock.
func (l *lease) answer(p *plan) {
	if p.window.ID != "" {
		l.window, l.carried, l.alloc = p.window, p.seq, p.window.Alloc
		l.reported = p.reported
	}
	if p.dead || p.intent&end != 0 || l.state == gone { // R4
		l.state, l.open, l.granted = gone, 0, 0
		l.closed = p.intent&end != 0
		return
	}
	l.state = usable
	l.granted, l.written, l.renewed = p.granted, p.written, p.now
	if l.budget.Limit >= p.budget.Limit {
		l.open = p.opened
	}
	if p.window.ID != "" && l.budget.Limit == p.budget.Limit {
		l.over = l.over && plus(p.window.Opening, p.window.Alloc) > l.budget.Limit
	}
}

// lost takes in that the outcome of a plan is unknown (R3). The caller holds the lock.
func (l *lease) lost(*plan) {
	if l.state != gone {
		l.state = unknown
	}
}

// failed takes in that a plan was surely not carried out. The caller holds the lock.
func (l *lease) failed(p *plan) {
	switch {
	case l.state == gone:
		return
	case p.fence:
		l.lost(p)
		return
	}
	l.state = usable
	if l.budget.Limit >= p.budget.Limit && !l.over {
		l.open = p.before
	}
}

// admitAll charges amount to every lease, or to none and tells which lack room.
func admitAll(leases []*lease, budgets []Budget, amount int64) (lacking []*lease) {
	for i, l := range leases {
		if !l.admit(&budgets[i], amount) {
			lacking = append(lacking, l)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	for _, l := range leases {
		if !slices.Contains(lacking, l) {
			l.undo(amount)
		}
	}
	return lacking
}

// undo takes back an admission.
func (l *lease) undo(amount int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inflight -= amount
	l.wakeFitting()
}
