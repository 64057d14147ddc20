package response_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/response"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var (
	ada = gateway.Principal{KeyHash: "a"}
	bob = gateway.Principal{KeyHash: "b"}
)

func put(t *testing.T, k *response.Keeper, id, previous, text string) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"id": id, "text": text})
	err := k.Put(t.Context(), ada, &response.Stored{ID: id, Model: "m", Previous: previous, Body: body, Input: json.RawMessage(`[{"n":1}]`), Items: []string{"msg_" + id}})
	if err != nil {
		t.Fatal(err)
	}
}

func status(err error) int { return gateway.AsError(err).Status() }

// What was put is got whole, however long it is, by its owner alone, until it is deleted or too old.
func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	k := &response.Keeper{Store: memstore.New(), Now: func() time.Time { return now }}
	long := strings.Repeat(`quotes " and é `, 200_000)
	put(t, k, "resp_1", "", "short")
	put(t, k, "resp_2", "resp_1", long)
	put(t, k, "resp_2", "resp_1", "again") // changes nothing
	got, err := k.Get(t.Context(), ada, "resp_2")
	var body struct{ Text string }
	if err != nil || json.Unmarshal(got.Body, &body) != nil || body.Text != long || string(got.Input) != `[{"n":1}]` || got.Previous != "resp_1" {
		t.Fatalf("got %d bytes of %d, input %s, %v", len(body.Text), len(long), got.Input, err)
	}
	chain, err := k.Thread(t.Context(), ada, "resp_2")
	if err != nil || len(chain) != 2 || chain[0].ID != "resp_1" {
		t.Errorf("the thread is %v, %v", chain, err)
	}
	if one, err := k.Find(t.Context(), ada, "msg_resp_1"); err != nil || one.ID != "resp_1" {
		t.Errorf("by its item: %v, %v", one, err)
	}
	for _, id := range []string{"msg_resp_9", "resp_1", "", "a/b"} {
		if _, err := k.Find(t.Context(), ada, id); status(err) != 404 {
			t.Errorf("by the item %q: %v", id, err)
		}
	}
	for _, p := range []gateway.Principal{bob, {}} {
		if _, err := k.Find(t.Context(), p, "msg_resp_1"); status(err) != 404 {
			t.Errorf("another may read by an item: %v", err)
		}
		_, err := k.Get(t.Context(), p, "resp_1")
		if other := k.Delete(t.Context(), p, "resp_1"); status(err) != 404 || status(other) != 404 {
			t.Errorf("another may read or delete: %v, %v", err, other)
		}
	}
	for _, id := range []string{"", "resp_3", "resp_2.1", "msg_resp_1", "../x", strings.Repeat("x", 500), "a/b"} {
		if _, err := k.Get(t.Context(), ada, id); status(err) != 404 {
			t.Errorf("%.20q: %v", id, err)
		}
	}
	if err := k.Delete(t.Context(), ada, "resp_1"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Thread(t.Context(), ada, "resp_2"); status(err) != 404 {
		t.Errorf("a broken thread: %v", err)
	}
	now = now.Add(31 * 24 * time.Hour)
	if _, err := k.Get(context.Background(), ada, "resp_2"); status(err) != 404 {
		t.Errorf("after a month: %v", err)
	}
}
