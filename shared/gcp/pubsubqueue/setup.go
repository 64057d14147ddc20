package pubsubqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/pubsub/v2"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// SubscriptionConfig describes a subscription, and is what a deployment must create in production.
type SubscriptionConfig struct {
	Name  queue.Subscription
	Topic queue.Topic
	// Endpoint is the URL that is pushed to. Empty: the subscription is pulled from.
	Endpoint string
	// ServiceAccount is the email whose identity token accompanies each push, for Audience. Empty: none.
	ServiceAccount string
	Audience       string
	// AckDeadline is how long a handler may take: 10 s to 600 s; zero is 600 s, right for work.
	AckDeadline time.Duration
	// MaxAttempts is after how many deliveries, 5 to 100, a message goes to queue.Dead; zero is never.
	MaxAttempts int32
}

// Setup creates this system's topics and the subscriptions, which never expire. A subscription that exists is changed to fit,
// but keeps its topic and its expiration. It may be repeated.
func Setup(ctx context.Context, project string, subscriptions []SubscriptionConfig) error {
	client, err := newClient(ctx, project)
	if err != nil {
		return err
	}
	defer client.Close()
	topics := []queue.Topic{queue.Work, queue.Ledger, queue.Events, queue.Dead}
	for _, s := range subscriptions {
		topics = append(topics, s.Topic)
	}
	for _, t := range topics {
		_, err := client.TopicAdminClient.CreateTopic(ctx, &pb.Topic{Name: topicName(project, t)})
		if err != nil && status.Code(err) != codes.AlreadyExists {
			return fmt.Errorf("create topic %s: %w", t, err)
		}
	}
	var errs []error
	for _, s := range subscriptions {
		if err := subscribe(ctx, client, s.subscription(project)); err != nil {
			errs = append(errs, fmt.Errorf("create subscription %s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

func topicName(project string, t queue.Topic) string {
	return "projects/" + project + "/topics/" + string(t)
}

func (c SubscriptionConfig) subscription(project string) *pb.Subscription {
	if c.AckDeadline == 0 {
		c.AckDeadline = 600 * time.Second
	}
	s := &pb.Subscription{
		Name:               "projects/" + project + "/subscriptions/" + string(c.Name),
		Topic:              topicName(project, c.Topic),
		AckDeadlineSeconds: int32(c.AckDeadline / time.Second),
		PushConfig:         &pb.PushConfig{PushEndpoint: c.Endpoint},
		RetryPolicy: &pb.RetryPolicy{
			MinimumBackoff: durationpb.New(time.Second),
			MaximumBackoff: durationpb.New(time.Minute),
		},
		ExpirationPolicy: &pb.ExpirationPolicy{}, // never
	}
	if c.ServiceAccount != "" {
		s.PushConfig.AuthenticationMethod = &pb.PushConfig_OidcToken_{
			OidcToken: &pb.PushConfig_OidcToken{ServiceAccountEmail: c.ServiceAccount, Audience: c.Audience},
		}
	}
	if c.MaxAttempts > 0 {
		s.DeadLetterPolicy = &pb.DeadLetterPolicy{
			DeadLetterTopic:     topicName(project, queue.Dead),
			MaxDeliveryAttempts: c.MaxAttempts,
		}
	}
	return s
}

func subscribe(ctx context.Context, client *pubsub.Client, s *pb.Subscription) error {
	_, err := client.SubscriptionAdminClient.CreateSubscription(ctx, s)
	if status.Code(err) != codes.AlreadyExists {
		return err
	}
	_, err = client.SubscriptionAdminClient.UpdateSubscription(ctx, &pb.UpdateSubscriptionRequest{
		Subscription: s,
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{
			"push_config", "ack_deadline_seconds", "retry_policy", "dead_letter_policy",
		}},
	})
	return err
}
