package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/services/worker"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/embedded"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/server"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

const (
	sweepEvery  = 15 * time.Second // costs nothing here, and a laptop recovers sooner
	ollamaProbe = time.Second
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
	local, err := embedded.Open(ctx, o.Data, o.Log)
	if err != nil {
		return err
	}
	defer local.Close()

	router := new(routing.Router)
	router.Use(routing.NewTable(models.Deployments))
	keys := auth.New(local.Store, master, time.Now, o.Log)
	calls := upstream.New(models.Prices, time.Now, o.Log)
	back := worker.New(worker.Config{
		Engine: local.Engine, Auth: keys, Router: router, Upstream: calls, Verify: local.Verifier(), Now: time.Now, Log: o.Log,
	})
	front := ingress.New(ingress.Config{
		Engine: local.Engine, Auth: keys, Router: router, Upstream: calls, Ledger: back.Ledger(), LedgerInFlight: 1,
		Now: time.Now, Log: o.Log,
	})
	pusher, err := local.Dispatcher(back.Handler())
	if err != nil {
		return err
	}

	// The ingress stops first, then what it has handed over gets its time; the store closes last.
	group, ctx := errgroup.WithContext(ctx)
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	rest, _ := errgroup.WithContext(behind)
	rest.Go(func() error { return keys.Run(behind) })
	rest.Go(func() error { return pusher.Run(behind) })
	rest.Go(func() error { return sweep(behind, back, local, o) })
	group.Go(func() error { return server.Server{Handler: front.Handler(), Log: o.Log}.Run(ctx, listener) })
	if models.Discovered {
		group.Go(func() error { addOllama(ctx, router, models.Deployments, out); return nil })
	}
	banner(out, listener.Addr(), from, models, router)
	err = group.Wait()
	stop()
	return errors.Join(err, rest.Wait())
}

// sweep does what a scheduler does in the cloud.
func sweep(ctx context.Context, w *worker.Worker, local *embedded.Local, o Options) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := errors.Join(w.Sweep(ctx), local.Sweep(ctx)); err != nil && ctx.Err() == nil {
			o.Log.WarnContext(ctx, "sweep incomplete", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
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
