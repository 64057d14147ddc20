package dispatch

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// Faults makes deliveries go wrong as they do in the service, only more often. It is for tests: every fault is allowed by
// the service's contract, so a receiver must give the same results with any of them.
type Faults struct {
	Seed       uint64        // of the random numbers
	Duplicate  float64       // share of pushes that are sent twice, side by side
	DropAnswer float64       // share of pushes whose answer is lost: processed, and delivered again
	Delay      time.Duration // pushes start up to this much late
	Reorder    bool          // messages due together are pushed in any order
}

// WithFaults is for tests.
func WithFaults(f Faults) Option { return func(d *Dispatcher) { d.faults = f } }

// misfortune is what happens to one push.
type misfortune struct {
	twice, drop bool
	delay       time.Duration
}

// luck draws misfortunes. Not for concurrent use.
type luck struct {
	faults Faults
	rand   *rand.Rand
}

func newLuck(f Faults, line uint64) *luck {
	return &luck{f, rand.New(rand.NewPCG(f.Seed, line))}
}

func (l *luck) next() (m misfortune) {
	if l.faults == (Faults{}) {
		return m
	}
	m.twice = l.rand.Float64() < l.faults.Duplicate
	m.drop = l.rand.Float64() < l.faults.DropAnswer
	if l.faults.Delay > 0 {
		m.delay = rand.N(l.faults.Delay)
	}
	return m
}

func (l *luck) shuffle(ms []queue.Leased) {
	if l.faults.Reorder {
		l.rand.Shuffle(len(ms), func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
	}
}

// pushWith pushes a message under its misfortune.
func (l *line) pushWith(ctx context.Context, m queue.Leased, bad misfortune) error {
	if bad.delay > 0 {
		select {
		case <-time.After(bad.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if bad.twice {
		twin := make(chan struct{})
		go func() { defer close(twin); _ = l.push(ctx, m.Message) }()
		defer func() { <-twin }()
	}
	err := l.push(ctx, m.Message)
	if err == nil && bad.drop {
		return errLost
	}
	return err
}
