package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// work does as much of a chunk as one handler may.
func (e *Engine) work(ctx context.Context, id string, n int) error {
	began := time.Now()
	b, ok, err := e.open(ctx, id)
	if err != nil || !ok || b.State != inProgress {
		return err
	}
	if late, err := e.overdue(ctx, &b); late || err != nil {
		return err
	}
	c, ok, err := e.claim(ctx, id, n)
	if err != nil || !ok {
		return err
	}
	r, err := e.newRun(ctx, &b, c)
	if err == nil {
		err = r.loop(ctx, began)
	} else {
		e.Log.WarnContext(ctx, "chunk is tried later", "batch", id, "chunk", n, "error", err)
		err = (&run{Engine: e, batch: &b, chunk: c, money: c.clone(), later: e.Settings.MaxWait}).handBack(ctx)
	}
	if errors.Is(err, errFenced) {
		e.Log.WarnContext(ctx, "chunk was taken over", "batch", id, "chunk", n, "attempt", c.Attempt)
		return nil
	}
	return err
}

// newRun prepares a claimed chunk: its lines, and what earlier attempts left.
func (e *Engine) newRun(ctx context.Context, b *batchDoc, c chunkDoc) (*run, error) {
	lines, err := e.lines(ctx, b, &c)
	if err != nil {
		return nil, err
	}
	earlier, err := e.parts(ctx, &c)
	if err != nil {
		return nil, err
	}
	unbooked, err := c.settlement(b, lines, earlier)
	if err != nil {
		return nil, err
	}
	have, err := answered(earlier)
	if err != nil {
		return nil, err
	}
	r := &run{
		Engine: e, batch: b, id: c.id(), attempt: c.Attempt, chunk: c, money: c.clone(), unbooked: unbooked,
		outcomes: make(chan outcome, e.Settings.Concurrency), stopping: make(chan struct{}), width: e.Settings.Concurrency,
		ahead: e.Settings.FlushLines, gate: c.Started,
	}
	r.todo = slices.DeleteFunc(lines, func(l input) bool { return have[l.no] })
	if c.isCareful() {
		r.width, r.ahead = 1, 1
	}
	r.shut(ctx)
	return r, nil
}

// input is one line of a chunk.
type input struct {
	request
	no     int
	lost   bool     // the file is gone
	quote  Quote    // as of when it was last asked for
	leases []string // that it is charged to
}

// lines reads a chunk's lines. If the file is gone there are as many without content, so that the batch can still end.
func (e *Engine) lines(ctx context.Context, b *batchDoc, c *chunkDoc) ([]input, error) {
	in, err := e.Blobs.Open(ctx, b.Blob, c.Offset, c.Bytes)
	if errors.Is(err, blob.ErrNotFound) {
		lost := make([]input, c.Lines)
		for i := range lost {
			lost[i] = input{no: c.First + i, lost: true}
		}
		return lost, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open lines %d to %d: %w", c.First, c.Last, err)
	}
	defer in.Close()
	all := make([]input, 0, c.Lines)
	for lines := newSplitter(in, e.Settings.MaxLineBytes, c.First, c.Offset); ; {
		l, err := lines.next()
		if errors.Is(err, io.EOF) && len(all) == c.Lines {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read lines %d to %d: %w", c.First, c.Last, err)
		}
		r, f := parse(slices.Clone(l.Data), b.Endpoint)
		if f != nil {
			return nil, fmt.Errorf("%w: line %d has changed: %s", errBroken, l.No, f.Message)
		}
		all = append(all, input{request: r, no: l.No})
	}
}
