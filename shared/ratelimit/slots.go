package ratelimit

import (
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	// lease is how long slots stay taken when their holder is gone. It is what a crash costs; each third of it costs a write
	// per limit and process while calls run.
	lease = 15 * time.Second
	// margin is how much earlier a holder itself stops using them: clocks differ, and so does when they are read.
	margin = 2 * time.Second
	// renewal is the age at which Run renews a lease, and stale the one at which a call does, should Run have no time.
	renewal = lease / 3
	stale   = lease / 2
	// span is for how long slots serve their holder's next calls although others ask for them: moving a slot costs two
	// commits, which should serve more than one short call.
	span = 50 * time.Millisecond
)

// slots is what this process holds of one limit on parallel requests.
type slots struct {
	lane
	limit  string
	holder string
	ref    store.Ref
	max    int64         // as last seen
	pace   time.Duration // between two looks for free slots

	held int64 // by the document, surely, as long as the lease lasts
	used int64 // by calls that run; more than held if the lease ran out under them
	peak int64 // of used since the lease was last renewed

	begun time.Time // the lease, on our own clock: when the write that renewed it set out; zero: none
	since time.Time // when slots last came
	free  int64     // of the document when last seen
	owed  int64     // what others ask for beyond those
	doubt time.Time // until when the document may say more than is held: an answer was lost

	asks time.Time     // until when calls here wait for slots
	next time.Time     // none is free: when to look again, unless news comes
	dry  time.Time     // none came in time: until when calls are refused at once, unless news comes
	told chan struct{} // closed when slots may be free

	heard *news  // while an exchange was under way
	wake  func() // tells Run that there is something to do
}

func (l *Limiter) slotsOf(limit *Limit) *slots {
	s := l.slots[limit.ID]
	if s == nil {
		s = &slots{
			limit: limit.ID, holder: l.holder, ref: Rates.Ref(docID(limit.ID) + "-slots"), free: limit.Max,
			pace: max(l.Patience/2, time.Millisecond), told: make(chan struct{}), wake: l.wake,
		}
		l.slots[limit.ID] = s
	}
	if limit.Max > s.max {
		s.tell()
	}
	s.max = limit.Max
	return s
}

// sure tells that the lease lasts: nobody else can have dropped it.
func (s *slots) sure() bool { return !s.begun.IsZero() && time.Since(s.begun) < lease-margin }

func (s *slots) near() bool {
	return s.flight == nil && s.sure() && time.Since(s.begun) > stale
}

func (s *slots) unused() bool {
	return s.used == 0 && s.waiting == 0 && s.flight == nil && !s.sure()
}

// due is what others should have back now.
func (s *slots) due() int64 {
	if s.owed <= 0 || time.Since(s.since) < span {
		return 0
	}
	return s.owed
}

func (s *slots) enough(n, limit int64) bool {
	return s.used+n <= min(s.held-s.due(), limit) && s.sure()
}

func (s *slots) hopeless(n, limit int64) bool {
	return !s.enough(n, limit) && time.Now().Before(s.dry)
}

func (s *slots) spend(n int64) {
	s.used += n
	s.peak = max(s.peak, s.used)
}

// leave ends a call: its slot is free, whatever n says.
func (s *slots) leave(int64) bool {
	s.used--
	s.tell()
	return s.due() > 0 && s.used < s.held
}

func (s *slots) remaining(limit int64) int64 {
	return min(s.free+s.held, limit) - s.used
}

// tell tells those who wait that slots may be free.
func (s *slots) tell() {
	s.next, s.dry = time.Time{}, time.Time{}
	if s.waiting > 0 {
		close(s.told)
		s.told = make(chan struct{})
	}
}

// exchange is the leg that gets, renews and gives back slots. This process alone writes its entry, so it always says all:
// how many it has from now on.
type exchange struct {
	*slots
	max     int64
	used    int64 // by running calls
	base    int64 // and what is kept for the next
	want    int64 // more, for the call that asks
	waiting int64 // and for those that wait
	now     time.Time
	begun   time.Time
	asks    time.Duration // for how much longer calls wait
	pace    time.Duration
	before  int64 // what was held

	news
	got   int64
	short bool
	idle  bool // nothing was written
}

// depart begins an exchange after which n more calls can run. Slots that are given back are out of use from here on, for
// the write may take effect and its answer be lost.
func (s *slots) depart(n, limit int64, now time.Time) leg {
	x := &exchange{
		slots: s, max: limit, used: s.used, base: s.used, now: now, begun: time.Now(), asks: time.Until(s.asks),
		pace: s.pace, before: s.held,
	}
	if s.sure() {
		x.base = max(s.used, min(s.held-s.due(), limit))
	}
	s.held, s.owed = x.base, 0
	x.want = s.used + n - x.base
	x.waiting = s.waiting
	return x
}

func (x *exchange) read(tx store.Tx) (verdict, error) {
	var err error
	x.doc, x.got, x.short = slotsDoc{}, 0, false
	if x.version, err = get(tx, x.ref, &x.doc); err != nil {
		return refused, err
	}
	x.doc.expire(x.holder, x.now)
	if index(x.doc.Holders, x.holder) < 0 {
		x.base = x.used // the lease is lost: what runs still runs, but what is kept may be others' by now
	}
	free := x.max - others(x.doc.Holders, x.holder) - x.base - x.doc.before(x.holder)
	if x.want > 0 && free < x.want {
		x.short = true
		return queued, nil
	}
	x.got = max(x.want, 0)
	if others(x.doc.Askers, x.holder) == 0 {
		x.got = max(min(x.want+x.waiting, free), x.got)
	}
	return granted, nil
}

func (x *exchange) write(tx store.Tx, v verdict) error {
	if v != granted {
		x.got = 0
	}
	d, ask := &x.doc, x.ask(v)
	if x.idle = x.short && x.same(ask); x.idle {
		return nil
	}
	d.Limit, d.Kind = x.limit, Parallel
	d.Holders = set(d.Holders, hold{x.holder, x.base + x.got, x.now.Add(lease).UnixMicro()})
	if x.got > 0 {
		d.Askers = set(d.Askers, hold{Holder: x.holder}) // who has got one goes to the end of the queue
	}
	d.Askers = set(d.Askers, ask)
	d.Wanted = len(d.Askers) > 0
	d.Purge = x.now.Add(lease + retention).Unix()
	return tx.Put(x.ref, d)
}

// same tells that the document says already what is to be written, save for a lease that need not be renewed yet.
func (x *exchange) same(ask hold) bool {
	has, asks := find(x.doc.Holders, x.holder), find(x.doc.Askers, x.holder)
	return has.Slots == x.base && asks.Slots == ask.Slots && ask.Until-asks.Until < x.pace.Microseconds()/2 &&
		(x.base == 0 || time.Since(x.slots.begun) < renewal)
}

// ask is what stays wanted: nothing if nobody waits for it any more.
func (x *exchange) ask(v verdict) hold {
	h := hold{Holder: x.holder, Until: x.now.Add(x.asks).UnixMicro()}
	if x.asks > 0 && x.short == (v == queued) {
		h.Slots = min(max(x.want, 0)+x.waiting-x.got, x.max)
	}
	return h
}

func (x *exchange) land(v verdict, err error) {
	s := x.slots
	switch {
	case err != nil: // the document says as much as is held, or more
		s.doubt = x.begun.Add(lease)
	case v == refused: // nothing was sent
		s.held = x.before
	default:
		x.settle()
	}
	if n := s.heard; n != nil && n.version > x.version {
		s.listen(&n.doc)
	}
	s.heard = nil
}

// settle takes over what the document says now.
func (x *exchange) settle() {
	s := x.slots
	if !x.idle {
		s.doubt = time.Time{}
		s.begun, s.peak = x.begun, s.used
		s.held = x.base + x.got
	}
	if x.got > 0 {
		s.since = time.Now()
	}
	s.saw(&x.doc, x.max)
	if x.short {
		s.next = time.Now().Add(x.pace)
	}
	if x.got > x.want {
		s.tell()
	}
}

// news is a document as someone has read it.
type news struct {
	version store.Version
	doc     slotsDoc
}

// hear takes news from the watch, which may be older than what is known: it hurries or delays calls, and admits none.
func (s *slots) hear(n *news, now time.Time) {
	n.doc.expire("", now)
	if s.flight != nil {
		s.heard = n
		return
	}
	s.listen(&n.doc)
}

func (s *slots) listen(d *slotsDoc) {
	s.saw(d, s.max)
	if s.free > d.before(s.holder) {
		s.tell()
	}
	if s.owed > 0 && s.held > 0 {
		time.AfterFunc(max(span-time.Since(s.since), 0), s.wake)
	}
}

// saw remembers what a document tells of the others.
func (s *slots) saw(d *slotsDoc, limit int64) {
	s.free = limit - others(d.Holders, "")
	s.owed = max(others(d.Askers, s.holder)-max(s.free, 0), 0)
}
