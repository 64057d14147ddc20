package dispatch_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// BenchmarkPush is one message of 8 kB from the source through the signed in-process push to the handler and back.
func BenchmarkPush(b *testing.B) {
	q, signer := newQueue(), dispatch.NewSigner(audience, email)
	got := make(chan struct{}, 1)
	s := to(push.Handler(signer.Verifier(), func(context.Context, queue.Message) error { got <- struct{}{}; return nil }, q, slog.Default()))
	d, err := dispatch.New(q, []dispatch.Subscription{s}, dispatch.SignedBy(signer))
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = d.Run(b.Context()) }()
	body := strings.Repeat("x", 8000)
	b.ReportAllocs()
	for b.Loop() {
		q.add(body, time.Now())
		<-got
	}
}
