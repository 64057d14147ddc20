package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

// messages is a queue that keeps what is published, or fails.
type messages struct {
	mu   sync.Mutex
	kept []queue.Message
	fail error
	gate chan struct{} // if not nil, a publish waits for it
}

func (m *messages) Publish(_ context.Context, topic queue.Topic, ms ...queue.Message) error {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if topic == queue.Ledger {
		m.kept = append(m.kept, ms...)
	}
	return m.fail
}

func entry(n int) ledger.Entry {
	return ledger.Entry{
		ID: fmt.Sprintf("a%d", n), CallID: fmt.Sprintf("c%d", n), Key: fmt.Sprintf("key%d", n%3), User: "u", Op: gateway.OpChat,
		Model: "m", Provider: "p", Outcome: gateway.BilledActual, Usage: gateway.Usage{InputTokens: 10, OutputTokens: int64(n)},
		Cost: gateway.NanoUSD(n), Started: time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC).UnixMicro() + int64(n),
	}
}

func booker(s store.Store) *ledger.Booker {
	return &ledger.Booker{Store: s, Now: time.Now, Events: &event.Sender{Store: s, Queue: &messages{}, Now: time.Now}}
}

func spent(t *testing.T, s store.Store, scope gateway.Scope, subject string) gateway.NanoUSD {
	t.Helper()
	n, err := ledger.Spent(t.Context(), s, scope, subject)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Redelivery, in the same or another grouping, changes nothing (I3, I6); rollups and events add up to the entries.
func TestBookingIsExactlyOnce(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	b := booker(s)
	var entries []ledger.Entry
	var sum, key0 gateway.NanoUSD
	for n := range 450 {
		e := entry(n)
		entries = append(entries, e)
		if sum += e.Cost; n%3 == 0 {
			key0 += e.Cost
		}
	}
	for _, group := range [][]ledger.Entry{entries[:300], entries[:300], entries[250:], entries[100:120], entries} {
		data, err := json.Marshal(group)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Handle(t.Context(), queue.Message{Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if got := spent(t, s, gateway.ScopeUser, "u"); got != sum {
		t.Errorf("the user's rollup is %d, the entries are %d", got, sum)
	}
	if got := spent(t, s, gateway.ScopeKey, "key0"); got != key0 {
		t.Errorf("the key's rollup is %d, the entries are %d", got, key0)
	}
	n := 0
	for _, err := range ledger.Select(t.Context(), s, ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != len(entries) {
		t.Errorf("%d entries, want %d", n, len(entries))
	}
	var told gateway.NanoUSD
	for line, err := range b.Events.Log(t.Context(), "", false) {
		var e struct {
			Data struct {
				Entries []struct {
					Cost gateway.NanoUSD `json:"cost_nano_usd"`
				}
			}
		}
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(line) > 64<<10 {
			t.Errorf("an event has %d bytes, more than every intermediary forwards", len(line))
		}
		for _, one := range e.Data.Entries {
			told += one.Cost
		}
	}
	if told != sum {
		t.Errorf("the events tell of %d, the entries are %d", told, sum)
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	b := booker(s)
	var entries []ledger.Entry
	for n := range 30 {
		entries = append(entries, entry(n))
	}
	if err := b.Book(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filter ledger.Filter
		first  string
		n      int
	}{
		"all":          {ledger.Filter{}, "a29", 30},
		"key":          {ledger.Filter{Key: "key1"}, "a28", 10},
		"user":         {ledger.Filter{User: "u", Limit: 5}, "a29", 5},
		"range":        {ledger.Filter{From: entries[3].Started, To: entries[7].Started}, "a6", 4},
		"key and user": {ledger.Filter{Key: "key1", User: "other"}, "", 0},
	} {
		first, n := "", 0
		for e, err := range ledger.Select(t.Context(), s, c.filter) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 1 {
				first = e.ID
			}
		}
		if first != c.first || n != c.n {
			t.Errorf("%s: first %q, %d entries; want %q, %d", name, first, n, c.first, c.n)
		}
	}
}

// While one group is on its way the next gathers, and all of a group share its fate.
func TestRecorderGroups(t *testing.T) {
	t.Parallel()
	q := &messages{gate: make(chan struct{})}
	r := ledger.NewRecorder(ledger.Queue{Publisher: q}, ledger.OnDisk)
	const n = 100
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := r.Record(t.Context(), entry(i)); err != nil {
				t.Error(err)
			}
		})
	}
	close(q.gate)
	wg.Wait()
	seen := map[string]int{}
	for _, m := range q.kept {
		var group []ledger.Entry
		if err := json.Unmarshal(m.Data, &group); err != nil {
			t.Fatal(err)
		}
		for _, e := range group {
			seen[e.ID]++
		}
	}
	for i := range n {
		if seen[entry(i).ID] != 1 {
			t.Errorf("%s was recorded %d times", entry(i).ID, seen[entry(i).ID])
		}
	}
	q.fail = errors.New("away")
	if err := r.Record(t.Context(), entry(1)); !errors.Is(err, q.fail) {
		t.Errorf("a failed publish gives %v", err)
	}
	q.fail = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Record(gone, entry(1)); err != nil {
		t.Errorf("the caller is gone: %v", err)
	}
}

// record is a call that does nothing else.
func record(t *testing.T, r *ledger.Recorder, n int) {
	t.Helper()
	if err := r.Begin(t.Context()); err != nil {
		t.Error(err)
		return
	}
	defer r.End()
	if err := r.Record(t.Context(), entry(n)); err != nil {
		t.Error(err)
	}
}

// slow is a sink that takes its time.
type slow struct{ ledger.Sink }

func (s slow) Book(ctx context.Context, entries []ledger.Entry) error {
	time.Sleep(time.Millisecond)
	return s.Sink.Book(ctx, entries)
}

// Callers that send their calls one after the other wait for the sink and for nothing else.
func TestRecorderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		callers int
		streams int // calls that go on all the time
		each    time.Duration
	}{
		"one": {1, 0, time.Millisecond}, "many": {16, 0, 2 * time.Millisecond}, "one beside streams": {1, 5, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := ledger.NewRecorder(slow{ledger.Queue{Publisher: &messages{}}}, ledger.OnDisk)
				for range c.streams {
					if err := r.Begin(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				start, calls := time.Now(), 50
				var wg sync.WaitGroup
				for i := range c.callers {
					wg.Go(func() {
						for n := range calls {
							record(t, r, i*calls+n)
						}
					})
				}
				wg.Wait()
				if each := time.Since(start) / time.Duration(calls); each > c.each {
					t.Errorf("a call takes %v, want %v at most", each, c.each)
				}
			})
		})
	}
}

// Under load groups leave at most every 20 ms, or when they are large enough.
func TestRecorderGathers(t *testing.T) {
	t.Parallel()
	for name, pace := range map[string]ledger.Pace{"on disk": ledger.OnDisk, "over network": ledger.OverNetwork} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { gathers(t, pace) })
		})
	}
}

func gathers(t *testing.T, pace ledger.Pace) {
	q := &messages{}
	r := ledger.NewRecorder(slow{ledger.Queue{Publisher: q}}, pace)
	if err := r.Begin(t.Context()); err != nil { // as long as this call goes on, others may join
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 1000 { // ten each millisecond
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond / 10)
			record(t, r, i)
		})
	}
	wg.Wait()
	if n := len(q.kept); n > 40 {
		t.Errorf("1000 calls in 100 ms left in %d groups", n)
	}
	n := len(q.kept)
	for i := 1; i <= 100; i++ { // one each millisecond, the first ones at once
		wg.Go(func() {
			time.Sleep(time.Duration(max(0, i-10)) * time.Millisecond)
			record(t, r, 1000+i)
		})
	}
	wg.Wait()
	if n = len(q.kept) - n; n < 4 || n > 7 {
		t.Errorf("100 calls in 90 ms left in %d groups", n)
	}
	r.End()
	start := time.Now()
	var atOnce atomic.Int32
	for i := range 64 {
		wg.Go(func() {
			record(t, r, 2000+i)
			if time.Since(start) <= 2*time.Millisecond {
				atOnce.Add(1)
			}
		})
	}
	wg.Wait()
	if n := atOnce.Load(); n < 32 {
		t.Errorf("of 64 calls at once %d were recorded without waiting for more", n)
	}
}

// What could not be recorded is kept, holds back further calls, and is recorded once when that is possible again.
func TestRecorderKeepsWhatItCannotRecord(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	sink := &failing{Sink: booker(s), fail: errors.New("disk full")}
	r := ledger.NewRecorder(sink, ledger.OnDisk)
	for n := range 3 {
		if err := r.Record(t.Context(), entry(n)); !errors.Is(err, sink.fail) {
			t.Fatal(err)
		}
	}
	if err := r.Begin(t.Context()); !errors.Is(err, sink.fail) {
		t.Errorf("Begin while nothing can be recorded: %v", err)
	}
	sink.fail = nil
	if err := booker(s).Book(t.Context(), []ledger.Entry{entry(1)}); err != nil { // its answer was lost, not its effect
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := spent(t, s, gateway.ScopeUser, "u"), entry(0).Cost+entry(1).Cost+entry(2).Cost; got != want {
		t.Errorf("%d recorded, want %d", got, want)
	}
}

type failing struct {
	ledger.Sink
	fail error
}

func (f *failing) Book(ctx context.Context, entries []ledger.Entry) error {
	if f.fail != nil {
		return f.fail
	}
	return f.Sink.Book(ctx, entries)
}

func TestRubbishGoesToTheDeadLetters(t *testing.T) {
	t.Parallel()
	err := booker(memstore.New()).Handle(t.Context(), queue.Message{Data: []byte("{")})
	if err == nil || queue.IsRetry(err) {
		t.Errorf("rubbish gives %v, want an error that asks for no other delivery", err)
	}
}
