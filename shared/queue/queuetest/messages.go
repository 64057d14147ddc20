package queuetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-gateway/sluice/shared/queue"
)

func roundTrip(t *testing.T, f fixture) {
	sent := []queue.Message{
		{Data: []byte("{\"a\":1}\x00\xff"), Attributes: map[string]string{"key": "value", "ünï \"🦊\"": "", "n": "\n"}},
		{Data: []byte{}},
		{Data: nil, Attributes: map[string]string{"only": "attributes"}},
	}
	must(t, f.Publish(t.Context(), single, sent...))
	got := f.lease(t, only, 9)
	if len(got) != len(sent) {
		t.Fatalf("got %d messages, want %d", len(got), len(sent))
	}
	ids := map[string]bool{}
	for i, m := range got {
		if diff := cmp.Diff(sent[i], m.Message, cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(queue.Message{}, "ID", "Published", "Attempt")); diff != "" {
			t.Errorf("message %d (-sent +got):\n%s", i, diff)
		}
		if m.ID == "" || ids[m.ID] {
			t.Errorf("message %d has id %q", i, m.ID)
		}
		if ids[m.ID] = true; m.Attempt != 1 || !m.Published.Equal(f.clock.Now()) {
			t.Errorf("message %d: attempt %d, published %v", i, m.Attempt, m.Published)
		}
	}
	must(t, f.Publish(t.Context(), single)) // nothing is fine
}

// notShared changes what was published and leased: the queue must have its own.
func notShared(t *testing.T, f fixture) {
	m := queue.Message{Data: []byte("before"), Attributes: map[string]string{"a": "b"}}
	must(t, f.Publish(t.Context(), both, m))
	clear(m.Data)
	clear(m.Attributes)
	first := f.want(t, left, "before")[0]
	clear(first.Data)
	f.again(t, left, first, 0)
	again := f.want(t, left, "before")[0]
	if again.Attributes["a"] != "b" {
		t.Errorf("attributes are %q", again.Attributes)
	}
	f.want(t, right, "before")
}

func limits(t *testing.T, f fixture) {
	many := map[string]string{}
	for i := range queue.MaxAttributes + 1 {
		many[fmt.Sprint(i)] = ""
	}
	for name, m := range map[string]queue.Message{
		"data":       {Data: make([]byte, queue.MaxMessageBytes+1)},
		"attributes": {Attributes: many},
		"key":        {Attributes: map[string]string{strings.Repeat("k", queue.MaxAttributeKey+1): ""}},
		"value":      {Attributes: map[string]string{"k": strings.Repeat("v", queue.MaxAttributeValue+1)}},
	} {
		for _, topic := range []queue.Topic{single, none} {
			if err := f.Publish(t.Context(), topic, m); !errors.Is(err, queue.ErrTooLarge) {
				t.Errorf("%s to %s: got error %v, want ErrTooLarge", name, topic, err)
			}
		}
	}
	f.want(t, only)

	delete(many, "0")
	largest := queue.Message{Data: bytes.Repeat([]byte{7}, queue.MaxMessageBytes), Attributes: many}
	must(t, f.Publish(t.Context(), single, largest))
	if got := f.lease(t, only, 1); len(got) != 1 || !bytes.Equal(got[0].Data, largest.Data) || len(got[0].Attributes) != len(many) {
		t.Error("the largest message came back different")
	}
}

// fanOut: each subscription has its copy, and settles it for itself.
func fanOut(t *testing.T, f fixture) {
	f.publish(t, both, "a", "b")
	l, r := f.want(t, left, "a", "b"), f.want(t, right, "a", "b")
	if l[0].ID != r[0].ID {
		t.Errorf("one message has ids %s and %s", l[0].ID, r[0].ID)
	}
	f.ack(t, left, l[0])
	f.clock.advance(2 * lease)
	f.want(t, left, "b")
	f.want(t, right, "a", "b")
	f.want(t, only)
}

func noSubscription(t *testing.T, f fixture) {
	f.publish(t, none, "dropped")
	f.publish(t, "never heard of", "dropped")
	for _, sub := range []queue.Subscription{left, right, only, "nobody"} {
		f.want(t, sub)
	}
}
