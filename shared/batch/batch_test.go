package batch_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/event"
)

func TestBatchRunsToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const n = 250
	b := w.run(input(n))
	if b.Status != "completed" || b.ErrorFileID != nil || b.OutputFileID == nil {
		t.Fatalf("batch: %+v", b)
	}
	if got := b.RequestCounts; got.Total != n || got.Completed != n || got.Failed != 0 {
		t.Errorf("counts: %+v", got)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("r-%d", i))
	}
	lines := w.output(b.OutputFileID)
	if diff := cmp.Diff(customIDs(lines), want); diff != "" {
		t.Errorf("output is not in input order (-got +want):\n%s", diff)
	}
	if got, want := string(lines[3].Response.Body), `{"echo":"r-3"}`; got != want {
		t.Errorf("body: got %s want %s", got, want)
	}
	if got := w.vendor.calls(); got != n {
		t.Errorf("provider was called %d times", got)
	}
	if got := len(w.entries()); got != n {
		t.Errorf("ledger has %d entries", got)
	}
	if b.Usage.InputTokens != 3*n || b.Usage.TotalTokens != 5*n {
		t.Errorf("usage: %+v", b.Usage)
	}
	told := w.mail.told()
	if told[event.BatchCreated] != 1 || told[event.BatchCompleted] != 1 {
		t.Errorf("events: %v", told)
	}
}
