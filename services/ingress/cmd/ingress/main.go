// Command ingress is the public service on Cloud Run.
package main

import (
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gcp/boot"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

func main() {
	boot.Main(config.Ingress, func(h boot.House) (http.Handler, error) {
		return ingress.New(ingress.Config{
			Engine: h.Engine, Auth: h.Auth, Router: h.Router, Upstream: h.Upstream,
			Ledger: ledger.NewRecorder(ledger.Queue{Publisher: h.Engine.Queue}, ledger.OverNetwork), Budgets: h.Budgets, Owner: h.Owner,
			IDPlaces: 16, Now: time.Now, Log: h.Log,
		}).Handler(), nil
	})
}
