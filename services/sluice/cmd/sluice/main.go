// Command sluice is the gateway on one machine, and the command line of any gateway.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
	"github.com/sluice-gateway/sluice/services/sluice/local"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	root := &cobra.Command{
		Use: "sluice", Short: "An AI gateway with exact money and a queue that loses nothing",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(serve())
	root.AddCommand(cli.Commands(cli.Options{Getenv: os.Getenv, DefaultKey: localKey})...)
	os.Exit(cli.Report(os.Stderr, root.ExecuteContext(ctx)))
}

// localKey is the master key that `sluice serve` made for itself.
func localKey() (gateway.Secret, string) {
	path := local.MasterKeyFile(local.DefaultData(os.Getenv))
	text, err := os.ReadFile(path)
	if err != nil {
		return "", ""
	}
	return trimmed(text), path
}
