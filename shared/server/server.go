// Package server runs an http.Server: with the limits that keep slow and greedy callers off, and a drain at the end.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

const (
	headerTimeout  = 10 * time.Second // for a caller to send its header
	idleTimeout    = 2 * time.Minute  // between two requests of a connection
	maxHeaderBytes = 32 << 10
	// Drain is how long running calls may go on after the end was asked for. Cloud Run kills 10 s after SIGTERM (container
	// contract, read 2026-11).
	Drain = 8 * time.Second
)

// Run serves on the listener until ctx ends, then drains. Both HTTP/1.1 and HTTP/2 without TLS are spoken: Cloud Run's
// limit of 32 MiB for a request does not hold for the latter.
func Run(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	tuneGC()
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), Protocols: new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), Drain)
		defer cancel()
		err := s.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.Close() // what is left is cut; it ends in error frames, never in a success terminator
		}
		drained <- err
	})
	err := s.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err // it broke before it was asked to end
	}
	return <-drained
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
