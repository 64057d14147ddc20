package credential

import (
	"context"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	// ahead is how long before its end a token is replaced. It must be less than the five minutes for which Google's metadata server
	// keeps giving out the same token (Google's documentation on service identity, read 2026-11).
	ahead     = 3 * time.Minute
	fetchTime = 10 * time.Second // for one token, whoever waits for it
	// After a failure the next try is not at once: every call would come with one.
	pauseValid   = 10 * time.Second // while the old token still works
	pauseExpired = time.Second
)

// fetcher gets a new value and tells until when it can be used.
type fetcher[T any] func(context.Context) (T, time.Time, error)

// kept is a value that is replaced in time. One caller replaces it; the others take the old value while it is valid and else wait.
type kept[T any] struct {
	mu      sync.Mutex
	value   T
	expires time.Time
	next    time.Time      // when it is to be replaced
	err     *gateway.Error // of the last try
	flight  chan struct{}  // closed when the try that runs has ended; nil: none runs
}

// get returns the value. The error is a gateway.Error of the caller's own.
func (k *kept[T]) get(ctx context.Context, now func() time.Time, fetch fetcher[T]) (T, error) {
	for {
		k.mu.Lock()
		at := now()
		valid := at.Before(k.expires)
		switch wait := k.flight; {
		case valid && (wait != nil || at.Before(k.next)):
			defer k.mu.Unlock()
			return k.value, nil
		case wait != nil:
			k.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
				return *new(T), gateway.Errorf(gateway.KindCanceled, "The caller hung up.").WithCause(context.Cause(ctx))
			}
		case k.err != nil && at.Before(k.next):
			defer k.mu.Unlock()
			return *new(T), copied(k.err)
		default:
			k.flight = make(chan struct{})
			k.mu.Unlock()
			return k.replace(ctx, now, fetch)
		}
	}
}

// replace gets a new value. It is not given up when its caller hangs up, since others may wait for it.
func (k *kept[T]) replace(ctx context.Context, now func() time.Time, fetch fetcher[T]) (T, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
	defer cancel()
	value, expires, err := *new(T), time.Time{}, error(unavailable("the token service was not asked", nil))
	defer func() { k.end(now(), value, expires, err) }()
	value, expires, err = fetch(ctx)
	at := now()
	if err == nil && !at.Before(expires) {
		err = invalid("the token has ended already")
	}
	if err == nil {
		return value, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if at.Before(k.expires) {
		return k.value, nil
	}
	return *new(T), copied(gateway.AsError(err))
}

// end keeps what a try has brought.
func (k *kept[T]) end(at time.Time, value T, expires time.Time, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.flight)
	k.flight = nil
	switch {
	case err == nil:
		life := expires.Sub(at)
		k.value, k.expires, k.err = value, expires, nil
		k.next = at.Add(max(life-ahead, life/2))
	case at.Before(k.expires):
		k.next = at.Add(pauseValid)
	default:
		k.err, k.next = gateway.AsError(err), at.Add(pauseExpired)
	}
}

// copied is an error that its receiver may change.
func copied(e *gateway.Error) *gateway.Error {
	own := *e
	return &own
}
