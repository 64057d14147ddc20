package escrow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
)

func TestWindows(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.running(b.process())
		var late *escrow.Reservation
		var leases []string
		for day := range int64(5) {
			w := limited(fmt.Sprintf("d%d", day), 100)
			w.Start, w.End = time.Now().Unix(), time.Now().Add(time.Hour).Unix()
			b.reserve(e, 100, w).Settle(60)
			late = b.reserve(e, 40, w)
			leases = append(leases, late.Leases()...)
			time.Sleep(time.Until(time.Unix(w.End, 0)))
			if day < 4 {
				late.Settle(30)
			}
		}
		time.Sleep(3 * time.Second)
		if held := e.Held(); held != 1 {
			b.Errorf("%d leases are kept of ended windows with one running call", held)
		}
		if l, w := b.lease(leases[1]), b.window("d1"); l.Open || l.Granted != 90 || w.Alloc != 90 || w.Spent != 90 || w.Purge != w.End+90*86400 || l.Purge != w.Purge {
			b.Errorf("ended window: %+v, %+v", l, w)
		}
		late.Settle(40)
		time.Sleep(3 * time.Second)
		if w := b.window("d4"); e.Held() != 0 || w.Alloc != 100 {
			b.Errorf("%d leases are kept; last window: %+v", e.Held(), w)
		}
	})
}

func TestIdleRightsGoBack(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 1_000_000)
		r := b.reserve(e, 5000, budget)
		b.reserve(e, 9000, budget).Settle(1000)
		time.Sleep(5 * time.Second)
		if l := b.lease("aa-p1"); l.Opened != 6000 || l.Spent != 1000 {
			b.Errorf("after some seconds: %+v", l)
		}
		time.Sleep(15 * time.Second)
		if l, w := b.lease("aa-p1"), b.window("aa"); l.Granted != 6000 || w.Alloc != 6000 || w.Spent != 1000 {
			b.Errorf("after 20 seconds: %+v, %+v", l, w)
		}
		r.Settle(3000)
		time.Sleep(6 * time.Minute)
		if l, w := b.lease("aa-p1"), b.window("aa"); l.Open || w.Alloc != 4000 || w.Spent != 4000 || e.Held() != 0 {
			b.Errorf("after minutes: %+v, %+v", l, w)
		}
		if got := b.reserve(e, 1, budget).Leases(); got[0] != "aa-p1.1" {
			b.Errorf("a new lease is called %v", got)
		}
	})
}

func TestCloseAndReport(t *testing.T) {
	bubble(t, func(b *bench) {
		e := b.process()
		budgets := make([]escrow.Budget, 50)
		for i := range budgets {
			budgets[i] = limited(fmt.Sprintf("w%d", i), 1000)
			b.reserve(e, 100, budgets[i]).Settle(int64(i))
		}
		r := b.reserve(e, 100, budgets[7])
		b.must(e.Report(b.Context()))
		if w, l := b.window("w9"), b.lease("w9-p1"); w.Spent != 9 || l.Spent != 9 || l.Reported != 9 {
			b.Errorf("after a report: %+v, %+v", w, l)
		}
		b.must(e.Close(b.Context()))
		for i := range budgets {
			want := int64(i)
			if i == 7 {
				want += 100
			}
			w, l := b.window(budgets[i].ID), b.lease(budgets[i].ID+"-p1")
			if w.Alloc != want || w.Spent != int64(i) || l.Granted != want || l.Open != (i == 7) {
				b.Errorf("after close: %+v, %+v", w, l)
			}
		}
		r.Settle(1)
		b.must(e.Close(b.Context()))
		if w, l := b.window("w7"), b.lease("w7-p1"); w.Alloc != 8 || w.Spent != 8 || l.Open || e.Held() != 0 {
			b.Errorf("after the second close: %+v, %+v", w, l)
		}
	})
}

// A steady load takes few writes: one per opening, and a grant for some of them.
func TestSteadyLoad(t *testing.T) {
	bubble(t, func(b *bench) {
		e, budget := b.running(b.process()), limited("aa", 1_000_000_000)
		const calls = 60_000
		for range calls {
			b.reserve(e, 1000, budget).Settle(300)
			time.Sleep(10 * time.Millisecond)
		}
		// Ten minutes: an opening per two seconds at most.
		if b.store.commits.Load() > 350 {
			b.Errorf("%d calls took %d commits", calls, b.store.commits.Load())
		}
		b.Logf("%d calls in 10 min: %d commits", calls, b.store.commits.Load())
	})
}

// Rare calls take a write for many of them, and two each if the rights go back in between.
func TestRareCalls(t *testing.T) {
	for pause, most := range map[time.Duration]float64{5 * time.Second: 0.2, 30 * time.Second: 2} {
		t.Run(pause.String(), func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, budget := b.running(b.process()), limited("aa", 1_000_000)
				const calls = 100
				for range calls {
					b.reserve(e, 1000, budget).Settle(300)
					time.Sleep(pause)
				}
				if got := float64(b.store.commits.Load()) / calls; got > most {
					b.Errorf("a call takes %.2f commits, want at most %.2f", got, most)
				}
			})
		})
	}
}

func TestSweep(t *testing.T) {
	bubble(t, func(b *bench) {
		alive, dead, budget := b.process(), b.process(), limited("aa", 100)
		r := b.reserve(alive, 10, budget)
		b.reserve(dead, 20, budget).Settle(15)
		time.Sleep(69 * time.Minute)
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		if l := b.lease("aa-p2"); l.Dead {
			b.Error("reaped too early")
		}
		time.Sleep(2 * time.Minute)
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		b.must(escrow.Sweep(b.Context(), b.store, time.Now()))
		if w, l := b.window("aa"), b.lease("aa-p2"); w.Alloc != 30 || !l.Dead || l.Open || l.Granted != 20 {
			b.Errorf("after the sweep: %+v, %+v", w, l)
		}
		more := b.reserve(alive, 70, budget) // finds itself dead and goes on with another lease
		if got := more.Leases()[0]; got != "aa-p1.1" {
			b.Errorf("the new lease is called %s", got)
		}
		b.refused(alive, 1, budget)
		r.Settle(2)
		more.Settle(70)
		b.must(alive.Close(b.Context()))
		if w := b.window("aa"); w.Alloc != 92 || w.Spent != 72 || alive.Held() != 0 {
			b.Errorf("after close, with 20 locked by the dead: %+v", w)
		}
	})
}
