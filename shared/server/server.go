// Package server runs an http.Server: with the limits that keep slow and greedy callers off, and a drain at the end.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

const (
	headerTimeout  = 10 * time.Second // for a caller to send its header
	idleTimeout    = 2 * time.Minute  // between two requests of a connection
	maxHeaderBytes = 32 << 10
	// Drain is how long running calls may go on after the end was asked for. Cloud Run kills 10 s after SIGTERM (container
	// contract, read 2026-11).
	Drain       = 8 * time.Second
	settleLimit = 1500 * time.Millisecond // of handlers that were cut
)

// Server serves a handler. Both HTTP/1.1 and HTTP/2 without TLS are spoken: Cloud Run's limit of 32 MiB for a request does
// not hold for the latter.
type Server struct {
	Handler http.Handler
	Log     *slog.Logger
	// Interrupt ends the requests' contexts as soon as Run's ends: for handlers that hand back what they have not done.
	Interrupt bool
}

// Run serves on the listener until ctx ends, then drains: calls under way may finish. It returns when no handler runs any
// more, or does not care that its time is up.
func (s Server) Run(ctx context.Context, l net.Listener) error {
	tuneGC()
	base := context.WithoutCancel(ctx)
	if s.Interrupt {
		base = ctx
	}
	var calls sync.WaitGroup
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		defer calls.Done()
		s.Handler.ServeHTTP(w, r)
	})
	h := &http.Server{
		Handler: counted, BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), Protocols: new(http.Protocols),
	}
	h.Protocols.SetHTTP1(true)
	h.Protocols.SetUnencryptedHTTP2(true)
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), Drain)
		defer cancel()
		err := h.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.Close() // what is left is cut, never with a success terminator
		}
		drained <- err
	})
	err := h.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err // it broke before it was asked to end
	}
	err = <-drained
	settle(&calls)
	return err
}

// settle gives handlers whose connections were cut the time to record what they used.
func settle(calls *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() { calls.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(settleLimit):
	}
}

// gcPercent lets garbage grow to twice what is in use before it is collected: the heap is a few MiB, and collecting half as
// often saves some percent of the CPU of a call.
const gcPercent = 200

// tuneGC leaves alone what the owner has set by GOGC.
func tuneGC() {
	const untouched = 100
	if was := debug.SetGCPercent(gcPercent); was != untouched {
		debug.SetGCPercent(was)
	}
}
