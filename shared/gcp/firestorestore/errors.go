package firestorestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	firestore "cloud.google.com/go/firestore/apiv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/shared/store"
)

// meanings maps the service's codes to errors that callers test for.
var meanings = map[codes.Code]error{
	codes.NotFound:           store.ErrNotFound,
	codes.AlreadyExists:      store.ErrExists,
	codes.FailedPrecondition: store.ErrChanged,
	codes.Canceled:           context.Canceled,
	codes.DeadlineExceeded:   context.DeadlineExceeded,
}

func translate(err error) error {
	if meaning, known := meanings[status.Code(err)]; known {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}

func conditionFailed(err error) bool {
	return slices.Contains([]codes.Code{codes.AlreadyExists, codes.FailedPrecondition, codes.NotFound}, status.Code(err))
}

// answerLost reports whether a write that failed so may have been made all the same.
func answerLost(err error) bool {
	return slices.Contains([]codes.Code{codes.Unavailable, codes.Internal, codes.Unknown}, status.Code(err))
}

// transient reports whether the same call may succeed a moment later.
func transient(err error) bool {
	return slices.Contains([]codes.Code{codes.Unavailable, codes.Internal, codes.ResourceExhausted, codes.Aborted}, status.Code(err))
}

const maxTries = 5

// retry runs a call that may be repeated, within the store's timeout, until it succeeds or fails for good.
func (s *Store) retry(ctx context.Context, call func(context.Context, *firestore.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, ctx, err := s.connect(ctx)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := call(ctx, client)
		if err == nil || try == maxTries || !transient(err) || pause(ctx, try) != nil {
			return err
		}
	}
}

// pause waits before another try: longer each time, up to 2 s, and never two callers alike.
func pause(ctx context.Context, try int) error {
	longest := min(50*time.Millisecond<<min(try, 10), 2*time.Second)
	return sleep(ctx, longest/2+rand.N(longest/2))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
