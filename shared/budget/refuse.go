package budget

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
)

// rateError is the refusal of a call that comes too soon, in LiteLLM's words.
func rateError(err error) error {
	var over *ratelimit.Exceeded
	if !errors.As(err, &over) {
		return away(err)
	}
	e := gateway.Errorf(gateway.KindRateLimited, "%s", over.Error()).WithCause(over)
	e.TypeName, e.RetryAfter = "throttling_error", over.RetryAfter
	return e
}

func away(err error) error {
	e := gateway.Errorf(gateway.KindUnavailable, "Limits cannot be checked at the moment.").WithCause(err)
	e.TypeName, e.RetryAfter = "no_db_connection", time.Second
	return e
}

// heads are how messages about budgets begin, by scope; LiteLLM's users look for these words.
var heads = map[gateway.Scope]string{
	gateway.ScopeKey:      "Budget has been exceeded! Key=%s",
	gateway.ScopeUser:     "ExceededBudget: User=%s over budget.",
	gateway.ScopeMember:   "Budget has been exceeded! TeamMember=%s",
	gateway.ScopeTeam:     "Budget has been exceeded! Team=%s",
	gateway.ScopeOrg:      "Budget has been exceeded! Organization=%s",
	gateway.ScopeCustomer: "ExceededBudget: End User=%s over budget.",
	gateway.ScopeTag:      "Budget has been exceeded! Tag=%s",
	ScopeProxy:            "Budget has been exceeded! %s",
}

// moneyError is the refusal of a call that a budget does not pay for. It names the scope and the window.
func (b *Budgets) moneyError(err error, a *Ask) error {
	var short *escrow.Short
	if !errors.As(err, &short) {
		return away(err)
	}
	over := &short.Budget
	scope := gateway.Scope(over.Scope)
	text := fmt.Sprintf(heads[scope], name(a, scope, over.Subject))
	if over.Model != "" {
		text = fmt.Sprintf("LiteLLM Virtual Key: %s, key_alias: %s, exceeded budget for model=%s.", a.Principal.KeyHash, a.Principal.KeyAlias, over.Model)
	}
	if !b.settings.HideAmounts {
		text += fmt.Sprintf(" Current cost: %s, Max budget: %s, Estimated request cost: %s.", usd(short.Spent), usd(over.Limit), a.Quote.Least)
	}
	e := gateway.Errorf(gateway.KindBudget, "%s Budget: %s, %s.", text, over.Scope, window(over.Label)).WithCause(short)
	e.HTTPStatus = b.settings.Status
	if over.End != 0 {
		e.RetryAfter = max(time.Second, time.Unix(over.End, 0).Sub(b.now()))
	}
	return e
}

func name(a *Ask, s gateway.Scope, id string) string {
	for _, subjects := range [][]gateway.Subject{a.Principal.Subjects, a.Counted} {
		for _, one := range subjects {
			if one.Scope == s && one.ID == id {
				return one.Name
			}
		}
	}
	return id
}

func usd(n int64) gateway.NanoUSD { return gateway.NanoUSD(n) }

func window(l escrow.Label) string {
	if l.End == 0 {
		return "for its lifetime"
	}
	return fmt.Sprintf("%s window until %s", l.Every, time.Unix(l.End, 0).UTC().Format("2006-01-02 15:04:05 UTC"))
}
