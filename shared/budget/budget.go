// Package budget decides whether a call may be made and what it may cost: by the budgets and rate limits of everybody whom it counts
// for. No upstream connection is opened without a Reservation.
package budget

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Settings are an owner's choices.
type Settings struct {
	Location      *time.Location // of budget windows; nil is UTC
	Status        int            // HTTP status of a call over budget; 0 is 429
	HideAmounts   bool           // in errors
	AllowUnpriced bool           // models without a known price may be called in spite of a budget
	Proxy         gateway.Limits // of all calls together
}

// Budgets holds this process's part in all limits. All methods may be called concurrently.
type Budgets struct {
	money    *escrow.Escrow
	rates    *ratelimit.Limiter
	settings Settings
	now      func() time.Time
	proxy    *gateway.Subject

	mu    sync.RWMutex
	plans map[*gateway.Limits]*plan
	sets  map[setKey]*set
}

// Config is what Budgets are made of.
type Config struct {
	Store    store.Store
	Holder   string        // from NewHolder: no other process ever has it
	Events   *event.Sender // tells of thresholds
	Settings Settings
	Now      func() time.Time
	Log      *slog.Logger
}

// NewHolder is a random id of a process: 65 bits, and short, since every ledger entry under a budget names it.
func NewHolder() string { return rand.Text()[:13] }

// New makes the budgets of one process. Run and Close are its owner's to call.
func New(c Config) *Budgets {
	if c.Settings.Location == nil {
		c.Settings.Location = time.UTC
	}
	b := &Budgets{
		rates: ratelimit.New(c.Store, c.Holder, c.Now, c.Log), settings: c.Settings, now: c.Now, plans: map[*gateway.Limits]*plan{},
		sets: map[setKey]*set{},
	}
	b.money = escrow.New(c.Store, c.Holder, c.Now, c.Log, notice{c.Events, c.Now}.tell)
	if c.Settings.Proxy.Any() {
		b.proxy = &gateway.Subject{Scope: ScopeProxy, ID: "proxy", Name: "proxy", Limits: &c.Settings.Proxy}
	}
	return b
}

// ScopeProxy is all calls together.
const ScopeProxy gateway.Scope = "proxy"

// Quote is what a call may come to.
type Quote struct {
	Bound  gateway.NanoUSD // the most it can cost as it is; 0 if it is free
	Least  gateway.NanoUSD // the most it can cost if its output is limited as far as makes sense; Bound if it must not be
	Priced bool            // false: nobody knows its price
	Tokens int64           // the most it can use, input and output
}

// Ask is a call that wants to be made.
type Ask struct {
	Principal gateway.Principal
	Counted   []gateway.Subject // that it counts under besides the principal's
	Model     string            // as its caller named it
	Quote     Quote
}

// Reservation is the right to spend up to Bound on one call. Settle ends it.
type Reservation struct {
	Principal gateway.Principal
	Bound     gateway.NanoUSD // at most what was asked for; less if no more is left and less makes sense

	money  *escrow.Reservation
	held   bool
	ticket *ratelimit.Ticket
}

// Reserve admits a call under every limit, or under none. The error is a gateway.Error that names the limit in the way; if that is
// a rate limit, a *ratelimit.Exceeded is its cause.
func (b *Budgets) Reserve(ctx context.Context, a Ask) (*Reservation, error) {
	if a.Principal.KeyHash == "" {
		return nil, gateway.Errorf(gateway.KindUnauthenticated, "Authentication Error, nobody to charge.")
	}
	budgets, rates := b.limits(&a)
	err := b.checkPriced(&a, budgets)
	if err != nil {
		return nil, err
	}
	r := &Reservation{Principal: a.Principal, Bound: a.Quote.Bound}
	if len(rates) > 0 {
		if r.ticket, err = b.rates.Take(ctx, a.Quote.Tokens, rates); err != nil {
			return nil, rateError(err)
		}
	}
	if len(budgets) > 0 && a.Quote.Bound > 0 {
		r.money, err = b.money.Reserve(ctx, int64(a.Quote.Bound), int64(a.Quote.Least), budgets)
		if err != nil {
			if r.ticket != nil {
				r.ticket.Cancel()
			}
			return nil, b.moneyError(err, &a)
		}
		r.Bound = gateway.NanoUSD(r.money.Amount())
	}
	return r, nil
}

func (b *Budgets) checkPriced(a *Ask, budgets []escrow.Budget) error {
	isHard := func(w escrow.Budget) bool { return w.Limit < Unlimited }
	if a.Quote.Priced || b.settings.AllowUnpriced || !slices.ContainsFunc(budgets, isHard) {
		return nil
	}
	e := gateway.Invalid("model", "The price of model=%.100s is not known, so no budget can be kept for it. Set input_cost_per_token and "+
		"output_cost_per_token for it, or unpriced_models: allow.", a.Model)
	e.Code = "model_unpriced"
	return e
}

// Windows are the budgets that a call's cost counts towards now, for those who set money aside in documents of their own. The error
// is a gateway.Error: the call has no price, and must not be made for that reason.
func (b *Budgets) Windows(a Ask) ([]escrow.Budget, error) {
	budgets, _ := b.limits(&a)
	return budgets, b.checkPriced(&a, budgets)
}

// Refusal makes of an *escrow.Short, met by those who asked for Windows, the error for the call's caller.
func (b *Budgets) Refusal(a Ask, err error) error { return b.moneyError(err, &a) }

// Held is the right to make a call whose cost somebody else has set aside.
func Held(p gateway.Principal, bound gateway.NanoUSD) *Reservation {
	return &Reservation{Principal: p, Bound: bound, held: true}
}

// Limited reports whether money was set aside for the call: only then is Bound a limit.
func (r *Reservation) Limited() bool { return r.money != nil || r.held }

// Leases are the ids of the documents that the call is charged to.
func (r *Reservation) Leases() []string {
	if r.money == nil {
		return nil
	}
	return r.money.Leases()
}

// Settle charges what was spent, doubts included, and gives back the rest; tokens are what the call used. It must be called on every
// way out; calling it again changes nothing. It does no I/O.
func (r *Reservation) Settle(spent gateway.NanoUSD, tokens int64) {
	if r.ticket != nil {
		r.ticket.Done(tokens)
	}
	if r.money != nil {
		r.money.Settle(int64(spent))
	}
}

// Rates tells where the call's rate limits stand, for headers; nil if it has none.
func (r *Reservation) Rates() Standing {
	if r.ticket == nil {
		return nil
	}
	return r.ticket
}

// Standing tells where limits stand: of the tightest of a kind the limit, what remains of it, and how long until it is whole again.
type Standing interface {
	State(ratelimit.Kind) (limit, remaining int64, reset time.Duration, ok bool)
}

var _ Standing = (*ratelimit.Exceeded)(nil)

// Run listens for other processes that want what this one does not use. Nothing depends on it but how soon they get it.
func (b *Budgets) Run(ctx context.Context) error {
	var both sync.WaitGroup
	var errs [2]error
	both.Go(func() { errs[0] = b.money.Run(ctx) })
	both.Go(func() { errs[1] = b.rates.Run(ctx) })
	both.Wait()
	return errors.Join(errs[:]...)
}

// Hold reads, in a transaction of somebody who sets money aside in documents of their own, what they hold of Windows.
func (b *Budgets) Hold(tx store.Tx, holder string, budgets []escrow.Budget) (*escrow.Holding, error) {
	return b.money.Hold(tx, holder, budgets)
}

// Report writes down what was spent, for those who read budgets now.
func (b *Budgets) Report(ctx context.Context) error { return b.money.Report(ctx) }

// Close gives back what is not used. Calls must have ended.
func (b *Budgets) Close(ctx context.Context) error {
	return errors.Join(b.money.Close(ctx), b.rates.Close(ctx))
}
