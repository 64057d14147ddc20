package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
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
	reader  dialect.FrameReader
	tap     dialect.Tap
	buf     []byte
	told    time.Time // when the caller was last told something
	err     error
}

// Stream makes a streamed call. The caller must Close what it returns. The error is a gateway.Error.
func (c *Client) Stream(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation) (*Stream, error) {
	a, err := c.open(ctx, call, plan, r)
	if err != nil {
		return nil, err
	}
	if !a.isStream() {
		defer a.close()
		return nil, a.notAStream()
	}
	a.timer.Reset(c.Timers.Idle)
	return &Stream{
		Header: passedOn(a.response.Header), attempt: a, reader: a.passage.Framing().Open(a.response.Body), tap: a.passage.Tap(), told: c.Now(),
	}, nil
}

// notAStream ends an attempt whose answer came whole: an error under a good status, or what nobody asked for.
func (a *attempt) notAStream() error {
	text, err := a.readAll()
	if err != nil {
		return a.fail(err, gateway.Unknown)
	}
	if _, err := a.passage.Answer(text); err != nil {
		return a.fail(err, outcomeOf(err))
	}
	return a.fail(dialect.InvalidAnswer("no stream where one was asked for"), gateway.Unknown)
}

// Next returns what to send to the caller: all that has arrived, at least one event. It blocks until there is something.
// The error is io.EOF when the provider has finished well, its terminator not included; else a gateway.Error. Bytes are
// valid until the next call.
func (s *Stream) Next() ([]byte, error) {
	s.buf = s.buf[:0]
	for s.err == nil {
		if s.err = s.take(); s.err == nil && len(s.buf) == 0 {
			s.keepAlive()
		}
		if len(s.buf) > 0 && !s.reader.Buffered() {
			break
		}
	}
	if len(s.buf) > 0 {
		s.told = s.attempt.client.Now()
		return s.buf, nil
	}
	return nil, s.err
}

// keepAlive tells a caller who has long heard nothing that the stream lives. Callers and what is between them give up on silent ones.
func (s *Stream) keepAlive() {
	c := s.attempt.client
	if c.Timers.Quiet > 0 && c.Now().Sub(s.told) >= c.Timers.Quiet {
		s.buf = append(s.buf, all.Of(s.attempt.call.Request.Op).KeepAlive...)
	}
}

// take reads one event and passes it through the tap.
func (s *Stream) take() error {
	if !s.reader.Buffered() {
		s.attempt.timer.Reset(s.attempt.client.Timers.Idle)
	}
	frame, err := s.reader.Next()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && s.endsIn(s.reader.Tail()), errors.Is(err, io.EOF) && s.tap.Progress() == dialect.MayEnd:
		return io.EOF
	case errors.Is(err, sse.ErrTooLong):
		return dialect.InvalidAnswer("an event of the stream is too long")
	case err != nil:
		return s.cut(err)
	}
	if s.buf, err = s.tap.Frame(s.buf, frame); err != nil {
		return err
	}
	if s.attempt.entry.First == 0 && s.tap.Seen().Chunks > 0 {
		s.attempt.entry.First = s.attempt.client.Now().UnixMicro()
	}
	if s.tap.Progress() == dialect.Done {
		return io.EOF
	}
	return nil
}

// endsIn reports whether an unfinished frame is the success terminator, of which only the blank line behind it is missing.
func (s *Stream) endsIn(tail dialect.Frame) bool {
	if len(tail.Raw) == 0 {
		return false // the connection broke between two frames
	}
	before := len(s.buf)
	buf, err := s.tap.Frame(s.buf, tail)
	if err != nil || s.tap.Progress() == dialect.Open {
		buf = buf[:before]
	}
	s.buf = buf
	return err == nil && s.tap.Progress() != dialect.Open
}

// isWhole reports whether the answer came to its end.
func (s *Stream) isWhole() bool {
	progress := s.tap.Progress()
	return progress == dialect.Done || progress == dialect.MayEnd && errors.Is(s.err, io.EOF)
}

// End is what tells the caller that the stream ended well. It is to be sent when the call's entry is durable.
func (s *Stream) End() []byte { return s.tap.End(nil) }

// Fail is what tells the caller that a stream which has begun is broken.
func (s *Stream) Fail(err error) []byte { return s.tap.Fail(nil, gateway.AsError(err)) }

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
	seen := s.tap.Seen()
	s.attempt.entry.Usage, s.attempt.entry.Tier = seen.Counted(s.attempt.call.Request), seen.Tier
	if s.isWhole() {
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
	switch seen := s.tap.Seen(); {
	case seen.Chunks > 0 || seen.Usage.Source != "":
		return gateway.BilledPartial
	case errors.As(s.err, &e) && e.Code != "upstream_stream_cut":
		return outcomeOf(s.err)
	default:
		return gateway.Unknown
	}
}
