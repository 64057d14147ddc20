// Package queue is the PORT to messages: publish them, and say what a handler's outcome means. Pub/Sub with push
// subscriptions is the model. A message is only a hint: the truth is in the store, so losing, repeating, delaying or
// reordering messages must change nothing but when work is done.
package queue

import (
	"context"
	"errors"
	"time"
)

// Topic names where messages go; each subscription of a topic gets its own copy.
type Topic string

const (
	Work   Topic = "sluice-work"   // one step of deferred work; pushed to the worker
	Ledger Topic = "sluice-ledger" // groups of ledger entries; pushed to the worker
	Events Topic = "sluice-events" // CloudEvents for whoever subscribes
	Dead   Topic = "sluice-dead"   // messages that no handler could take
)

// Limits of one message, in bytes and counts (Pub/Sub quota page, read 2026-11).
const (
	MaxMessageBytes    = 9_000_000 // of 10 MB, the rest is room for attributes and encoding
	MaxAttributes      = 100
	MaxAttributeKey    = 256
	MaxAttributeValue  = 1024
	MaxPublishMessages = 1000
)

// ErrTooLarge is what Publish answers for a message over the limits.
var ErrTooLarge = errors.New("queue: message too large")

// Message is one message. A publisher sets Data and Attributes; the rest is set on delivery.
type Message struct {
	Data       []byte
	Attributes map[string]string

	ID        string    // given by the queue; a publisher's retry gets another
	Published time.Time // when the queue took it
	Attempt   int       // deliveries so far, this one included; 0 where the queue does not say
}

// Publisher publishes messages.
type Publisher interface {
	// Publish makes the messages durable before it returns nil. After an error some may have been published. Safe for
	// concurrent use; drivers group concurrent calls.
	Publish(ctx context.Context, topic Topic, ms ...Message) error
}

// Handler takes one delivery. Nil acknowledges; Retry(err) asks for another delivery, which slows the whole subscription
// and is right only when the store itself is away; any other error means that no repetition will help: the message goes
// to the dead letters.
type Handler func(ctx context.Context, m Message) error

type retry struct{ error }

func (r retry) Unwrap() error { return r.error }

// Retry marks an error as worth another delivery.
func Retry(err error) error { return retry{err} }

// IsRetry reports whether err asks for another delivery.
func IsRetry(err error) bool { var r retry; return errors.As(err, &r) }

// Check answers ErrTooLarge for a message over the limits. Every driver calls it.
func (m Message) Check() error {
	if len(m.Data) > MaxMessageBytes || len(m.Attributes) > MaxAttributes {
		return ErrTooLarge
	}
	for k, v := range m.Attributes {
		if len(k) > MaxAttributeKey || len(v) > MaxAttributeValue {
			return ErrTooLarge
		}
	}
	return nil
}
