package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// TypeAttribute is the attribute of a queue.Work message that says what to do; the types follow. A sweep needs no data and
// is to be published every minute.
const (
	TypeAttribute = "type"
	TypeValidate  = "validate"
	TypeChunk     = "chunk"
	TypeFinalize  = "finalize"
	TypeSweep     = "sweep"
)

// hint is a message: what to look at. It carries ids only, so an old or repeated one does no harm.
type hint struct {
	kind  string
	Batch string `json:"batch"`
	Chunk int    `json:"chunk,omitempty"`
}

// tell publishes hints.
func (d *Deps) tell(ctx context.Context, hints ...hint) error {
	if len(hints) == 0 {
		return nil
	}
	ms := make([]queue.Message, len(hints))
	for i, h := range hints {
		data, err := json.Marshal(h)
		if err != nil {
			return fmt.Errorf("encode message: %w", err)
		}
		ms[i] = queue.Message{Data: data, Attributes: map[string]string{TypeAttribute: h.kind}}
	}
	if err := d.Queue.Publish(ctx, queue.Work, ms...); err != nil {
		return fmt.Errorf("publish %d messages: %w", len(ms), err)
	}
	return nil
}

// Engine carries batches out. Any number of engines may work on the same store.
type Engine struct {
	Deps
	caller Caller
	keys   Keys
	models Models
}

// NewEngine returns an engine on d.
func NewEngine(d Deps, c Caller, k Keys, m Models) *Engine {
	d.Settings = d.Settings.filled()
	return &Engine{d, c, k, m}
}

// Handle is the queue.Handler of the types above. When ctx ends it hands its work back within a few seconds. It
// acknowledges whatever it could look at, and asks for another delivery only when the store, bucket or queue is away.
func (e *Engine) Handle(ctx context.Context, m queue.Message) error {
	var h hint
	kind := m.Attributes[TypeAttribute]
	if err := json.Unmarshal(m.Data, &h); err != nil && kind != TypeSweep {
		return fmt.Errorf("decode %s message: %w", kind, err)
	}
	var err error
	switch kind {
	case TypeValidate:
		err = e.validate(ctx, h.Batch)
	case TypeChunk:
		err = e.work(ctx, h.Batch, h.Chunk)
	case TypeFinalize:
		err = e.finalize(ctx, h.Batch)
	case TypeSweep:
		if err := e.Sweep(ctx); err != nil {
			e.Log.WarnContext(ctx, "sweep left something for the next", "error", err)
		}
		return nil
	default:
		return fmt.Errorf("unknown message type %q", kind)
	}
	switch {
	case err == nil:
		return nil
	case isAway(err):
		return queue.Retry(fmt.Errorf("%s %s: %w", kind, h.Batch, err))
	default: // the sweeper comes back to it
		e.Log.ErrorContext(ctx, "batch step gave up", "type", kind, "batch", h.Batch, "chunk", h.Chunk, "error", err)
		return nil
	}
}

// open reads a batch; ok is false if it is gone or final.
func (e *Engine) open(ctx context.Context, id string) (b batchDoc, ok bool, err error) {
	_, err = e.Store.Get(ctx, batches.Ref(id), &b)
	if errors.Is(err, store.ErrNotFound) {
		return b, false, nil
	}
	return b, err == nil && !b.State.final(), err
}

// overdue ends a batch whose time is up, and tells whether it is.
func (e *Engine) overdue(ctx context.Context, b *batchDoc) (bool, error) {
	if b.ExpiresAt > e.Now().Unix() || !b.State.mayBecome(expiring) {
		return false, nil
	}
	_, moved, err := e.move(ctx, b.ID, expiring, func(b *batchDoc) { b.Hinted = e.Now().Unix() }, nil)
	if err != nil || !moved {
		return true, err
	}
	return true, e.tell(ctx, hint{TypeFinalize, b.ID, 0})
}

// isRevoked tells a key that is no more from one that nobody can look up at the moment.
func isRevoked(err error) bool {
	var g *gateway.Error
	return errors.As(err, &g) && g.Kind == gateway.KindUnauthenticated
}

// micros is the time in Unix microseconds, d from now.
func (e *Engine) micros(d time.Duration) int64 { return e.Now().Add(d).UnixMicro() }
