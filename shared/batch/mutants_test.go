package batch_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var runMutants = flag.Bool("mutants", false, "check that TestSchedules finds each of the broken variants (a build for each)")

// mutants are ways to break the protocol with one edit.
var mutants = []struct{ name, file, old, new string }{
	{"part names without the attempt", "ids.go", "chunk, attempt, step)", "chunk, 0, step)"},
	{"takeover ignores earlier parts", "work.go", "answered(earlier)", "answered(nil)"},
	{"commit without fence", "step.go", "return errFenced", ""},
	{"lines are started before they are written ahead", "run.go", "&& r.todo[0].no < r.gate {", "{"},
	{"a dead attempt leaves no doubt", "claim.go", "if c.State == running {", "if false {"},
	{"a live lease is ignored", "claim.go", "c.State == running && c.LeaseUntil > now", "false"},
	{"the sweeper forgets lost workers", "sweep.go", "return c.LeaseUntil <= now", "return false"},
	{"sealing settles nothing", "seal.go", "s.book, err = next.settlement(b, lines, ps)", "_, err = next.settlement(b, lines, ps)"},
	{"sealing takes chunks that are held", "seal.go", "c.State == running && c.LeaseUntil > e.micros(0)", "false"},
	{"a final state can be left", "documents.go", "expiring:   {expired},", "expiring: {expired}, completed: {failed, cancelling},"},
	{"entries of cut lines are dropped", "commit.go", "n > 0 || len(r.entries) > 0", "n > 0"},
	{"handing back keeps no results", "run.go", "func (r *run) handBack(ctx context.Context) error {", "func (r *run) handBack(ctx context.Context) error {\n\tr.pending, r.entries = nil, nil"},
	{"events are not put in the transaction", "move.go", "err := d.Events.Put(tx, events...)", "err := d.Events.Put(tx)"},
	{"validating plants late", "validate.go", "err != nil || now.State != validating", "err != nil"},
	{"money is set aside after sending", "purse.go", "p.pots[n].atStake += s.Bound", "p.pots[n].atStake += 0"},
	{"lines are sent before they are paid for", "work.go", "r.shut(ctx)", ""},
	{"what a dead attempt had at stake is given back", "holding.go", "m.Holdings[n].Spent += lost[i].Bound", "m.Holdings[n].Spent += 0"},
	{"what a dead attempt had at stake is not named", "settle.go", "e.Doubt, e.Reserved, e.Leases = gateway.NanoUSD(s.Bound)", "e.Doubt, e.Reserved, e.Leases = 0*gateway.NanoUSD(s.Bound)"},
	{"a new attempt forgets the holdings", "work.go", "chunk: c, money: c.clone(), unbooked", "chunk: c, unbooked"},
	{"handing back forgets the holdings", "work.go", "chunk: c, money: c.clone(), later", "chunk: c, later"},
	{"sealing leaves leases open", "seal.go", "purse: &purse{escrow: e.Escrow, money: next.money}", "purse: &purse{escrow: e.Escrow}"},
	{"a line's money comes back twice", "holding.go", "m.Stakes = slices.Delete(m.Stakes, i, i+1)", "m.Stakes = slices.Delete(m.Stakes, i, min(i+2, len(m.Stakes)))"},
	{"doubts are given back", "holding.go", ".Plus(entries[i].Cost).Plus(entries[i].Doubt)", ".Plus(entries[i].Cost)"},
	{"what was paid twice counts once", "call.go", "&& isUnpaid(o.entries)", ""},
	{"one window pays for all", "purse.go", "for i, n := range s.In {", "for i, n := range s.In[:1] {"},
	{"a line is charged to the wrong window", "purse.go", "next.Stakes[i].In[j] = place[pot]", "next.Stakes[i].In[j] = place[0*pot]"},
	{"whoever could pay is refused", "purse.go", "case final || p.ask.last", "case final || true || p.ask.last"},
	{"leases are closed with too little", "purse.go", "h.lease.Close(h.Spent)", "h.lease.Close(0)"},
	{"output in order of arrival", "compose.go", "cmp.Compare(a.Line, b.Line)", "cmp.Compare(0, 0*(a.Line+b.Line))"},
}

// teeth are the tests one of which every mutant must fail.
const teeth = "TestSchedules|TestLiveLease|TestBudgets|TestDeathUnderBudget|TestUnknownOutcome|TestMoneyOfOthers"

// TestMutants shows that TestSchedules has teeth, and a few tests beside it.
func TestMutants(t *testing.T) {
	if !*runMutants && os.Getenv("SLUICE_SOAK") != "1" {
		t.Skip("SKIPPED: broken variants are checked only with -mutants, or by make soak")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			out, err := exec.Command("go", "test", "-overlay", overlay(t, m.file, m.old, m.new), "-run", teeth, "-schedules", "10000", "-failfast", "-timeout", "150s", ".").CombinedOutput()
			switch {
			case err == nil:
				t.Error("the mutant survived")
			case !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "panic:"):
				t.Errorf("the mutant did not run:\n%s", out)
			}
		})
	}
}

// overlay is a file that tells the go command of an edited source file.
func overlay(t *testing.T, file, before, after string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), before); n != 1 {
		t.Fatalf("%s has the text %d times: %s", file, n, before)
	}
	dir := t.TempDir()
	edited := filepath.Join(dir, file)
	if err := os.WriteFile(edited, []byte(strings.Replace(string(source), before, after, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{original: edited}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return list
}
