package budget

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// notice tells as events that a budget is used up so far.
type notice struct {
	events *event.Sender
	now    func() time.Time
}

const sendTimeout = 5 * time.Second

// threshold is the data of such an event, in the words of LiteLLM's budget alerts where it has some.
type threshold struct {
	Event    string           `json:"event"` // threshold_crossed, budget_crossed or soft_budget_crossed
	Group    string           `json:"event_group"`
	Message  string           `json:"event_message"`
	Subject  string           `json:"subject"`
	Model    string           `json:"model,omitempty"`
	Percent  int              `json:"percent,omitempty"`
	Spend    gateway.NanoUSD  `json:"spend_nano_usd"`
	Max      *gateway.NanoUSD `json:"max_budget_nano_usd,omitempty"`
	Soft     *gateway.NanoUSD `json:"soft_budget_nano_usd,omitempty"`
	Duration string           `json:"budget_duration,omitempty"`
	Start    int64            `json:"window_start,omitempty"` // Unix seconds
	End      int64            `json:"window_end,omitempty"`
}

func (n notice) tell(tx store.Tx, w escrow.Window, percent int) (func(), error) {
	if n.events == nil {
		return nil, nil
	}
	spent := gateway.NanoUSD(w.Opening + w.Spent)
	data := threshold{
		Event: "threshold_crossed", Group: w.Scope, Subject: w.Subject, Model: w.Model, Percent: percent, Spend: spent,
		Duration: w.Every, Start: w.Start, End: w.End,
	}
	if w.Limit < Unlimited {
		data.Max = amount(w.Limit)
	}
	kind := event.BudgetThreshold
	switch {
	case percent == 0:
		kind, data.Event, data.Soft = event.BudgetSoft, "soft_budget_crossed", amount(w.Soft)
		data.Message = fmt.Sprintf("%s %s has spent %s USD, more than its soft budget of %s USD.", w.Scope, w.Subject, spent, usd(w.Soft))
	case percent >= 100:
		data.Event = "budget_crossed"
		fallthrough
	default:
		data.Message = fmt.Sprintf("%s %s has spent %s USD, %d %% of its budget of %s USD.", w.Scope, w.Subject, spent, percent, usd(w.Limit))
	}
	e := event.Event{
		ID: event.ID("budget", w.ID, fmt.Sprint(percent)), Type: kind, Owner: gateway.OwnerFrom(w.Scope + ":" + w.Subject),
		Subject: "budgets/" + w.ID, Time: n.now(), Data: &data,
	}
	if err := n.events.Put(tx, e); err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
		defer cancel()
		_ = n.events.Send(ctx, e) // the sweeper sends what this could not
	}, nil
}

func amount(n int64) *gateway.NanoUSD {
	a := gateway.NanoUSD(n)
	return &a
}
