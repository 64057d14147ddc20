package upstream

import (
	"context"
	"slices"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// Count asks a deployment that speaks the caller's dialect how many tokens a request has. It answers nil if none of the plan does. It
// costs nothing, and leaves no entry.
func (c *Client) Count(ctx context.Context, call *Call, plan routing.Plan) (*Answer, error) {
	spoken := all.Base(call.Request.Op)
	able := slices.DeleteFunc(slices.Clone(plan), func(d routing.Deployment) bool { return !slices.Contains(d.Speaking(), spoken) })
	if len(able) == 0 {
		return nil, nil
	}
	return c.Do(ctx, call, able, budget.Held(call.Principal, 0))
}

// passage is how the call gets to a deployment: as it is where that speaks the caller's dialect, else translated. A translation
// is kept for the next attempt.
func (c *Client) passage(call *Call, d *routing.Deployment) (dialect.Passage, error) {
	if call.embedding != nil {
		return call.embedding, nil
	}
	spoken := all.Base(call.Request.Op)
	op, ok := c.carrier(d, spoken)
	switch {
	case ok && op == spoken && spoken == gateway.OpEmbeddings && !tokenVendors[d.Provider]:
		r, err := texts(call.Request)
		if err != nil {
			return nil, err
		}
		return r.Native, nil
	case ok && op == spoken:
		return call.Request.Native, nil
	}
	for _, t := range call.translated {
		if t.op == op {
			return t.passage, nil
		}
	}
	to := all.Of(op)
	if !ok || to == nil || to.Out == nil || call.Request.In == nil {
		return nil, gateway.Invalid("model", "Model %s does not serve %s.", call.Request.Model, call.Request.Op)
	}
	p := dialect.Translate(call.Request, to.Out)
	call.translated = append(call.translated, translation{op, p})
	return p, nil
}

// translation is a passage to upstreams of one dialect.
type translation struct {
	op      gateway.Op
	passage dialect.Passage
}

// carrier is the dialect in which a deployment is asked: the caller's own if it can be. Some models are served by OpenAI's responses only.
func (c *Client) carrier(d *routing.Deployment, op gateway.Op) (gateway.Op, bool) {
	if op != gateway.OpResponses && !op.Embeds() && slices.Contains(d.Speaks, gateway.OpResponses) {
		if price, ok := c.price(d); ok && price.Mode == "responses" {
			return gateway.OpResponses, true
		}
	}
	return d.Carrier(op)
}
