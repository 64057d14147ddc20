package pubsubqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/shared/gcp/pubsubqueue"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/queuetest"
)

func needEmulator(t *testing.T) {
	t.Helper()
	if os.Getenv("PUBSUB_EMULATOR_HOST") != "" {
		return
	}
	const message = "PUBSUB_EMULATOR_HOST is not set: the Pub/Sub emulator tests did not run"
	if os.Getenv("SLUICE_REQUIRE_EMULATORS") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

func newProject() string { return "p-" + uuid.NewString() }

type push struct {
	Message struct {
		Data       []byte            `json:"data"`
		Attributes map[string]string `json:"attributes"`
		ID         string            `json:"messageId"`
		Published  time.Time         `json:"publishTime"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// receiver is an endpoint that hands on each push and answers with the status that reply says.
func receiver(t *testing.T, reply func(push) int) (url string, pushes <-chan push) {
	t.Helper()
	c := make(chan push, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p push
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		w.WriteHeader(reply(p))
		c <- p
	}))
	t.Cleanup(server.Close)
	return server.URL, c
}

func setup(t *testing.T, project string, subscriptions ...pubsubqueue.SubscriptionConfig) *pubsubqueue.Publisher {
	t.Helper()
	if err := pubsubqueue.Setup(t.Context(), project, subscriptions); err != nil {
		t.Fatal(err)
	}
	p, err := pubsubqueue.New(t.Context(), project, pubsubqueue.WithDelay(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		unsubscribe(t, project, subscriptions) // the emulator would push for ever
	})
	return p
}

func unsubscribe(t *testing.T, project string, subscriptions []pubsubqueue.SubscriptionConfig) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, s := range subscriptions {
		name := "projects/" + project + "/subscriptions/" + string(s.Name)
		request := &pb.DeleteSubscriptionRequest{Subscription: name}
		if err := client.SubscriptionAdminClient.DeleteSubscription(ctx, request); err != nil {
			t.Error(err)
		}
	}
}

func next(t *testing.T, pushes <-chan push) push {
	t.Helper()
	select {
	case p := <-pushes:
		return p
	case <-time.After(30 * time.Second):
		t.Fatal("no push within 30 s")
		return push{}
	}
}

func TestPublishedMessagesArePushed(t *testing.T) {
	t.Parallel()
	needEmulator(t)
	endpoint, pushes := receiver(t, func(push) int { return http.StatusNoContent })
	project := newProject()
	p := setup(t, project, pubsubqueue.SubscriptionConfig{Name: "worker", Topic: queue.Work, Endpoint: endpoint})

	want := map[string]map[string]string{}
	var wg sync.WaitGroup
	for i := range 5 { // concurrent calls of several messages each
		var ms []queue.Message
		for j := range 4 {
			data := strconv.Itoa(i) + "/" + strconv.Itoa(j)
			want[data] = map[string]string{"kind": data}
			ms = append(ms, queue.Message{Data: []byte(data), Attributes: want[data]})
		}
		wg.Go(func() {
			if err := p.Publish(t.Context(), queue.Work, ms...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := map[string]map[string]string{}
	for len(got) < len(want) {
		push := next(t, pushes)
		got[string(push.Message.Data)] = push.Message.Attributes
		if push.Message.ID == "" || push.Message.Published.IsZero() || push.Subscription != "projects/"+project+"/subscriptions/worker" {
			t.Errorf("incomplete push: %+v", push)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
}

func TestRefusedPushComesAgain(t *testing.T) {
	t.Parallel()
	needEmulator(t)
	var deliveries atomic.Int32
	endpoint, pushes := receiver(t, func(push) int {
		if deliveries.Add(1) == 1 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	p := setup(t, newProject(), pubsubqueue.SubscriptionConfig{Name: "worker", Topic: queue.Ledger, Endpoint: endpoint})
	if err := p.Publish(t.Context(), queue.Ledger, queue.Message{Data: []byte("again")}); err != nil {
		t.Fatal(err)
	}
	one, two := next(t, pushes), next(t, pushes)
	if one.Message.ID != two.Message.ID || string(two.Message.Data) != "again" {
		t.Errorf("first %+v, then %+v; want the same message twice", one, two)
	}
}

func TestSetupRepeatsAndChanges(t *testing.T) {
	t.Parallel()
	needEmulator(t)
	project := newProject()
	old, _ := receiver(t, func(push) int { return http.StatusNoContent })
	endpoint, pushes := receiver(t, func(push) int { return http.StatusNoContent })
	config := pubsubqueue.SubscriptionConfig{
		Name: "worker", Topic: queue.Work, Endpoint: old, ServiceAccount: "push@p.iam.gserviceaccount.com", Audience: "a",
	}
	if err := pubsubqueue.Setup(t.Context(), project, []pubsubqueue.SubscriptionConfig{config}); err != nil {
		t.Fatal(err)
	}
	config.Endpoint, config.MaxAttempts, config.AckDeadline = endpoint, 5, 30*time.Second
	p := setup(t, project, config)

	client, err := pubsub.NewClient(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	got, err := client.SubscriptionAdminClient.GetSubscription(t.Context(),
		&pb.GetSubscriptionRequest{Subscription: "projects/" + project + "/subscriptions/worker"})
	if err != nil {
		t.Fatal(err)
	}
	if got.PushConfig.PushEndpoint != endpoint || got.AckDeadlineSeconds != 30 || got.DeadLetterPolicy.GetMaxDeliveryAttempts() != 5 ||
		got.RetryPolicy.GetMinimumBackoff().AsDuration() != time.Second || got.RetryPolicy.GetMaximumBackoff().AsDuration() != time.Minute {
		t.Errorf("the subscription is %v", got)
	}
	if err := p.Publish(t.Context(), queue.Work, queue.Message{Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	next(t, pushes)
}

func TestPublishErrors(t *testing.T) {
	t.Parallel()
	needEmulator(t)
	p := setup(t, newProject())
	large := queue.Message{Data: make([]byte, queue.MaxMessageBytes+1)}
	if err := p.Publish(t.Context(), queue.Work, queue.Message{Data: []byte("x")}, large); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("too large: %v; want ErrTooLarge", err)
	}
	if err := p.Publish(t.Context(), "no-such-topic", queue.Message{Data: []byte("x")}); err == nil {
		t.Error("published to a topic that does not exist")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Publish(ctx, queue.Work, queue.Message{Data: []byte("x")}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v; want context.Canceled", err)
	}
	if err := p.Publish(t.Context(), queue.Work); err != nil {
		t.Errorf("no messages: %v", err)
	}
	p.Close()
	if err := p.Publish(t.Context(), queue.Work, queue.Message{Data: []byte("x")}); err == nil {
		t.Error("published after Close")
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	needEmulator(t)
	queuetest.RunPublisher(t, func(t *testing.T) (queue.Publisher, <-chan queue.Message) {
		delivered := make(chan queue.Message, 1000)
		endpoint, pushes := receiver(t, func(push) int { return http.StatusNoContent })
		p := setup(t, newProject(), pubsubqueue.SubscriptionConfig{Name: "worker", Topic: queue.Work, Endpoint: endpoint})
		go func() {
			for {
				select {
				case got := <-pushes:
					m := got.Message
					delivered <- queue.Message{Data: m.Data, Attributes: m.Attributes, ID: m.ID, Published: m.Published}
				case <-t.Context().Done():
					return
				}
			}
		}()
		return p, delivered
	})
}
