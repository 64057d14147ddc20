package account

import (
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
