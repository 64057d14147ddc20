package worker

import (
	"context"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// caller sends the lines of batches the way the ingress sends calls, but for rate limits, which do not apply to them, and
// for budgets: what a line can cost, its batch has set aside.
type caller struct {
	upstream *upstream.Client
	router   *routing.Router
	counted  func(ctx context.Context, customer string, tags []string) ([]gateway.Subject, error)
	budgets  *budget.Budgets
}

var (
	_ batch.Caller = (*caller)(nil)
	_ batch.Models = (*caller)(nil)
)

// Check tells whether p may ask for the model, by whatever name it has for it.
func (c *caller) Check(p gateway.Principal, op gateway.Op, model string) error {
	return c.router.Check(p, op, named(p, model))
}

// named is a model's name for the router.
func named(p gateway.Principal, model string) string {
	if other, found := p.Aliases[model]; found {
		return other
	}
	return model
}

// quoted is a line that could be sent, and whom it counts for.
type quoted struct {
	call    *upstream.Call
	plan    routing.Plan
	ask     budget.Ask
	budgets []escrow.Budget
}

// route is where the line goes.
func (c *caller) route(line batch.Call) (q quoted, err error) {
	request, err := all.Of(line.Op).Peek(line.Op, line.Body, dialect.Hint{})
	if err != nil {
		return q, err
	}
	tags := slices.Clone(line.Principal.Tags)
	for _, tag := range request.Tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if err := dialect.CheckTags("tags", tags); err != nil {
		return q, err
	}
	q.call = &upstream.Call{
		ID: line.ID, AttemptID: line.ID, Request: request, Principal: line.Principal, Customer: request.User, Tags: tags,
		Batch: line.Batch, CustomID: line.CustomID, Leases: line.Leases,
	}
	q.plan, err = c.router.Plan(line.Principal, line.Op, named(line.Principal, request.Model))
	return q, err
}

// quote is what the line can cost, and which budgets that counts towards.
func (c *caller) quote(ctx context.Context, q *quoted) error {
	counted, err := c.counted(ctx, q.call.Customer, q.call.Tags)
	if err != nil {
		return err
	}
	q.ask = budget.Ask{
		Principal: q.call.Principal, Counted: counted, Model: q.call.Request.Model, Quote: c.upstream.Quote(q.call.Request, q.plan),
	}
	q.ask.Quote.Least = q.ask.Quote.Bound // a batch waits or does without, it does not cut answers short
	q.budgets, err = c.budgets.Windows(q.ask)
	return err
}

// Quote is free for a line that cannot be sent anyway: its call will say so.
func (c *caller) Quote(ctx context.Context, line batch.Call) batch.Quote {
	q, err := c.route(line)
	if err != nil {
		return batch.Quote{}
	}
	if err := c.quote(ctx, &q); err != nil {
		r := refusal(line, err, nil)
		return batch.Quote{Refusal: &r}
	}
	return batch.Quote{Bound: q.ask.Quote.Bound, Budgets: q.budgets}
}

// Refuse gives the answer of a budget that does not pay.
func (c *caller) Refuse(ctx context.Context, line batch.Call, short *escrow.Short) batch.Reply {
	q, err := c.route(line)
	if err == nil {
		err = c.quote(ctx, &q)
	}
	if err == nil {
		err = c.budgets.Refusal(q.ask, short)
	}
	return refusal(line, err, nil)
}

// Call makes one call. A line that cannot be sent gets the answer that the ingress would have given.
func (c *caller) Call(ctx context.Context, line batch.Call) batch.Reply {
	q, err := c.route(line)
	if err == nil {
		err = c.quote(ctx, &q)
	}
	if err != nil {
		return refusal(line, err, nil)
	}
	reservation := budget.Held(line.Principal, line.Bound)
	switch {
	case len(q.budgets) > 0 && q.ask.Quote.Bound > line.Bound:
		return batch.Reply{Stale: true}
	case line.Bound == 0:
		reservation = &budget.Reservation{Principal: line.Principal, Bound: q.ask.Quote.Bound}
	}
	answer, err := c.upstream.Do(ctx, q.call, q.plan, reservation)
	if err != nil {
		return refusal(line, err, q.call.Attempts)
	}
	return batch.Reply{Status: answer.Status, RequestID: line.ID, Body: answer.Body, Entries: q.call.Attempts}
}

// refusal is a failed call as its caller sees it. What a provider answered, or we in its place, is an answer; a call that
// got none has a code of its own.
func refusal(line batch.Call, err error, attempts []ledger.Entry) batch.Reply {
	e := gateway.AsError(err)
	r := batch.Reply{
		Status: e.Status(), RequestID: line.ID, Body: all.Of(line.Op).EncodeError(e), Entries: attempts,
		Retryable: upstream.Retryable(e) || e.Kind == gateway.KindUnavailable, RetryAfter: e.RetryAfter,
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
