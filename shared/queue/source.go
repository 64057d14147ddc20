package queue

import (
	"context"
	"time"
)

// Subscription names one consumer's copies of a topic's messages.
type Subscription string

// Source is a durable queue that a push dispatcher drains. Publishing fans out: each subscription of the topic gets a copy.
type Source interface {
	// Lease takes up to n messages that are due, oldest first, hides them for d and counts an attempt. None due is no error.
	Lease(ctx context.Context, sub Subscription, n int, d time.Duration) ([]Leased, error)
	// Settle makes outcomes durable. An outcome of a lease that has run out changes nothing.
	Settle(ctx context.Context, outcomes ...Outcome) error
	// NextDue tells when the next message of the subscription is due; ok is false if there is none.
	NextDue(ctx context.Context, sub Subscription) (at time.Time, ok bool, err error)
	// Published returns a channel that receives after a publish to the subscription; one signal may stand for several.
	Published(sub Subscription) <-chan struct{}
}

// Leased is a message in the hands of a dispatcher.
type Leased struct {
	Message
	Token int64 // of this lease
}

// Outcome ends a lease: acknowledged and gone, or due again at NotBefore.
type Outcome struct {
	Subscription Subscription
	ID           string
	Token        int64
	Ack          bool
	NotBefore    time.Time
}
