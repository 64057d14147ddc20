package ratelimit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

func TestAloneUsesAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 0, 0)
		l := newLimiter(n, "a")
		rpm := limit(ratelimit.Requests, 600)
		for minute := range 3 {
			for range 600 {
				take(t, l, 0, rpm).Done(0)
			}
			asked, _ := n.counts()
			e := refuse(t, l, 0, rpm)
			if e.RetryAfter != time.Minute || e.Remaining != 0 || e.Limit.ID != rpm.ID {
				t.Errorf("refused with %+v", e)
			}
			for range 100 {
				refuse(t, l, 0, rpm)
			}
			if again, _ := n.counts(); again != asked {
				t.Errorf("minute %d: %d transactions for hopeless calls", minute, again-asked)
			}
			time.Sleep(time.Minute)
		}
		_, commits := n.counts()
		t.Logf("%.3f commits per request", float64(commits)/1800)
	})
}

// Demand of eight processes: how many calls each wants in each second of a minute.
var demands = map[string]func(process, second int, r *rand.Rand) int{
	"even":     func(int, int, *rand.Rand) int { return 2 },
	"uneven":   func(process, _ int, _ *rand.Rand) int { return []int{0, 0, 0, 1, 1, 2, 4, 8}[process] },
	"bursts":   func(_, _ int, r *rand.Rand) int { return max(0, r.IntN(60)-40) },
	"one":      func(process, _ int, _ *rand.Rand) int { return []int{15, 0, 0, 0, 0, 0, 0, 0}[process] },
	"in turns": func(process, second int, _ *rand.Rand) int { return map[bool]int{true: 20}[second/4%8 == process] },
	"storm":    func(int, int, *rand.Rand) int { return 25 },
	"trickle":  func(process, second int, _ *rand.Rand) int { return map[bool]int{true: 12}[(second+process)%8 == 0] },
}

func TestEightProcessesShare(t *testing.T) {
	t.Parallel()
	for name, demand := range demands {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				bubble(t, func(t *testing.T) { share(t, seed, demand) })
			})
		}
	}
}

func share(t *testing.T, seed uint64, demand func(int, int, *rand.Rand) int) {
	const minutes = 4
	n := newNetwork(seed, 30*time.Millisecond, 0)
	rpm := limit(ratelimit.Requests, 600)
	begin := time.Now()
	var mu sync.Mutex
	admitted, wanted := make([]int, minutes+1), make([]int, minutes+1)
	minute := func() int { return int(time.Since(begin) / time.Minute) }
	var processes, calls sync.WaitGroup
	for p := range 8 {
		l, kill := start(t, n, fmt.Sprint(p))
		r := rand.New(rand.NewPCG(seed, uint64(p)))
		processes.Go(func() {
			defer kill()
			for second := range minutes * 60 {
				next := begin.Add(time.Duration(second+1) * time.Second)
				for range demand(p, second%60, r) {
					calls.Go(func() {
						time.Sleep(time.Duration(rand.Int64N(int64(time.Second))))
						mu.Lock()
						wanted[minute()]++
						mu.Unlock()
						ticket, err := l.Take(t.Context(), 0, []ratelimit.Limit{rpm})
						if err != nil {
							return
						}
						mu.Lock()
						admitted[minute()]++
						mu.Unlock()
						ticket.Done(0)
					})
				}
				time.Sleep(time.Until(next))
			}
			calls.Wait()
		})
	}
	processes.Wait()
	sum := 0
	for m, got := range admitted[:minutes] {
		sum += got
		if got > 600 || got < min(570, wanted[m]*95/100) {
			t.Errorf("minute %d: %d of %d calls admitted, want 570 to 600", m, got, wanted[m])
		}
	}
	asked, commits := n.counts()
	t.Logf("admitted %v of %v; per admitted request %.3f commits, %.3f transactions", admitted, wanted,
		float64(commits)/float64(sum), float64(asked)/float64(sum))
}

func TestTokens(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLimiter(memstore.New(), "a")
		tpm := limit(ratelimit.Tokens, 1000)
		first := take(t, l, 900, tpm)
		e := refuse(t, l, 200, tpm)
		if e.Remaining != 100 {
			t.Errorf("remaining %d, want 100", e.Remaining)
		}
		first.Done(300)
		first.Done(0)
		first.Cancel()
		take(t, l, 700, tpm).Done(700)
		refuse(t, l, 1, tpm)

		time.Sleep(time.Minute)
		take(t, l, 5000, tpm).Done(100) // a bound above the limit reserves it all
		debtor := take(t, l, 100, tpm)
		debtor.Done(500) // 400 more than it had reserved
		refuse(t, l, 401, tpm)
		take(t, l, 400, tpm).Cancel()
		take(t, l, 400, tpm).Done(800)
		refuse(t, l, 1, tpm)
		late := take(t, l, 0, limit(ratelimit.Requests, 10), limit(ratelimit.Parallel, 10))
		time.Sleep(time.Minute)
		take(t, l, 1000, tpm)
		late.Done(1_000_000) // belongs to the last minute
		refuse(t, l, 1, tpm)
	})
}

// A call that is refused takes nothing that a smaller one of another process could have.
func TestRefusedTakesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		a, b := newLimiter(s, "a"), newLimiter(s, "b")
		tpm := limit(ratelimit.Tokens, 1000)
		take(t, a, 900, tpm)
		refuse(t, b, 200, tpm)
		refuse(t, a, 200, tpm)
		take(t, b, 95, tpm)
		take(t, a, 5, tpm)
	})
}

// Tokens that one process has reserved and not used serve another.
func TestUnusedTokensComeBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memstore.New()
		a, killA := start(t, s, "a")
		b, killB := start(t, s, "b")
		defer killA()
		defer killB()
		tpm := limit(ratelimit.Tokens, 1000)
		call := take(t, a, 1000, tpm)
		refuse(t, b, 500, tpm)
		call.Done(100)
		time.Sleep(5 * time.Second)
		take(t, b, 500, tpm).Done(500)
		take(t, a, 400, tpm).Done(400)
		refuse(t, a, 1, tpm)
		refuse(t, b, 1, tpm)
	})
}

func TestAllOrNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 0, 0)
		l, other := newLimiter(n, "a"), newLimiter(n, "b")
		rpm, tpm, slots := limit(ratelimit.Requests, 10), limit(ratelimit.Tokens, 100), limit(ratelimit.Parallel, 2)
		team := rpm
		team.ID, team.Max = "team/requests", 3
		all := []ratelimit.Limit{rpm, tpm, slots, team}
		take(t, l, 90, all...).Done(90)
		for range 5 {
			if e := refuse(t, l, 20, all...); e.Limit.ID != tpm.ID {
				t.Errorf("refused by %s", e.Limit.ID)
			}
		}
		for range 2 {
			take(t, l, 5, all...).Done(5)
		}
		for range 5 {
			if e := refuse(t, l, 0, all...); e.Limit.ID != team.ID {
				t.Errorf("refused by %s", e.Limit.ID)
			}
		}
		for range 7 { // rpm has lost three
			take(t, l, 0, rpm, slots).Done(0)
		}
		refuse(t, l, 0, rpm)
		refuse(t, other, 0, rpm)

		time.Sleep(time.Minute)
		one, two := take(t, l, 0, slots), take(t, l, 0, slots)
		for range 3 {
			if e := refuse(t, l, 50, all...); e.Limit.ID != slots.ID || e.RetryAfter != time.Second {
				t.Errorf("refused by %s, retry after %v", e.Limit.ID, e.RetryAfter)
			}
		}
		one.Done(0)
		two.Cancel()
		for range 3 {
			take(t, l, 33, all...).Done(33)
		}
		refuse(t, l, 0, team)
	})
}

func TestCancelIsAsIfNeverTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLimiter(memstore.New(), "a")
		all := []ratelimit.Limit{limit(ratelimit.Requests, 1), limit(ratelimit.Tokens, 10), limit(ratelimit.Parallel, 1)}
		for range 10 {
			ticket := take(t, l, 10, all...)
			ticket.Cancel()
			ticket.Cancel()
			ticket.Done(10)
		}
		take(t, l, 10, all...)
		refuse(t, l, 0, all[0])
	})
}

func TestClockBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var back time.Duration
		n := newNetwork(1, 0, 0)
		l := ratelimit.New(n, "a", func() time.Time { return time.Now().Add(-back) }, quiet)
		rpm := limit(ratelimit.Requests, 50)
		time.Sleep(30 * time.Second)
		for range 50 {
			take(t, l, 0, rpm)
		}
		time.Sleep(31 * time.Second)
		for range 50 {
			take(t, l, 0, rpm)
		}
		back = 30 * time.Second
		refuse(t, l, 0, rpm)
		back = 0
		refuse(t, l, 0, rpm)
	})
}

func TestChangedLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLimiter(memstore.New(), "a")
		for range 20 {
			take(t, l, 0, limit(ratelimit.Requests, 600))
		}
		refuse(t, l, 0, limit(ratelimit.Requests, 20))
		take(t, l, 0, limit(ratelimit.Requests, 21))
		refuse(t, l, 0, limit(ratelimit.Requests, 21))
		for range 9 {
			take(t, l, 0, limit(ratelimit.Requests, 30))
		}
		refuse(t, l, 0, limit(ratelimit.Requests, 30))
		refuse(t, l, 0, limit(ratelimit.Requests, 0))
		refuse(t, l, 0, limit(ratelimit.Tokens, 0))
		refuse(t, l, 0, limit(ratelimit.Parallel, 0))
		refuse(t, l, 0, limit(ratelimit.Parallel, -1))

		one := take(t, l, 0, limit(ratelimit.Parallel, 3))
		take(t, l, 0, limit(ratelimit.Parallel, 3))
		refuse(t, l, 0, limit(ratelimit.Parallel, 2))
		one.Done(0)
		refuse(t, l, 0, limit(ratelimit.Parallel, 1))
		take(t, l, 0, limit(ratelimit.Parallel, 2))
	})
}

func TestState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLimiter(memstore.New(), "a")
		time.Sleep(20 * time.Second)
		key, team := limit(ratelimit.Requests, 100), limit(ratelimit.Requests, 10)
		team.ID = "team"
		ticket := take(t, l, 30, key, team, limit(ratelimit.Tokens, 100))
		check := func(s interface {
			State(ratelimit.Kind) (int64, int64, time.Duration, bool)
		}, kind ratelimit.Kind, limit, remaining int64, reset time.Duration, ok bool) {
			t.Helper()
			a, b, c, d := s.State(kind)
			if a != limit || b != remaining || c != reset || d != ok {
				t.Errorf("State(%s) = %d %d %v %v, want %d %d %v %v", kind, a, b, c, d, limit, remaining, reset, ok)
			}
		}
		check(ticket, ratelimit.Requests, 10, 9, 40*time.Second, true)
		check(ticket, ratelimit.Tokens, 100, 70, 40*time.Second, true)
		check(ticket, ratelimit.Parallel, 0, 0, 0, false)
		e := refuse(t, l, 80, key, limit(ratelimit.Tokens, 100), limit(ratelimit.Parallel, 4))
		check(e, ratelimit.Requests, 100, 99, 40*time.Second, true)
		check(e, ratelimit.Tokens, 100, 70, 40*time.Second, true)
		check(e, ratelimit.Parallel, 4, 4, 0, true)
		want := "Rate limit exceeded for api_key: abc. Limit type: tokens. Current limit: 100, Remaining: 70. " +
			"Limit resets at: 2000-01-01 00:01:00 UTC"
		if e.Error() != want || e.RetryAfter != 40*time.Second {
			t.Errorf("%s, retry after %v", e, e.RetryAfter)
		}
	})
}

// Calls that wait at the same time share one transaction.
func TestCallsCoalesce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 20*time.Millisecond, 0)
		l := newLimiter(n, "a")
		var calls sync.WaitGroup
		for range 500 {
			calls.Go(func() {
				take(t, l, 10, limit(ratelimit.Requests, 1000), limit(ratelimit.Tokens, 10_000)).Done(10)
			})
		}
		calls.Wait()
		if asked, _ := n.counts(); asked > 3 {
			t.Errorf("%d transactions", asked)
		}
	})
}

func TestStoreAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, time.Millisecond, 0)
		l := newLimiter(n, "a")
		rpm := limit(ratelimit.Requests, 10)
		n.away.Store(true)
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() {
				if _, err := l.Take(t.Context(), 0, []ratelimit.Limit{rpm}); !errors.Is(err, errAway) {
					t.Errorf("Take: %v", err)
				}
			})
		}
		calls.Wait()
		if asked, _ := n.counts(); asked > 2 {
			t.Errorf("%d transactions", asked)
		}
		n.away.Store(false)
		for range 10 {
			take(t, l, 0, rpm)
		}
		refuse(t, l, 0, rpm)
		synctest.Wait()
	})
}
