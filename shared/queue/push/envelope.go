// Package push is the wire format of Pub/Sub push and the HTTP handler that receives it. The same handler serves the real
// service, its emulator and package dispatch, which speaks push on one machine.
package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// ErrEnvelope is what Decode answers for a body that is no push envelope.
var ErrEnvelope = errors.New("push: not a push envelope")

// publishTime is how the service writes times: UTC, in milliseconds.
const publishTime = "2006-01-02T15:04:05.000Z07:00"

// envelope is the wrapped push. The service sends two fields of the message in both spellings, and so do we.
type envelope struct {
	DeliveryAttempt int      `json:"deliveryAttempt,omitempty"`
	Message         *message `json:"message"`
	Subscription    string   `json:"subscription"`
}

type message struct {
	Attributes  map[string]string `json:"attributes,omitempty"`
	Data        []byte            `json:"data,omitempty"`
	ID          string            `json:"messageId"`
	IDSnake     string            `json:"message_id"`
	Publish     string            `json:"publishTime"`
	PublishTime string            `json:"publish_time"`
}

// Encode writes the body of one push. The subscription is a full name, projects/p/subscriptions/s. The attempt is written
// only where deliveryAttempt says so: the service tells it only to subscriptions with a dead-letter policy.
func Encode(subscription string, m queue.Message, deliveryAttempt bool) []byte {
	at := m.Published.UTC().Format(publishTime)
	e := envelope{
		Subscription: subscription,
		Message: &message{
			Attributes: m.Attributes, Data: m.Data,
			ID: m.ID, IDSnake: m.ID, Publish: at, PublishTime: at,
		},
	}
	if deliveryAttempt {
		e.DeliveryAttempt = m.Attempt
	}
	body, err := json.Marshal(e)
	if err != nil { // strings, bytes and one integer always marshal
		panic(err)
	}
	return body
}

// Decode reads the body of one push: either spelling, data and attributes absent, fields it does not know. A message
// without an id is refused. Every error is an ErrEnvelope.
func Decode(body []byte) (subscription string, m queue.Message, err error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return "", m, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if e.Message == nil {
		return "", m, fmt.Errorf("%w: no message", ErrEnvelope)
	}
	m = queue.Message{
		Data: e.Message.Data, Attributes: e.Message.Attributes,
		ID: first(e.Message.ID, e.Message.IDSnake), Attempt: max(0, e.DeliveryAttempt),
	}
	if m.ID == "" {
		return "", m, fmt.Errorf("%w: no message id", ErrEnvelope)
	}
	if at := first(e.Message.Publish, e.Message.PublishTime); at != "" {
		if m.Published, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return "", m, fmt.Errorf("%w: publish time: %w", ErrEnvelope, err)
		}
		m.Published = m.Published.UTC()
	}
	return e.Subscription, m, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// AckStatus reports whether an HTTP status acknowledges a push; every other one asks for another delivery
// (Pub/Sub push page, read 2026-11).
func AckStatus(code int) bool {
	switch code {
	case http.StatusProcessing, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	}
	return false
}
