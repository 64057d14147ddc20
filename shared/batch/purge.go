package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// purgeAfter is how long an expired file is kept, so that a clock that runs ahead takes no input from a new batch.
const purgeAfter = time.Hour

// purge removes what is left of a file that is gone, unless an open batch reads it. A batch cannot begin to: it is created
// in a transaction that finds the file gone.
func (d *Deps) purge(ctx context.Context, f fileDoc) error {
	readers := store.Query{Collection: batches, Eq: map[string]any{"open": true, "input": f.ID}, Limit: 1}
	for _, err := range d.Store.Query(ctx, readers) {
		return err // nil: there is one
	}
	if f.Batch != "" {
		if err := d.deleteAll(ctx, spillPrefix(f.Batch)); err != nil {
			return err
		}
	}
	if err := d.Blobs.Delete(ctx, f.Blob); err != nil {
		return fmt.Errorf("delete content of %s: %w", f.ID, err)
	}
	return d.Store.Delete(ctx, f.ref())
}

func (d *Deps) deleteAll(ctx context.Context, prefix string) error {
	var names []string
	for info, err := range d.Blobs.List(ctx, prefix) {
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		names = append(names, info.Name)
	}
	for _, name := range names {
		if err := d.Blobs.Delete(ctx, name); err != nil {
			return fmt.Errorf("delete %s: %w", name, err)
		}
	}
	return nil
}

// purgeExpired removes files whose life is over. One that cannot be removed does not hold up the others.
func (d *Deps) purgeExpired(ctx context.Context) error {
	var errs []error
	old := store.Query{Collection: files, Order: "expires", To: d.Now().Add(-purgeAfter).Unix() + 1}
	for doc, err := range d.Store.Query(ctx, old) {
		if err != nil {
			errs = append(errs, fmt.Errorf("query expired files: %w", err))
			break
		}
		var f fileDoc
		if err = doc.Decode(&f); err == nil {
			err = d.purge(ctx, f)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("purge file %s: %w", doc.ID, err))
		}
	}
	return errors.Join(errs...)
}
