package memqueue_test

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/memqueue"
	"github.com/sluice-gateway/sluice/shared/queue/queuetest"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(_ *testing.T, topics map[queue.Topic][]queue.Subscription, now func() time.Time) queuetest.Queue {
		q := memqueue.New(topics)
		q.Now = now
		return q
	})
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	queuetest.RunPublisher(t, func(t *testing.T) (queue.Publisher, <-chan queue.Message) {
		q := memqueue.New(map[queue.Topic][]queue.Subscription{queue.Work: {"w"}})
		return q, queuetest.Deliver(t, q, "w")
	})
}
