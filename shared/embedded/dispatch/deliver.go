package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

// verdict is what a delivery tells the flow of its subscription.
type verdict uint8

const (
	acked    verdict = iota
	refused          // by the endpoint, its silence or its absence
	withdrew         // nobody judged: cut short, or not pushed at all
)

var (
	errDeadline = errors.New("no answer within the ack deadline")
	errLost     = errors.New("answer lost on purpose")
)

// statusError is an answer that does not acknowledge.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("push answered %d", int(s)) }

// deliver pushes one message and settles it: acknowledged, due again later, or dead.
func (l *line) deliver(ctx context.Context, m queue.Leased, bad misfortune) verdict {
	if l.sub.MaxAttempts > 0 && m.Attempt > l.sub.MaxAttempts { // the process died, or the dead topic was away, after the last
		l.bury(ctx, m, errors.New("attempts used up"))
		return withdrew
	}
	err := l.pushWith(ctx, m, bad)
	switch {
	case err == nil:
		l.settle(ctx, queue.Outcome{ID: m.ID, Token: m.Token, Ack: true})
		return acked
	case ctx.Err() != nil:
		l.settle(ctx, queue.Outcome{ID: m.ID, Token: m.Token, NotBefore: time.Now()})
		return withdrew
	case l.sub.MaxAttempts > 0 && m.Attempt >= l.sub.MaxAttempts:
		l.bury(ctx, m, err)
	default:
		l.putBack(ctx, m, err)
	}
	return refused
}

// putBack makes a message due again after its backoff.
func (l *line) putBack(ctx context.Context, m queue.Leased, err error) {
	pause := l.sub.backoff(m.Attempt)
	if status := statusError(0); !errors.As(err, &status) { // whoever answered has logged why
		l.log.WarnContext(ctx, "push failed, will be repeated",
			"subscription", l.sub.Name, "message_id", m.ID, "attempt", m.Attempt, "pause", pause, "error", err)
	}
	l.settle(ctx, queue.Outcome{ID: m.ID, Token: m.Token, NotBefore: time.Now().Add(pause)})
}

// bury moves a message to the dead topic. The copy is durable before the original goes.
func (l *line) bury(ctx context.Context, m queue.Leased, reason error) {
	log := l.log.With("subscription", l.sub.Name, "message_id", m.ID, "attempt", m.Attempt, "error", reason)
	brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	if err := l.dead.Publish(brief, l.sub.DeadTopic, push.DeadLetter(l.name, m.Message, reason.Error())); err != nil {
		log.ErrorContext(ctx, "dead letter not published, will retry", "publish_error", err)
		l.settle(ctx, queue.Outcome{ID: m.ID, Token: m.Token, NotBefore: time.Now().Add(max(l.sub.backoff(m.Attempt), time.Second))})
		return
	}
	log.ErrorContext(ctx, "message moved to the dead letters")
	l.settle(ctx, queue.Outcome{ID: m.ID, Token: m.Token, Ack: true})
}

// settle makes an outcome durable, also when the dispatcher is told to stop. What cannot be settled is delivered again
// when its lease runs out.
func (l *line) settle(ctx context.Context, o queue.Outcome) {
	brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	o.Subscription = l.sub.Name
	if err := l.source.Settle(brief, o); err != nil {
		l.log.WarnContext(ctx, "outcome not stored, message will be delivered again",
			"subscription", l.sub.Name, "message_id", o.ID, "acknowledged", o.Ack, "error", err)
	}
}

// push sends the message once. Nil means acknowledged.
func (l *line) push(ctx context.Context, m queue.Message) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.sub.AckDeadline, errDeadline)
	defer cancel()
	body := push.Encode(l.name, m, l.sub.MaxAttempts > 0)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "sluice-dispatch")
	if l.signer != nil {
		token, err := l.signer.Token()
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := l.sub.Transport.RoundTrip(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if !push.AckStatus(answer.StatusCode) {
		return statusError(answer.StatusCode)
	}
	return nil
}
