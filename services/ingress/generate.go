package ingress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// stall is how long a caller of a stream may leave what was sent to it unread.
const stall = 30 * time.Second

// generate serves a call that a model answers, plain or streamed.
func (s *Server) generate(op gateway.Op) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		call, plan, err := s.ask(w, r, p, op, dialect.Hint{Header: r.Header})
		if err != nil {
			return err
		}
		return s.serve(w, r, call, plan, nothing)
	}
}

// ask reads a call and decides where it goes.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, p gateway.Principal, op gateway.Op, hint dialect.Hint) (*upstream.Call, routing.Plan, error) {
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, nil, err
	}
	request, err := all.Of(op).Peek(op, body, hint)
	if err != nil {
		return nil, nil, err
	}
	return s.newCall(w, r, request, p)
}

// nothing is to be done before an answer is complete.
func nothing(context.Context) error { return nil }

// serve makes the call and answers with what came of it. Before the caller is told that the answer is complete, keep is called.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, call *upstream.Call, plan routing.Plan, keep func(context.Context) error) error {
	if err := s.Ledger.Begin(r.Context()); err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "Spend cannot be recorded at the moment.").WithCause(err)
	}
	defer s.Ledger.End()
	reservation, err := s.reserve(r.Context(), call, plan)
	if err != nil {
		return err
	}
	defer call.Settle(reservation)
	tellLimits(w.Header(), reservation.Rates())
	if call.Request.Stream {
		stream, err := s.Upstream.Stream(r.Context(), call, plan, reservation)
		if err != nil {
			s.record(r.Context(), call)
			return err
		}
		return s.stream(w, r, call, keep, stream)
	}
	defer s.record(r.Context(), call)
	answer, err := s.Upstream.Do(r.Context(), call, plan, reservation)
	if err != nil {
		return err
	}
	if err := keep(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	tellDropped(w.Header(), call)
	writeAnswer(w, answer)
	return nil
}

// Names of headers in canonical form, which saves making them so for each call.
const (
	callID       = "X-Litellm-Call-Id"
	responseCost = "X-Litellm-Response-Cost"
	dropped      = "X-Sluice-Dropped-Params"
)

// tellDropped tells which fields of the caller's the provider has not got.
func tellDropped(h http.Header, call *upstream.Call) {
	if len(call.Dropped) > 0 {
		h[dropped] = []string{strings.Join(call.Dropped, ", ")}
	}
}

func (s *Server) newCall(w http.ResponseWriter, r *http.Request, request *dialect.Request, p gateway.Principal) (*upstream.Call, routing.Plan, error) {
	model := request.Model
	if other, found := p.Aliases[model]; found {
		model = other
	}
	plan, err := s.Router.Plan(p, request.Op, model)
	if err != nil {
		return nil, nil, err
	}
	tags, err := tagsOf(r.Header, request, p)
	if err != nil {
		return nil, nil, err
	}
	id := s.ids.next()
	call := &upstream.Call{
		ID: id, AttemptID: id, Request: request, Principal: p, Customer: s.customer(r.Header, request), Tags: tags,
	}
	if own := r.Header[callID]; len(own) > 0 && isID(own[0]) {
		call.ID = own[0]
	}
	h := w.Header()
	nameCall(h, r, id)
	h[callID] = []string{call.ID}
	return call, plan, nil
}

// reserve asks everybody whom the call counts for.
func (s *Server) reserve(ctx context.Context, call *upstream.Call, plan routing.Plan) (*budget.Reservation, error) {
	counted, err := s.Auth.Counted(ctx, call.Customer, call.Tags)
	if err != nil {
		return nil, err
	}
	return s.Budgets.Reserve(ctx, budget.Ask{
		Principal: call.Principal, Counted: counted, Model: call.Request.Model, Quote: s.Upstream.Quote(call.Request, plan),
	})
}

// isID accepts a caller's own id for a call.
func isID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// record makes the call's attempts durable. It goes on when the caller is gone.
func (s *Server) record(ctx context.Context, call *upstream.Call) error {
	err := s.Ledger.Record(ctx, call.Attempts...)
	if err != nil {
		s.Log.ErrorContext(ctx, "ledger entries could not be recorded yet", "error", err, "entries", call.Attempts)
	}
	return err
}

// writeAnswer sends a plain answer at once; the ledger is made durable while the caller reads it.
func writeAnswer(w http.ResponseWriter, a *upstream.Answer) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	h[responseCost] = []string{a.Cost.String()}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// stream passes a stream on. Until its first event has come a failure is an ordinary error; after that it is an error
// frame. The success terminator is sent only when the ledger has the call.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, call *upstream.Call, keep func(context.Context) error, stream *upstream.Stream) error {
	events, err := stream.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		err = stream.Close()
		s.record(r.Context(), call)
		return err
	}
	tellDropped(w.Header(), call)
	out := begin(w, stream.Header)
	for err == nil {
		if err = out.send(events); err == nil {
			events, err = stream.Next()
		}
	}
	failure := stream.Close()
	if s.record(r.Context(), call) != nil && failure == nil {
		failure = gateway.Errorf(gateway.KindUnavailable, "The call could not be recorded.")
	}
	var end []byte
	if failure == nil {
		end = stream.End()
		failure = keep(context.WithoutCancel(r.Context()))
	}
	if failure == nil {
		_ = out.send(end)
		return nil
	}
	s.Log.DebugContext(r.Context(), "stream broken", "call_id", call.ID, "error", failure)
	_ = out.send(stream.Fail(failure))
	return errBegun
}

// eventWriter sends events as they come.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func begin(w http.ResponseWriter, header http.Header) eventWriter {
	h := w.Header()
	for name, values := range header {
		h[name] = values
	}
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	h["Cache-Control"] = []string{"no-cache"}
	h["X-Accel-Buffering"] = []string{"no"}
	w.WriteHeader(http.StatusOK)
	return eventWriter{w, http.NewResponseController(w)}
}

func (e eventWriter) send(events []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(stall))
	if _, err := e.w.Write(events); err != nil {
		return err
	}
	return e.control.Flush()
}
