package main

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
)

// pubsubRole takes what is published and drops it, at once. It stands in for Google's service, which answers from
// elsewhere: the emulator would share our cores and be measured with the gateway.
func pubsubRole(l net.Listener, _ []string) error {
	s := grpc.NewServer()
	pubsubpb.RegisterPublisherServer(s, &dropper{})
	return s.Serve(l)
}

type dropper struct {
	pubsubpb.UnimplementedPublisherServer
	taken atomic.Int64
}

func (d *dropper) Publish(_ context.Context, r *pubsubpb.PublishRequest) (*pubsubpb.PublishResponse, error) {
	answer := &pubsubpb.PublishResponse{}
	for range r.Messages {
		answer.MessageIds = append(answer.MessageIds, strconv.FormatInt(d.taken.Add(1), 10))
	}
	return answer, nil
}
