package escrow

import "math"

// How much is taken ahead of need. More is fewer writes; less is less that a killed process takes with it, and less to
// collect near the end.
const (
	pace       = 2_000_000 // microseconds: what a lease uses in this time is opened ahead, and not given back when others ask
	glance     = 500_000   // microseconds: how fast it uses rights is told from so long, at least
	hasty      = 4         // calls' worth: to use less in the time is no haste, all of it is given back
	headLeast  = 128       // of the limit is opened ahead, however slowly it is used, unless that is more than
	headLeft   = 64        // of what is left;
	headShare  = 144       // of the limit is the most that is opened ahead while calls are small, else
	headCalls  = 64        // calls' worth, but
	headMost   = 64        // of the limit in no case,
	spareShare = 2         // and of what is left in the window;
	stockShare = 32        // of what is left: as much as is opened is granted on top, if it is no more; still returned on demand
	reportPart = 32        // of the limit: when so much is spent since the window last heard, it is told
)

// retention is how long documents are kept after they are of no more use, in seconds.
const retention = 90 * 24 * 3600

// wishPause is how soon holders are asked for idle rights again, in microseconds.
const wishPause = 500_000

// plan is one write to a lease, and what came of it. All that goes into it is fixed when it begins, so it may be applied
// late, again, or never.
type plan struct {
	id, holder string
	budget     Budget
	intent     intent
	seq, now   int64
	fence      bool  // must be written: it settles what an earlier write left open
	before     int64 // what was open before R1

	spent, used, floor int64 // floor is the least that may stay open (R1)
	want, least, head  int64 // what waiters need, what one of them needs at least, and what to open ahead
	victims            []string
	wish               bool // ask other holders for idle rights, if the window cannot pay

	outcome
}

// outcome is what came of a plan.
type outcome struct {
	dead   bool // the lease was found dead, nothing was written
	short  bool // the rights do not pay for all that is wanted
	took   bool // the victims gave what they had not opened
	wished bool

	granted, opened, written, reported int64  // as the document says now
	window                             Window // empty if it took no part

	wroteLease, wroteWindow bool
}

// left is what a limit leaves to be granted; negative after it was lowered below what is.
func (w *Window) left(limit int64) int64 { return limit - plus(w.Opening, w.Alloc) }

func (w *Window) free(limit int64) int64 { return max(0, w.left(limit)) }

// apply carries the plan out on the documents. w is nil if the window takes no part.
func (p *plan) apply(w *Window, l *Lease, victims []*Lease) {
	p.outcome = outcome{}
	switch {
	case l.Dead && p.intent&end == 0:
		p.dead = true // R4
	case l.Seq >= p.seq: // this was carried out before, or is overtaken
	case l.Seq == 0 && p.want == 0 && !p.fence: // there is no document, and no need of one
	default:
		p.write(w, l, victims)
	}
	p.granted, p.opened, p.written, p.reported = l.Granted, l.Opened, l.Spent, l.Reported
	if w != nil {
		p.window = *w
	}
}

// write makes both documents what they are to be.
func (p *plan) write(w *Window, l *Lease, victims []*Lease) {
	most := l.Granted
	if w != nil {
		most = plus(most, plus(w.left(p.budget.Limit), idle(victims)))
	}
	opened, granted := p.rights(w != nil, most, l.Granted)
	if w != nil && p.short && p.wish && p.now-w.Wanted >= wishPause {
		w.Wanted = p.now
		p.wished, p.wroteWindow = true, true
	}
	if p.short && !p.fence && granted == l.Granted && opened == l.Opened {
		if p.wished {
			w.Asked++
		}
		return
	}
	if w != nil {
		if p.took = granted > plus(l.Granted, w.left(p.budget.Limit)) && len(victims) > 0; p.took {
			w.Alloc -= take(victims)
		}
		w.Alloc += granted - l.Granted
		w.Spent = plus(w.Spent, p.spent-l.Reported)
		l.Reported = p.spent
		if p.want > 0 {
			w.Limit, w.Soft = p.budget.Limit, p.budget.Soft
		}
		p.wroteWindow = true
	}
	*l = Lease{
		Budget: p.budget.ID, Holder: p.holder, Granted: granted, Opened: opened, Spent: p.spent, Reported: l.Reported,
		Open: p.intent&end == 0, Dead: l.Dead, Seq: p.seq, Writes: l.Writes + 1, Renewed: p.now,
		Purge: purge(p.budget.End, p.now, p.intent&end == 0),
	}
	p.wroteLease = true
}

// rights computes what is to be open and granted, of at most so much.
func (p *plan) rights(carried bool, most, had int64) (opened, granted int64) {
	if p.intent&end != 0 {
		return p.spent, p.spent
	}
	opened = max(p.floor, min(p.used, most))
	granted = had
	p.short = p.want > 0 && most-p.used < p.want
	if p.want > 0 && most-p.used >= max(1, p.least) {
		goal := p.used + min(p.want, most-p.used)
		ahead := min(p.head, most-goal)
		if carried {
			ahead = min(p.head, (most-goal)/spareShare)
		}
		opened = max(opened, goal+ahead)
		if stock := opened - p.used; carried && p.intent&back == 0 && stock <= (most-opened)/stockShare {
			granted = max(granted, opened+stock)
		}
	}
	if p.intent&back != 0 {
		granted = opened
	}
	return opened, max(granted, opened)
}

// idle is what holders have and have not opened: nobody spends it without a write that would notice its loss.
func idle(victims []*Lease) (sum int64) {
	for _, v := range victims {
		if !v.Dead {
			sum = plus(sum, v.Granted-v.Opened)
		}
	}
	return sum
}

func take(victims []*Lease) int64 {
	sum := idle(victims)
	for _, v := range victims {
		if !v.Dead {
			v.Granted = v.Opened
		}
	}
	return sum
}

// purge is when a document may be deleted, in Unix seconds; 0 is never. That of a closed lease may even while its window
// lasts: the window's totals contain it.
func purge(end, now int64, open bool) int64 {
	switch {
	case end > 0:
		return end + retention
	case !open:
		return now/1e6 + retention
	}
	return 0
}

func plus(a, b int64) int64 {
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

func times(a, n int64) int64 {
	if a > math.MaxInt64/n {
		return math.MaxInt64
	}
	return a * n
}
