package upstream

import (
	"sort"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
)

const (
	// assumedOutput is the output limit, in tokens, for a model whose own is not known: it is set upstream where a budget holds.
	assumedOutput = 32_768
	// leastOutput is the smallest output limit, in tokens, that a budget's remainder is stretched to: less is no answer.
	leastOutput = 16
)

// Quote is what a call can come to at the dearest of its deployments.
func (c *Client) Quote(r *dialect.Request, plan routing.Plan) budget.Quote {
	q := budget.Quote{Priced: true}
	for i := range plan {
		price, ok := c.price(&plan[i])
		q.Priced = q.Priced && ok
		input, output := r.InputBound(price.MaxInput), c.outputBound(r, &plan[i], price)
		q.Tokens = max(q.Tokens, input+output*r.N)
		if !ok {
			continue
		}
		bound := price.UpperBound(input, output, r.N)
		least := bound
		if r.MaxOutput == 0 {
			least = price.UpperBound(input, min(output, leastOutput), r.N)
		}
		q.Bound, q.Least = max(q.Bound, bound), max(q.Least, least)
	}
	return q
}

func (c *Client) outputBound(r *dialect.Request, d *routing.Deployment, price pricing.Price) int64 {
	switch {
	case r.Op.Embeds():
		return 0
	case r.MaxOutput != 0:
		if op, _ := c.carrier(d, r.Op); op == gateway.OpResponses {
			return max(r.MaxOutput, leastOutput) // less is not taken there
		}
		return r.MaxOutput
	case price.MaxOutput != 0:
		return price.MaxOutput
	default:
		return assumedOutput
	}
}

// clamp is the output limit that keeps an attempt within the money that was set aside for it; 0 if the caller set one, the model's own
// does, or no budget is kept.
func (a *attempt) clamp() int64 {
	r, request := a.call.reservation, a.call.Request
	if !r.Limited() || request.MaxOutput != 0 || request.Op.Embeds() {
		return 0
	}
	price, ok := a.client.price(a.deployment)
	if !ok {
		return 0
	}
	input, most := request.InputBound(price.MaxInput), a.client.outputBound(request, a.deployment, price)
	if price.MaxOutput != 0 && price.UpperBound(input, most, request.N) <= r.Bound {
		return 0
	}
	return int64(sort.Search(int(most), func(n int) bool { return price.UpperBound(input, int64(n)+1, request.N) > r.Bound }))
}
