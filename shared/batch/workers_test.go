package batch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// TestPoisonLine has a line that kills every worker it meets.
func TestPoisonLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		b := w.create(w.upload(input(4)).ID)
		calm := &dice{}
		deaths := 0
		for range 40 {
			p := &process{dice: calm}
			d := w.deps
			d.Store = faultyStore{w.store, p}
			w.vendor.answer = func(ctx context.Context, c batch.Call, _ int) batch.Reply {
				if c.CustomID == "r-2" {
					_ = p.die()
					deaths++
					return batch.Reply{Retryable: true}
				}
				return batch.Reply{Status: 200}
			}
			for m, ok := w.mail.take(); ok && !p.isDead(); m, ok = w.mail.take() {
				_ = batch.NewEngine(d, faultyCaller{w.vendor, p}, w.keys, models{}).Handle(t.Context(), m)
			}
			time.Sleep(time.Minute)
			if err := w.engine.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		b = w.get(b.ID)
		got := codes(append(w.output(b.OutputFileID), w.output(b.ErrorFileID)...))
		if diff := cmp.Diff(got, []string{"r-0 200", "r-1 200", "r-3 200", "r-2 request_failed"}); diff != "" || deaths > 10 {
			t.Errorf("%d deaths, batch %+v\n%s", deaths, b, diff)
		}
	})
}

// TestTermination has a worker that is told to end while lines are in flight.
func TestTermination(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.vendor.answer = func(ctx context.Context, c batch.Call, try int) batch.Reply {
			if c.CustomID == "r-2" && try == 1 {
				<-ctx.Done()
				return batch.Reply{ErrorCode: "cut"}
			}
			return batch.Reply{Status: 200}
		}
		b := w.create(w.upload(input(4)).ID)
		for _, deadline := range []time.Duration{time.Hour, time.Second} {
			m, _ := w.mail.take()
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			began := time.Now()
			if err := w.engine.Handle(ctx, m); err != nil {
				t.Fatal(err)
			}
			cancel()
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("handing back took %s", took)
			}
		}
		w.deliver()
		if got := w.get(b.ID); got.Status != "completed" || got.RequestCounts.Completed != 4 || w.vendor.calls() != 5 || len(w.entries()) != 5 {
			t.Errorf("%d calls, %d entries, batch %+v", w.vendor.calls(), len(w.entries()), got)
		}
	})
}

// TestSharedEntryIDs has a provider adapter that breaks its promise; the batch must end all the same.
func TestSharedEntryIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.vendor.answer = func(_ context.Context, c batch.Call, _ int) batch.Reply {
		e := billed(c, 200)
		e.ID = "same"
		return batch.Reply{Status: 200, Entries: []ledger.Entry{e}}
	}
	if b := w.run(input(120)); b.Status != "completed" || b.RequestCounts.Completed != 120 || len(w.entries()) != 1 {
		t.Errorf("%d entries, batch %+v", len(w.entries()), b)
	}
}

func TestUnknownMessagesAreDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, m := range []queue.Message{
		{Attributes: map[string]string{"type": "nonsense"}, Data: []byte(`{}`)},
		{Attributes: map[string]string{"type": "chunk"}, Data: []byte(`no`)},
	} {
		if err := w.engine.Handle(t.Context(), m); err == nil || queue.IsRetry(err) {
			t.Errorf("%v: %v", m.Attributes, err)
		}
	}
	for _, kind := range []string{"validate", "chunk", "finalize", "sweep"} {
		m := queue.Message{Attributes: map[string]string{"type": kind}, Data: []byte(`{"batch":"batch_gone","chunk":7}`)}
		if err := w.engine.Handle(t.Context(), m); err != nil {
			t.Errorf("%s of a batch that is gone: %v", kind, err)
		}
	}
}

// TestBadDocument has a batch that cannot be read beside a good one whose message was lost.
func TestBadDocument(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		bad := map[string]any{"id": 7, "open": true, "owner": alice.Owner().String(), "created": 1}
		if _, err := w.store.Create(t.Context(), store.Ref{Collection: "batches", ID: "0"}, bad); err != nil {
			t.Fatal(err)
		}
		b := w.create(w.upload(input(1)).ID)
		w.mail.take()
		time.Sleep(3 * time.Minute)
		if err := w.engine.Sweep(t.Context()); err == nil {
			t.Error("the sweep did not tell")
		}
		w.deliver()
		if got := w.get(b.ID); got.Status != "completed" {
			t.Errorf("batch: %+v", got)
		}
		if page, err := w.batches.List(t.Context(), alice, batch.Page{}); err != nil || len(page.Data) != 1 {
			t.Errorf("list: %+v, %v", page, err)
		}
	})
}

// TestLiveLease delivers a chunk's message again while its first delivery is at work: the second finds the lease and leaves.
func TestLiveLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.vendor.answer = func(context.Context, batch.Call, int) batch.Reply {
			time.Sleep(5 * time.Second) // virtual; well within a lease
			return batch.Reply{Status: 200}
		}
		b := w.create(w.upload(input(4)).ID)
		validate, _ := w.mail.take()
		if err := w.engine.Handle(t.Context(), validate); err != nil {
			t.Fatal(err)
		}
		chunk, ok := w.mail.take()
		if !ok {
			t.Fatal("no message for the chunk")
		}
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- w.newEngine(w.deps).Handle(t.Context(), chunk) }()
			time.Sleep(time.Second)
		}
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		w.deliver()
		if n := w.vendor.calls(); n != 4 {
			t.Errorf("4 lines took %d calls", n)
		}
		if b = w.get(b.ID); b.Status != "completed" || b.RequestCounts.Completed != 4 {
			t.Errorf("batch %+v", b)
		}
	})
}
