package queuetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// RunPublisher runs the part of the suite that every queue.Publisher passes, also one whose other end is a service. open
// makes a publisher and a channel of what is delivered from queue.Work; queue.Events has no subscription.
func RunPublisher(t *testing.T, open func(t *testing.T) (queue.Publisher, <-chan queue.Message)) {
	for name, run := range map[string]func(*testing.T, queue.Publisher, <-chan queue.Message){
		"content": publishedContent, "nobody listens": publishedToNobody, "limits": publishedTooLarge, "many": publishedAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, delivered := open(t)
			run(t, p, delivered)
		})
	}
}

func receive(t *testing.T, delivered <-chan queue.Message) queue.Message {
	t.Helper()
	select {
	case m := <-delivered:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message within 30 s")
		return queue.Message{}
	}
}

// What is published in one call arrives as it was, with an id and a time.
func publishedContent(t *testing.T, p queue.Publisher, delivered <-chan queue.Message) {
	want := map[string]map[string]string{
		"text": {"kind": "a", "Kind": "b"}, "\x00\xff bytes": {"empty": ""}, strings.Repeat("x", 100_000): nil, "": {"only": "attributes"},
	}
	var ms []queue.Message
	for data, attributes := range want {
		ms = append(ms, queue.Message{Data: []byte(data), Attributes: attributes})
	}
	must(t, p.Publish(t.Context(), queue.Work, ms...))
	for range want {
		m := receive(t, delivered)
		attributes, found := want[string(m.Data)]
		if !found || !maps.Equal(m.Attributes, attributes) || m.ID == "" || m.Published.IsZero() {
			t.Errorf("got %.50q %v, id %q, published %v", m.Data, m.Attributes, m.ID, m.Published)
		}
	}
}

// A topic without subscription takes messages and drops them.
func publishedToNobody(t *testing.T, p queue.Publisher, delivered <-chan queue.Message) {
	must(t, p.Publish(t.Context(), queue.Events, queue.Message{Data: []byte("unheard")}))
	must(t, p.Publish(t.Context(), queue.Work, queue.Message{Data: []byte("heard")}))
	if m := receive(t, delivered); string(m.Data) != "heard" {
		t.Errorf("got %q", m.Data)
	}
}

func publishedTooLarge(t *testing.T, p queue.Publisher, _ <-chan queue.Message) {
	many := map[string]string{}
	for i := range queue.MaxAttributes + 1 {
		many[fmt.Sprint(i)] = ""
	}
	for name, m := range map[string]queue.Message{
		"data":            {Data: make([]byte, queue.MaxMessageBytes+1)},
		"attributes":      {Data: []byte("x"), Attributes: many},
		"attribute key":   {Data: []byte("x"), Attributes: map[string]string{strings.Repeat("k", queue.MaxAttributeKey+1): ""}},
		"attribute value": {Data: []byte("x"), Attributes: map[string]string{"k": strings.Repeat("v", queue.MaxAttributeValue+1)}},
	} {
		if err := p.Publish(t.Context(), queue.Work, m); !errors.Is(err, queue.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Publish(ended, queue.Work, queue.Message{Data: []byte("late")}); err == nil {
		t.Error("published though the context had ended")
	}
}

// Concurrent calls lose nothing.
func publishedAtOnce(t *testing.T, p queue.Publisher, delivered <-chan queue.Message) {
	const n = 40
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := p.Publish(t.Context(), queue.Work, queue.Message{Data: fmt.Append(nil, i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for len(seen) < n {
		seen[string(receive(t, delivered).Data)] = true
	}
}

// Deliver leases and acknowledges a subscription's messages until the test ends, for RunPublisher.
func Deliver(t *testing.T, s queue.Source, sub queue.Subscription) <-chan queue.Message {
	delivered := make(chan queue.Message, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		for {
			leased, err := s.Lease(ctx, sub, 100, lease)
			if err != nil {
				return
			}
			for _, m := range leased {
				_ = s.Settle(ctx, queue.Outcome{Subscription: sub, ID: m.ID, Token: m.Token, Ack: true})
				delivered <- m.Message
			}
			select {
			case <-s.Published(sub):
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return
			}
		}
	}()
	return delivered
}
