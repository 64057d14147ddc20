package escrow

import (
	"os"
	"strconv"
	"sync"
	"testing"
)

// breach is a way to break the protocol. The explorer applies it around the real code; each must be found.
type breach struct {
	name     string
	die      func(*Window, *Lease)
	begun    func(l *lease, p *plan, openBefore int64)
	arriving func(w *world, o *op) (restore func())
	answered func(l *lease, p *plan, openBefore int64)
	lost     func(w *world, l *lease, p *plan)
	keeps    bool
}

var breaches = []breach{
	{name: "reaper returns G-P", die: func(w *Window, l *Lease) {
		w.Alloc -= l.Granted - l.Spent
		l.Granted, l.Opened = l.Spent, l.Spent
		l.Open, l.Dead = false, true
	}},
	{name: "flush ignores dead", arriving: hide(func(d *Lease) { d.Dead = false })},
	{name: "opened watermark forgets in-flight", begun: func(l *lease, p *plan, _ int64) {
		p.used = l.spent
		if p.intent&lower != 0 {
			l.open, p.floor = l.spent, l.spent
		}
	}},
	{name: "spend up to G without opening", answered: func(l *lease, p *plan, _ int64) { l.open = l.granted }},
	{name: "lower only after the answer", begun: func(l *lease, p *plan, before int64) { l.open = before }},
	{name: "unknown outcome admits", lost: func(_ *world, l *lease, p *plan) {
		if l.state == unknown {
			l.state, l.open = usable, max(l.open, p.used+p.want)
			l.granted = max(l.granted, l.open)
		}
	}},
	{name: "found dead goes on", answered: func(l *lease, p *plan, before int64) {
		if p.dead && l.state == gone {
			l.state, l.open = usable, p.used+p.want
			l.granted = l.open
		}
	}},
	{name: "return with lost answer repeated blindly", lost: func(w *world, l *lease, p *plan) {
		if p.intent&back != 0 && p.intent&end == 0 && l.granted > p.floor {
			w.limbo = append(w.limbo, &op{leases: []*lease{l}, plans: []*plan{p}, blind: []int64{l.granted - p.floor}})
		}
	}},
	{name: "taking idle rights takes O", arriving: func(w *world, o *op) func() {
		for _, p := range o.plans {
			for _, id := range p.victims {
				d := w.leases[id]
				d.Opened = d.Spent
				w.leases[id] = d
			}
		}
		return func() {}
	}},
	{name: "multi-budget grant keeps what it got on failure", keeps: true},
	{name: "late writes are not overtaken", arriving: hide(func(d *Lease) { d.Seq = 0 })},
	{name: "limit is not looked at", arriving: func(_ *world, o *op) func() {
		limits := make([]int64, len(o.plans))
		for i, p := range o.plans {
			limits[i], p.budget.Limit = p.budget.Limit, p.budget.Limit*2
		}
		return func() {
			for i, p := range o.plans {
				p.budget.Limit = limits[i]
			}
		}
	}},
}

// hide makes the store show the lease documents of an op as change makes them, and keeps their mark of death.
func hide(change func(*Lease)) func(*world, *op) func() {
	return func(w *world, o *op) func() {
		dead := map[string]bool{}
		for _, p := range o.plans {
			if d, ok := w.leases[p.id]; ok {
				dead[p.id] = d.Dead
				change(&d)
				w.leases[p.id] = d
			}
		}
		return func() {
			for id, was := range dead {
				d := w.leases[id]
				d.Dead = was
				w.leases[id] = d
			}
		}
	}
}

const steps = 300

// schedules is how many seeds a run explores: a sample, or 100,000 in a soak; SLUICE_ESCROW_SCHEDULES sets another number.
func schedules(t *testing.T) int {
	n := 3000
	if os.Getenv("SLUICE_SOAK") == "1" {
		n = 100_000
	}
	if text := os.Getenv("SLUICE_ESCROW_SCHEDULES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	n := schedules(t)
	const shards = 4
	var mu sync.Mutex
	var sum stats
	t.Run("shards", func(t *testing.T) {
		for shard := range shards {
			t.Run(strconv.Itoa(shard), func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < n; seed += shards {
					w := newWorld(uint64(seed), breach{})
					if err := w.run(steps); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					mu.Lock()
					sum.add(w)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%+v", sum)
}

func (s *stats) add(w *world) {
	s.schedules++
	s.steps += w.stats.steps
	s.admitted += w.stats.admitted
	s.waited += w.stats.waited
	s.crashes += w.stats.crashes
	s.reaped += w.stats.reaped
	s.lost += w.stats.lost
	s.late += w.stats.late
	s.holdings += w.stats.holdings
	s.commits += w.commits
}

func TestBreachesAreFound(t *testing.T) {
	t.Parallel()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3000) {
				w := newWorld(seed, b)
				w.lax = true
				if err := w.run(steps); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Error("not found")
		})
	}
}
