package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// storm is demand for a key from all sides while processes are killed and frozen.
type storm struct {
	*fleet
	key     string
	calls   int
	callers int // of each member
	order   func(i int) order
	faults  []fault

	issued  atomic.Int64
	thawed  sync.WaitGroup
	mu      sync.Mutex
	results []result
}

// fault befalls a member when so many calls have been made.
type fault struct {
	at     int
	member int
	frozen time.Duration // 0: it is killed
}

func (f fault) String() string {
	if f.frozen == 0 {
		return fmt.Sprintf("process %d killed at call %d", f.member, f.at)
	}
	return fmt.Sprintf("process %d frozen for %v at call %d", f.member, f.frozen.Round(time.Millisecond), f.at)
}

// faults are so many kills and freezes at random moments of the first part of so many calls.
func faults(random *rand.Rand, members, calls, kills int, freezes ...time.Duration) (all []fault) {
	at := func() int { return calls/20 + random.IntN(calls*6/10) }
	for range kills {
		all = append(all, fault{at: at(), member: random.IntN(members)})
	}
	for _, d := range freezes {
		all = append(all, fault{at: at(), member: random.IntN(members), frozen: d})
	}
	slices.SortFunc(all, func(a, b fault) int { return a.at - b.at })
	return all
}

// rage makes all the calls and lets the faults happen meanwhile. It returns when every call has ended and nobody is frozen.
func (s *storm) rage(t *testing.T) []result {
	t.Helper()
	var all sync.WaitGroup
	for _, m := range s.members {
		for range s.callers {
			all.Go(func() { s.calling(t.Context(), m) })
		}
	}
	for _, f := range s.faults {
		for int(s.issued.Load()) < f.at && pause(t.Context(), time.Millisecond) {
		}
		s.befall(t, f)
	}
	s.thawed.Wait()
	all.Wait()
	return s.results
}

func (s *storm) calling(ctx context.Context, m *member) {
	for {
		if _, ok := m.await(ctx); !ok {
			return
		}
		i := int(s.issued.Add(1)) - 1
		if i >= s.calls {
			return
		}
		r := s.ask(ctx, m, s.key, s.order(i))
		s.mu.Lock()
		s.results = append(s.results, r)
		s.mu.Unlock()
	}
}

func (s *storm) befall(t *testing.T, f fault) {
	t.Helper()
	m := s.members[f.member]
	if f.frozen == 0 {
		m.kill(t)
		return
	}
	p := m.p
	p.freeze(t)
	s.thawed.Go(func() {
		pause(t.Context(), f.frozen)
		p.thaw(t)
	})
}
