// Package dispatch is Pub/Sub push, spoken locally: it drains a queue.Source by POSTing every message in the service's own
// envelope to an endpoint, and treats the answers as the service does. What runs behind the endpoint cannot tell the two
// apart. Like the service:
//
//   - 102, 200, 201, 202 and 204 acknowledge. Any other answer, none within the ack deadline, or no connection asks for
//     another delivery, after a backoff that doubles per attempt. After a missed deadline the next delivery may run beside
//     the first.
//   - With a dead-letter policy the body tells the attempt, and a message that failed its last one moves to the dead topic.
//   - The window of pushes in flight starts small, doubles with success and halves with failure.
//   - A refusal slows the whole subscription, not only its message.
//
// Unlike the service it sends one subscription's messages oldest first, adds no jitter to backoffs, and knows neither
// ordering keys nor filters.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/queue"
)

const (
	defaultDrain = 8 * time.Second // Cloud Run kills ten seconds after it asks to stop (Cloud Run contract, read 2026-11)
	settleWithin = 5 * time.Second // for making one outcome durable
	handlerGrace = time.Second     // for in-process handlers to return once their request is cancelled
)

// The service's push backoff grows to a minute. On one machine that only hides the trouble: a local process does well with
// the mild limit, which shows the slow-down and lets a person wait for the end of it.
const (
	ServicePushBackoff = time.Minute
	MildPushBackoff    = 2 * time.Second
)

// Dispatcher pushes the messages of some subscriptions. Make one with New and call Run once.
type Dispatcher struct {
	source       queue.Source
	dead         queue.Publisher
	subs         []Subscription
	project      string
	signer       *Signer
	log          *slog.Logger
	drain        time.Duration
	backoffLimit time.Duration
	faults       Faults
}

// Option changes a Dispatcher in the making.
type Option func(*Dispatcher)

// DeadLetters names where dead letters are published. Subscriptions with a dead-letter policy need it.
func DeadLetters(p queue.Publisher) Option { return func(d *Dispatcher) { d.dead = p } }

// Project is the project in the subscription names of the envelope; "local" unless told.
func Project(id string) Option { return func(d *Dispatcher) { d.project = id } }

// SignedBy adds an identity token to every push.
func SignedBy(s *Signer) Option { return func(d *Dispatcher) { d.signer = s } }

// Logger takes the place of slog.Default.
func Logger(l *slog.Logger) Option { return func(d *Dispatcher) { d.log = l } }

// Drain bounds how long Run waits for running pushes once its context ends; 8 s unless told.
func Drain(limit time.Duration) Option { return func(d *Dispatcher) { d.drain = limit } }

// PushBackoff bounds the pause that refusals put between all pushes of a subscription, which starts at 100 ms. It is
// ServicePushBackoff unless told; local mode passes MildPushBackoff; zero switches it off, which only subscriptions with a
// MinBackoff may do.
func PushBackoff(limit time.Duration) Option {
	return func(d *Dispatcher) { d.backoffLimit = limit }
}

// New checks the subscriptions and makes a dispatcher. It starts nothing and costs nothing.
func New(source queue.Source, subs []Subscription, options ...Option) (*Dispatcher, error) {
	d := &Dispatcher{
		source: source, project: "local", log: slog.Default(),
		drain: defaultDrain, backoffLimit: ServicePushBackoff,
	}
	for _, o := range options {
		o(d)
	}
	var faults []error
	for _, s := range subs {
		s = s.withDefaults()
		if err := s.check(d); err != nil {
			faults = append(faults, fmt.Errorf("subscription %s: %w", s.Name, err))
		}
		d.subs = append(d.subs, s)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return d, nil
}

// Run pushes until ctx ends. Then it leases no more, waits for running pushes up to the drain limit, cancels those left,
// makes their messages due again and returns nil. Trouble of the source or the endpoint is logged and retried for ever.
// Between messages it sleeps until the source's signal or the next due time; it never polls.
func (d *Dispatcher) Run(ctx context.Context) error {
	var lines errgroup.Group
	for i, s := range d.subs {
		l := newLine(d, s, i)
		lines.Go(func() error { l.run(ctx); return nil })
	}
	err := lines.Wait()
	d.awaitHandlers(ctx)
	return err
}

// awaitHandlers gives in-process handlers that outlived their request a moment to notice.
func (d *Dispatcher) awaitHandlers(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), handlerGrace)
	defer cancel()
	seen := map[http.RoundTripper]bool{}
	for _, s := range d.subs {
		local, ok := s.Transport.(*inProcess)
		if !ok || seen[s.Transport] {
			continue
		}
		seen[s.Transport] = true
		if !local.wait(grace) {
			d.log.WarnContext(ctx, "push handlers still run after their requests ended", "subscription", s.Name)
		}
	}
}
