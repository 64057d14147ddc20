package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/store"
)

// plantAtOnce is how many chunks one transaction creates.
const plantAtOnce = 100

// validate reads a batch's file once, and either cuts it into chunks and starts it, or fails it. Doing it again changes
// nothing once the batch has moved on.
func (e *Engine) validate(ctx context.Context, id string) error {
	b, ok, err := e.open(ctx, id)
	if err != nil || !ok || b.State != validating {
		return err
	}
	if late, err := e.overdue(ctx, &b); late || err != nil {
		return err
	}
	p, err := e.scan(ctx, &b)
	if err != nil {
		return err
	}
	if len(p.faults) > 0 {
		_, _, err := e.move(ctx, id, failed, func(b *batchDoc) { b.Faults = p.faults }, nil)
		return err
	}
	if err := e.plant(ctx, &b, p.chunks); err != nil {
		return err
	}
	_, moved, err := e.move(ctx, id, inProgress, func(b *batchDoc) {
		b.Chunks, b.Lines, b.Model = len(p.chunks), p.lines, p.model()
	}, nil)
	if err != nil || !moved {
		return err
	}
	_, err = e.pump(ctx, id, e.Settings.Window)
	return err
}

func (e *Engine) scan(ctx context.Context, b *batchDoc) (*plan, error) {
	who, err := e.keys.Principal(ctx, b.Key)
	p := newPlan(e.Settings, b.Endpoint, func(model string) error { return e.models.Check(who, ops[b.Endpoint], model) })
	if isRevoked(err) {
		p.fault(0, &fault{Code: "key_revoked", Message: revoked})
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("look up key: %w", err)
	}
	in, err := e.Blobs.Open(ctx, b.Blob, 0, -1)
	if errors.Is(err, blob.ErrNotFound) {
		p.fault(0, &fault{Code: "file_not_found", Message: "The input file is gone."})
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("open input: %w", err)
	}
	defer in.Close()
	return p, p.read(in)
}

// plant creates the chunks. While the batch is validating nobody works on them, so they may be put again; a validator that
// comes late finds the batch elsewhere and does nothing.
func (e *Engine) plant(ctx context.Context, b *batchDoc, cs []chunkDoc) error {
	for len(cs) > 0 {
		some := cs[:min(len(cs), plantAtOnce)]
		err := e.insist(ctx, func() error {
			return e.Store.Tx(ctx, func(tx store.Tx) error {
				var now batchDoc
				if _, err := tx.Get(b.ref(), &now); err != nil || now.State != validating {
					return err
				}
				for i := range some {
					some[i].Batch, some[i].Expires = b.ID, resultsExpire(b)
					if err := tx.Put(some[i].ref(), &some[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return fmt.Errorf("create chunks: %w", err)
		}
		cs = cs[len(some):]
	}
	return nil
}

// resultsExpire is when a batch's chunks and parts may go: well after its files.
func resultsExpire(b *batchDoc) int64 { return b.ExpiresAt + int64(maxLife.Seconds()) }
