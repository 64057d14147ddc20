package ingress

import (
	"encoding/json"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// resetAll makes all keys and teams begin anew from nothing spent, one after the other: asked again after an error, it does them all
// again. The ledger stays as it is.
func (s *Server) resetAll(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	ctx, who := r.Context(), by(r, p)
	for key, err := range s.Keys.List(ctx, auth.Filter{}, 0) {
		if err == nil {
			_, _, err = s.Keys.ResetSpend(ctx, who, key.ID, 0)
		}
		if err != nil {
			return err
		}
	}
	nothing := field.Request{"spend": json.RawMessage("0")}
	for team, err := range s.Accounts.List(ctx, account.Filter{Kind: account.Team}) {
		if err == nil {
			_, err = s.Accounts.Update(ctx, who, account.Team, team.ID, nothing)
		}
		if err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]string{
		"message": "Spend for all API Keys and Teams reset successfully", "status": "success",
	})
}
