// Package pubsubqueue publishes on Pub/Sub. What is published comes back as pushes to the worker, so nothing here receives.
package pubsubqueue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/sluice-gateway/sluice/shared/queue"
)

var _ queue.Publisher = (*Publisher)(nil)

// timeout bounds one Publish whose context has no earlier deadline.
const timeout = 10 * time.Second

var errClosed = errors.New("the publisher is closed")

// Publisher publishes messages; concurrent calls are grouped. Make one with New.
type Publisher struct {
	client *pubsub.Client
	delay  time.Duration

	mu     sync.Mutex
	topics map[queue.Topic]*pubsub.Publisher // nil once closed
}

// Option changes what New makes.
type Option func(*Publisher)

// WithDelay sets how long a message may wait for others to share its request. The default is 5 ms.
func WithDelay(d time.Duration) Option { return func(p *Publisher) { p.delay = d } }

// New returns a publisher for the project's topics. It uses the application default credentials, or the emulator that
// PUBSUB_EMULATOR_HOST names, and connects when it first publishes.
func New(ctx context.Context, project string, options ...Option) (*Publisher, error) {
	client, err := newClient(ctx, project)
	if err != nil {
		return nil, err
	}
	p := &Publisher{client: client, delay: 5 * time.Millisecond, topics: map[queue.Topic]*pubsub.Publisher{}}
	for _, o := range options {
		o(p)
	}
	return p, nil
}

func newClient(ctx context.Context, project string) (*pubsub.Client, error) {
	// A machine that was frozen wakes up with a dead connection, and should notice soon.
	alive := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second})
	client, err := pubsub.NewClient(context.WithoutCancel(ctx), project,
		option.WithGRPCConnectionPool(1), option.WithGRPCDialOption(alive))
	if err != nil {
		return nil, fmt.Errorf("connect to pubsub: %w", err)
	}
	return client, nil
}

// Publish is queue.Publisher's. It sends nothing if any message is too large. The messages' data must not be changed, even
// after an error: they may still be on their way.
func (p *Publisher) Publish(ctx context.Context, topic queue.Topic, ms ...queue.Message) error {
	for i, m := range ms {
		if err := m.Check(); err != nil {
			return fmt.Errorf("publish to %s: message %d: %w", topic, i, err)
		}
	}
	to, err := p.topic(topic)
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	results := make([]*pubsub.PublishResult, len(ms))
	for i, m := range ms {
		results[i] = to.Publish(ctx, &pubsub.Message{Data: m.Data, Attributes: m.Attributes})
	}
	for _, r := range results {
		if _, err := r.Get(ctx); err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
	}
	return nil
}

func (p *Publisher) topic(name queue.Topic) (*pubsub.Publisher, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics == nil {
		return nil, errClosed
	}
	t := p.topics[name]
	if t == nil {
		t = p.client.Publisher(string(name))
		t.PublishSettings.DelayThreshold = p.delay
		t.PublishSettings.CountThreshold = queue.MaxPublishMessages
		t.PublishSettings.Timeout = timeout
		p.topics[name] = t
	}
	return t, nil
}

// Close sends what is still waiting and closes the connection. Later calls of Publish fail.
func (p *Publisher) Close() error {
	p.mu.Lock()
	topics := p.topics
	p.topics = nil
	p.mu.Unlock()
	if topics == nil {
		return nil
	}
	for _, t := range topics {
		t.Stop()
	}
	return p.client.Close()
}
