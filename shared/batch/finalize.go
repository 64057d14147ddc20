package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// endings are the final states that the states before them end in.
var endings = map[state]state{finalizing: completed, cancelling: cancelled, expiring: expired}

// finalize ends a batch when nothing is left to do: it freezes all chunks, writes the result files from them, and moves
// the batch to its final state. It may be repeated and run twice at the same time: the files come out the same.
func (e *Engine) finalize(ctx context.Context, id string) error {
	b, ok, err := e.open(ctx, id)
	if err != nil || !ok {
		return err
	}
	if b.State == inProgress {
		if left, err := e.unfinished(ctx, id); left || err != nil {
			return err
		}
		moved := false
		b, moved, err = e.move(ctx, id, finalizing, func(b *batchDoc) { b.Hinted = e.Now().Unix() }, nil)
		if err != nil || (!moved && b.State == finalizing) { // somebody else is at it
			return err
		}
	}
	to, ok := endings[b.State]
	if !ok {
		return nil
	}
	if b.Chunks > 0 { // else it was not cut yet
		if all, err := e.seal(ctx, &b); !all || err != nil {
			return err
		}
	}
	return e.end(ctx, &b, to)
}

// end writes the result files of a batch whose chunks are all frozen, and the final state.
func (e *Engine) end(ctx context.Context, b *batchDoc, to state) error {
	out, failures, err := e.compose(ctx, b)
	if err != nil {
		return err
	}
	total, err := e.sum(ctx, b.ID)
	if err != nil {
		return err
	}
	total.OK, total.Failed = out.lines, failures.lines
	results := []*fileDoc{e.resultFile(b, out), e.resultFile(b, failures)}
	_, moved, err := e.move(ctx, b.ID, to, func(b *batchDoc) {
		b.Tally = total
		if out.lines > 0 {
			b.Output = results[0].ID
		}
		if failures.lines > 0 {
			b.Errors = results[1].ID
		}
	}, func(tx store.Tx) error {
		for _, f := range results {
			if f.Bytes == 0 {
				continue
			}
			if err := tx.Put(f.ref(), f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !moved {
		return err
	}
	return e.releaseInput(ctx, b)
}

// resultFile is the document of a result file.
func (e *Engine) resultFile(b *batchDoc, s *sink) *fileDoc {
	now := e.Now()
	life := defaultLife
	if b.OutputTTL > 0 {
		life = time.Duration(b.OutputTTL) * time.Second
	}
	return &fileDoc{
		ID: s.id, Owner: b.Owner, Key: b.Key, Filename: b.ID + "_" + s.which + ".jsonl", Purpose: "batch_output",
		Bytes: s.bytes, SHA256: s.sha256(), Blob: s.name, Created: now.UnixMicro(), Expires: now.Add(life).Unix(), Batch: b.ID,
	}
}

// releaseInput removes an input file that was deleted while the batch read it.
func (e *Engine) releaseInput(ctx context.Context, b *batchDoc) error {
	var f fileDoc
	_, err := e.Store.Get(ctx, files.Ref(b.Input), &f)
	if errors.Is(err, store.ErrNotFound) || (err == nil && !f.Deleted) {
		return nil
	}
	if err == nil {
		err = e.purge(ctx, f)
	}
	if err != nil {
		e.Log.WarnContext(ctx, "a deleted file is purged later", "file", b.Input, "error", err)
	}
	return nil
}

// compose writes the output and the error file from frozen chunks, in the order of the input.
func (e *Engine) compose(ctx context.Context, b *batchDoc) (out, failures *sink, err error) {
	out, failures = e.newSink(ctx, b, "output"), e.newSink(ctx, b, "error")
	if b.Chunks > 0 {
		err = e.composeChunks(ctx, b, out, failures)
	}
	err = errors.Join(out.close(err), failures.close(err))
	if err != nil {
		return nil, nil, fmt.Errorf("compose results: %w", err)
	}
	return out, failures, nil
}

func (e *Engine) composeChunks(ctx context.Context, b *batchDoc, out, failures *sink) error {
	n := 0
	for c, err := range e.chunks(ctx, store.Query{Collection: chunks, Eq: map[string]any{"batch": b.ID}}) {
		if err != nil {
			return err
		}
		if !c.Done || c.N != n {
			return fmt.Errorf("%w: chunk %d is %d, done %t", errBroken, n, c.N, c.Done)
		}
		n++
		results, err := e.frozen(ctx, b, &c.chunkDoc)
		if err != nil {
			return err
		}
		for i := range results {
			to := failures
			if results[i].ok() {
				to = out
			}
			if err := to.write(b.ID, &results[i]); err != nil {
				return err
			}
		}
	}
	if n != b.Chunks {
		return fmt.Errorf("%w: %d of %d chunks", errBroken, n, b.Chunks)
	}
	return nil
}
