package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// What a run of the storm on a budget of one dollar is: about 70 % of the calls use it up, each of which may cost 1.3 times
// of what it does.
const (
	dollar    = gateway.USD
	meanWords = 30
	paid      = 0.7  // part of the calls that the dollar pays for
	onTheBill = 0.97 // of the dollar, at least, when demand goes on
	// callsPerCommit is how many calls one commit of the escrow's serves at least, when all calls come at once. Callers that come
	// back one call at a time need one for forty.
	callsPerCommit = 50
	awayShare      = 10 // of the calls may find the store too slow: an emulator on a busy machine is, and that is not what this is about
)

// dear is a tariff by which so many calls use the dollar up.
func dear(calls int) tariff {
	output := int64(float64(dollar) / (paid * float64(calls) * meanWords))
	return tariff{input: max(1, output/100), output: output}
}

// orders are calls of a run: the i-th is the same for the same seed.
func orders(seed uint64, run int) func(i int) order {
	delays := []string{"+delay-50ms", "+delay-200ms", "+delay-350ms", "+delay-500ms"}
	return func(i int) order {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		o := order{words: meanWords - 10 + random.IntN(21), model: fmt.Sprintf("fake-run%d%s", run, delays[random.IntN(len(delays))])}
		o.limit = (o.words*12 + 9) / 10
		if random.IntN(8) == 0 {
			o.stream, o.model = true, fmt.Sprintf("fake-run%d+slow-10ms", run)
		}
		return o
	}
}

// linesOf are the lines of a run.
func (f *fleet) linesOf(run int) (lines []fakeprovider.Line) {
	for _, l := range f.provider.Bill() {
		if model, _, _ := strings.Cut(l.Model, "+"); model == fmt.Sprintf("fake-run%d", run) {
			lines = append(lines, l)
		}
	}
	return lines
}

// moneyRuns is how often the storm is repeated, each time with a new key.
func moneyRuns() int {
	if n, err := strconv.Atoi(os.Getenv("SLUICE_SOAK_RUNS")); err == nil && soak() {
		return n
	}
	return sized(100, 1)
}

// Processes that share a key's budget are killed and frozen amid thousands of calls. The provider's bill stays within the
// budget to the nano-dollar, nearly all of it is of use, and a call is refused when the remainder does not pay for it.
func TestMoneyBudget(t *testing.T) {
	made, commits := 0, int64(0)
	for first, runs := 0, moneyRuns(); first < runs && !t.Failed(); first += fleetRuns {
		t.Run(fmt.Sprintf("runs from %d", first), func(t *testing.T) {
			n, c := budgetRuns(t, first, min(first+fleetRuns, runs))
			made, commits = made+n, commits+c
		})
	}
	if commits > 0 {
		t.Logf("when all came at once: %s", perCommit(made, commits))
	}
	if int64(made) < commits*callsPerCommit {
		t.Errorf("%d commits for %d calls, want one for %d", commits, made, callsPerCommit)
	}
}

// fleetRuns is how many runs one fleet serves: the emulator keeps everything in memory and becomes slow.
const fleetRuns = 5

// budgetRuns makes some runs on a new fleet, and compares its books. It counts the calls and commits of those where all callers
// come at once.
func budgetRuns(t *testing.T, first, end int) (made int, commits int64) {
	t.Helper()
	s := seed(t)
	members, calls := sized(16, 6), sized(5000, 800)
	p := dear(calls)
	f := newFleet(t, startCloud(t, p.models), members)
	f.warmUp(t)
	for run := first; run < end && !t.Failed(); run++ {
		random := rand.New(rand.NewPCG(s, uint64(run)))
		freezes := []time.Duration{time.Second + time.Duration(random.Int64N(int64(2*time.Second)))}
		if soak() && run%5 == 4 {
			freezes = append(freezes, 30*time.Second)
		}
		callers, crowd := sized(16, 8), soak() && run%2 == 0
		if crowd {
			callers = calls/members + 1 // all at once
		}
		n, c := f.budgetRun(t, p, run, &storm{
			fleet: f, calls: calls, callers: callers, order: orders(s+uint64(run), run),
			faults: faults(random, members, calls, 2+random.IntN(sized(2, 1)), freezes...),
		})
		if crowd {
			made, commits = made+n, commits+c
		}
	}
	f.stop(t)
	f.checkAll(t)
	return made, commits
}

// warmUp lets every member make some calls, so that the emulators, which start slowly, are as fast as they will be.
func (f *fleet) warmUp(t *testing.T) {
	t.Helper()
	key := f.newKey(t, map[string]any{"max_budget": dollar.Dollars()})
	for range sized(50, 5) {
		f.everywhere(t.Context(), key, order{model: "fake-warm", words: 1, limit: 1}, 1)
	}
}

// The same on one machine, where one process has the whole budget.
func TestMoneyBudgetLocal(t *testing.T) {
	s := seed(t)
	calls := sized(2000, 400)
	p := dear(calls)
	f := newFleet(t, startLocal(t, p.models), 1)
	for run := range sized(5, 1) {
		random := rand.New(rand.NewPCG(s, uint64(run)))
		f.budgetRun(t, p, run, &storm{
			fleet: f, calls: calls, callers: 16, order: orders(s+uint64(run), run),
			faults: faults(random, 1, calls, 3, sized(5*time.Second, time.Second)),
		})
		if t.Failed() {
			t.Fatalf("run %d", run)
		}
	}
	f.stop(t)
	f.checkAll(t)
}

// checkAll wants exact books by both ways to ask for them.
func (f *fleet) checkAll(t *testing.T) {
	t.Helper()
	r := f.reconcile(t)
	t.Logf("books: %d entries %s, %d leases; allocated %s = charged %s + outstanding %s + unknown %s + gone %s",
		r.Entries, r.Ledger, r.Leases, r.Allocated, r.Charged, r.Outstanding, r.Unknown, r.Gone)
	if told := f.run(t, f.dir, masterKey, "", "books", "check"); told.code != 0 {
		t.Errorf("sluice books check ends with %d:\n%s%s", told.code, told.out, told.err)
	}
}

// budgetRun is one storm on a new key with a budget of a dollar. It counts the calls of the storm and the commits that
// these took.
func (f *fleet) budgetRun(t *testing.T, p tariff, run int, s *storm) (calls int, commits int64) {
	t.Helper()
	if f.engine == "local" {
		f.before = f.reconcile(t).Allocated
	}
	begun := time.Now()
	s.key = f.newKey(t, map[string]any{"max_budget": dollar.Dollars()})
	results := s.rage(t)
	stormed := time.Since(begun)
	calls = len(results)
	_, commits = f.left(t, s.key, 0)
	results = append(results, f.exhaust(t, s.key, order{model: fmt.Sprintf("fake-run%d", run), words: 20, limit: 24})...)
	lines := f.settled(t, run)
	bill := p.total(lines)
	if bill > dollar {
		t.Errorf("the bill is %s", bill)
	}
	refused := f.checkAnswers(t, results)
	left, all := f.left(t, s.key, bill)
	t.Logf("run %d: %d calls in %v, %d on the bill, %d refused; %v; bill %s, left %s, gone with killed processes %s; %s in the storm and %d to the end",
		run, len(results), stormed.Round(time.Millisecond), len(lines), refused, s.faults, bill, left, dollar-bill-left, perCommit(calls, commits), all)
	if nobodys, most := dollar-bill-left, f.takenAtMost(p, s); nobodys > most {
		t.Errorf("killed processes have taken %s with them, want at most %s", nobodys, most)
	} else if bill+nobodys < gateway.NanoUSD(onTheBill*float64(dollar)) {
		t.Errorf("only %s is on the bill, and %s gone with killed processes", bill, nobodys)
	}
	results = append(results, f.probe(t, p, s.key, run)...)
	f.squeeze(t, s.key, run)
	lines = f.settled(t, run)
	if bill = p.total(lines); bill > dollar {
		t.Errorf("in the end the bill is %s", bill)
	}
	f.checkLedger(t, p, s.key, lines, results, f.lostAtMost(s))
	return calls, commits
}

// checkAnswers wants calls to be served or refused for want of money, and to get no answer only from a process that is killed. It
// counts the refusals.
func (f *fleet) checkAnswers(t *testing.T, results []result) (refused int) {
	t.Helper()
	strange := map[string]int{}
	away := 0
	for _, r := range results {
		switch {
		case r.overBudget() && r.header.Get("X-Should-Retry") == "false":
			refused++
		case r.overBudget():
			strange[fmt.Sprintf("refused with x-should-retry %q", r.header.Get("X-Should-Retry"))]++
		case r.status == 0 && f.alive(r):
			strange["no answer from a process that lives"]++
		case r.status == 503:
			away++
		case r.status != 0 && !r.good():
			strange[fmt.Sprint(r.status, " ", r.kind)]++
		}
	}
	if away > 0 {
		t.Logf("%d calls were answered 503: %v", away, f.troubles(t))
	}
	if len(strange) > 0 || away > len(results)/awayShare {
		t.Errorf("of %d answers, %d are 503 and some are strange: %v", len(results), away, strange)
	}
	return refused
}

// troubles counts the reasons that processes have written down for answers of 503.
func (f *fleet) troubles(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(f.members[0].p.log(f.dir))
	if err != nil {
		t.Error(err)
	}
	count := map[string]int{}
	for line := range bytes.Lines(text) {
		var l struct {
			Msg, Error string
			Status     int
		}
		if json.Unmarshal(line, &l) == nil && l.Msg == "call failed" && l.Status == 503 {
			count[l.Error]++
		}
	}
	return count
}

// lostAtMost is how many calls may have been in flight in the processes that were killed.
func (f *fleet) lostAtMost(s *storm) (n int) {
	for _, fault := range s.faults {
		if fault.frozen == 0 {
			n += s.callers
		}
	}
	return n
}

// perCommit tells how many calls one commit served. A commit writes a process's lease, and maybe the window.
func perCommit(calls int, commits int64) string {
	if commits == 0 {
		return "commits not counted: the embedded store shows no documents"
	}
	return fmt.Sprintf("%d escrow commits, one for %.1f calls", commits, float64(calls)/float64(commits))
}

// takenAtMost is what the processes that were killed may have taken with them: what their calls in flight could have cost, and
// what was opened ahead of need.
func (f *fleet) takenAtMost(p tariff, s *storm) gateway.NanoUSD {
	const aheadShare = 64 // of the limit is opened ahead at most; see escrow
	dearest := gateway.NanoUSD(0)
	for i := range s.calls {
		dearest = max(dearest, p.bound(s.order(i)))
	}
	kills := gateway.NanoUSD(f.lostAtMost(s) / s.callers)
	return kills * (gateway.NanoUSD(s.callers)*dearest + dollar/aheadShare)
}

// exhaust goes on to ask every member at the same time, some calls each, until all refuse for want of money.
func (f *fleet) exhaust(t *testing.T, key string, o order) (all []result) {
	t.Helper()
	for {
		round := f.everywhere(t.Context(), key, o, exhausting)
		all = append(all, round...)
		if !slices.ContainsFunc(round, func(r result) bool { return !r.overBudget() }) {
			return all
		}
		if !slices.ContainsFunc(round, func(r result) bool { return r.good() || r.overBudget() }) {
			t.Fatalf("nobody serves: %v", round)
		}
	}
}

// exhausting is how many calls at once each member gets when a budget is used up to the last.
const exhausting = 4

// everywhere asks all members the same at once, so many times each.
func (f *fleet) everywhere(ctx context.Context, key string, o order, times int) []result {
	results := make([]result, len(f.members)*times)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = f.ask(ctx, f.members[i%len(f.members)], key, o) })
	}
	all.Wait()
	return results
}

// settled returns the lines of a run when no more come: the longest call takes half a second.
func (f *fleet) settled(t *testing.T, run int) []fakeprovider.Line {
	t.Helper()
	for seen := -1; ; {
		now := len(f.provider.Bill())
		if now == seen {
			return f.linesOf(run)
		}
		seen = now
		pause(t.Context(), 600*time.Millisecond)
	}
}

// left is what processes can still have of the dollar at least, and how many commits it took to share it.
func (f *fleet) left(t *testing.T, key string, bill gateway.NanoUSD) (left gateway.NanoUSD, writes int64) {
	t.Helper()
	if f.engine == "cloud" {
		e := f.escrow(t, key)
		if e.opened < bill {
			t.Errorf("processes have opened %s, and %s is on the bill", e.opened, bill)
		}
		return dollar - e.opened, e.writes
	}
	f.stop(t) // gives back what it holds, so that the books tell
	return dollar - (f.reconcile(t).Allocated - f.before), 0
}

// probe asks for just more than is left, for as much as is left, and for more than anybody could pay.
func (f *fleet) probe(t *testing.T, p tariff, key string, run int) (results []result) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(run), 1))
	ask := func(most gateway.NanoUSD) (result, bool) {
		o, ok := p.orderFor(run, most)
		if !ok {
			return result{}, false
		}
		r := f.ask(t.Context(), f.members[random.IntN(len(f.members))], key, o)
		results = append(results, r)
		return r, true
	}
	left, _ := f.left(t, key, 0)
	ask(left + gateway.NanoUSD(p.output)) // may be paid by what a living process has and did not write down; then that is gone
	left, _ = f.left(t, key, 0)
	if r, ok := ask(left); ok && !r.good() {
		t.Errorf("%s is left, and a call that costs no more is refused: %v", left, r)
	} else if !ok {
		t.Logf("run %d: %s is left, which pays for no call", run, left)
	}
	if r, _ := ask(dollar - p.total(f.settled(t, run)) + gateway.NanoUSD(p.output)); !r.overBudget() {
		t.Errorf("a call that may cost more than what is not on the bill: %v", r)
	}
	return results
}

// orderFor is a call whose bound is as near to an amount as can be, and not more; it costs little.
func (p tariff) orderFor(run int, most gateway.NanoUSD) (o order, ok bool) {
	o = order{model: fmt.Sprintf("fake-run%d", run), words: 1, limit: int(int64(most) / p.output)}
	for o.limit > 0 && p.bound(o) > most {
		o.limit--
	}
	return o, o.limit > 0
}

// squeeze asks for answers of any length: each gets what is left, or nothing.
func (f *fleet) squeeze(t *testing.T, key string, run int) {
	t.Helper()
	for _, r := range f.everywhere(t.Context(), key, order{model: fmt.Sprintf("fake-run%d", run), words: meanWords}, 1) {
		if !r.good() && !r.overBudget() {
			t.Errorf("a call without max_tokens: %v", r)
		}
	}
}
