package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

func codes(lines []outLine) (codes []string) {
	for _, l := range lines {
		switch {
		case l.Error != nil:
			codes = append(codes, l.CustomID+" "+l.Error.Code)
		default:
			codes = append(codes, fmt.Sprint(l.CustomID, " ", l.Response.Status))
		}
	}
	return codes
}

func TestAllLinesFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.vendor.answer = func(_ context.Context, c batch.Call, _ int) batch.Reply {
		if c.CustomID == "r-0" {
			return batch.Reply{Status: 400, Body: []byte("not\njson")}
		}
		return batch.Reply{ErrorCode: "request_timeout", ErrorMessage: "too slow"}
	}
	b := w.run(input(2))
	if b.Status != "completed" || b.OutputFileID != nil || b.RequestCounts != (batch.Counts{Total: 2, Failed: 2}) {
		t.Fatalf("batch: %+v", b)
	}
	lines := w.output(b.ErrorFileID)
	if diff := cmp.Diff(codes(lines), []string{"r-0 400", "r-1 request_timeout"}); diff != "" {
		t.Error(diff)
	}
	if got := string(lines[0].Response.Body); got != `"not\njson"` {
		t.Errorf("body: %s", got)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		reply batch.Reply
		until int // tries that get it
		want  string
		calls int
	}{
		{"short wait", batch.Reply{Status: 429, Retryable: true, RetryAfter: time.Second}, 3, "r-0 200", 4},
		{"no wait named", batch.Reply{Status: 500, Retryable: true}, 3, "r-0 200", 4},
		{"no answer", batch.Reply{ErrorCode: "no_route", Retryable: true}, 2, "r-0 200", 3},
		{"never", batch.Reply{Status: 503, Retryable: true}, 1000, "r-0 503", 8},
		{"not worth it", batch.Reply{Status: 404}, 1000, "r-0 404", 1},
		{"long wait", batch.Reply{Status: 429, Retryable: true, RetryAfter: 10 * time.Minute}, 3, "r-0 200", 4},
		{"longer than the batch", batch.Reply{Status: 429, Retryable: true, RetryAfter: 25 * time.Hour}, 1000, "r-0 429", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.vendor.answer = func(_ context.Context, _ batch.Call, try int) batch.Reply {
					if try > tt.until {
						return batch.Reply{Status: 200}
					}
					return tt.reply
				}
				b := w.run(input(1))
				for range 60 {
					if !isOpen(b.Status) {
						break
					}
					time.Sleep(time.Minute)
					w.sweep()
					b = w.get(b.ID)
				}
				if diff := cmp.Diff(codes(append(w.output(b.OutputFileID), w.output(b.ErrorFileID)...)), []string{tt.want}); diff != "" {
					t.Error(diff)
				}
				if w.vendor.calls() != tt.calls || len(w.entries()) != tt.calls {
					t.Errorf("%d calls and %d entries, want %d", w.vendor.calls(), len(w.entries()), tt.calls)
				}
			})
		})
	}
}

// sweep does what a minute's tick does, and the work that comes of it.
func (w *world) sweep() {
	w.t.Helper()
	if err := w.engine.Sweep(w.t.Context()); err != nil {
		w.t.Fatalf("sweep: %v", err)
	}
	w.deliver()
}

func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.create(w.upload(input(3)).ID)
	if _, err := w.batches.Cancel(t.Context(), bob, b.ID); kindOf(err) != gateway.KindNotFound {
		t.Errorf("another's: %v", err)
	}
	for range 2 {
		got, err := w.batches.Cancel(t.Context(), alice, b.ID)
		if err != nil || got.Status != "cancelling" || got.CancellingAt == nil {
			t.Fatalf("cancel: %+v, %v", got, err)
		}
	}
	w.deliver()
	if got := w.get(b.ID); got.Status != "cancelled" || got.CancelledAt == nil || got.OutputFileID != nil || got.ErrorFileID != nil {
		t.Errorf("batch: %+v", got)
	}
	completed := w.run(input(1))
	for id, status := range map[string]string{b.ID: "cancelled", completed.ID: "completed", w.run("x").ID: "failed"} {
		_, err := w.batches.Cancel(t.Context(), alice, id)
		want := fmt.Sprintf("Cannot cancel a batch with status '%s'.", status)
		if e := gateway.AsError(err); e.Kind != gateway.KindConflict || e.Message != want {
			t.Errorf("%s: %v", status, err)
		}
	}
	if w.vendor.calls() != 1 {
		t.Errorf("%d calls", w.vendor.calls())
	}
}

func TestCancelWhileRunningKeepsWhatIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(d *batch.Deps) { d.Settings.ChunkLines, d.Settings.Concurrency = 2, 1 })
		w.vendor.answer = func(ctx context.Context, _ batch.Call, _ int) batch.Reply {
			select {
			case <-ctx.Done():
				return batch.Reply{ErrorCode: "cut"}
			case <-time.After(20 * time.Second):
				return batch.Reply{Status: 200, Body: []byte(`{}`)}
			}
		}
		b := w.create(w.upload(input(6)).ID)
		time.AfterFunc(50*time.Second, func() { // the third line is in flight
			if _, err := w.batches.Cancel(context.Background(), alice, b.ID); err != nil {
				t.Errorf("cancel: %v", err)
			}
		})
		w.deliver()
		b = w.get(b.ID)
		if b.Status != "cancelled" || b.RequestCounts != (batch.Counts{Total: 6, Completed: 3, Failed: 3}) {
			t.Fatalf("batch: %+v", b)
		}
		got := codes(append(w.output(b.OutputFileID), w.output(b.ErrorFileID)...))
		want := []string{"r-0 200", "r-1 200", "r-2 200", "r-3 batch_cancelled", "r-4 batch_cancelled", "r-5 batch_cancelled"}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
		if w.vendor.calls() != 3 || len(w.entries()) != 3 || w.mail.told()[event.BatchCancelled] != 1 {
			t.Errorf("%d calls, %d entries, events %v", w.vendor.calls(), len(w.entries()), w.mail.told())
		}
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(d *batch.Deps) {
			d.Settings = batch.Settings{
				ChunkLines: 1, Window: 1, FlushEvery: 5 * time.Minute, Heartbeat: 5 * time.Minute, Lease: 20 * time.Minute,
				YieldAfter: time.Hour, YieldBy: 2 * time.Hour,
			}
		})
		w.vendor.answer = func(ctx context.Context, c batch.Call, _ int) batch.Reply {
			if c.CustomID == "r-0" {
				return batch.Reply{Status: 200, Body: []byte(`{}`)}
			}
			<-ctx.Done()
			return batch.Reply{ErrorCode: "cut"}
		}
		b := w.create(w.upload(input(3)).ID)
		for isOpen(w.get(b.ID).Status) {
			w.sweep()
			time.Sleep(time.Minute)
		}
		b = w.get(b.ID)
		if b.Status != "expired" || b.ExpiredAt == nil || *b.ExpiredAt > *b.ExpiresAt+6*60 {
			t.Fatalf("batch: %+v", b)
		}
		got := codes(append(w.output(b.OutputFileID), w.output(b.ErrorFileID)...))
		if diff := cmp.Diff(got, []string{"r-0 200", "r-1 batch_expired", "r-2 batch_expired"}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRevokedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *batch.Deps) { d.Settings.Concurrency = 1 })
	w.vendor.answer = func(_ context.Context, c batch.Call, _ int) batch.Reply {
		w.keys.set(c.CustomID == "r-1", nil)
		return batch.Reply{Status: 200}
	}
	b := w.run(input(4))
	got := codes(append(w.output(b.OutputFileID), w.output(b.ErrorFileID)...))
	if diff := cmp.Diff(got, []string{"r-0 200", "r-1 200", "r-2 key_revoked", "r-3 key_revoked"}); diff != "" || b.Status != "completed" {
		t.Errorf("%s %s", b.Status, diff)
	}
	if b := w.run(input(1)); b.Status != "failed" || b.Errors.Data[0].Code != "key_revoked" {
		t.Errorf("a later batch: %+v", b)
	}
}

func TestKeysAreAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		b := w.create(w.upload(input(4)).ID)
		m, _ := w.mail.take()
		w.keys.set(false, errors.New("away"))
		if err := w.engine.Handle(t.Context(), m); !queue.IsRetry(err) {
			t.Errorf("validate: %v", err)
		}
		w.keys.set(false, nil)
		if err := w.engine.Handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w.keys.set(false, errors.New("away"))
		w.deliver()
		if got := w.get(b.ID); got.Status != "in_progress" || w.vendor.calls() != 0 {
			t.Fatalf("%d calls, batch: %+v", w.vendor.calls(), got)
		}
		w.keys.set(false, nil)
		time.Sleep(time.Minute)
		w.sweep()
		if got := w.get(b.ID); got.Status != "completed" || got.RequestCounts.Completed != 4 {
			t.Errorf("batch: %+v", got)
		}
	})
}

// TestLargeBodies has results that fit a document two by two, and one that fits none.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.vendor.answer = func(_ context.Context, c batch.Call, _ int) batch.Reply {
		size := 400_000
		if c.CustomID == "r-3" {
			size = 3_000_000
		}
		return batch.Reply{Status: 200, Body: fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("<", size))}
	}
	b := w.run(input(8))
	lines := w.output(b.OutputFileID)
	if diff := cmp.Diff(len(lines), 8); diff != "" {
		t.Fatalf("batch: %+v\n%s", b, diff)
	}
	if got := len(lines[3].Response.Body); got < 3_000_000 {
		t.Errorf("body has %d bytes", got)
	}
	spilled := 0
	for range w.blobs.List(t.Context(), "parts/") {
		spilled++
	}
	if spilled == 0 {
		t.Error("no part was spilled")
	}
	if _, err := w.files.Delete(t.Context(), alice, *b.OutputFileID); err != nil {
		t.Fatal(err)
	}
	for info := range w.blobs.List(t.Context(), "parts/") {
		t.Errorf("%s is left", info.Name)
	}
}

// TestDeletedInput deletes the file of a batch that runs.
func TestDeletedInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	f := w.upload(input(3))
	b := w.create(f.ID)
	if _, err := w.files.Delete(t.Context(), alice, f.ID); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	b = w.get(b.ID)
	if b.Status != "completed" || b.RequestCounts.Completed != 3 {
		t.Errorf("batch: %+v", b)
	}
	for info := range w.blobs.List(t.Context(), "") {
		if !strings.HasSuffix(info.Name, *b.OutputFileID) {
			t.Errorf("%s is left", info.Name)
		}
	}
}

// TestResultsCanBeWatched is what a submitter does with a plain listener.
func TestResultsCanBeWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.run(input(60))
	seen := map[string]bool{}
	parts := batch.Collections[3]
	for doc, err := range w.store.Query(t.Context(), store.Query{Collection: parts, Eq: map[string]any{"batch": b.ID}}) {
		var part struct {
			Results []struct {
				CustomID string `json:"custom_id"`
				Status   int    `json:"status_code"`
				Body     string
			}
		}
		if err == nil {
			err = doc.Decode(&part)
		}
		if err != nil || len(part.Results) == 0 || len(part.Results) > 25 {
			t.Fatalf("part %s: %v, %d results", doc.ID, err, len(part.Results))
		}
		for _, r := range part.Results {
			seen[r.CustomID] = r.Status == 200 && strings.HasPrefix(r.Body, "{")
		}
	}
	for i := range 60 {
		if !seen[fmt.Sprintf("r-%d", i)] {
			t.Errorf("r-%d was not to be seen", i)
		}
	}
}
