package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// readiness is where a process says that it serves.
const readiness = "/health/readiness"

// soak reports whether the long tests run.
func soak() bool { return os.Getenv("SLUICE_SOAK") == "1" }

// sized picks the size of a test: the whole, or CI's sample of it.
func sized[T any](whole, sample T) T {
	if soak() {
		return whole
	}
	return sample
}

// TestMoneyLimits runs the tests that mostly wait side by side, and beside no others: a promise of a second is one of them.
func TestMoneyLimits(t *testing.T) {
	for name, test := range map[string]func(t *testing.T){"rates": moneyRates, "slots": moneySlots, "revocation": moneyRevocation} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// fleet is a gateway with several processes that answer callers, besides the front, which serves the test's own questions.
// On the local engine its only member is the front.
type fleet struct {
	*sluice
	members []*member
	client  *http.Client
	before  gateway.NanoUSD // what budgets had allocated when the current run began; on the local engine
}

// member is one process of a fleet, killed and started again any number of times.
type member struct {
	n     int
	url   string
	start func(t testing.TB) *process // does not wait until it serves

	mu   sync.Mutex
	p    *process
	life int           // counts its starts
	up   chan struct{} // closed while it serves
}

func newFleet(t *testing.T, g *sluice, size int) *fleet {
	t.Helper()
	// A POST on a connection that the server is about to close as idle would be lost: the client is faster.
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, IdleConnTimeout: 10 * time.Second}
	f := &fleet{sluice: g, client: &http.Client{Transport: transport, Timeout: 2 * callLimit}}
	t.Cleanup(f.client.CloseIdleConnections)
	if g.engine == "local" {
		m := &member{url: g.url, p: g.front, up: make(chan struct{})}
		m.start = func(t testing.TB) *process { g.restartFront(t); return g.front }
		close(m.up)
		f.members = []*member{m}
		return f
	}
	for n := range size {
		port := freePort(t)
		m := &member{n: n, up: make(chan struct{})}
		m.start = func(t testing.TB) (p *process) { p, m.url = g.spawnFront(t, port); return p }
		m.p = m.start(t)
		f.members = append(f.members, m)
	}
	for _, m := range f.members {
		m.p.untilServing(t, m.url+readiness)
		close(m.up)
	}
	return f
}

// kill is kill -9 and a new process at once; it returns when that serves.
func (m *member) kill(t testing.TB) { t.Helper(); m.again(t, (*process).kill) }

// again ends the process and starts another one. Callers wait until it serves.
func (m *member) again(t testing.TB, end func(*process)) {
	t.Helper()
	up := make(chan struct{})
	m.mu.Lock()
	m.up = up
	m.mu.Unlock()
	end(m.p)
	p := m.start(t)
	p.untilServing(t, m.url+readiness)
	m.mu.Lock()
	m.p = p
	m.life++
	m.mu.Unlock()
	close(up)
}

// freeze stops the process where it is, until thaw. One that has ended stays as it is.
func (p *process) freeze(t testing.TB) { t.Helper(); p.signal(t, syscall.SIGSTOP) }
func (p *process) thaw(t testing.TB)   { t.Helper(); p.signal(t, syscall.SIGCONT) }

func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%s: %v", p.name, err)
	}
}

// await waits until the member serves, and tells which of its lives that is.
func (m *member) await(ctx context.Context) (life int, ok bool) {
	m.mu.Lock()
	up := m.up
	m.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life, true
}

// alive tells whether what a member did in one of its lives is in the memory of a running process.
func (f *fleet) alive(r result) bool { return f.members[r.member].life == r.life }

// stop ends the members in order, all at once; on the local engine the front starts again, to answer the test.
func (f *fleet) stop(t testing.TB) {
	t.Helper()
	if f.engine == "local" {
		f.members[0].again(t, func(p *process) { p.stop(t) })
		return
	}
	for _, m := range f.members {
		m.p.signal(t, syscall.SIGTERM)
	}
	for _, m := range f.members {
		m.p.stop(t)
	}
}

// pause waits so long, or until ctx ends, and reports whether it was the former.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
