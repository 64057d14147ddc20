package dispatch

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
)

const longestBackoff = 600 * time.Second

// Subscription says how one subscription's messages are pushed. The ranges are the service's (Pub/Sub subscription
// properties, read 2026-11).
type Subscription struct {
	Name     queue.Subscription
	Endpoint string // URL of the push handler

	// Transport sends the pushes; redirects are not followed. InProcess calls a handler without sockets.
	// Nil is http.DefaultTransport.
	Transport http.RoundTripper

	AckDeadline time.Duration // for one answer, 10 s to 600 s; zero means 10 s
	MinBackoff  time.Duration // before the second delivery, 0 to 600 s; doubles per attempt
	MaxBackoff  time.Duration // where doubling ends, MinBackoff to 600 s; zero means 600 s beside a MinBackoff

	MaxAttempts int         // 5 to 100 deliveries, then the dead letter; zero means no dead-letter policy
	DeadTopic   queue.Topic // where dead letters go; needs MaxAttempts

	Concurrency int // most pushes at a time, at least 1; zero means 10
}

func (s Subscription) withDefaults() Subscription {
	if s.Transport == nil {
		s.Transport = http.DefaultTransport
	}
	if s.AckDeadline == 0 {
		s.AckDeadline = 10 * time.Second
	}
	if s.Concurrency == 0 {
		s.Concurrency = 10
	}
	if s.MinBackoff > 0 && s.MaxBackoff == 0 {
		s.MaxBackoff = longestBackoff
	}
	return s
}

// check answers everything that is wrong with s for the dispatcher d.
func (s Subscription) check(d *Dispatcher) error {
	endpoint, err := url.Parse(s.Endpoint)
	rules := []struct {
		ok    bool
		fault string
	}{
		{s.Name != "", "it needs a name"},
		{err == nil && (endpoint.Scheme == "http" || endpoint.Scheme == "https") && endpoint.Host != "", "the endpoint must be an http or https URL"},
		{10*time.Second <= s.AckDeadline && s.AckDeadline <= 600*time.Second, "the ack deadline must be 10s to 600s"},
		{0 <= s.MinBackoff && s.MinBackoff <= s.MaxBackoff && s.MaxBackoff <= longestBackoff, "the backoffs must be 0s to 600s, the smaller first"},
		{s.MinBackoff > 0 || d.backoffLimit > 0, "without push backoff it needs a minimum backoff, or a refused message would spin"},
		{s.MaxAttempts == 0 || 5 <= s.MaxAttempts && s.MaxAttempts <= 100, "the attempts must be 5 to 100, or 0 for no dead-letter policy"},
		{(s.MaxAttempts > 0) == (s.DeadTopic != ""), "attempts and dead topic go together"},
		{s.MaxAttempts == 0 || d.dead != nil, "a dead-letter policy needs the DeadLetters option"},
		{s.Concurrency > 0, "the concurrency must be at least 1"},
	}
	var faults []error
	for _, r := range rules {
		if !r.ok {
			faults = append(faults, errors.New(r.fault))
		}
	}
	return errors.Join(faults...)
}

// fullName is the subscription's name in the envelope.
func (s Subscription) fullName(project string) string {
	if strings.Contains(string(s.Name), "/") {
		return string(s.Name)
	}
	return "projects/" + project + "/subscriptions/" + string(s.Name)
}

// backoff is the pause after the given delivery failed.
func (s Subscription) backoff(attempt int) time.Duration {
	pause := s.MinBackoff
	for i := 1; i < attempt && pause < s.MaxBackoff; i++ {
		pause *= 2
	}
	return min(pause, s.MaxBackoff)
}
