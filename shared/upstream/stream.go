package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/sse"
)

const (
	drainLimit = 20 * time.Millisecond
	maxDrained = 4 << 10 // bytes
)

// Stream is a streamed answer. Not for concurrent use.
type Stream struct {
	Header http.Header // for the caller

	attempt *attempt
	reader  *sse.Reader
	tap     *chat.Tap
	buf     []byte
	err     error
}

// Stream makes a streamed call. The caller must Close what it returns. The error is a gateway.Error.
func (c *Client) Stream(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation) (*Stream, error) {
	a, err := c.open(ctx, call, plan, r)
	if err != nil {
		return nil, err
	}
	if !isStream(a.response.Header) {
		defer a.close()
		return nil, a.notAStream()
	}
	a.timer.Reset(c.Timers.Idle)
	return &Stream{
		Header: passedOn(a.response.Header), attempt: a, reader: sse.NewReader(a.response.Body), tap: call.Request.Tap(),
	}, nil
}

// notAStream ends an attempt whose answer came whole: an error under a good status, or what nobody asked for.
func (a *attempt) notAStream() error {
	a.timer.Reset(a.client.Timers.Idle)
	text, err := readAll(a.response)
	if err != nil {
		return a.fail(err, gateway.Unknown)
	}
	if _, err := a.call.Request.Answer(text); err != nil {
		return a.fail(err, outcomeOf(err))
	}
	return a.fail(badAnswer("no stream where one was asked for"), gateway.Unknown)
}

// Next returns what to send to the caller: all that has arrived, at least one event. It blocks until there is something.
// The error is io.EOF when the provider has finished well, its terminator not included; else a gateway.Error. Bytes are
// valid until the next call.
func (s *Stream) Next() ([]byte, error) {
	s.buf = s.buf[:0]
	for s.err == nil {
		s.err = s.take()
		if len(s.buf) > 0 && !s.reader.Buffered() {
			break
		}
	}
	if len(s.buf) > 0 {
		return s.buf, nil
	}
	return nil, s.err
}

// take reads one event and passes it through the tap.
func (s *Stream) take() error {
	if !s.reader.Buffered() {
		s.attempt.timer.Reset(s.attempt.client.Timers.Idle)
	}
	event, err := s.reader.Next()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && bytes.Equal(bytes.TrimSpace(s.reader.Tail().Data), []byte("[DONE]")):
		s.tap.Done = true // only the blank line behind it is missing
		return io.EOF
	case errors.Is(err, sse.ErrTooLong):
		return badAnswer("an event of the stream is too long")
	case err != nil:
		return s.cut(err)
	}
	if s.buf, err = s.tap.Event(s.buf, event.Raw, event.Data); err != nil {
		return err
	}
	if s.attempt.entry.First == 0 && s.tap.Chunks > 0 {
		s.attempt.entry.First = s.attempt.client.Now().UnixMicro()
	}
	if s.tap.Done {
		return io.EOF
	}
	return nil
}

// cut is the error for a stream that ended before its terminator.
func (s *Stream) cut(err error) error {
	if s.attempt.ctx.Err() != nil {
		return err
	}
	e := gateway.Errorf(gateway.KindUpstream, "The provider broke off the stream.").WithCause(err)
	e.Code = "upstream_stream_cut"
	return e
}

// Close ends the call and appends its entry to the call's attempts: what was used, however it ended. The error is what
// Next failed with, fit for the caller; nil if the stream ended well or its caller is gone.
func (s *Stream) Close() error {
	defer s.attempt.close()
	defer s.reader.Close()
	s.attempt.entry.Usage, s.attempt.entry.Tier = s.tap.Counted(), s.tap.Tier
	if s.tap.Done {
		s.drain()
		s.attempt.end(gateway.BilledActual)
		return nil
	}
	err := s.err
	if err == nil {
		err = context.Canceled // its caller gave up between two events
	}
	return s.attempt.fail(err, s.brokenOutcome())
}

// drain reads the end of the answer behind its terminator, so that the connection can be used again. It has usually come
// already, and is not waited for.
func (s *Stream) drain() {
	s.attempt.timer.Reset(drainLimit)
	_, _ = io.CopyN(io.Discard, s.attempt.response.Body, maxDrained)
}

// brokenOutcome tells how a stream that did not end well is booked.
func (s *Stream) brokenOutcome() gateway.Outcome {
	var e *gateway.Error
	switch {
	case s.tap.Chunks > 0 || s.tap.Usage.Source != "":
		return gateway.BilledPartial
	case errors.As(s.err, &e) && e.Code != "upstream_stream_cut":
		return outcomeOf(s.err)
	default:
		return gateway.Unknown
	}
}
