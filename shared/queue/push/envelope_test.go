package push_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

const subscription = "projects/p/subscriptions/work"

var published = time.Date(2026, 2, 26, 19, 13, 55, 749e6, time.UTC)

func TestEncodeIsTheServicesEnvelope(t *testing.T) {
	t.Parallel()
	m := queue.Message{Data: []byte(`{"a":1}`), Attributes: map[string]string{"k": "v"}, ID: "7", Published: published, Attempt: 5}
	tests := map[string]struct {
		m       queue.Message
		attempt bool
		want    string
	}{
		"with a dead-letter policy": {m, true, `{"deliveryAttempt":5,
			"message":{"attributes":{"k":"v"},"data":"eyJhIjoxfQ==","messageId":"7","message_id":"7",
			"publishTime":"2026-02-26T19:13:55.749Z","publish_time":"2026-02-26T19:13:55.749Z"},
			"subscription":"projects/p/subscriptions/work"}`},
		"without": {queue.Message{ID: "7", Published: published, Attempt: 5}, false, `{
			"message":{"messageId":"7","message_id":"7",
			"publishTime":"2026-02-26T19:13:55.749Z","publish_time":"2026-02-26T19:13:55.749Z"},
			"subscription":"projects/p/subscriptions/work"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := push.Encode(subscription, test.m, test.attempt)
			if diff := cmp.Diff(tree(t, []byte(test.want)), tree(t, got)); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

func tree(t *testing.T, body []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want queue.Message
	}{
		"camel case only": {`{"message":{"messageId":"7","publishTime":"2026-02-26T19:13:55.749Z","data":"aGk="}}`,
			queue.Message{ID: "7", Published: published, Data: []byte("hi")}},
		"snake case only": {`{"message":{"message_id":"7","publish_time":"2026-02-26T20:13:55.749+01:00"}}`,
			queue.Message{ID: "7", Published: published}},
		"attributes and attempt": {`{"deliveryAttempt":3,"message":{"messageId":"7","attributes":{"k":"v"}}}`,
			queue.Message{ID: "7", Attributes: map[string]string{"k": "v"}, Attempt: 3}},
		"unknown fields": {`{"x":1,"message":{"messageId":"7","orderingKey":"o","y":[{}]}}`, queue.Message{ID: "7"}},
		"empty data":     {`{"message":{"messageId":"7","data":"","attributes":{}}}`, queue.Message{ID: "7", Data: []byte{}, Attributes: map[string]string{}}},
		"nonsense count": {`{"deliveryAttempt":-3,"message":{"messageId":"7"}}`, queue.Message{ID: "7"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got, err := push.Decode([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

// notEnvelopes are bodies that a push must not have.
var notEnvelopes = map[string]string{
	"empty":             ``,
	"not JSON":          `hello`,
	"cut":               `{"message":{"messageId":"7"`,
	"more behind":       `{"message":{"messageId":"7"}}{}`,
	"an array":          `[]`,
	"null":              `null`,
	"no message":        `{"subscription":"s"}`,
	"message is text":   `{"message":"hi"}`,
	"no id":             `{"message":{"data":"aGk="}}`,
	"id is a number":    `{"message":{"messageId":7}}`,
	"bad base64":        `{"message":{"messageId":"7","data":"@@"}}`,
	"bad time":          `{"message":{"messageId":"7","publishTime":"yesterday"}}`,
	"attributes a list": `{"message":{"messageId":"7","attributes":["a"]}}`,
	"attribute nested":  `{"message":{"messageId":"7","attributes":{"a":{}}}}`,
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range notEnvelopes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, m, err := push.Decode([]byte(body)); !errors.Is(err, push.ErrEnvelope) {
				t.Errorf("Decode = %+v, %v; want ErrEnvelope", m, err)
			}
		})
	}
}

func TestAckStatus(t *testing.T) {
	t.Parallel()
	acks := map[int]bool{102: true, 200: true, 201: true, 202: true, 204: true}
	for code := 100; code < 600; code++ {
		if got := push.AckStatus(code); got != acks[code] {
			t.Errorf("AckStatus(%d) = %v", code, got)
		}
	}
}

func TestDeadLetterStaysWithinTheLimits(t *testing.T) {
	t.Parallel()
	m := queue.Message{Attributes: map[string]string{push.DeadCount: "old"}}
	for i := range queue.MaxAttributes - 1 {
		m.Attributes[strings.Repeat("k", i+1)] = "v"
	}
	got := push.DeadLetter(subscription, m, strings.Repeat("é", queue.MaxAttributeValue)+"\xff")
	if err := got.Check(); err != nil {
		t.Errorf("Check = %v", err)
	}
	if n := len(got.Attributes); n != queue.MaxAttributes {
		t.Errorf("%d attributes, want the limit", n)
	}
	if got := got.Attributes[push.DeadCount]; got != "0" {
		t.Errorf("count = %q, want this delivery's", got)
	}
	if got, want := got.Attributes[push.DeadError], strings.Repeat("é", queue.MaxAttributeValue/2); got != want {
		t.Errorf("reason has %d bytes", len(got))
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range notEnvelopes {
		f.Add([]byte(body))
	}
	f.Add(push.Encode(subscription, queue.Message{ID: "7", Data: []byte("x"), Attributes: map[string]string{"k": "v"}, Published: published, Attempt: 2}, true))
	f.Add([]byte(`{"deliveryAttempt":3,"message":{"message_id":"7","publish_time":"2026-02-26T19:13:55Z","attributes":{"k":null}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sub, m, err := push.Decode(body)
		if err != nil {
			if !errors.Is(err, push.ErrEnvelope) {
				t.Fatalf("error outside the contract: %v", err)
			}
			return
		}
		m.Published = m.Published.Truncate(time.Millisecond)
		sub2, again, err := push.Decode(push.Encode(sub, m, true))
		if err != nil {
			t.Fatalf("%v after a round trip of %q", err, body)
		}
		if len(m.Data) == 0 {
			m.Data = nil
		}
		if len(m.Attributes) == 0 {
			m.Attributes = nil
		}
		if diff := cmp.Diff(m, again); diff != "" || sub != sub2 {
			t.Errorf("round trip (-first +second):\n%s", diff)
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	m := queue.Message{ID: "7", Data: []byte(base64.StdEncoding.EncodeToString(make([]byte, 6000))), Published: published}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := push.Decode(push.Encode(subscription, m, true)); err != nil {
			b.Fatal(err)
		}
	}
}
