package budget

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
	"github.com/sluice-gateway/sluice/shared/ratelimit"
)

// Unlimited is the limit of a budget that only tells of its soft limit.
const Unlimited = math.MaxInt64 / 4

// maxPlans bounds the memory of plans; they are made anew when they are needed again.
const maxPlans = 10_000

// plan is what the limits of one subject mean now: it is made once for each state of its documents and each window.
type plan struct {
	budgets []forModel[escrow.Budget]
	rates   []forModel[ratelimit.Limit]
	from    time.Time // the windows are those of the time from here
	until   time.Time // until here; zero is for ever
}

// forModel is a limit that holds for all models, or for one.
type forModel[L any] struct {
	model string
	limit L
}

func (f *forModel[L]) holds(model string) bool {
	return f.model == "" || gateway.MatchModel(f.model, model)
}

// set is what holds for the calls of some subjects for one model. It is kept: gathering it takes longer than asking it.
type set struct {
	budgets     []escrow.Budget
	rates       []ratelimit.Limit
	from, until time.Time // as in plan
}

// setKey tells sets apart: a principal's subjects are the same slice until something changes.
type setKey struct {
	subjects *gateway.Subject
	model    string
}

// limits gathers what holds for a call.
func (b *Budgets) limits(a *Ask) (budgets []escrow.Budget, rates []ratelimit.Limit) {
	now := b.now()
	s := b.known(a.Principal.Subjects, a.Model, now)
	if len(a.Counted) == 0 && b.proxy == nil {
		return s.budgets, s.rates
	}
	all := s.clone()
	all.add(b, a.Counted, a.Model, now)
	if b.proxy != nil {
		all.add(b, []gateway.Subject{*b.proxy}, a.Model, now)
	}
	return all.budgets, all.rates
}

// known is the set of a principal's subjects.
func (b *Budgets) known(subjects []gateway.Subject, model string, now time.Time) *set {
	if len(subjects) == 0 {
		return new(set)
	}
	key := setKey{&subjects[0], model}
	b.mu.RLock()
	s := b.sets[key]
	b.mu.RUnlock()
	if s != nil && holds(now, s.from, s.until) {
		return s
	}
	s = new(set)
	s.add(b, subjects, model, now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sets) >= maxPlans {
		clear(b.sets)
	}
	b.sets[key] = s
	return s
}

func holds(now, from, until time.Time) bool {
	return !now.Before(from) && (until.IsZero() || now.Before(until))
}

func (s *set) clone() *set {
	return &set{slices.Clip(s.budgets), slices.Clip(s.rates), s.from, s.until}
}

func (s *set) add(b *Budgets, subjects []gateway.Subject, model string, now time.Time) {
	for i := range subjects {
		p := b.plan(&subjects[i], now)
		for j := range p.budgets {
			if f := &p.budgets[j]; f.holds(model) {
				s.budgets = append(s.budgets, f.limit)
			}
		}
		for j := range p.rates {
			if f := &p.rates[j]; f.holds(model) {
				s.rates = append(s.rates, f.limit)
			}
		}
		s.within(p.from, p.until)
	}
}

// within narrows the time that the set holds for.
func (s *set) within(from, until time.Time) {
	if from.After(s.from) {
		s.from = from
	}
	if !until.IsZero() && (s.until.IsZero() || until.Before(s.until)) {
		s.until = until
	}
}

func (b *Budgets) plan(s *gateway.Subject, now time.Time) *plan {
	b.mu.RLock()
	p := b.plans[s.Limits]
	b.mu.RUnlock()
	if p != nil && holds(now, p.from, p.until) {
		return p
	}
	p = newPlan(s, now, b.settings.Location)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.plans) >= maxPlans {
		clear(b.plans)
	}
	b.plans[s.Limits] = p
	return p
}

func newPlan(s *gateway.Subject, now time.Time, loc *time.Location) *plan {
	p := new(plan)
	l := s.Limits
	for i, limit := range l.Budgets {
		soft := int64(0)
		if i == 0 && l.Soft != nil {
			soft = int64(*l.Soft)
		}
		p.add(s, "", limit, soft, now, loc)
	}
	if len(l.Budgets) == 0 && l.Soft != nil {
		p.add(s, "", gateway.Budget{Max: Unlimited}, int64(*l.Soft), now, loc)
	}
	p.rate(s, "", ratelimit.Requests, l.RPM)
	p.rate(s, "", ratelimit.Tokens, l.TPM)
	p.rate(s, "", ratelimit.Parallel, l.Parallel)
	for _, m := range l.Models {
		for _, limit := range m.Budgets {
			p.add(s, m.Model, limit, 0, now, loc)
		}
		p.rate(s, m.Model, ratelimit.Requests, m.RPM)
		p.rate(s, m.Model, ratelimit.Tokens, m.TPM)
	}
	return p
}

func (p *plan) add(s *gateway.Subject, model string, limit gateway.Budget, soft int64, now time.Time, loc *time.Location) {
	start, end := period.Must(limit.Every).Window(now, loc)
	w := escrow.Budget{
		Limit: int64(limit.Max), Soft: soft,
		Label: escrow.Label{Scope: string(s.Scope), Subject: s.ID, Model: model, Every: limit.Every, Start: unix(start), End: unix(end)},
	}
	if since := time.UnixMicro(limit.Since); end.IsZero() || !since.Before(start) && since.Before(end) {
		w.Opening = int64(limit.Opening)
	}
	w.ID = windowID(w.Label, limit.Epoch)
	p.budgets = append(p.budgets, forModel[escrow.Budget]{model, w})
	if start.After(p.from) {
		p.from = start
	}
	if !end.IsZero() && (p.until.IsZero() || end.Before(p.until)) {
		p.until = end
	}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// windowID names a window's document.
func windowID(l escrow.Label, epoch int64) string {
	h := sha256.New()
	for _, part := range []string{l.Scope, l.Subject, l.Model, l.Every} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	fmt.Fprintf(h, "%d:%d", l.Start, epoch)
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// subjectNames are how LiteLLM's messages call those that a rate limit is for.
var subjectNames = map[gateway.Scope]string{gateway.ScopeKey: "api_key", gateway.ScopeCustomer: "end_user"}

func (p *plan) rate(s *gateway.Subject, model string, kind ratelimit.Kind, limit *int64) {
	if limit == nil {
		return
	}
	scope := string(s.Scope)
	if name, found := subjectNames[s.Scope]; found {
		scope = name
	}
	id := strconv.Itoa(len(s.ID)) + ":" + string(s.Scope) + ":" + s.ID + ":" + string(kind) + ":" + model
	p.rates = append(p.rates, forModel[ratelimit.Limit]{model, ratelimit.Limit{
		ID: id, Kind: kind, Max: *limit, Scope: scope, Subject: s.Name, Model: model,
	}})
}
