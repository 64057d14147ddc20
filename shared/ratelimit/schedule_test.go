package ratelimit_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/ratelimit"
)

var seeds = flag.Int("ratelimit.seeds", 0, "random schedules to run; 0 is a sample, or many in a soak (SLUICE_SOAK=1)")

// TestSchedules has some processes make calls of random cost and length under three kinds of limits, for two minutes, while
// requests and answers get lost or take effect a minute late, processes are killed and replaced, and clocks differ by a
// second. No limit is ever exceeded, and at the end all slots come back.
func TestSchedules(t *testing.T) {
	t.Parallel()
	const lanes = 4
	n := *seeds
	switch {
	case n > 0:
	case os.Getenv("SLUICE_SOAK") == "1":
		n = 20_000
	default:
		n = 300
	}
	for lane := range lanes {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			for seed := lane; seed < n && !t.Failed(); seed += lanes {
				synctest.Test(t, func(t *testing.T) { schedule(t, uint64(seed)) })
			}
		})
	}
}

// world is the truth about one schedule.
type world struct {
	*testing.T
	seed   uint64
	n      *network
	limits []ratelimit.Limit

	mu       sync.Mutex
	flying   int64
	requests map[int64]int64 // by minute
	tokens   map[int64]int64
	admitted int
	calm     bool
}

func (w *world) limit(k ratelimit.Kind) int64 {
	for _, l := range w.limits {
		if l.Kind == k {
			return l.Max
		}
	}
	return 1 << 40
}

// add changes what is used, and checks it.
func (w *world) add(minute, requests, tokens, slots int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests[minute] += requests
	w.tokens[minute] += tokens
	w.flying += slots
	w.admitted += int(max(slots, 0))
	if w.requests[minute] > w.limit(ratelimit.Requests) || w.tokens[minute] > w.limit(ratelimit.Tokens) ||
		w.flying > w.limit(ratelimit.Parallel) {
		w.Errorf("seed %d: %d requests and %d tokens in a minute, %d in flight under %+v", w.seed, w.requests[minute],
			w.tokens[minute], w.flying, w.limits)
	}
}

// node is one process; its calls are gone when it is killed.
type node struct {
	*ratelimit.Limiter
	wire *wire
	now  func() time.Time
	kill context.CancelFunc // ends Run
	dead context.Context    // is killed
	wg   sync.WaitGroup
}

// weathers are kinds of networks, and the longest calls whose leases are surely renewed in them.
var weathers = []struct {
	latency time.Duration
	faults  float64
	call    time.Duration
}{
	{0, 0, 20 * time.Second},
	{5 * time.Millisecond, 0, 500 * time.Millisecond},
	{1500 * time.Millisecond, 0, 20 * time.Second},
	{5 * time.Millisecond, 0.08, 20 * time.Second},
	{80 * time.Millisecond, 0.03, 20 * time.Second},
	{80 * time.Millisecond, 0.08, 20 * time.Millisecond},
	{20 * time.Millisecond, 0.25, 500 * time.Millisecond},
}

func schedule(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	pick := func(values ...int64) int64 { return values[r.IntN(len(values))] }
	w := &world{
		T: t, seed: seed,
		requests: map[int64]int64{}, tokens: map[int64]int64{},
		limits: []ratelimit.Limit{
			limit(ratelimit.Requests, pick(1, 5, 40, 300)), limit(ratelimit.Tokens, pick(100, 3000, 20_000)),
			limit(ratelimit.Parallel, pick(1, 2, 5, 20)),
		},
	}
	if r.IntN(3) == 0 {
		w.limits = w.limits[:1+r.IntN(2)]
	}
	if r.IntN(3) == 0 {
		w.limits = w.limits[len(w.limits)-1:]
	}
	weather := weathers[r.IntN(len(weathers))]
	w.n = newNetwork(seed, weather.latency, weather.faults)
	w.n.deaf = r.IntN(4) == 0
	longest, gap := weather.call, time.Duration(pick(100, 4000))*time.Millisecond
	crashes := r.IntN(2) == 0

	nodes := make([]*node, 1+r.IntN(5))
	for i := range nodes {
		nodes[i] = w.start(fmt.Sprint(i), r)
	}
	time.Sleep(time.Duration(r.Int64N(int64(time.Minute))))
	for k := range 25 {
		i := r.IntN(len(nodes))
		for range 1 + r.IntN(12) {
			bound := r.Int64N(400)
			w.call(nodes[i], bound, r.Int64N(bound+1), time.Duration(r.Int64N(int64(longest))), r.IntN(8) == 0)
		}
		time.Sleep(time.Duration(r.Int64N(int64(gap))))
		if crashes && r.IntN(10) == 0 {
			nodes[i].crash()
			nodes[i] = w.start(fmt.Sprint(i, " ", k), r)
		}
	}
	w.calm = !crashes && weather.faults == 0
	w.finish(nodes)
}

func (w *world) start(name string, r *rand.Rand) *node {
	p := &node{wire: &wire{network: w.n}}
	ahead := time.Duration(r.Int64N(int64(time.Second)))
	p.now = func() time.Time { return time.Now().Add(ahead) }
	p.Limiter = ratelimit.New(p.wire, name, p.now, quiet)
	p.dead, p.kill = context.WithCancel(w.Context())
	p.wg.Go(func() { _ = p.Run(p.dead) })
	return p
}

func (p *node) crash() {
	p.wire.cut.Store(true)
	p.kill()
	p.wg.Wait()
}

// call makes one call in the background.
func (w *world) call(p *node, bound, real int64, length time.Duration, cancel bool) {
	p.wg.Go(func() {
		ticket, err := p.Take(p.dead, bound, w.limits)
		if p.dead.Err() != nil {
			return
		}
		if err != nil {
			if e := (&ratelimit.Exceeded{}); !errors.As(err, &e) && !errors.Is(err, errAway) {
				w.Errorf("seed %d: Take: %v", w.seed, err)
			}
			return
		}
		minute := p.now().Unix() / 60
		bound = min(bound, w.limit(ratelimit.Tokens))
		w.add(minute, 1, bound, 1)
		select {
		case <-time.After(length):
		case <-p.dead.Done():
			w.add(minute, 0, 0, -1)
			return
		}
		if same := p.now().Unix()/60 == minute; same && cancel {
			w.add(minute, -1, -bound, 0)
		} else if same && real < bound {
			w.add(minute, 0, real-bound, 0)
		}
		w.add(minute, 0, 0, -1)
		if cancel {
			ticket.Cancel()
		} else {
			ticket.Done(real)
		}
	})
}

// finish kills all, mends the network and sees that the slots come back.
func (w *world) finish(nodes []*node) {
	time.Sleep(25 * time.Second)
	w.mu.Lock()
	admitted := w.admitted
	w.mu.Unlock()
	if admitted == 0 && w.calm { // a lost answer or a crash can forfeit a small limit
		w.Errorf("seed %d: nothing was admitted under %+v", w.seed, w.limits)
	}
	for _, p := range nodes {
		p.crash()
	}
	time.Sleep(80 * time.Second) // what is late has arrived, and its lease has ended
	w.n.faults = 0
	last := newLimiter(w.n, "last")
	slots := limit(ratelimit.Parallel, w.limit(ratelimit.Parallel))
	for range min(slots.Max, 20) {
		take(w.T, last, 0, slots)
	}
}
