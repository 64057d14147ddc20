package upstream

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
	"github.com/sluice-gateway/sluice/shared/upstream/echo"
	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

// New returns a client for the network, guarded, with the built-in echo. Custom prices are found under the name that a
// deployment's PriceAs gives, and may be nil.
func New(custom map[string]pricing.Price, now func() time.Time, log *slog.Logger) *Client {
	network := &h1.Transport{Control: Guard}
	return &Client{
		Transport: network, Signers: credential.New(network, now), Local: map[string]http.RoundTripper{"echo": echo.Transport{}},
		Prices: pricing.Default(), Custom: custom, Timers: DefaultTimers, Now: now, Log: log,
	}
}
