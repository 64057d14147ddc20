// Command worker is the push-subscribed service on Cloud Run.
package main

import (
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sluice-gateway/sluice/services/worker"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/gcp/boot"
	"github.com/sluice-gateway/sluice/shared/gcp/oidc"
)

func main() {
	boot.Main(config.Worker, func(h boot.House) (http.Handler, error) {
		verify, err := oidc.New(oidc.Config{
			Mode: oidc.Mode(h.Config.PushAuth), Audience: h.Config.PushAudience, Email: h.Config.PushEmail,
			KService: os.Getenv("K_SERVICE"), Loopback: isLoopback(h.Address),
		})
		if err != nil {
			return nil, err
		}
		return worker.New(worker.Config{
			Engine: h.Engine, Auth: h.Auth, Router: h.Router, Upstream: h.Upstream, Budgets: h.Budgets, Verify: verify, Now: time.Now, Log: h.Log,
		}).Handler(), nil
	})
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
