package e2e_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

const (
	perMinute = 600
	usable    = 570 // of perMinute, at least, where there is demand
	// Nobody calls around a minute's end, so that the minute of a call is the same for the gateway and for the provider.
	quietBefore, quietAfter = 1500 * time.Millisecond, 200 * time.Millisecond
	// dryAfter is how long a limit must refuse everybody to be taken for used up.
	dryAfter = 3 * time.Second
)

// Processes that share a limit of calls per minute admit so many in each minute of UTC, and not one more.
func moneyRates(t *testing.T) {
	f := newFleet(t, startCloud(t, allModels), sized(8, 4))
	key := f.newKey(t, map[string]any{"rpm_limit": perMinute})
	minutes := sized(3, 1)
	var callers []*member // uneven: each member has twice as many as the next one
	for i, m := range f.members {
		for range max(1, 16>>i) {
			callers = append(callers, m)
		}
	}
	results := f.minutes(t, key, callers, minutes)
	f.checkMinutes(t, results, minutes)
	f.checkRefusals(t, results)
	if soak() {
		lone := f.newKey(t, map[string]any{"rpm_limit": perMinute})
		results = f.minutes(t, lone, slices.Repeat(f.members[:1], 8), 1)
		if best := slices.Max(values(admitted(results))); best != perMinute {
			t.Errorf("a process that is alone could use %d of %d calls a minute", best, perMinute)
		}
	}
	f.stop(t)
	f.checkBooks(t)
	f.checkAll(t)
}

// minutes lets callers ask without end, until so many minutes have begun with enough time for their limit to be used up, and
// it is.
func (f *fleet) minutes(t *testing.T, key string, callers []*member, n int) (all []result) {
	t.Helper()
	const enough = 25 * time.Second
	now := time.Now()
	last := now.Truncate(time.Minute).Add(time.Duration(n) * time.Minute)
	if last.Sub(now) < time.Duration(n-1)*time.Minute+enough {
		last = last.Add(time.Minute)
	}
	ctx, cancel := context.WithDeadline(t.Context(), last.Add(-quietBefore))
	defer cancel()
	var mu sync.Mutex
	var good time.Time // when a call was last admitted
	var asking sync.WaitGroup
	for i, m := range callers {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		asking.Go(func() {
			for awayFromBoundary(ctx) {
				r := f.ask(t.Context(), m, key, order{model: chatModel, words: 2, limit: 4})
				mu.Lock()
				if all = append(all, r); r.good() {
					good = r.ended
				}
				dry := r.ended.After(last.Add(-time.Minute)) && r.ended.Sub(later(good, last.Add(-time.Minute))) > dryAfter
				mu.Unlock()
				if dry {
					cancel()
				}
				pause(ctx, time.Duration(5+random.IntN(30))*time.Millisecond)
			}
		})
	}
	asking.Wait()
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// awayFromBoundary waits, near the end of a minute, for the next one. It reports false when ctx has ended.
func awayFromBoundary(ctx context.Context) bool {
	now := time.Now()
	switch into := now.Sub(now.Truncate(time.Minute)); {
	case into < quietAfter:
		return pause(ctx, quietAfter-into)
	case into > time.Minute-quietBefore:
		return pause(ctx, time.Minute-into+quietAfter)
	}
	return ctx.Err() == nil
}

// admitted counts the calls that were served, by the minute in which they were sent.
func admitted(results []result) map[time.Time]int {
	n := map[time.Time]int{}
	for _, r := range results {
		if r.good() {
			n[r.begun.UTC().Truncate(time.Minute)]++
		}
	}
	return n
}

func values(m map[time.Time]int) (all []int) {
	for _, v := range m {
		all = append(all, v)
	}
	return append(all, 0)
}

// checkMinutes compares the bill with the limit.
func (f *fleet) checkMinutes(t *testing.T, results []result, full int) {
	t.Helper()
	billed := map[time.Time]int{}
	lines := f.provider.Bill()
	for _, l := range lines {
		billed[l.Start.UTC().Truncate(time.Minute)]++
		if into := l.Start.Sub(l.Start.Truncate(time.Minute)); into < quietAfter {
			t.Logf("a call was %v on its way across a minute's end", into+quietBefore)
		}
	}
	used := 0
	for minute, n := range billed {
		t.Logf("%s: %d on the bill of %d", minute.Format(time.TimeOnly), n, perMinute)
		if n > perMinute {
			t.Errorf("%d calls in a minute", n)
		}
		if n >= usable {
			used++
		}
	}
	if used < full {
		t.Errorf("%d minutes had %d calls, want %d", used, usable, full)
	}
	good := 0
	for _, n := range admitted(results) {
		good += n
	}
	if good != len(lines) {
		t.Errorf("%d calls were answered well, %d have reached the provider", good, len(lines))
	}
}

// checkRefusals looks at what callers are told.
func (f *fleet) checkRefusals(t *testing.T, results []result) {
	t.Helper()
	remaining, refused, away := map[string]bool{}, 0, 0
	for _, r := range results {
		if r.status == 503 {
			away++
			continue
		}
		reset, err := time.ParseDuration(r.header.Get("X-Ratelimit-Reset-Requests"))
		left, wrong := strconv.Atoi(r.header.Get("X-Ratelimit-Remaining-Requests"))
		if r.header.Get("X-Ratelimit-Limit-Requests") != strconv.Itoa(perMinute) || err != nil || reset < 0 || reset > time.Minute ||
			wrong != nil || left < 0 || left >= perMinute {
			t.Fatalf("%v has the headers %v", r, r.header)
		}
		remaining[r.header.Get("X-Ratelimit-Remaining-Requests")] = true
		if r.good() {
			continue
		}
		refused++
		if after, err := strconv.Atoi(r.header.Get("Retry-After")); r.status != 429 || r.kind != "throttling_error" || err != nil || after < 0 || after > 60 {
			t.Fatalf("%v, retry-after %q", r, r.header.Get("Retry-After"))
		}
	}
	t.Logf("%d calls, %d refused, %d answered 503, %d different remainders told", len(results), refused, away, len(remaining))
	if away > len(results)/awayShare {
		t.Errorf("%d of %d calls were answered 503: %v", away, len(results), f.troubles(t))
	}
	if len(remaining) < 100 || refused == 0 {
		t.Errorf("%d different remainders were told, %d calls refused", len(remaining), refused)
	}
}
