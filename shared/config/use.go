package config

import (
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/budget"
)

// Budget is what of the settings budgets go by.
func (s Settings) Budget() budget.Settings {
	return budget.Settings{
		Location: s.Location, Status: s.BudgetStatus, HideAmounts: s.HideAmounts, AllowUnpriced: s.Unpriced == UnpricedAllow, Proxy: s.Proxy,
	}
}

// Auth is what of the settings principals are made with.
func (s Settings) Auth() auth.Settings {
	return auth.Settings{Customers: s.Customers, Users: s.Users, Staleness: s.Staleness}
}
