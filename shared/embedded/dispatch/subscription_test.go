package dispatch_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/queue"
)

func TestNewChecksSubscriptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*dispatch.Subscription)
		options []dispatch.Option
		ok      bool
	}{
		"as it is":       {func(*dispatch.Subscription) {}, nil, true},
		"no backoff":     {func(s *dispatch.Subscription) { s.MinBackoff = 0 }, nil, true},
		"no backoffs":    {func(s *dispatch.Subscription) { s.MinBackoff = 0 }, []dispatch.Option{dispatch.PushBackoff(0)}, false},
		"no name":        {func(s *dispatch.Subscription) { s.Name = "" }, nil, false},
		"no endpoint":    {func(s *dispatch.Subscription) { s.Endpoint = "" }, nil, false},
		"relative":       {func(s *dispatch.Subscription) { s.Endpoint = "/push" }, nil, false},
		"ftp":            {func(s *dispatch.Subscription) { s.Endpoint = "ftp://worker/push" }, nil, false},
		"short deadline": {func(s *dispatch.Subscription) { s.AckDeadline = 9 * time.Second }, nil, false},
		"long deadline":  {func(s *dispatch.Subscription) { s.AckDeadline = 601 * time.Second }, nil, false},
		"long backoff":   {func(s *dispatch.Subscription) { s.MinBackoff = 601 * time.Second }, nil, false},
		"swapped":        {func(s *dispatch.Subscription) { s.MaxBackoff = time.Millisecond }, nil, false},
		"four attempts":  {func(s *dispatch.Subscription) { s.MaxAttempts, s.DeadTopic = 4, queue.Dead }, nil, false},
		"101 attempts":   {func(s *dispatch.Subscription) { s.MaxAttempts, s.DeadTopic = 101, queue.Dead }, nil, false},
		"no dead topic":  {func(s *dispatch.Subscription) { s.MaxAttempts = 5 }, nil, false},
		"no attempts":    {func(s *dispatch.Subscription) { s.DeadTopic = queue.Dead }, nil, false},
		"no publisher":   {func(s *dispatch.Subscription) { s.MaxAttempts, s.DeadTopic = 5, queue.Dead }, []dispatch.Option{dispatch.DeadLetters(nil)}, false},
		"negative":       {func(s *dispatch.Subscription) { s.Concurrency = -1 }, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue()
			s := to(http.NotFoundHandler())
			test.change(&s)
			_, err := dispatch.New(q, []dispatch.Subscription{s}, append([]dispatch.Option{dispatch.DeadLetters(q)}, test.options...)...)
			if (err == nil) != test.ok {
				t.Errorf("New = %v, want ok %v", err, test.ok)
			}
		})
	}
}
