// Package event makes CloudEvents of what has happened, and brings each to the events topic through an outbox: the event
// is stored in the transaction that makes it true, published after the commit, and published again by a sweeper if that
// failed. Consumers see every event at least once, with an id that stays the same.
package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Type names what happened; the prefix is the project's reverse-DNS name.
type Type string

const prefix = "io.github.sluice-gateway."

// The types that are published. Their data are documented in docs/events.md.
const (
	BatchCreated   Type = prefix + "batch.v1.created"
	BatchCompleted Type = prefix + "batch.v1.completed"
	BatchFailed    Type = prefix + "batch.v1.failed"
	BatchExpired   Type = prefix + "batch.v1.expired"
	BatchCancelled Type = prefix + "batch.v1.cancelled"
	SpendRecorded  Type = prefix + "spend.v1.recorded"

	BudgetThreshold Type = prefix + "budget.v1.threshold"
	BudgetSoft      Type = prefix + "budget.v1.soft"
)

// Event is one thing that happened. Equal (Owner, ID) is the same event.
type Event struct {
	ID      string        // from ID: the same whenever the same thing is told again
	Type    Type          //
	Owner   gateway.Owner // whose it is; becomes the source
	Subject string        // "batches/batch_...": what it is about
	Time    time.Time     // when it became true
	Data    any           // encoded as JSON; ids and counts, never prompts or answers
}

// ID derives an event's id from what identifies the thing that happened.
func ID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return "evt_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// structured is a CloudEvent 1.0 in its JSON form; D is json.RawMessage when it is read.
type structured[D any] struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        Type   `json:"type"`
	Subject     string `json:"subject"`
	ContentType string `json:"datacontenttype"`
	Time        string `json:"time"`
	Data        D      `json:"data"`
	Partition   string `json:"partitionkey"`
}

func (e Event) structured() structured[any] {
	return structured[any]{
		SpecVersion: "1.0", ID: e.ID, Source: "//sluice/owners/" + url.PathEscape(e.Owner.String()), Type: e.Type, Subject: e.Subject,
		ContentType: "application/json", Time: e.Time.UTC().Format(time.RFC3339Nano), Data: e.Data, Partition: e.Owner.String(),
	}
}

// CloudEvent is the event as the CloudEvents SDK has it.
func (e Event) CloudEvent() (ce cloudevents.Event, err error) {
	text, err := json.Marshal(e.structured())
	if err == nil {
		err = json.Unmarshal(text, &ce)
	}
	if err == nil {
		err = ce.Validate()
	}
	return ce, err
}
