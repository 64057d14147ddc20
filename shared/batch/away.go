package batch

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// errBroken means that documents do not fit together: no repetition will help.
var errBroken = errors.New("stored state is inconsistent")

// answers are what a store or bucket says when it could be asked: repeating the question changes nothing.
var answers = []error{
	store.ErrNotFound, store.ErrExists, store.ErrChanged, store.ErrTooLarge, store.ErrNoIndex,
	blob.ErrNotFound, blob.ErrExists, errFenced, errBroken,
}

// isAway reports whether err means that a store, bucket or queue could not be asked.
func isAway(err error) bool {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return false
		}
	}
	return err != nil
}

// insist repeats a transaction whose outcome is not known, twice. What it does must be the same if done again.
func (d *Deps) insist(ctx context.Context, do func() error) (err error) {
	for _, wait := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 0} {
		if err = do(); !isAway(err) || wait == 0 || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return err
}

// asError is what a caller sees of a failure.
func asError(err error) error {
	var e *gateway.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, store.ErrFull), errors.Is(err, blob.ErrFull):
		return gateway.Errorf(gateway.KindStorageFull, "The storage is full.").WithCause(err)
	default:
		return gateway.Errorf(gateway.KindUnavailable, "The storage is not available at the moment. Please try again.").WithCause(err)
	}
}
