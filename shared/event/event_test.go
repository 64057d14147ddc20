package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

func sample(n string) event.Event {
	return event.Event{
		ID: event.ID("batch", n), Type: event.BatchCompleted, Owner: gateway.OwnerOf("h", "", "team"), Subject: "batches/" + n,
		Time: time.Date(2026, 11, 22, 12, 0, 0, 5000, time.UTC), Data: map[string]int{"lines": 3},
	}
}

// Both modes and both spellings of the media type are read; what is written fits the limits of a message.
func TestCodec(t *testing.T) {
	t.Parallel()
	ce, err := sample("1").CloudEvent()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := event.Encode(ce)
	if err != nil {
		t.Fatal(err)
	}
	for attribute, want := range map[string]string{
		"ce-specversion": "1.0", "ce-id": ce.ID(), "ce-type": "io.github.sluice-gateway.batch.v1.completed",
		"ce-source": "//sluice/owners/team:team", "ce-subject": "batches/1", "ce-time": "2026-11-22T12:00:00.000005Z",
		"ce-partitionkey": "team:team", "content-type": "application/json", "Content-Type": "application/json",
	} {
		if got := binary.Attributes[attribute]; got != want {
			t.Errorf("%s = %q, want %q", attribute, got, want)
		}
	}
	if string(binary.Data) != `{"lines":3}` || binary.Check() != nil {
		t.Errorf("data %s, %v", binary.Data, binary.Check())
	}
	structured, err := json.Marshal(ce)
	if err != nil {
		t.Fatal(err)
	}
	sdk := queue.Message{Data: binary.Data, Attributes: map[string]string{"Content-Type": "application/json"}}
	for k, v := range binary.Attributes {
		if k != "content-type" {
			sdk.Attributes[k] = v
		}
	}
	for name, m := range map[string]queue.Message{
		"binary": binary, "the SDK's spelling": sdk,
		"structured": {Data: structured, Attributes: map[string]string{"content-type": "application/cloudevents+json; charset=utf-8"}},
	} {
		got, err := event.Decode(m)
		if err != nil || got.ID() != ce.ID() || got.Type() != ce.Type() || !got.Time().Equal(ce.Time()) ||
			got.Extensions()["partitionkey"] != "team:team" || string(got.Data()) != `{"lines":3}` {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, m := range map[string]queue.Message{
		"nothing": {}, "no id": {Attributes: map[string]string{"ce-type": "t", "ce-source": "s"}},
		"bad time": {Attributes: map[string]string{"ce-id": "1", "ce-type": "t", "ce-source": "s", "ce-time": "noon"}},
	} {
		if _, err := event.Decode(m); err == nil {
			t.Errorf("%s was taken for an event", name)
		}
	}
}

func TestIDsAreStableAndUnambiguous(t *testing.T) {
	t.Parallel()
	if event.ID("a", "bc") != event.ID("a", "bc") || event.ID("a", "bc") == event.ID("ab", "c") {
		t.Error("ids are not a function of their parts alone")
	}
}

func TestIsType(t *testing.T) {
	t.Parallel()
	text := []byte(`{"type": "io.github.sluice-gateway.batch.v1.completed"}`)
	for want, is := range map[string]bool{
		"": true, "batch": true, "batch.v1": true, "batch.v1.completed": true, "io.github.sluice-gateway.batch": true,
		"spend": false, "bat": false, "batch.v1.completed.x": false, ".": false,
	} {
		if got := event.IsType(text, want); got != is {
			t.Errorf("IsType(%q) = %t", want, got)
		}
	}
}

// flaky is a queue that fails as long as it is told to.
type flaky struct {
	fail bool
	got  []cloudevents.Event
}

func (f *flaky) Publish(_ context.Context, _ queue.Topic, ms ...queue.Message) error {
	if f.fail {
		return errors.New("away")
	}
	for _, m := range ms {
		ce, err := event.Decode(m)
		if err != nil {
			return err
		}
		f.got = append(f.got, ce)
	}
	return nil
}

// An event whose sender failed is sent by the sweeper, under the same id; what was sent is not sent again.
func TestOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, q := memstore.New(), &flaky{fail: true}
		sender := &event.Sender{Store: s, Queue: q, Now: time.Now}
		lost, fine := sample("lost"), sample("fine")
		lost.Time, fine.Time = time.Now(), time.Now()
		put := func(e event.Event) {
			if err := s.Tx(t.Context(), func(tx store.Tx) error { return sender.Put(tx, e) }); err != nil {
				t.Fatal(err)
			}
		}
		put(lost)
		if err := sender.Send(t.Context(), lost); err == nil {
			t.Fatal("Send hides that the queue is away")
		}
		q.fail = false
		put(fine)
		if err := sender.Send(t.Context(), fine); err != nil {
			t.Fatal(err)
		}
		if err := sender.Sweep(t.Context()); err != nil || len(q.got) != 1 {
			t.Errorf("a sweep right after: %v, %d sent; it must leave the sender its time", err, len(q.got))
		}
		time.Sleep(time.Minute) // virtual
		for range 3 {
			if err := sender.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(q.got) != 2 || q.got[0].ID() != fine.ID || q.got[1].ID() != lost.ID {
			t.Errorf("sent %v", q.got)
		}
	})
}

// The log tells every event once, also those that happen while it is followed, and goes on from where a reader was.
func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		sender := &event.Sender{Store: s, Queue: &flaky{}, Now: time.Now}
		happen := func(n string) {
			e := sample(n)
			e.Time = time.Now()
			if err := s.Tx(t.Context(), func(tx store.Tx) error { return sender.Put(tx, e) }); err != nil {
				t.Fatal(err)
			}
			if err := sender.Send(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // virtual
		}
		happen("1")
		happen("2")
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for line, err := range sender.Log(ctx, event.ID("batch", "1"), true) {
				if err != nil {
					return
				}
				var e struct{ Subject string }
				_ = json.Unmarshal(line, &e)
				got = append(got, e.Subject)
			}
		}()
		synctest.Wait()
		happen("3")
		happen("4")
		synctest.Wait()
		cancel()
		<-done
		if len(got) != 3 || got[0] != "batches/2" || got[2] != "batches/4" {
			t.Errorf("followed %v", got)
		}
	})
}
