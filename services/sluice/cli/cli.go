// Package cli is the part of the sluice command that talks to a running gateway over HTTP: keys, batches, a chat, events, books.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// DefaultURL is where `sluice serve` listens.
const DefaultURL = "http://127.0.0.1:4000"

const defaultPause = 2 * time.Second

// Options are what the commands need from their surroundings. Standard input, output and error are cobra's. Every field
// may be left out.
type Options struct {
	Getenv func(string) string
	// DefaultKey returns the master key of the local gateway and where it was found; an empty key if there is none. It is
	// asked last, and only for a gateway on this machine.
	DefaultKey func() (gateway.Secret, string)
	HTTP       *http.Client
	// Pause is the time between two looks at a batch and before a lost connection is tried again; 0 means 2 seconds.
	Pause time.Duration
	// IsTerminal reports whether a person reads w: then there is a progress bar, and model output loses its control codes.
	IsTerminal func(w io.Writer) bool
}

// Commands returns the commands key, batch, chat, events and books. Run them with a context that ends at Ctrl-C, and hand their
// error to Report.
func Commands(o Options) []*cobra.Command {
	o = o.withDefaults()
	a := &app{Options: o}
	all := []*cobra.Command{keyCommand(a), batchCommand(a), chatCommand(a), eventsCommand(a), booksCommand(a)}
	for _, c := range all {
		c.PersistentFlags().StringVar(&a.url, "url", "", "the gateway's address (env SLUICE_URL, default "+DefaultURL+")")
		c.PersistentFlags().StringVar(&a.key, "key", "", "the key to call with (env SLUICE_API_KEY, SLUICE_MASTER_KEY, LITELLM_MASTER_KEY)")
		silence(c)
	}
	return all
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.DefaultKey == nil {
		o.DefaultKey = func() (gateway.Secret, string) { return "", "" }
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Pause == 0 {
		o.Pause = defaultPause
	}
	if o.IsTerminal == nil {
		o.IsTerminal = func(w io.Writer) bool {
			f, ok := w.(*os.File)
			return ok && term.IsTerminal(int(f.Fd()))
		}
	}
	return o
}

// app is what all commands share.
type app struct {
	Options
	url, key string // flags
}

// silence leaves errors to Report, for the command and all below it.
func silence(c *cobra.Command) {
	c.SilenceUsage, c.SilenceErrors = true, true
	for _, sub := range c.Commands() {
		silence(sub)
	}
}

// Exit codes of the process. Anything else that goes wrong is 1.
const (
	ExitLinesFailed = 2 // a batch finished, and some of its lines failed
	ExitBatchFailed = 3 // a batch failed, expired or was cancelled
)

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// Report tells a person on w what went wrong and returns the exit code of the process: 0 for nil. Whatever looks like a key
// in the message is cut to its last four characters.
func Report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New(strings.Replace(err.Error(), context.Canceled.Error(), "interrupted", 1))
	}
	fmt.Fprintln(w, "sluice: "+redact(plain(err.Error())))
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return 1
}

var keyLike = regexp.MustCompile(`sk-[A-Za-z0-9_-]{8,}`)

// redact keeps the last four characters of whatever looks like a key.
func redact(s string) string {
	return keyLike.ReplaceAllStringFunc(s, func(key string) string { return "sk-..." + key[len(key)-4:] })
}
