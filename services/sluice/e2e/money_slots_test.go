package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

const (
	slotLimit = 5
	// slotsBack is when the slots of a killed process must be in use again: after a lease, and time to notice.
	slotsBack = 20 * time.Second
	// aloneFor is how long the limit is used before the first process is killed.
	aloneFor = 4 * time.Second
)

// Processes that share a limit on parallel calls never exceed it, use it, and get the slots of a killed one back.
func moneySlots(t *testing.T) {
	const callersEach = 3
	random, kills := rand.New(rand.NewPCG(seed(t), 0)), sized(5, 1)
	f := newFleet(t, startCloud(t, allModels), sized(8, 4))
	key := f.newKey(t, map[string]any{"max_parallel_requests": slotLimit})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	var all []result
	var callers sync.WaitGroup
	for _, m := range f.members {
		for n := range callersEach {
			callers.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					r := f.ask(t.Context(), m, key, order{model: fmt.Sprintf("fake-slots+delay-%dms", 100+50*((n+i)%5)), words: 2})
					mu.Lock()
					all = append(all, r)
					mu.Unlock()
					if !r.good() {
						pause(ctx, 20*time.Millisecond)
					}
				}
			})
		}
	}
	pause(t.Context(), aloneFor)
	quiet := f.provider.Bill()
	for range kills {
		killed := time.Now()
		f.members[random.IntN(len(f.members))].kill(t)
		eventually(t, slotsBack, "all slots are in use again", func() error {
			if n, _ := crowd(f.provider.Bill(), killed); n < slotLimit {
				return fmt.Errorf("%d calls at the same time", n)
			}
			return nil
		})
		t.Logf("all slots in use again %v after a process was killed", time.Since(killed).Round(time.Millisecond))
	}
	eventually(t, callLimit, "every process is served", func() error {
		mu.Lock()
		defer mu.Unlock()
		if served := f.served(all); slices.Min(served) == 0 {
			return fmt.Errorf("calls served by each: %v", served)
		}
		return nil
	})
	stop()
	callers.Wait()
	f.checkSlots(t, quiet, all)
	f.stop(t)
	eventually(t, bookLimit, "the ledger explains the bill", func() error {
		entries := map[string]entry{}
		for _, e := range f.ledger(t, masterKey) {
			entries[e.ID] = e
		}
		if n := without(f.provider.Bill(), entries); n > kills*callersEach {
			return fmt.Errorf("%d lines of the bill are not in the ledger, want at most %d", n, kills*callersEach)
		}
		return nil
	})
	f.checkAll(t)
}

// checkSlots looks at how many calls were served at the same time, and whose.
func (f *fleet) checkSlots(t *testing.T, quiet []fakeprovider.Line, all []result) {
	t.Helper()
	bill := f.provider.Bill()
	if most, when := crowd(bill, time.Time{}); most > slotLimit {
		t.Errorf("%d calls were served at the same time, at %v", most, when)
	}
	var busy time.Duration
	for _, l := range quiet {
		busy += l.End.Sub(l.Start)
	}
	span := quiet[len(quiet)-1].End.Sub(quiet[0].Start)
	use := float64(busy) / float64(slotLimit*span)
	refused, away := 0, 0
	for _, r := range all {
		switch {
		case r.good():
		case r.status == 503:
			away++
		case r.status == 429 && r.kind == "throttling_error":
			refused++
		case r.status != 0 || f.alive(r):
			t.Errorf("call: %v", r)
		}
	}
	t.Logf("%d lines on the bill; before the first kill %.0f %% of the slots were in use; served by process %v, refused %d",
		len(bill), 100*use, f.served(all), refused)
	if away > 0 {
		t.Logf("%d calls were answered 503: %v", away, f.troubles(t))
	}
	if away > len(all)/awayShare {
		t.Errorf("%d of %d calls were answered 503", away, len(all))
	}
	if use < 0.5 {
		t.Errorf("only %.0f %% of the slots were in use", 100*use)
	}
}

// served counts the calls that each process has served.
func (f *fleet) served(all []result) []int {
	n := make([]int, len(f.members))
	for _, r := range all {
		if r.good() {
			n[r.member]++
		}
	}
	return n
}

// crowd is the largest number of calls begun after a time that the provider served at once, and when that was.
func crowd(bill []fakeprovider.Line, after time.Time) (most int, when time.Time) {
	type step struct {
		at time.Time
		by int
	}
	var steps []step
	for _, l := range bill {
		if l.Start.After(after) {
			steps = append(steps, step{l.Start, 1}, step{l.End, -1})
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.by - b.by
	})
	n := 0
	for _, s := range steps {
		if n += s.by; n > most {
			most, when = n, s.at
		}
	}
	return most, when
}
