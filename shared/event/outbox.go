package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Outbox holds every event from the transaction that made it true until a week after.
var Outbox = store.Collection{
	Name:    "outbox",
	Indexes: []store.Index{{"created"}, {"unsent"}},
	TTL:     "expires",
}

const (
	keep     = 7 * 24 * time.Hour
	sweepAge = 30 * time.Second // an event unsent for so long has lost its sender
	page     = 100
)

// entry is an event in the outbox: E is a structured event when it is written, and JSON when it is read.
type entry[E any] struct {
	Event   E     `json:"event"`
	Created int64 `json:"created"`          // Unix microseconds
	Unsent  int64 `json:"unsent,omitempty"` // Created, until the event is sent
	Expires int64 `json:"expires"`          // Unix seconds
}

// Put stores events in the transaction that makes them true. Putting one again is fine.
func (s *Sender) Put(tx store.Tx, events ...Event) error {
	for _, e := range events {
		if err := tx.Put(Outbox.Ref(e.ID), s.newEntry(e)); err != nil {
			return fmt.Errorf("put event %s: %w", e.ID, err)
		}
	}
	return nil
}

func (s *Sender) newEntry(e Event) entry[structured[any]] {
	doc := entry[structured[any]]{Event: e.structured(), Created: e.Time.UnixMicro(), Expires: e.Time.Add(keep).Unix()}
	if s.Queue != nil {
		doc.Unsent = doc.Created
	}
	return doc
}

// Sender stores events and publishes what is in the outbox.
type Sender struct {
	Store store.Store
	Queue queue.Publisher // nil: nobody can subscribe, and an event in the log needs no sending
	Now   func() time.Time
}

// Send publishes events that have just been committed and marks them as sent. After an error the sweeper repeats it.
func (s *Sender) Send(ctx context.Context, events ...Event) error {
	if len(events) == 0 || s.Queue == nil {
		return nil
	}
	docs := make(map[string]any, len(events))
	messages := make([]queue.Message, len(events))
	for i, e := range events {
		ce, err := e.CloudEvent()
		if err == nil {
			messages[i], err = Encode(ce)
		}
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		doc := s.newEntry(e)
		doc.Unsent = 0
		docs[e.ID] = doc
	}
	return s.send(ctx, messages, docs)
}

// send publishes messages, then stores the documents of their events, now without the mark of the unsent.
func (s *Sender) send(ctx context.Context, messages []queue.Message, docs map[string]any) error {
	if err := s.Queue.Publish(ctx, queue.Events, messages...); err != nil {
		return fmt.Errorf("publish %d events: %w", len(messages), err)
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		for id, doc := range docs {
			if err := tx.Put(Outbox.Ref(id), doc); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep publishes events whose sender died before it could. One that cannot be sent does not hold up the others.
func (s *Sender) Sweep(ctx context.Context) error {
	if s.Queue == nil {
		return nil
	}
	unsent := store.Query{
		Collection: Outbox, Order: "unsent",
		To: s.Now().Add(-sweepAge).UnixMicro(), Limit: page,
	}
	var errs []error
	for doc, err := range s.Store.Query(ctx, unsent) {
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("query unsent events: %w", err))...)
		}
		if err := s.resend(ctx, doc); err != nil {
			errs = append(errs, fmt.Errorf("event %s: %w", doc.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Sender) resend(ctx context.Context, doc store.Doc) error {
	var e entry[json.RawMessage]
	if err := doc.Decode(&e); err != nil {
		return err
	}
	ce := cloudevents.New()
	if err := json.Unmarshal(e.Event, &ce); err != nil {
		return err
	}
	m, err := Encode(ce)
	if err != nil {
		return err
	}
	e.Unsent = 0
	return s.send(ctx, []queue.Message{m}, map[string]any{doc.ID: e})
}

// Log yields the outbox's events as structured JSON, oldest first, from behind the event with the given id (empty: from
// the beginning). With follow it goes on with what happens, until ctx ends.
func (s *Sender) Log(ctx context.Context, after string, follow bool) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		q := store.Query{Collection: Outbox, Order: "created"}
		if after != "" {
			var last entry[json.RawMessage]
			switch _, err := s.Store.Get(ctx, Outbox.Ref(after), &last); {
			case err == nil:
				q.After = &store.Cursor{Value: last.Created, ID: after}
			case !errors.Is(err, store.ErrNotFound):
				yield(nil, err)
				return
			}
		}
		for change, err := range s.source(ctx, q, follow) {
			if err == nil && (change.Live || change.Removed) {
				continue
			}
			text, err := decode(change.Doc, err)
			if !yield(text, err) || err != nil {
				return
			}
		}
	}
}

// source reads the query once, or watches it. A watch tells of a document again when it is marked as sent; only what is
// new is passed on.
func (s *Sender) source(ctx context.Context, q store.Query, follow bool) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		if !follow {
			for doc, err := range s.Store.Query(ctx, q) {
				if !yield(store.Change{Doc: doc}, err) {
					return
				}
			}
			return
		}
		seen := map[string]bool{}
		for change, err := range s.Store.Watch(ctx, q) {
			if err == nil && change.Doc.ID != "" {
				if seen[change.Doc.ID] {
					continue
				}
				seen[change.Doc.ID] = true
			}
			if !yield(change, err) {
				return
			}
		}
	}
}

func decode(doc store.Doc, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	var e entry[structured[json.RawMessage]]
	err = doc.Decode(&e)
	var text []byte
	if err == nil {
		text, err = json.Marshal(e.Event) // a store keeps a document's fields, not their order
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", doc.ID, err)
	}
	return text, nil
}

// IsType reports whether an event of the log has a type, given with or without the project's prefix and whole or by its
// first words. Every event has the empty type.
func IsType(text json.RawMessage, want string) bool {
	if want == "" {
		return true
	}
	var e struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(text, &e) != nil {
		return false
	}
	have, want := strings.TrimPrefix(e.Type, prefix)+".", strings.TrimPrefix(want, prefix)+"."
	return strings.HasPrefix(have, want)
}
