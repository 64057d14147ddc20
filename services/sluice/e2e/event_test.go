package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	batchCreated   = "io.github.sluice-gateway.batch.v1.created"
	batchCompleted = "io.github.sluice-gateway.batch.v1.completed"
	spendRecorded  = "io.github.sluice-gateway.spend.v1.recorded"
)

// cloudEvent is one line of /events.
type cloudEvent struct {
	SpecVersion string `json:"specversion"`
	ID          string
	Type        string
	Source      string
	Subject     string
	Time        time.Time
	Data        struct {
		ID      string
		Status  string
		Cost    gateway.NanoUSD `json:"cost_nano_usd"`
		Entries []struct {
			ID   string
			Cost gateway.NanoUSD `json:"cost_nano_usd"`
		}
	}
}

// events reads all events, in order.
func (g *sluice) events(t testing.TB) (all []cloudEvent) {
	t.Helper()
	a := g.call(t, masterKey, http.MethodGet, "/events", nil)
	for text := range bytes.Lines(a.body) {
		var e cloudEvent
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatalf("event %q: %v", text, err)
		}
		all = append(all, e)
	}
	return all
}

func TestEvents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		const subscription = "e2e-events"
		if g.engine == "cloud" {
			g.pubsub().subscribe(t, "sluice-events", subscription, nil)
		}
		key := g.newKey(t, map[string]any{"user_id": "events-user"})
		if a := g.call(t, key, http.MethodPost, "/v1/chat/completions", chatBody(chatModel, "a call beside the batch")); a.status != http.StatusOK {
			t.Fatalf("chat: status %d: %s", a.status, a.body)
		}
		b := g.await(t, key, g.createBatch(t, key, inputFile(120, 40)).ID, batchLimit)
		if b.Status != "completed" {
			t.Fatalf("the batch is %+v", b)
		}
		entries := g.checkBooks(t)
		events := g.events(t)
		checkBatchEvents(t, events, b.ID)
		checkSpendEvents(t, events, entries)
		if g.engine == "cloud" {
			checkDelivered(t, g.pubsub(), subscription, events)
		}
	})
}

// checkBatchEvents wants one event for each end of the batch's life.
func checkBatchEvents(t *testing.T, events []cloudEvent, id string) {
	t.Helper()
	times := map[string]int{}
	ids := map[string]bool{}
	for _, e := range events {
		if ids[e.ID] {
			t.Errorf("event %s is told twice", e.ID)
		}
		ids[e.ID] = true
		if e.SpecVersion != "1.0" || e.Source == "" || e.Time.IsZero() || e.Subject == "" {
			t.Errorf("event %+v lacks an attribute", e)
		}
		if e.Subject == "batches/"+id {
			times[e.Type]++
		}
	}
	if times[batchCreated] != 1 || times[batchCompleted] != 1 || len(times) != 2 {
		t.Errorf("the events of the batch are %v", times)
	}
}

// checkSpendEvents wants every ledger entry in one spend event, with its cost.
func checkSpendEvents(t *testing.T, events []cloudEvent, entries []entry) {
	t.Helper()
	told := map[string]gateway.NanoUSD{}
	for _, e := range events {
		if e.Type != spendRecorded {
			continue
		}
		var sum gateway.NanoUSD
		for _, one := range e.Data.Entries {
			if _, twice := told[one.ID]; twice {
				t.Errorf("two spend events tell of %s", one.ID)
			}
			told[one.ID], sum = one.Cost, sum.Plus(one.Cost)
		}
		if sum != e.Data.Cost {
			t.Errorf("spend event %s says %s, its entries add up to %s", e.ID, e.Data.Cost, sum)
		}
	}
	for _, e := range entries {
		if cost, found := told[e.ID]; !found || cost != e.cost(t) {
			t.Errorf("ledger entry %s costs %s; told: %t, %s", e.ID, e.Spend, found, cost)
		}
	}
	if len(told) != len(entries) {
		t.Errorf("%d entries are told, the ledger has %d", len(told), len(entries))
	}
}

// checkDelivered pulls from a subscription until it has every event, as a CloudEvent in Pub/Sub's binary mode.
func checkDelivered(t *testing.T, ps pubsub, subscription string, events []cloudEvent) {
	t.Helper()
	missing := map[string]cloudEvent{}
	for _, e := range events {
		missing[e.ID] = e
	}
	eventually(t, bookLimit, "every event reaches a subscriber", func() error {
		var pulled struct {
			ReceivedMessages []struct {
				AckID   string
				Message struct {
					Data       string
					Attributes map[string]string
				}
			}
		}
		ps.call(t, http.MethodPost, "subscriptions/"+subscription+":pull", map[string]any{"maxMessages": 100, "returnImmediately": true}, &pulled)
		var acks []string
		for _, m := range pulled.ReceivedMessages {
			acks = append(acks, m.AckID)
			data, err := base64.StdEncoding.DecodeString(m.Message.Data)
			if err != nil || !json.Valid(data) {
				t.Errorf("the data of an event is %q, %v", m.Message.Data, err)
			}
			id := m.Message.Attributes["ce-id"]
			if e, found := missing[id]; found {
				checkAttributes(t, m.Message.Attributes, e)
				delete(missing, id)
			}
		}
		if len(acks) > 0 {
			ps.call(t, http.MethodPost, "subscriptions/"+subscription+":acknowledge", map[string]any{"ackIds": acks}, nil)
		}
		if len(missing) > 0 {
			return fmt.Errorf("%d of %d are missing", len(missing), len(events))
		}
		return nil
	})
}

func checkAttributes(t *testing.T, got map[string]string, e cloudEvent) {
	t.Helper()
	for name, want := range map[string]string{
		"ce-specversion": "1.0", "ce-type": e.Type, "ce-source": e.Source, "ce-subject": e.Subject, "content-type": "application/json",
	} {
		if got[name] != want {
			t.Errorf("event %s has %s %q, want %q", e.ID, name, got[name], want)
		}
	}
	if at, err := time.Parse(time.RFC3339, got["ce-time"]); err != nil || !at.Equal(e.Time) {
		t.Errorf("event %s has the time %q, %v; want %v", e.ID, got["ce-time"], err, e.Time)
	}
	if !strings.HasPrefix(got["ce-partitionkey"], "user:") {
		t.Errorf("event %s has the partition key %q", e.ID, got["ce-partitionkey"])
	}
}
