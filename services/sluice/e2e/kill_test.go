package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	killLines = 2000
	// leaseTime is a little more than a chunk's lease: after so long what a killed worker held may be taken over.
	leaseTime = 32 * time.Second
	// progressLimit is how long a worker may be without work: the sweeper sends a lost message again after two minutes.
	progressLimit = 4 * time.Minute
)

// kills is how often the worker is killed in one run, and how long the run may then take.
func kills() (n int, limit time.Duration) {
	if os.Getenv("SLUICE_SOAK") == "1" {
		return 20, 25 * time.Minute
	}
	return 2, 8 * time.Minute
}

// seed is random, or SLUICE_SEED to repeat a run.
func seed(t *testing.T) uint64 {
	s := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("SLUICE_SEED"), 10, 64); err == nil {
		s = given
	}
	t.Logf("SLUICE_SEED=%d", s)
	return s
}

// killModel is the model of a line: one in twenty misbehaves. What fails for good fails at once, as waiting for a provider
// that always answers 500 is not what this test is about.
func killModel(n int) string {
	const steady = "+delay-300ms" // so that a kill finds many lines in flight
	switch n % 100 {
	case 3, 41:
		return "fault-400"
	case 17:
		return "fault-500-once+retry-after-0"
	case 59:
		return "fault-503-twice+retry-after-0"
	case 83:
		return "fault-empty" // billed, and no answer to show for it
	default:
		return "fake-echo" + steady
	}
}

// failsForGood reports whether the line's model never answers well.
func failsForGood(model string) bool { return model == "fault-400" || model == "fault-empty" }

// The worker is killed with kill -9 in the middle of a batch, again and again. Afterwards every line has exactly one
// result (I1, I2), and the ledger and the provider's bill agree but for what is named as unknown (I6).
func TestKillWorker(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		random := rand.New(rand.NewPCG(seed(t), 0))
		n, limit := kills()
		key := g.newKey(t, map[string]any{"user_id": "kill-user"})
		var in bytes.Buffer
		for i := range killLines {
			in.Write(batchLine(customID(i), killModel(i), fmt.Sprintf("the words of line %d", i)))
		}
		b := g.createBatch(t, key, in.Bytes())
		begun := time.Now()
		for i := range n {
			g.killOnce(t, random, i, n)
		}
		b = g.await(t, key, b.ID, limit)
		t.Logf("%d lines, %d kills: %v; the provider has %d lines on its bill", killLines, n, time.Since(begun).Round(time.Second), len(g.provider.Bill()))
		output := checkResults(t, g, key, b)
		entries := g.checkBooks(t)
		checkEnds(t, output, entries)
		checkBatchEvents(t, g.events(t), b.ID)
		checkSpendEvents(t, g.events(t), entries)
	})
}

func customID(i int) string { return fmt.Sprintf("line-%04d", i) }

// killOnce lets the provider serve a random number of requests, kills the worker at that moment and starts it again, at
// once or when its leases have run out. The numbers add up to less than the batch has lines, so every kill hits the run.
func (g *sluice) killOnce(t *testing.T, random *rand.Rand, i, n int) {
	t.Helper()
	before := len(g.provider.Bill())
	wait := 1 + random.IntN(killLines*9/10/n)
	ctx, cancel := context.WithTimeout(t.Context(), progressLimit)
	defer cancel()
	if got := len(g.provider.AwaitBill(ctx, before+wait)); got < before+wait {
		t.Fatalf("kill %d of %d: the worker made %d requests in %v, want %d", i+1, n, got-before, progressLimit, wait)
	}
	g.kill()
	after := len(g.provider.Bill())
	pause := time.Duration(0)
	if random.IntN(2) == 0 {
		pause = leaseTime
	}
	t.Logf("kill %d of %d after %d requests (%d in all); restart after %v", i+1, n, after-before, after, pause)
	select {
	case <-time.After(pause): // the time for which the worker is down: part of the fault
	case <-t.Context().Done():
	}
	g.restart(t)
}

// checkResults wants each line exactly once over the two files, in the order of the input, and counts that say so. It
// returns the lines that succeeded.
func checkResults(t *testing.T, g *sluice, key string, b batch) (output []line) {
	t.Helper()
	if b.Status != "completed" {
		t.Fatalf("the batch is %+v", b)
	}
	output, failures := g.results(t, key, b.OutputFileID), g.results(t, key, b.ErrorFileID)
	if len(output)+len(failures) != killLines || b.Counts.Total != killLines ||
		b.Counts.Completed != len(output) || b.Counts.Failed != len(failures) {
		t.Errorf("%d lines of output and %d of errors, counts %+v", len(output), len(failures), b.Counts)
	}
	times := map[string]int{}
	for _, lines := range [][]line{output, failures} {
		for _, l := range lines {
			times[l.CustomID]++
		}
		if !slices.IsSortedFunc(lines, func(a, b line) int { return cmp.Compare(a.CustomID, b.CustomID) }) {
			t.Error("a result file is not in the order of the input")
		}
	}
	for i := range killLines {
		if times[customID(i)] != 1 {
			t.Errorf("%s has %d results", customID(i), times[customID(i)])
		}
	}
	for _, l := range output {
		n := lineNo(t, l)
		want := fmt.Sprintf("the words of line %d\"", n)
		if failsForGood(killModel(n)) || l.Response == nil || l.Error != nil || !bytes.Contains(l.Response.Body, []byte(want)) {
			t.Fatalf("%s has the result %+v", l.CustomID, l)
		}
	}
	given := 0
	for _, l := range failures {
		if !failsForGood(killModel(lineNo(t, l))) {
			given++
			t.Logf("%s failed: %+v", l.CustomID, l.Error)
		}
	}
	if n, _ := kills(); given > n { // a line that was alone in flight at several deaths is given up
		t.Errorf("%d lines failed without a reason", given)
	}
	return output
}

// lineNo is the number in a line's custom_id.
func lineNo(t *testing.T, l line) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(l.CustomID, "line-%d", &n); err != nil {
		t.Fatalf("custom_id %q: %v", l.CustomID, err)
	}
	return n
}

// checkEnds wants every line of the output to be the one attempt at it that is billed with its usage.
func checkEnds(t *testing.T, output []line, entries []entry) {
	t.Helper()
	count := map[gateway.Outcome]int{}
	billed := map[string][]string{} // ids of the entries, by custom_id
	for _, e := range entries {
		count[e.Outcome]++
		if e.Outcome == gateway.BilledActual {
			billed[e.CustomID] = append(billed[e.CustomID], e.ID)
		}
	}
	t.Logf("ledger: %v", count)
	for _, l := range output {
		ids := billed[l.CustomID]
		if len(ids) != 1 {
			t.Errorf("%s has a result and is billed %d times: %v", l.CustomID, len(ids), ids)
			continue
		}
		if first, _, _ := strings.Cut(ids[0], "."); first != l.Response.RequestID { // a repetition inside one try has .1 or .2 behind
			t.Errorf("%s has the result of %s and is billed for %s", l.CustomID, l.Response.RequestID, ids[0])
		}
	}
}
