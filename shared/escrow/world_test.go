package escrow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// world is a store, the processes that use it, and whatever can go wrong between them. It steps the package's own state
// machine and transactions one move at a time; everything follows from the seed.
type world struct {
	store.Store // for what a schedule does not use
	rnd         *rand.Rand
	broken      breach
	lax         bool // look at what was admitted, not at what might be
	now         int64

	windows map[string]Window
	leases  map[string]Lease
	commits int

	budgets   []Budget // with the limits as their owner set them last
	highest   []int64  // the highest limit each has had
	processes []*process
	holdings  map[string]*held
	limbo     []*op // given up by their clients; they may yet arrive
	zombies   []*call
	charged   map[string]int64 // by lease document: what providers really billed
	crashed   map[string]bool  // lease documents whose holder was killed
	born      int
	scratch   [3]map[string]int64
	stats     stats
}

type stats struct{ schedules, steps, admitted, waited, crashes, reaped, lost, late, commits, holdings int }

// process is one process: the real Escrow without its goroutines.
type process struct {
	e       *Escrow
	view    []Budget // limits as this process knows them
	calls   []*call
	waiting []*request
	ops     []*op
	frozen  int // moves that it sleeps through
}

type call struct {
	r      *Reservation
	actual int64
}

type request struct {
	w       *waiter
	budgets []Budget
}

// op is a write in flight.
type op struct {
	leases  []*lease
	plans   []*plan
	applied bool
	blind   []int64 // a broken variant's: rights to give back again
}

// held is a chunk's document: what its owner knows of its holding.
type held struct {
	budgets       []Budget
	opened, spent int64
	open          bool
}

func newWorld(seed uint64, broken breach) *world {
	w := &world{
		rnd: rand.New(rand.NewPCG(seed, 7)), broken: broken, now: 1_000_000_000, windows: map[string]Window{}, leases: map[string]Lease{},
		holdings: map[string]*held{}, charged: map[string]int64{}, crashed: map[string]bool{},
	}
	for i := range w.scratch {
		w.scratch[i] = map[string]int64{}
	}
	limits := []int64{60, 600, 6000, 60_000}
	for i := range 1 + w.rnd.IntN(3) {
		b := Budget{ID: fmt.Sprintf("b%d", i), Limit: limits[w.rnd.IntN(len(limits))]}
		if w.rnd.IntN(4) == 0 {
			b.Opening = b.Limit / 10
		}
		w.budgets = append(w.budgets, b)
		w.highest = append(w.highest, b.Limit)
	}
	for range 1 + w.rnd.IntN(4) {
		w.spawn()
	}
	return w
}

func (w *world) spawn() {
	w.born++
	e := New(w, fmt.Sprintf("p%d", w.born), func() time.Time { return time.UnixMicro(w.now) }, slog.New(slog.DiscardHandler), nil)
	w.processes = append(w.processes, &process{e: e, view: slices.Clone(w.budgets)})
}

// Tx is store.Store's: one move of the schedule carries it out as a whole.
func (w *world) Tx(_ context.Context, fn func(store.Tx) error) error {
	tx := &worldTx{w: w}
	if err := fn(tx); err != nil {
		return err
	}
	for _, put := range tx.puts {
		put()
	}
	if len(tx.puts) > 0 {
		w.commits++
	}
	return nil
}

// Query finds the open leases of a window.
func (w *world) Query(_ context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		for _, id := range w.leaseIDs() {
			l := w.leases[id]
			if l.Budget != q.Eq["budget"] || l.Open != q.Eq["open"] {
				continue
			}
			text, err := json.Marshal(l)
			if !yield(store.Doc{ID: id, JSON: text}, err) {
				return
			}
		}
	}
}

type worldTx struct {
	store.Tx // for what a schedule does not use
	w        *world
	puts     []func()
}

func (t *worldTx) Get(ref store.Ref, into any) (store.Version, error) {
	if len(t.puts) > 0 {
		return 0, errors.New("read after write")
	}
	found := false
	switch into := into.(type) {
	case *Window:
		if d, ok := t.w.windows[ref.ID]; ok {
			*into, found = d, true
		}
	case *Lease:
		if d, ok := t.w.leases[ref.ID]; ok {
			*into, found = d, true
		}
	}
	if !found {
		return 0, store.ErrNotFound
	}
	return 1, nil
}

func (t *worldTx) Put(ref store.Ref, doc any) error {
	t.puts = append(t.puts, func() {
		switch doc := doc.(type) {
		case *Window:
			t.w.windows[ref.ID] = *doc
		case *Lease:
			t.w.leases[ref.ID] = *doc
		}
	})
	return nil
}

// apply carries an op's plans out, as the store does when the request arrives.
func (w *world) apply(o *op) error {
	before := map[string]int64{}
	for id, d := range w.windows {
		before[id] = d.Alloc
	}
	restore := func() {}
	if w.broken.arriving != nil {
		restore = w.broken.arriving(w, o)
	}
	err := w.Tx(context.Background(), func(tx store.Tx) error {
		_, err := exchange(tx, o.plans, nil)
		return err
	})
	restore()
	o.applied = true
	for i, x := range o.blind {
		l, d := w.leases[o.plans[i].id], w.windows[o.plans[i].budget.ID]
		d.Alloc -= x
		l.Granted -= x
		w.leases[o.plans[i].id], w.windows[d.ID] = l, d
	}
	for _, p := range o.plans {
		d := w.windows[p.budget.ID]
		if d.Alloc > before[d.ID] && d.Opening+d.Alloc > p.budget.Limit {
			err = errors.Join(err, fmt.Errorf("I3: %s granted beyond the limit %d: %+v", p.id, p.budget.Limit, d))
		}
	}
	return err
}

// check asserts what must hold after every move.
func (w *world) check() error {
	inflight, granted, worst := w.scratch[0], w.scratch[1], w.scratch[2] // the first by lease, the others by window
	for _, m := range w.scratch {
		clear(m)
	}
	for _, p := range w.processes {
		for _, c := range p.calls {
			for _, l := range c.r.leases {
				inflight[l.id] += c.r.amount
			}
		}
	}
	for _, p := range w.processes {
		for _, l := range p.e.leases {
			if err := w.checkLease(l, inflight[l.id]); err != nil {
				return err
			}
		}
		for _, l := range p.e.old {
			if err := w.checkLease(l, inflight[l.id]); err != nil {
				return err
			}
		}
	}
	for _, c := range w.zombies {
		for _, l := range c.r.leases {
			inflight[l.id] += c.r.amount
		}
	}
	for id, d := range w.leases {
		if d.Spent > d.Opened || d.Opened > d.Granted || d.Reported > d.Spent {
			return fmt.Errorf("I1: %s: %+v", id, d)
		}
		granted[d.Budget] += d.Granted
		worst[d.Budget] += w.charged[id] + inflight[id]
	}
	for i, b := range w.budgets {
		d := w.windows[b.ID]
		switch {
		case d.Alloc != granted[b.ID] || d.Alloc < 0:
			return fmt.Errorf("I2: %+v: leases have %d", d, granted[b.ID])
		case d.Alloc > 0 && d.Opening+d.Alloc > w.highest[i]:
			return fmt.Errorf("I2: %+v: above every limit there was, %d", d, w.highest[i])
		case worst[b.ID] > d.Alloc:
			return fmt.Errorf("I3: %+v: providers may bill %d", d, worst[b.ID])
		}
	}
	return nil
}

// checkLease asserts I1 of what a process remembers and what the document says.
func (w *world) checkLease(l *lease, inflight int64) error {
	d := w.leases[l.id]
	switch {
	case l.inflight != inflight:
		return fmt.Errorf("%s: %d in flight, calls have %d", l.id, l.inflight, inflight)
	case l.used() > d.Opened:
		return fmt.Errorf("I1: %s: used %d, document %+v", l.id, l.used(), d)
	case !w.lax && l.state == usable && (l.used() > l.open || l.open > d.Opened):
		return fmt.Errorf("I1: %s: used %d, open %d, document %+v", l.id, l.used(), l.open, d)
	}
	return nil
}
