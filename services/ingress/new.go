package ingress

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/response"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// Config is what an ingress is made of.
type Config struct {
	Engine   engine.Engine
	Auth     *auth.Authenticator // its Run is the owner's to call
	Router   *routing.Router
	Upstream *upstream.Client
	Ledger   *ledger.Recorder
	Budgets  *budget.Budgets // its Run and Close are the owner's to call
	Settings batch.Settings
	Owner    config.Settings // zero is config.DefaultSettings
	IDPlaces int             // of the ids of successive calls, up to 16: for a store that splits documents by id; 0 is one
	Now      func() time.Time
	Log      *slog.Logger
}

// New makes an ingress. It starts nothing.
func New(c Config) *Server {
	events := &event.Sender{Store: c.Engine.Store, Queue: c.Engine.Events, Now: c.Now}
	deps := batch.Deps{
		Store: c.Engine.Store, Blobs: c.Engine.Bucket, Queue: c.Engine.Queue, Events: events, Now: c.Now, Log: c.Log,
		Settings: c.Settings,
	}
	accounts := newAccounts(c)
	keys := &auth.Manager{
		Store: c.Engine.Store, Now: c.Now, Spent: accounts.Spent, Location: c.Owner.Location, Defaults: c.Owner.KeyDefaults, Upper: c.Owner.KeyUpper,
	}
	return &Server{
		Auth: c.Auth, Keys: keys, Router: c.Router, Budgets: c.Budgets,
		Upstream: c.Upstream, Ledger: c.Ledger, Store: c.Engine.Store,
		Events: events, Files: batch.NewFiles(deps), Batches: batch.NewBatches(deps),
		Kept: &response.Keeper{Store: c.Engine.Store, Now: c.Now}, Now: c.Now, Log: c.Log,
		Accounts: accounts, UserDefaults: c.Owner.UserDefaults, UserHeader: c.Owner.UserHeader, ids: newCallIDs(c.IDPlaces), inFlight: new(atomic.Int64),
	}
}
