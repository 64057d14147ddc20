package main

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluice-gateway/sluice/services/sluice/local"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

const defaultPort = 4000

// ignored are LiteLLM's flags that mean nothing here; true for those that take a value. They are accepted with a warning,
// so that a command line that started LiteLLM starts Sluice.
var ignored = map[string]bool{
	"num_workers": true, "api_version": true, "headers": true, "temperature": true, "max_tokens": true, "request_timeout": true,
	"max_budget": true, "telemetry": true, "drop_params": false, "add_function_to_prompt": false, "detailed_debug": false,
	"use_prisma_migrate": false, "skip_server_startup": false, "add_key": true, "save": false, "health": false, "test": false,
}

func serve() *cobra.Command {
	o := local.Options{Env: os.Getenv}
	var debug bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the gateway on this machine: ingress, worker and engine in one process", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			level := slog.LevelInfo
			if debug || c.Flags().Changed("detailed_debug") {
				level = slog.LevelDebug
			}
			o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
			c.Flags().Visit(func(f *pflag.Flag) {
				if _, found := ignored[f.Name]; found && f.Name != "detailed_debug" {
					o.Log.Warn("flag has no effect", "flag", "--"+f.Name)
				}
			})
			if err := choosePort(c, &o); err != nil {
				return err
			}
			return local.Serve(c.Context(), o, os.Stdout)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Host, "host", "127.0.0.1", "address to listen on")
	f.IntVar(&o.Port, "port", defaultPort, "port to listen on; $PORT if not given")
	f.StringVar(&o.Data, "data", local.DefaultData(os.Getenv), "folder of keys, ledger, queue and files; $SLUICE_DATA")
	f.StringVarP(&o.Config, "config", "c", "", "LiteLLM's config.yaml")
	f.StringVarP(&o.Model, "model", "m", "", "serve this model only, such as gpt-3.5-turbo or groq/llama-3.1-8b-instant")
	f.StringVar(&o.APIBase, "api_base", "", "where the model is served; without /chat/completions")
	f.StringVar(&o.Alias, "alias", "", "name under which the model is served")
	f.BoolVar(&debug, "debug", false, "log more; never secrets")
	for name, takesValue := range ignored {
		if takesValue {
			f.String(name, "", "")
		} else {
			f.Bool(name, false, "")
		}
		_ = f.MarkHidden(name)
	}
	return c
}

// choosePort takes --port, else $PORT, else 4000.
func choosePort(c *cobra.Command, o *local.Options) error {
	if env := os.Getenv("PORT"); env != "" && !c.Flags().Changed("port") {
		port, err := strconv.Atoi(env)
		if err != nil {
			return fmt.Errorf("PORT must be a number, not %q", env)
		}
		o.Port = port
	}
	if o.Port < 0 || o.Port > 65535 {
		return fmt.Errorf("port must be from 0 to 65535, not %d", o.Port)
	}
	return nil
}

func trimmed(text []byte) gateway.Secret { return gateway.Secret(strings.TrimSpace(string(text))) }
