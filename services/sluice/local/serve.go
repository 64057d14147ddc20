package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/services/worker"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/embedded"
	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/server"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

const (
	sweepEvery  = 15 * time.Second // costs nothing here, and a laptop recovers sooner
	ollamaProbe = time.Second
	// closeTimeout is for giving back what budgets have not used, after the last call has ended.
	closeTimeout = 5 * time.Second
)

// Serve runs the gateway until ctx ends, and tells out how to use it once it listens.
func Serve(ctx context.Context, o Options, out io.Writer) error {
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	choice := config.Choice{File: o.Config, Model: o.Model, APIBase: o.APIBase, Alias: o.Alias}
	models, warnings, err := choice.Models(o.Env)
	for _, w := range warnings {
		o.Log.Warn(w.String())
	}
	if err != nil {
		return err
	}
	master, from, err := o.masterKey(models.File)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	engine, err := embedded.Open(ctx, o.Data, o.Log)
	if err != nil {
		return err
	}
	h, err := build(engine, models, master, o.Log)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	banner(out, listener.Addr(), from, models, h.router)
	return errors.Join(h.run(ctx, listener, models, out), engine.Close())
}

// house is the gateway, put together.
type house struct {
	engine *embedded.Local
	router *routing.Router
	money  *budget.Budgets
	keys   *auth.Authenticator
	front  *ingress.Server
	back   *worker.Worker
	pusher *dispatch.Dispatcher
	log    *slog.Logger
}

func build(engine *embedded.Local, models config.Models, master gateway.Secret, log *slog.Logger) (h *house, err error) {
	h = &house{engine: engine, router: new(routing.Router), keys: auth.New(engine.Store, master, time.Now, log), log: log}
	h.router.Use(routing.NewTable(models.Deployments))
	calls := upstream.New(models.Prices, time.Now, log)
	h.money = budget.New(budget.Config{
		Store: engine.Store, Holder: budget.NewHolder(), Events: &event.Sender{Store: engine.Store, Queue: engine.Events, Now: time.Now},
		Settings: models.Settings.Budget(), Now: time.Now, Log: log,
	})
	h.keys.Use(models.Settings.Auth())
	h.back = worker.New(worker.Config{
		Engine: engine.Engine, Auth: h.keys, Router: h.router, Upstream: calls, Budgets: h.money, Verify: engine.Verifier(),
		Now: time.Now, Log: log,
	})
	h.front = ingress.New(ingress.Config{
		Engine: engine.Engine, Auth: h.keys, Router: h.router, Upstream: calls, Ledger: ledger.NewRecorder(h.back.Ledger(), ledger.OnDisk),
		Budgets: h.money, Owner: models.Settings, Now: time.Now, Log: log,
	})
	h.pusher, err = engine.Dispatcher(h.back.Handler())
	return h, err
}

// run serves until ctx ends. The ingress stops first, then what it has handed over gets its time.
func (h *house) run(ctx context.Context, l net.Listener, models config.Models, out io.Writer) error {
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var rest errgroup.Group
	rest.Go(func() error { return h.keys.Run(behind) })
	rest.Go(func() error { return h.money.Run(behind) })
	rest.Go(func() error { return h.pusher.Run(behind) })
	rest.Go(func() error { h.sweep(behind); return nil })
	if models.Discovered {
		rest.Go(func() error { addOllama(behind, h.router, models.Deployments, out); return nil })
	}
	err := server.Server{Handler: h.front.Handler(), Log: h.log}.Run(ctx, l)
	stop()
	err = errors.Join(err, rest.Wait())
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	return errors.Join(err, h.money.Close(closing))
}

// sweep does what a scheduler does in the cloud.
func (h *house) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := errors.Join(h.back.Sweep(ctx), h.engine.Sweep(ctx)); err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "sweep incomplete", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// addOllama adds the models of an Ollama on this machine. It looks after the start, so that its absence delays nothing.
func addOllama(ctx context.Context, router *routing.Router, others []routing.Deployment, out io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, ollamaProbe)
	defer cancel()
	found, err := config.ProbeOllama(ctx, http.DefaultClient, "")
	if err != nil || len(found) == 0 {
		return
	}
	router.Use(routing.NewTable(append(others, found...)))
	fmt.Fprintf(out, "  models    + %s\n", names(router, "ollama"))
}
