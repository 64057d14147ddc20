package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// gauge counts calls in flight over all processes, and each process's calls.
type gauge struct {
	mu      sync.Mutex
	flying  int
	most    int
	through map[string]int
}

func (g *gauge) add(process string, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n > 0 {
		g.through[process] += n
	}
	g.flying += n
	g.most = max(g.most, g.flying)
}

// process makes calls one after the other on several lines until it is killed; then its calls are gone at once.
type process struct {
	name string
	*ratelimit.Limiter
	stop context.CancelFunc
	wire *wire

	mu     sync.Mutex
	dead   bool
	flying int
}

func (p *process) add(g *gauge, n int) (dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.flying += n
		g.add(p.name, n)
	}
	return p.dead
}

func (p *process) kill(g *gauge) {
	p.mu.Lock()
	p.dead = true
	p.wire.cut.Store(true)
	g.add(p.name, -p.flying)
	p.mu.Unlock()
	p.stop()
}

// TestSlotsMove has eight processes that want more than there is, some of which are killed and replaced.
func TestSlotsMove(t *testing.T) {
	for _, test := range []struct {
		name    string
		call    time.Duration // at most
		every   time.Duration // one process is killed
		deaf    bool
		latency time.Duration
		least   int // calls of each process
		seconds int
	}{
		{name: "short calls", call: 5 * time.Millisecond, latency: 5 * time.Millisecond, least: 800, seconds: 10},
		{name: "far store", call: 20 * time.Millisecond, latency: 30 * time.Millisecond, least: 60, seconds: 60},
		{name: "long calls", call: 2 * time.Second, latency: 5 * time.Millisecond, least: 8, seconds: 60},
		{name: "crashes", call: 10 * time.Millisecond, latency: 5 * time.Millisecond, every: 7 * time.Second, least: 150, seconds: 30},
		{name: "no watch", call: 10 * time.Millisecond, latency: 5 * time.Millisecond, deaf: true, least: 50, seconds: 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork(7, test.latency, 0)
				n.deaf = test.deaf
				g := &gauge{through: map[string]int{}}
				end := time.Now().Add(time.Duration(test.seconds) * time.Second)
				var lines sync.WaitGroup
				run := func(name string) *process {
					p := &process{name: name, wire: &wire{network: n}}
					p.Limiter, p.stop = start(t, p.wire, name+fmt.Sprint(time.Now().UnixNano()))
					for range 3 {
						lines.Go(func() { p.line(t, g, end, test.call) })
					}
					return p
				}
				var processes []*process
				for i := range 8 {
					processes = append(processes, run(fmt.Sprint(i)))
				}
				for k := 0; test.every > 0 && time.Until(end) > test.every; k++ {
					time.Sleep(test.every)
					i := k % 8
					processes[i].kill(g)
					processes[i] = run(fmt.Sprint(i))
				}
				lines.Wait()
				for _, p := range processes {
					p.stop()
				}
				if g.most != 5 || g.flying != 0 {
					t.Errorf("%d in flight, %d at the end; want 5 and 0", g.most, g.flying)
				}
				sum := 0
				for i := range 8 {
					got := g.through[fmt.Sprint(i)]
					sum += got
					if got < test.least {
						t.Errorf("process %d had %d calls, want at least %d", i, got, test.least)
					}
				}
				asked, commits := n.counts()
				t.Logf(test.name+": %d calls, each process %v; per call %.3f commits, %.3f transactions", sum, g.through,
					float64(commits)/float64(sum), float64(asked)/float64(sum))
			})
		})
	}
}

func (p *process) line(t *testing.T, g *gauge, end time.Time, call time.Duration) {
	for time.Now().Before(end) && !p.add(g, 0) {
		ticket, err := p.Take(t.Context(), 0, []ratelimit.Limit{limit(ratelimit.Parallel, 5)})
		if err != nil {
			if e := (&ratelimit.Exceeded{}); !errors.As(err, &e) && !p.add(g, 0) {
				t.Errorf("Take: %v", err)
			}
			time.Sleep(rand.N(time.Second))
			continue
		}
		if p.add(g, 1) {
			return
		}
		time.Sleep(rand.N(call))
		if p.add(g, -1) {
			return
		}
		ticket.Done(0)
	}
}

func TestCrashFreesSlots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		slots := limit(ratelimit.Parallel, 2)
		l, kill := start(t, s, "a")
		take(t, l, 0, slots)
		take(t, l, 0, slots)
		time.Sleep(time.Hour) // the lease is renewed as long as they run
		b := newLimiter(s, "b")
		refuse(t, b, 0, slots)
		kill()
		time.Sleep(9 * time.Second)
		refuse(t, b, 0, slots)
		time.Sleep(6 * time.Second)
		take(t, b, 0, slots)
		take(t, b, 0, slots)
		refuse(t, b, 0, slots)
	})
}

// An idle slot costs nothing: its next call makes no transaction, and another process gets it within its patience.
func TestIdleSlots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 10*time.Millisecond, 0)
		slots := limit(ratelimit.Parallel, 2)
		a, killA := start(t, n, "a")
		b, killB := start(t, n, "b")
		defer killA()
		defer killB()
		one := take(t, a, 0, slots)
		take(t, a, 0, slots).Done(0)
		asked, _ := n.counts()
		for range 100 {
			take(t, a, 0, slots).Done(0)
		}
		if now, _ := n.counts(); now != asked {
			t.Errorf("%d transactions", now-asked)
		}
		time.Sleep(time.Second)
		begin := time.Now()
		two := take(t, b, 0, slots)
		if waited := time.Since(begin); waited > 200*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
		begin = time.Now()
		if e := refuse(t, b, 0, slots); e.RetryAfter != time.Second || time.Since(begin) < 250*time.Millisecond {
			t.Errorf("refused after %v, retry after %v", time.Since(begin), e.RetryAfter)
		}
		refuse(t, a, 0, slots)
		one.Done(0)
		two.Done(0)
		time.Sleep(time.Second)
		take(t, a, 0, slots)
		take(t, a, 0, slots)
	})
}

func TestClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		all := []ratelimit.Limit{limit(ratelimit.Parallel, 3), limit(ratelimit.Tokens, 100)}
		a, b := newLimiter(s, "a"), newLimiter(s, "b")
		one, two, three := take(t, a, 30, all...), take(t, a, 30, all...), take(t, a, 40, all...)
		one.Done(0)
		two.Done(0)
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		take(t, b, 30, all...)
		take(t, b, 30, all...)
		refuse(t, b, 0, all...) // one of a's still runs
		three.Done(40)
	})
}

// A call that outlives its lease because the store is away goes on; nothing new begins.
func TestStoreAwayUnderCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, time.Millisecond, 0)
		slots := limit(ratelimit.Parallel, 3)
		l, kill := start(t, n, "a")
		defer kill()
		one, two := take(t, l, 0, slots), take(t, l, 0, slots)
		n.away.Store(true)
		time.Sleep(10 * time.Second)
		two.Done(0)
		take(t, l, 0, slots).Done(0) // the lease still lasts
		time.Sleep(10 * time.Second)
		if _, err := l.Take(t.Context(), 0, []ratelimit.Limit{slots}); !errors.Is(err, errAway) {
			t.Errorf("Take: %v", err)
		}
		n.away.Store(false)
		other := newLimiter(n, "b")
		time.Sleep(3 * time.Second) // Run renews what still runs
		two, three := take(t, other, 0, slots), take(t, other, 0, slots)
		refuse(t, other, 0, slots)
		one.Done(0)
		two.Done(0)
		three.Done(0)
		take(t, l, 0, slots)
	})
}

// Without Run, a request path that finds its lease old renews it.
func TestCallRenews(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		slots := limit(ratelimit.Parallel, 2)
		a, b := newLimiter(s, "a"), newLimiter(s, "b")
		take(t, a, 0, slots)
		for range 20 {
			time.Sleep(4 * time.Second)
			take(t, a, 0, slots).Done(0)
			refuse(t, b, 0, slots)
		}
	})
}

// slow answers long after it has committed.
type slow struct {
	store.Store
	away bool
}

func (s *slow) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if s.away {
		return errAway
	}
	err := s.Store.Tx(ctx, fn)
	time.Sleep(4 * time.Second)
	return err
}

// A lease lasts from before its write, not from the answer.
func TestLeaseBeginsWithWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		slots := limit(ratelimit.Parallel, 1)
		far := &slow{Store: s}
		a, b := newLimiter(far, "a"), newLimiter(s, "b")
		take(t, a, 0, slots).Done(0)
		refuse(t, b, 0, slots)
		time.Sleep(11500 * time.Millisecond) // it is 15.75 s since the write
		take(t, b, 0, slots)
		far.away = true
		if _, err := a.Take(t.Context(), 0, []ratelimit.Limit{slots}); !errors.Is(err, errAway) {
			t.Errorf("Take: %v", err)
		}
	})
}

// A process whose clock is wrong may lose its lease to others; it finds out when it renews it.
func TestWrongClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		slots := limit(ratelimit.Parallel, 2)
		late := ratelimit.New(s, "late", func() time.Time { return time.Now().Add(-time.Minute) }, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = late.Run(ctx) }()
		one, two := take(t, late, 0, slots), take(t, late, 0, slots)
		one.Done(0)
		two.Done(0)
		right := newLimiter(s, "right")
		take(t, right, 0, slots)
		take(t, right, 0, slots)
		time.Sleep(6 * time.Second)
		refuse(t, late, 0, slots)
	})
}

// A call that lacks a slot of one limit holds none of another.
func TestSlotsOfTwoLimits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		key, team := limit(ratelimit.Parallel, 5), limit(ratelimit.Parallel, 1)
		team.ID = "team"
		a, b := newLimiter(s, "a"), newLimiter(s, "b")
		take(t, b, 0, team)
		for range 3 {
			if e := refuse(t, a, 0, key, team); e.Limit.ID != team.ID {
				t.Errorf("refused by %s", e.Limit.ID)
			}
		}
		for range 5 {
			take(t, b, 0, key)
		}
	})
}

func TestNoPatience(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 0, 0)
		l := newLimiter(n, "a")
		l.Patience = 0
		slots := limit(ratelimit.Parallel, 1)
		take(t, l, 0, slots)
		refuse(t, l, 0, slots)
		if asked, _ := n.counts(); asked != 2 {
			t.Errorf("%d transactions", asked)
		}
	})
}

func TestWaitEndsWithCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLimiter(memstore.New(), "a")
		slots := limit(ratelimit.Parallel, 1)
		take(t, l, 0, slots)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := l.Take(ctx, 0, []ratelimit.Limit{slots}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take: %v", err)
		}
	})
}
