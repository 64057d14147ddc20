package push_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// emulator is the REST side of the Pub/Sub emulator, with a topic of its own for one test.
type emulator struct {
	t                   *testing.T
	topic, subscription string
}

// call sends one REST request and fails the test unless it succeeds.
func (e emulator) call(ctx context.Context, method, path string, body any) {
	e.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+os.Getenv("PUBSUB_EMULATOR_HOST")+"/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		e.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		e.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
}

// startEmulated makes a topic whose messages are pushed to the handler. The subscription is deleted in the end, or the
// emulator would push into the void for ever.
func startEmulated(t *testing.T, handler http.Handler) emulator {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	id := "t" + uuid.NewString()
	e := emulator{t, "projects/sluice-test/topics/" + id, "projects/sluice-test/subscriptions/" + id}
	e.call(t.Context(), http.MethodPut, e.topic, struct{}{})
	t.Cleanup(func() { e.call(context.Background(), http.MethodDelete, e.topic, struct{}{}) })
	e.call(t.Context(), http.MethodPut, e.subscription, map[string]any{
		"topic":              e.topic,
		"ackDeadlineSeconds": 10,
		"pushConfig":         map[string]string{"pushEndpoint": server.URL + "/push"},
		"retryPolicy":        map[string]string{"minimumBackoff": "0.1s", "maximumBackoff": "1s"},
	})
	t.Cleanup(func() { e.call(context.Background(), http.MethodDelete, e.subscription, struct{}{}) })
	return e
}

func (e emulator) publish(m queue.Message) {
	e.t.Helper()
	type message struct {
		Data       []byte            `json:"data,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
	}
	e.call(e.t.Context(), http.MethodPost, e.topic+":publish", map[string]any{"messages": []message{{m.Data, m.Attributes}}})
}

// anyone lets tokenless pushes pass: the emulator signs nothing.
type anyone struct{}

func (anyone) Verify(context.Context, string) error { return nil }

// TestEmulator proves the wire format against Google's own implementation of it: publish, the envelope, redelivery.
func TestEmulator(t *testing.T) {
	t.Parallel()
	if os.Getenv("PUBSUB_EMULATOR_HOST") == "" {
		const why = "PUBSUB_EMULATOR_HOST is not set: the Pub/Sub emulator test did not run"
		if os.Getenv("SLUICE_REQUIRE_EMULATORS") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	tests := map[string]struct {
		m       queue.Message
		refusal int32 // deliveries answered with 503 before one is taken
	}{
		"data and attributes": {queue.Message{Data: []byte(`{"job":"1"}`), Attributes: map[string]string{"kind": "step", "ü": "<&>\""}}, 0},
		"attributes only":     {queue.Message{Attributes: map[string]string{"kind": "step"}}, 0},
		"binary":              {queue.Message{Data: []byte{0, 1, 0xff, '\n', '"'}}, 0},
		"large":               {queue.Message{Data: bytes.Repeat([]byte("x"), 7_000_000)}, 0},
		"redelivered":         {queue.Message{Data: []byte("again")}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, raws := make(chan queue.Message, 10), make(chan []byte, 10)
			var deliveries atomic.Int32
			handler := push.Handler(anyone{}, func(_ context.Context, m queue.Message) error {
				got <- m
				if deliveries.Add(1) <= test.refusal {
					return queue.Retry(context.DeadlineExceeded)
				}
				return nil
			}, &graveyard{}, slog.New(slog.DiscardHandler))
			began := time.Now()
			e := startEmulated(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, _ := io.ReadAll(r.Body)
				raws <- raw
				r.Body = io.NopCloser(bytes.NewReader(raw))
				handler.ServeHTTP(w, r)
			}))
			e.publish(test.m)
			for i := range test.refusal + 1 {
				select {
				case m := <-got:
					check(t, m, test.m, began)
					want, got := full(t, <-raws), full(t, push.Encode(e.subscription, m, false))
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("our envelope of the same message (-emulator +ours):\n%.4000s", diff)
					}
				case <-time.After(30 * time.Second):
					t.Fatalf("delivery %d did not come", i+1)
				}
			}
		})
	}
}

// check compares a delivered message with the published one.
func check(t *testing.T, got, want queue.Message, began time.Time) {
	t.Helper()
	if strings.TrimSpace(got.ID) == "" || got.Published.Before(began.Add(-time.Minute)) || got.Published.After(time.Now().Add(time.Minute)) {
		t.Errorf("id %q, published %v", got.ID, got.Published)
	}
	if !bytes.Equal(got.Data, want.Data) {
		t.Errorf("data has %d bytes, want the %d published", len(got.Data), len(want.Data))
	}
	if diff := cmp.Diff(len(want.Attributes), len(got.Attributes)); diff != "" {
		t.Errorf("attributes = %v, want %v", got.Attributes, want.Attributes)
	}
	for k, v := range want.Attributes {
		if got.Attributes[k] != v {
			t.Errorf("attribute %q = %q, want %q", k, got.Attributes[k], v)
		}
	}
}

// full is the envelope as a tree without empty data and attributes: the emulator writes those, the service may not.
func full(t *testing.T, body []byte) map[string]any {
	t.Helper()
	envelope := tree(t, body).(map[string]any)
	message := envelope["message"].(map[string]any)
	maps.DeleteFunc(message, func(_ string, v any) bool {
		attributes, ok := v.(map[string]any)
		return v == "" || ok && len(attributes) == 0
	})
	return envelope
}
