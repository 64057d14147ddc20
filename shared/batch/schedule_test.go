package batch_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
)

var (
	schedules = flag.Int("schedules", 300, "random schedules to run")
	firstSeed = flag.Uint64("seed", 1, "seed of the first schedule")
)

// soakSchedules are run by make soak.
const soakSchedules = 10_000

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test."+name || f.Name == name })
	return given
}

// TestSchedules runs the real code under random schedules: crashes and lost answers at any store, bucket or queue step,
// frozen workers that come back, lost, doubled and reordered messages, terminations, cancellation, expiry. Whatever happens:
//
//	I1  the batch comes to exactly one final state
//	I2  every line is in exactly one result file, once, in input order; counts equal the files
//	I3  every provider call has one ledger entry, or its line and attempt are named as unknown
//	I4  under budgets, the provider's bill and the worst that may yet come stay within every limit at every moment; leases,
//	    ledger and windows agree in the end; a line is refused only if a window could not pay for it
//	I6  delivering every message again changes nothing
//	I7  without crashes there is no call but first tries and policy retries; with them no more than was written ahead
//	I10 one event for the final state, published
func TestSchedules(t *testing.T) {
	t.Parallel()
	n := *schedules
	if os.Getenv("SLUICE_SOAK") == "1" && !flagGiven("schedules") {
		n = soakSchedules
	}
	for i := range n {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newSchedule(t, seed).run() })
		})
	}
}

// schedule is one random run.
type schedule struct {
	*world
	dice  *dice
	lines int
	batch string
	exact bool // no call may be repeated but by policy

	mu      sync.Mutex
	jump    time.Duration // how far the clock was put forward
	history []queue.Message
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	d := &dice{rng: rand.New(rand.NewPCG(seed, 0))}
	s := &schedule{dice: d, lines: 1 + d.below(20)}
	s.world = newWorld(t, func(deps *batch.Deps) {
		deps.Now = s.clock(0)
		deps.Settings = batch.Settings{
			ChunkLines: 1 + d.below(6), FlushLines: 1 + d.below(3), Window: 1 + d.below(3), Concurrency: 1 + d.below(3),
		}
	})
	s.vendor.answer = s.answer
	pick := func(ps ...float64) float64 { return ps[d.below(len(ps))] }
	d.chances = chances{
		crash: pick(0, .01, .03), freeze: pick(0, .01, .03), flaky: pick(0, .01, .05),
		lose: pick(0, .1), duplicate: pick(0, .1), terminate: pick(0, .05),
	}
	if d.below(4) == 0 { // only messages go astray
		d.chances = chances{lose: pick(0, .1), duplicate: .3}
	}
	if d.below(2) == 0 {
		s.under(s.clock(0), randomLimits(d.rng, s.lines)...)
	}
	c := d.chances
	s.exact = c.crash+c.freeze+c.flaky+c.terminate == 0
	return s
}

// clock is a process's idea of the time.
func (s *schedule) clock(skew time.Duration) func() time.Time {
	return func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return time.Now().Add(s.jump + skew)
	}
}

// answer is what the provider does: mostly well, sometimes badly, sometimes only later.
func (s *schedule) answer(ctx context.Context, c batch.Call, try int) batch.Reply {
	pause := time.Duration(s.dice.below(4000)) * time.Millisecond
	switch long := s.dice.below(20); {
	case long < 2:
		pause *= 15
	case long == 2 && !s.exact:
		pause *= 100
	}
	select {
	case <-ctx.Done():
		e := billed(c, 0)
		if !s.exact && s.dice.happens(.5) {
			e.Outcome, e.Cost, e.Doubt = gateway.Unknown, cost/2, max(0, c.Bound-cost/2)
		}
		return batch.Reply{Retryable: true, Entries: []ledger.Entry{e}}
	case <-time.After(pause):
	}
	switch {
	case strings.HasSuffix(c.CustomID, "3"):
		return batch.Reply{Status: 400, Body: []byte(`{"error":{}}`)}
	case strings.HasSuffix(c.CustomID, "5") && try < 3:
		return batch.Reply{Status: 429, Retryable: true, RetryAfter: 2 * time.Second}
	case strings.HasSuffix(c.CustomID, "7") && try == 1:
		return batch.Reply{Status: 429, Retryable: true, RetryAfter: time.Minute}
	case strings.HasSuffix(c.CustomID, "9"):
		return batch.Reply{ErrorCode: "no_route"}
	}
	return batch.Reply{Status: 200, Body: []byte(`{"ok":true}`)}
}

// start makes a process with an engine.
func (s *schedule) start() (*process, *batch.Engine, *event.Sender) {
	p := &process{dice: s.dice}
	d := s.deps
	d.Store, d.Blobs, d.Queue = faultyStore{s.store, p}, faultyBucket{s.blobs, p}, faultyQueue{s.mail, p}
	d.Now = s.clock(time.Duration(s.dice.below(5)-2) * time.Second)
	d.Events = &event.Sender{Store: d.Store, Queue: d.Queue, Now: d.Now}
	withEscrow(&d)
	return p, batch.NewEngine(d, faultyCaller{s.vendor, p}, s.keys, models{}), d.Events
}

const trouble = 30 * time.Minute // of fake time, then all is well

func (s *schedule) run() {
	s.batch = s.begin()
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { s.worker(ctx) })
	}
	all.Go(func() { s.sweeper(ctx) })
	if s.dice.below(4) == 0 {
		all.Go(func() { s.cancelLater(ctx) })
	}
	if s.dice.below(4) == 0 {
		all.Go(func() { s.expireLater(ctx) })
	}
	time.Sleep(trouble)
	s.dice.calm()
	for range 60 {
		time.Sleep(time.Minute)
		if !isOpen(s.get(s.batch).Status) && s.mail.len() == 0 {
			break
		}
	}
	cancel()
	all.Wait()
	s.check()
}

// begin creates the batch as a client would that repeats itself until it has an answer.
func (s *schedule) begin() string {
	f := s.upload(input(s.lines))
	order := batch.Order{InputFileID: f.ID, Endpoint: chatURL, CompletionWindow: "24h", IdempotencyKey: "once"}
	for {
		p := &process{dice: s.dice}
		d := s.deps
		d.Store, d.Queue = faultyStore{s.store, p}, faultyQueue{s.mail, p}
		d.Events = &event.Sender{Store: d.Store, Queue: d.Queue, Now: d.Now}
		if b, err := batch.NewBatches(d).Create(s.t.Context(), alice, order); err == nil {
			return b.ID
		}
	}
}

// worker handles messages in any order. A process that dies is followed by another.
func (s *schedule) worker(ctx context.Context) {
	p, engine, _ := s.start()
	for ctx.Err() == nil {
		m, ok := s.pick()
		if !ok {
			sleep(ctx, time.Second)
			continue
		}
		handling, cancel := context.WithCancel(ctx)
		if s.dice.happens(s.dice.now().terminate) {
			time.AfterFunc(time.Duration(s.dice.below(5000))*time.Millisecond, cancel)
		}
		err := engine.Handle(handling, m)
		cancel()
		switch {
		case p.isDead():
			p, engine, _ = s.start()
			fallthrough
		case queue.IsRetry(err):
			if !s.dice.happens(s.dice.now().lose) {
				_ = s.mail.Publish(ctx, queue.Work, m)
			}
			sleep(ctx, 5*time.Second)
		case err != nil:
			s.t.Errorf("handle %v %s: %v", m.Attributes, m.Data, err)
		}
	}
}

// pick takes any message.
func (s *schedule) pick() (queue.Message, bool) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	if len(s.mail.work) == 0 {
		return queue.Message{}, false
	}
	i := s.dice.below(len(s.mail.work))
	m := s.mail.work[i]
	s.mail.work = slices.Delete(s.mail.work, i, i+1)
	s.history = append(s.history, m)
	return m, true
}

func (s *schedule) sweeper(ctx context.Context) {
	p, engine, events := s.start()
	for ctx.Err() == nil {
		sleep(ctx, time.Minute)
		_, _ = engine.Sweep(ctx), events.Sweep(ctx) // what they leave is for the next
		if p.isDead() {
			p, engine, events = s.start()
		}
	}
}

func (s *schedule) cancelLater(ctx context.Context) {
	sleep(ctx, time.Duration(s.dice.below(300))*time.Second)
	_, err := s.batches.Cancel(ctx, alice, s.batch)
	var e *gateway.Error
	if err != nil && (!errors.As(err, &e) || e.Kind != gateway.KindConflict) {
		s.t.Errorf("cancel: %v", err)
	}
}

func (s *schedule) expireLater(ctx context.Context) {
	sleep(ctx, time.Duration(s.dice.below(300))*time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jump = 24 * time.Hour
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func isOpen(status string) bool {
	return !slices.Contains([]string{"completed", "failed", "expired", "cancelled"}, status)
}
