package ratelimit

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	// tick is how often Run looks for leases to renew and rights that lie idle.
	tick = time.Second
	// pause is how long Run waits before it watches anew.
	pause = time.Second
	// atOnce bounds its exchanges with the store.
	atOnce = 8
)

// Run renews leases while calls run and gives back what other processes want and this one does not use, until ctx ends.
// Limits hold without it: it makes that calls of other processes wait less. It is to run once, and does not fail.
func (l *Limiter) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error {
		for ctx.Err() == nil {
			if err := l.watch(ctx); err != nil && ctx.Err() == nil {
				l.log.WarnContext(ctx, "watch of wanted slots ended", slog.Any("error", err))
			}
			sleep(ctx, pause)
		}
		return nil
	})
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.due:
		case <-ticker.C:
		}
		if err := l.tend(ctx); err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "rights of limits were not renewed or given back", slog.Any("error", err))
		}
	}
	return g.Wait()
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// wake tells Run to look now.
func (l *Limiter) wake() {
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// watch hears who wants slots.
func (l *Limiter) watch(ctx context.Context) error {
	for change, err := range l.store.Watch(ctx, store.Query{Collection: Rates, Eq: map[string]any{"wanted": true}}) {
		if err != nil {
			return err
		}
		if change.Live || change.Removed {
			continue
		}
		n := news{version: change.Doc.Version}
		if err := change.Doc.Decode(&n.doc); err != nil {
			return err
		}
		l.mu.Lock()
		if s := l.slots[n.doc.Limit]; s != nil {
			s.hear(&n, l.now())
		}
		l.mu.Unlock()
	}
	return nil
}

// tend makes the exchanges that are due.
func (l *Limiter) tend(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, begin := range l.dues() {
		g.Go(func() error {
			l.mu.Lock()
			defer l.mu.Unlock()
			leg := begin()
			if leg == nil {
				return nil
			}
			_, err := l.fly(ctx, leg)
			return err
		})
	}
	return g.Wait()
}

// dues are the exchanges that are due; each looks again when its turn comes, and may find that it no longer is.
func (l *Limiter) dues() (dues []func() leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(l.now())
	for _, s := range l.slots {
		if s.idle() || s.aging() {
			dues = append(dues, func() leg {
				if !s.idle() && !s.aging() {
					return nil
				}
				return s.depart(0, s.max, l.now())
			})
		}
	}
	for _, w := range l.windows {
		if n := w.surplus(); n > 0 {
			dues = append(dues, func() leg {
				if n = min(n, w.rights); n <= 0 || w.flight != nil {
					return nil
				}
				return w.returns(n)
			})
		}
	}
	return dues
}

// idle tells that others want what is held and not used.
func (s *slots) idle() bool { return s.flight == nil && s.due() > 0 && s.held > s.used && s.sure() }

// aging tells that the lease of running calls is to be renewed.
func (s *slots) aging() bool {
	return s.flight == nil && (time.Now().Before(s.doubt) || s.used+s.peak > 0 && time.Since(s.begun) >= renewal)
}

// Close gives back all that is not in use. Slots of running calls stay taken until their leases end. No Take may follow.
func (l *Limiter) Close(ctx context.Context) error {
	l.mu.Lock()
	for _, s := range l.slots {
		s.owed, s.since = s.held, time.Time{}
	}
	for _, w := range l.windows {
		w.low = w.rights
	}
	l.mu.Unlock()
	return l.tend(ctx)
}
