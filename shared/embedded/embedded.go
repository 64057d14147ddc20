// Package embedded is the engine of one machine: a SQLite file for documents and messages, a folder for objects, and a
// dispatcher that pushes messages as Pub/Sub does.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/diskblob"
	"github.com/sluice-gateway/sluice/shared/embedded/dispatch"
	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/queue/push"
)

const (
	audience = "http://worker.local"
	account  = "push@sluice.local"

	drain     = 500 * time.Millisecond // then running steps are told to hand their work back
	maxPushes = 8                      // steps of work at a time; a chunk of a batch is one, with up to 16 calls under way
)

// Local is an open engine.
type Local struct {
	engine.Engine
	db     *sqlitestore.DB
	queue  *sqlitestore.Queue
	signer *dispatch.Signer
	log    *slog.Logger
}

// Open opens or makes the engine in a folder, which belongs to this process until Close.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Local, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	db, err := sqlitestore.Open(ctx, filepath.Join(dir, "sluice.db"), engine.Collections()...)
	if err != nil {
		return nil, err
	}
	objects, err := diskblob.Open(filepath.Join(dir, "objects"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	q := db.Queue(engine.Subscriptions)
	return &Local{
		Engine: engine.Engine{Store: db, Queue: q, Bucket: objects, Close: db.Close},
		db:     db, queue: q, signer: dispatch.NewSigner(audience, account), log: log,
	}, nil
}

// Close closes the engine. No call of it may be running.
func (l *Local) Close() error { return l.Engine.Close() }

// Verifier accepts the pushes of this engine's Dispatcher.
func (l *Local) Verifier() push.Verifier { return l.signer.Verifier() }

// Sweep deletes documents that have expired.
func (l *Local) Sweep(ctx context.Context) error { return l.db.Sweep(ctx, time.Now()) }

// Dispatcher pushes work to the worker's handler in this process. Ledger entries need no message here: the worker's Ledger
// books them at once.
func (l *Local) Dispatcher(worker http.Handler) (*dispatch.Dispatcher, error) {
	work := dispatch.Subscription{
		Name: engine.WorkPush, Endpoint: audience + engine.WorkPath, Transport: dispatch.InProcess(worker),
		AckDeadline: 10 * time.Minute, MinBackoff: time.Second, MaxBackoff: time.Minute, Concurrency: maxPushes,
	}
	return dispatch.New(l.queue, []dispatch.Subscription{work},
		dispatch.SignedBy(l.signer), dispatch.PushBackoff(dispatch.MildPushBackoff), dispatch.DeadLetters(l.queue), dispatch.Logger(l.log),
		dispatch.Drain(drain),
	)
}
