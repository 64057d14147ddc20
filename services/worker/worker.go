// Package worker does deferred work: one push message in, one step of work done.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/queue/push"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// Config is what a worker is made of.
type Config struct {
	Engine   engine.Engine
	Auth     *auth.Authenticator // its Run is the owner's to call
	Router   *routing.Router
	Upstream *upstream.Client
	Budgets  *budget.Budgets // its Run and Close are the owner's to call
	Verify   push.Verifier
	Settings batch.Settings
	Now      func() time.Time
	Log      *slog.Logger
}

// Worker handles pushes.
type Worker struct {
	verify push.Verifier
	dead   queue.Publisher
	log    *slog.Logger
	events *event.Sender
	store  store.Store
	now    func() time.Time
	booker *ledger.Booker
	batch  *batch.Engine
}

// New makes a worker. It starts nothing.
func New(c Config) *Worker {
	events := &event.Sender{Store: c.Engine.Store, Queue: c.Engine.Events, Now: c.Now}
	deps := batch.Deps{
		Store: c.Engine.Store, Blobs: c.Engine.Bucket, Queue: c.Engine.Queue, Events: events,
		Escrow: c.Budgets, Now: c.Now, Log: c.Log,
		Settings: c.Settings,
	}
	lines := &caller{upstream: c.Upstream, router: c.Router, counted: c.Auth.Counted, budgets: c.Budgets}
	return &Worker{
		verify: c.Verify, dead: c.Engine.Queue, log: c.Log, events: events, store: c.Engine.Store, now: c.Now,
		booker: &ledger.Booker{Store: c.Engine.Store, Events: events, Now: c.Now},
		batch:  batch.NewEngine(deps, lines, c.Auth, lines),
	}
}

// Handler serves the push routes.
func (w *Worker) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, handle := range map[string]queue.Handler{engine.WorkPath: w.work, engine.LedgerPath: w.booker.Handle} {
		mux.Handle(path, push.Handler(w.verify, handle, w.dead, w.log))
	}
	mux.HandleFunc("GET /health", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) })
	return mux
}

// Ledger books entries at once, for an ingress in the same process.
func (w *Worker) Ledger() ledger.Sink { return w.booker }

// Tick is the message that asks for a sweep; a scheduler publishes one every minute.
var Tick = queue.Message{Attributes: map[string]string{"type": "tick"}}

func (w *Worker) work(ctx context.Context, m queue.Message) error {
	if m.Attributes["type"] != Tick.Attributes["type"] {
		return w.batch.Handle(ctx, m)
	}
	if err := w.Sweep(ctx); err != nil {
		w.log.WarnContext(ctx, "sweep incomplete", "error", err) // the next tick goes on
	}
	return nil
}

// Sweep mends what a crash left behind: work that lost its message, leases of the dead, events that were not sent.
func (w *Worker) Sweep(ctx context.Context) error {
	return errors.Join(w.batch.Sweep(ctx), w.events.Sweep(ctx), escrow.Sweep(ctx, w.store, w.now()))
}
