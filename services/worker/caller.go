package worker

import (
	"context"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// caller sends the lines of batches the way the ingress sends calls.
type caller struct {
	upstream *upstream.Client
	router   *routing.Router
	budgets  *budget.Budgets
}

var _ batch.Caller = (*caller)(nil)

// Call makes one call. A line that cannot be sent gets the answer that the ingress would have given.
func (c *caller) Call(ctx context.Context, line batch.Call) batch.Reply {
	request, err := chat.Peek(line.Op, line.Body)
	if err != nil {
		return refusal(line, err, nil)
	}
	plan, err := c.router.Plan(line.Principal, line.Op, request.Model)
	if err != nil {
		return refusal(line, err, nil)
	}
	reservation, err := c.budgets.Reserve(ctx, line.Principal, c.upstream.Bound(request, plan))
	if err != nil {
		return refusal(line, err, nil)
	}
	defer reservation.Settle()
	call := &upstream.Call{
		ID: line.ID, AttemptID: line.ID, Request: request, Principal: line.Principal, Batch: line.Batch, CustomID: line.CustomID,
	}
	answer, err := c.upstream.Do(ctx, call, plan, reservation)
	if err != nil {
		return refusal(line, err, call.Attempts)
	}
	return batch.Reply{Status: answer.Status, RequestID: line.ID, Body: answer.Body, Entries: call.Attempts}
}

// refusal is a failed call as its caller sees it. What a provider answered, or we in its place, is an answer; a call that
// got none has a code of its own.
func refusal(line batch.Call, err error, attempts []ledger.Entry) batch.Reply {
	e := gateway.AsError(err)
	r := batch.Reply{
		Status: e.Status(), RequestID: line.ID, Body: chat.EncodeError(e), Entries: attempts,
		Retryable: upstream.Retryable(e), RetryAfter: e.RetryAfter,
	}
	switch {
	case e.Kind == gateway.KindTimeout && e.HTTPStatus == 0:
		r.Status, r.Body, r.ErrorCode, r.ErrorMessage = 0, nil, "request_timeout", e.Message
	case e.Kind == gateway.KindCanceled:
		r.Status, r.Body, r.ErrorCode, r.ErrorMessage = 0, nil, "request_interrupted", e.Message
	case e.HTTPStatus == 0 && r.Status == http.StatusBadGateway:
		r.Status, r.Body, r.ErrorCode, r.ErrorMessage = 0, nil, e.Code, e.Message
	}
	return r
}
