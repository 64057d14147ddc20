// Package boot starts a cloud service: it reads the environment, opens Google's engine and serves until SIGTERM.
package boot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gcp"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/server"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// House is what a service is built in.
type House struct {
	Config   config.Cloud
	Address  net.Addr // where it listens
	Engine   engine.Engine
	Auth     *auth.Authenticator
	Router   *routing.Router
	Upstream *upstream.Client
	Budgets  *budget.Budgets
	Owner    config.Settings
	Log      *slog.Logger
}

// Main runs a service to its end, and the process with it.
func Main(service config.Service, build func(House) (http.Handler, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, service, build); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", service, err)
		os.Exit(1)
	}
}

// flags are the ones that LiteLLM's own deployments pass to the container.
func flags(args []string, c *config.Cloud) (choice config.Choice, err error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.StringVar(&choice.Model, "model", "", "serve this model only")
	set.StringVar(&choice.APIBase, "api_base", "", "where the model is served")
	set.StringVar(&choice.Alias, "alias", "", "name under which the model is served")
	set.StringVar(&choice.File, "config", c.ConfigFile, "LiteLLM's config.yaml")
	debug := set.Bool("debug", false, "log more; never secrets")
	if err := set.Parse(args); err != nil {
		return choice, err
	}
	if set.NArg() > 0 {
		return choice, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if *debug {
		c.LogLevel = slog.LevelDebug
	}
	return choice, nil
}

func run(ctx context.Context, service config.Service, build func(House) (http.Handler, error)) error {
	c, err := config.ReadCloud(os.Environ())
	if err != nil {
		return err
	}
	choice, err := flags(os.Args[1:], &c)
	if err != nil {
		return err
	}
	if err := c.Validate(service); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	models, warnings, err := choice.Models(os.Getenv)
	for _, w := range warnings {
		log.Warn(w.String())
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	google, err := gcp.Open(ctx, c)
	if err != nil {
		return err
	}
	router := new(routing.Router)
	router.Use(routing.NewTable(models.Deployments))
	house := House{
		Config: c, Address: listener.Addr(), Engine: google, Auth: auth.New(google.Store, c.MasterKey, time.Now, log),
		Router: router, Upstream: upstream.New(models.Prices, time.Now, log), Log: log,
		Budgets: budget.New(budget.Config{
			Store: google.Store, Holder: budget.NewHolder(), Events: &event.Sender{Store: google.Store, Queue: google.Events, Now: time.Now},
			Settings: models.Settings.Budget(), Now: time.Now, Log: log,
		}),
		Owner: models.Settings,
	}
	house.Auth.Use(models.Settings.Auth())
	handler, err := build(house)
	if err != nil {
		return errors.Join(err, google.Close())
	}
	return errors.Join(house.serve(ctx, listener, handler, service), google.Close())
}

// closeTimeout is for giving back what budgets have not used, after the last call has ended.
const closeTimeout = 5 * time.Second

// serve runs the server; the watches outlive it, as calls in their last seconds still need them.
func (h House) serve(ctx context.Context, l net.Listener, handler http.Handler, service config.Service) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watches errgroup.Group
	watches.Go(func() error { return h.Auth.Run(watching) })
	if service == config.Ingress {
		watches.Go(func() error { return h.Budgets.Run(watching) })
	}
	err := server.Server{Handler: handler, Log: h.Log, Interrupt: service == config.Worker}.Run(ctx, l)
	stop()
	err = errors.Join(err, watches.Wait())
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	return errors.Join(err, h.Budgets.Close(closing))
}
