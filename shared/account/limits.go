package account

import (
	"context"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

// Merge is what own limits allow together with those of the budget they refer to: own limits win one by one.
func Merge(own, shared gateway.Limits) gateway.Limits {
	if len(own.Budgets) == 0 {
		own.Budgets = shared.Budgets
	}
	if len(own.Models) == 0 {
		own.Models = shared.Models
	}
	for _, f := range []struct{ own, shared **int64 }{
		{&own.RPM, &shared.RPM}, {&own.TPM, &shared.TPM}, {&own.Parallel, &shared.Parallel},
	} {
		if *f.own == nil {
			*f.own = *f.shared
		}
	}
	if own.Soft == nil {
		own.Soft = shared.Soft
	}
	return own
}

// DefaultMember is what each member of the team may that has no such limit of its own.
func DefaultMember(team Account) gateway.Limits { return team.Member }

// ResetAt is when the window of the first budget ends, in Unix microseconds; 0 if never.
func ResetAt(l gateway.Limits, now time.Time, loc *time.Location) int64 {
	if len(l.Budgets) == 0 {
		return 0
	}
	_, end := period.Must(l.Budgets[0].Every).Window(now, loc)
	if end.IsZero() {
		return 0
	}
	return end.UnixMicro()
}

// Spent tells what a subject has spent since a time; the zero time is since ever.
type Spent func(ctx context.Context, scope gateway.Scope, subject string, since time.Time) (gateway.NanoUSD, error)

// Renew gives budgets that replace old ones their documents: a window that was limited before goes on with its document, and a
// new one begins from what the subject has spent in it. Windows shorter than a day begin from nothing.
func (spent Spent) Renew(ctx context.Context, scope gateway.Scope, subject string, budgets, old []gateway.Budget, now time.Time, loc *time.Location) error {
	for i := range budgets {
		b := &budgets[i]
		if n := slices.IndexFunc(old, func(o gateway.Budget) bool { return o.Every == b.Every }); n >= 0 {
			b.Epoch, b.Since, b.Opening = old[n].Epoch, old[n].Since, old[n].Opening
			continue
		}
		b.Epoch, b.Since = now.UnixMicro(), now.UnixMicro()
		if spent == nil {
			continue
		}
		start, end := period.Must(b.Every).Window(now, loc)
		if b.Every != "" && end.Sub(start) < 23*time.Hour {
			continue
		}
		var err error
		if b.Opening, err = spent(ctx, scope, subject, start); err != nil {
			return err
		}
	}
	return nil
}

// Reset makes all budgets begin anew, from opening.
func Reset(budgets []gateway.Budget, opening gateway.NanoUSD, now time.Time) {
	for i := range budgets {
		budgets[i].Epoch, budgets[i].Since, budgets[i].Opening = now.UnixMicro(), now.UnixMicro(), opening
	}
}
