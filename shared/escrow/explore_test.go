package escrow

import (
	"context"
	"fmt"
	"slices"
)

// moves are what may happen next, with their weights.
var moves = []struct {
	weight int
	name   string
	do     func(*world, *process) error
}{
	{30, "request", (*world).request},
	{20, "settle", (*world).settle},
	{12, "look again", (*world).lookAgain},
	{3, "give up", (*world).giveUp},
	{7, "chore", (*world).chore},
	{45, "advance", (*world).advance},
	{3, "late", (*world).late},
	{2, "reap", (*world).reap},
	{1, "kill", (*world).kill},
	{3, "zombie", (*world).zombie},
	{1, "limit", (*world).limit},
	{2, "learn limit", (*world).learn},
	{2, "hear", (*world).hear},
	{1, "spawn", func(w *world, _ *process) error { w.spawn(); return nil }},
	{1, "freeze", func(w *world, p *process) error { p.frozen = w.rnd.IntN(60); return nil }},
	{3, "holding", (*world).hold},
	{1, "collect", (*world).collect},
}

// run takes steps moves, then ends everything and looks whether anything has leaked.
func (w *world) run(steps int) error {
	sum := 0
	for _, m := range moves {
		sum += m.weight
	}
	for step := range steps {
		w.now += w.rnd.Int64N(400_000)
		if len(w.processes) == 0 {
			w.spawn()
		}
		p := w.processes[w.rnd.IntN(len(w.processes))]
		if p.frozen > 0 {
			p.frozen--
			continue
		}
		n, i := w.rnd.IntN(sum), 0
		for ; n >= moves[i].weight; i++ {
			n -= moves[i].weight
		}
		w.stats.steps++
		err := moves[i].do(w, p)
		if err == nil {
			err = w.check()
		}
		if err != nil {
			return fmt.Errorf("step %d, %s by %s: %w", step, moves[i].name, p.e.holder, err)
		}
	}
	return w.end()
}

func (w *world) request(p *process) error {
	r := &request{budgets: w.some(p.view)}
	amount := []int64{1, 3, 9, 25, 100}[w.rnd.IntN(5)]
	r.w = newWaiter(amount, amount)
	if w.rnd.IntN(4) == 0 {
		r.w.least = 1 + w.rnd.Int64N(amount)
	}
	p.waiting = append(p.waiting, r)
	return w.look(p, r)
}

func (w *world) some(budgets []Budget) (some []Budget) {
	for _, b := range budgets {
		if w.rnd.IntN(3) > 0 {
			some = append(some, b)
		}
	}
	if len(some) == 0 {
		return budgets[:1]
	}
	return some
}

// look is one round of seek.
func (w *world) look(p *process, r *request) error {
	res := &Reservation{escrow: p.e, amount: r.w.amount}
	if err := p.e.find(res, r.budgets); err != nil {
		return err
	}
	lacking := admitAll(res.leases, r.budgets, r.w.amount)
	if lacking == nil {
		w.stats.admitted++
		p.calls = append(p.calls, &call{res, w.rnd.Int64N(r.w.amount + 1)})
		w.leave(p, r)
		return nil
	}
	if w.broken.keeps {
		for _, l := range res.leases {
			if !slices.Contains(lacking, l) {
				l.inflight += r.w.amount
			}
		}
	}
	w.stats.waited++
	r.w.join(lacking)
	if !acquire(lacking, func(l *lease) bool { return l.state != gone }) {
		return nil
	}
	what := (*lease).need
	gathers := w.rnd.IntN(3) == 0
	if gathers {
		what = (*lease).needMore
	}
	w.begin(p, lacking, what)
	if gathers {
		for _, plan := range p.ops[len(p.ops)-1].plans {
			plan.wish = true
			for _, id := range w.leaseIDs() {
				if id != plan.id && w.leases[id].Budget == plan.budget.ID && w.rnd.IntN(2) == 0 {
					plan.victims = append(plan.victims, id)
				}
			}
		}
	}
	return nil
}

func (w *world) begin(p *process, leases []*lease, what func(*lease, int64) intent) {
	before := make([]int64, len(leases))
	for i, l := range leases {
		before[i] = l.open
	}
	o := &op{leases: leases, plans: begin(leases, w.now, what)}
	if w.broken.begun != nil {
		for i, l := range leases {
			w.broken.begun(l, o.plans[i], before[i])
		}
	}
	p.ops = append(p.ops, o)
}

func (w *world) leave(p *process, r *request) {
	r.w.leave()
	p.waiting = slices.DeleteFunc(p.waiting, func(x *request) bool { return x == r })
}

func (w *world) lookAgain(p *process) error {
	if len(p.waiting) == 0 {
		return nil
	}
	r := p.waiting[w.rnd.IntN(len(p.waiting))]
	if w.rnd.IntN(5) == 0 && r.w.amount > r.w.least {
		r.w.amount = r.w.least
	}
	return w.look(p, r)
}

func (w *world) giveUp(p *process) error {
	if len(p.waiting) > 0 {
		w.leave(p, p.waiting[w.rnd.IntN(len(p.waiting))])
	}
	return nil
}

func (w *world) settle(p *process) error {
	if len(p.calls) == 0 {
		return nil
	}
	i := w.rnd.IntN(len(p.calls))
	c := p.calls[i]
	p.calls = slices.Delete(p.calls, i, i+1)
	w.bill(c)
	c.r.Settle(c.actual)
	c.r.Settle(c.actual) // changes nothing
	return nil
}

func (w *world) bill(c *call) {
	for _, l := range c.r.leases {
		w.charged[l.id] += c.actual
	}
}

// chore begins a write that nobody waits for.
func (w *world) chore(p *process) error {
	all := p.e.all()
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, byID)
	l := all[w.rnd.IntN(len(all))]
	if l.closed || !acquire([]*lease{l}, func(*lease) bool { return true }) {
		return nil
	}
	what := []intent{flush, shrink, grant, giveBack, finish}[w.rnd.IntN(5)]
	if what == finish && l.inflight > 0 || l.state == gone && what != finish {
		l.busy = false
		return nil
	}
	w.begin(p, []*lease{l}, func(*lease, int64) intent { return what })
	return nil
}

// advance lets a write of the process arrive, be answered, or get lost on either way.
func (w *world) advance(p *process) error {
	if len(p.ops) == 0 {
		return nil
	}
	o := p.ops[w.rnd.IntN(len(p.ops))]
	chance := w.rnd.IntN(20)
	switch {
	case chance < 2: // no answer in time
		w.stats.lost++
		w.done(p, o, w.lost)
		if w.rnd.IntN(2) == 0 {
			w.limbo = append(w.limbo, o)
		}
	case !o.applied && chance == 2:
		w.done(p, o, func(l *lease, p *plan) { l.failed(p) })
	case !o.applied && chance == 3 && w.broken.begun == nil: // a conflict with another's write
		anew(o.leases, o.plans, w.now)
	case !o.applied:
		return w.apply(o)
	default:
		w.done(p, o, w.answer)
	}
	return nil
}

func (w *world) lost(l *lease, p *plan) {
	l.lost(p)
	if w.broken.lost != nil {
		w.broken.lost(w, l, p)
	}
}

func (w *world) answer(l *lease, p *plan) {
	before := l.open
	l.answer(p)
	if w.broken.answered != nil {
		w.broken.answered(l, p, before)
	}
}

func (w *world) done(p *process, o *op, how func(*lease, *plan)) {
	p.ops = slices.DeleteFunc(p.ops, func(x *op) bool { return x == o })
	// The plans of a lost op may yet arrive and must not see this process's memory change.
	for i, l := range o.leases {
		how(l, o.plans[i])
	}
	release(o.leases, nil)
	p.e.forget(o.leases)
}

// late lets a write arrive that its client has given up, perhaps for the second time.
func (w *world) late(*process) error {
	if len(w.limbo) == 0 {
		return nil
	}
	i := w.rnd.IntN(len(w.limbo))
	o := w.limbo[i]
	if w.rnd.IntN(2) == 0 {
		w.limbo = slices.Delete(w.limbo, i, i+1)
	}
	w.stats.late++
	return w.apply(o)
}

func (w *world) leaseIDs() []string {
	ids := make([]string, 0, len(w.leases))
	for id := range w.leases {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// reap takes any lease for dead, whether its holder lives or not.
func (w *world) reap(*process) error {
	ids := w.leaseIDs()
	if len(ids) == 0 {
		return nil
	}
	w.stats.reaped++
	id := ids[w.rnd.IntN(len(ids))]
	if w.broken.die == nil {
		return Reap(context.Background(), w, id)
	}
	if l := w.leases[id]; l.Open && !l.Dead {
		d := w.windows[l.Budget]
		w.broken.die(&d, &l)
		w.leases[id], w.windows[d.ID] = l, d
	}
	return nil
}

func (w *world) kill(p *process) error {
	w.stats.crashes++
	w.zombies = append(w.zombies, p.calls...)
	for _, o := range p.ops {
		if w.rnd.IntN(2) == 0 {
			w.limbo = append(w.limbo, o)
		}
	}
	for _, l := range p.e.all() {
		w.crashed[l.id] = true
	}
	w.processes = slices.DeleteFunc(w.processes, func(x *process) bool { return x == p })
	return nil
}

func (w *world) zombie(*process) error {
	if len(w.zombies) > 0 {
		w.bill(w.zombies[0])
		w.zombies = w.zombies[1:]
	}
	return nil
}

func (w *world) limit(*process) error {
	i := w.rnd.IntN(len(w.budgets))
	b := &w.budgets[i]
	b.Limit = []int64{b.Limit / 2, b.Limit * 2, b.Limit + 7, 50, 500}[w.rnd.IntN(5)]
	b.Limit = min(b.Limit, 1_000_000)
	w.highest[i] = max(w.highest[i], b.Limit)
	return nil
}

func (w *world) learn(p *process) error {
	p.view = slices.Clone(w.budgets)
	return nil
}

func (w *world) hear(p *process) error {
	if len(p.e.leases) == 0 {
		return nil
	}
	b := w.budgets[w.rnd.IntN(len(w.budgets))]
	if l, d := p.e.leases[b.ID], w.windows[b.ID]; l != nil && d.ID != "" {
		if w.rnd.IntN(2) == 0 {
			d.Wanted = w.now
		}
		l.hear(d)
	}
	return nil
}

func byID(a, b *lease) int {
	if a.id < b.id {
		return -1
	}
	return 1
}
