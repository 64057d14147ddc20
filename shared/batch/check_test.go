package batch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// check holds the world against the invariants when all is over.
func (s *schedule) check() {
	b := s.get(s.batch)
	if isOpen(b.Status) {
		s.t.Fatalf("I1: the batch is stuck: %+v", b)
	}
	s.checkLines(b)
	s.checkMoney(b)
	s.checkBudgets(b)
	final := map[string]event.Type{"completed": event.BatchCompleted, "failed": event.BatchFailed, "expired": event.BatchExpired, "cancelled": event.BatchCancelled}
	told := s.mail.told()
	for status, kind := range final {
		want := 0
		if status == b.Status {
			want = 1
		}
		if told[kind] != want {
			s.t.Errorf("I10: %d events %s of a batch that is %s", told[kind], kind, b.Status)
		}
	}
	before, calls := s.dump(), s.vendor.calls()
	for _, m := range s.history {
		if err := s.engine.Handle(s.t.Context(), m); err != nil {
			s.t.Errorf("I6: delivering again: %v", err)
		}
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" || s.vendor.calls() != calls {
		s.t.Errorf("I6: delivering again changed something:\n%s", diff)
	}
}

func (s *schedule) checkLines(b batch.Batch) {
	out, failures := s.output(b.OutputFileID), s.output(b.ErrorFileID)
	c := b.RequestCounts
	if int(c.Completed) != len(out) || int(c.Failed) != len(failures) {
		s.t.Errorf("I2: counts %+v, but %d and %d lines", c, len(out), len(failures))
	}
	for _, id := range []*string{b.OutputFileID, b.ErrorFileID} {
		if id == nil {
			continue
		}
		var doc struct{ SHA256 string }
		if _, err := s.store.Get(s.t.Context(), store.Ref{Collection: "files", ID: *id}, &doc); err != nil {
			s.t.Errorf("file %s: %v", *id, err)
		}
		if sum := sha256.Sum256([]byte(s.content(id))); doc.SHA256 != hex.EncodeToString(sum[:]) {
			s.t.Errorf("I2: two finalizers wrote different files")
		}
	}
	if c.Total == 0 && b.InProgressAt == nil {
		return // it ended before it was cut
	}
	var want []string
	for i := range s.lines {
		want = append(want, fmt.Sprintf("r-%d", i))
	}
	number := func(id string) int { return slices.Index(want, id) }
	for _, ids := range [][]string{customIDs(out), customIDs(failures)} {
		if !slices.IsSortedFunc(ids, func(a, b string) int { return number(a) - number(b) }) {
			s.t.Errorf("I2: not in input order: %v", ids)
		}
	}
	got := slices.SortedFunc(slices.Values(append(customIDs(out), customIDs(failures)...)), func(a, b string) int { return number(a) - number(b) })
	if diff := cmp.Diff(got, want); diff != "" {
		s.t.Errorf("I2: lines (-got +want):\n%s", diff)
	}
	s.checkReasons(b, failures)
}

// checkReasons looks that a line failed for a reason that was there.
func (s *schedule) checkReasons(b batch.Batch, failures []outLine) {
	for _, l := range failures {
		if l.Error == nil || l.Error.Code == "no_route" {
			continue
		}
		if want := "batch_" + b.Status; l.Error.Code != want && l.Error.Code != "request_failed" {
			s.t.Errorf("I2: %s has error %s in a batch that is %s", l.CustomID, l.Error.Code, b.Status)
		}
	}
}

func (s *schedule) checkMoney(b batch.Batch) {
	entries := s.entries()
	unknown := 0
	for id, e := range entries {
		if e.Error == "worker_lost" {
			unknown++
		} else if _, called := s.vendor.bill[strings.TrimPrefix(id, "att-")]; !called {
			s.t.Errorf("I3: entry %s for a call that was not made", id)
		}
	}
	for id := range s.vendor.bill {
		named := id[:strings.LastIndex(id, "-")] + "-0" // the line in that attempt
		if _, booked := entries["att-"+id]; booked {
			continue
		}
		if _, ok := entries[named]; !ok {
			s.t.Errorf("I3: call %s is neither booked nor named as unknown (batch is %s)", id, b.Status)
		}
	}
	deaths := s.deaths()
	if most := deaths * (2*s.deps.Settings.FlushLines + s.deps.Settings.Concurrency); unknown > most {
		s.t.Errorf("I7: %d lines in doubt after %d deaths", unknown, deaths)
	}
	if !s.exact || s.jump > 0 { // to a clock that has jumped a day ahead the living look dead, and retries come too late
		return
	}
	if unknown != 0 {
		s.t.Errorf("I7: %d lines in doubt without a crash", unknown)
	}
	if b.Status != "completed" {
		return
	}
	refused := map[string]bool{}
	for _, l := range s.output(b.ErrorFileID) {
		if window, _ := l.refusal(); window != "" {
			refused[l.CustomID] = true
			if strings.HasSuffix(l.CustomID, "7") {
				return // perhaps after a try
			}
		}
	}
	want := 0
	for i := range s.lines {
		if refused[fmt.Sprintf("r-%d", i)] {
			continue
		}
		want += map[byte]int{'5': 3, '7': 2}[fmt.Sprint(i)[len(fmt.Sprint(i))-1]]
		if id := fmt.Sprint(i); !strings.HasSuffix(id, "5") && !strings.HasSuffix(id, "7") {
			want++
		}
	}
	if got := s.vendor.calls(); got != want {
		s.t.Errorf("I7: %d calls without a crash, want %d", got, want)
	}
}

// checkBudgets looks that leases, ledger and windows agree, and that what was refused could not be paid for.
func (s *schedule) checkBudgets(b batch.Batch) {
	windows := s.checkBooks()
	for _, l := range s.output(b.ErrorFileID) {
		if id, bound := l.refusal(); id != "" && id != "unpriced" {
			if w := windows[id]; w.Alloc+bound <= s.vendor.prices.(*till).limitOf(id) {
				s.t.Errorf("I4: %s was refused, %d, by a window that ends as %+v", l.CustomID, bound, w)
			}
		}
	}
}

// deaths counts attempts that were found dead.
func (s *schedule) deaths() (n int) {
	for _, c := range batch.Collections {
		if c.Name != "chunks" {
			continue
		}
		for doc, err := range s.store.Query(s.t.Context(), store.Query{Collection: c}) {
			var chunk struct{ Doubts []struct{} }
			if err == nil {
				err = doc.Decode(&chunk)
			}
			if err != nil {
				s.t.Fatalf("chunks: %v", err)
			}
			n += len(chunk.Doubts)
		}
	}
	return n
}

// dump is the whole store.
func (s *schedule) dump() map[string]string {
	all := map[string]string{}
	for _, c := range append(slices.Clone(batch.Collections), ledger.Entries, ledger.Facts, ledger.Rollups, event.Outbox, escrow.Budgets, escrow.Leases) {
		for doc, err := range s.store.Query(s.t.Context(), store.Query{Collection: c}) {
			if err != nil {
				s.t.Fatalf("dump: %v", err)
			}
			all[c.Name+"/"+doc.ID] = string(doc.JSON)
		}
	}
	return all
}
