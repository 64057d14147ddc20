package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// storeTimeout bounds one exchange with the store. A caller that hangs up does not end it: others wait for it too.
const storeTimeout = 5 * time.Second

// flight is one exchange with the store that is under way, for one or more pools.
type flight struct {
	landed chan struct{}
	err    error // of the store; set when landed
}

// leg is one pool's share of a flight. It may read and write several times, of which the last counts; it lands once, and may
// look at its pool only before it departs and when it lands.
type leg interface {
	read(tx store.Tx) (verdict, error)
	write(tx store.Tx, v verdict) error
	// land takes what the exchange has brought. An error means that its outcome is not known.
	land(v verdict, err error)
	way() *lane
}

// verdict is what an exchange comes to. The highest of its legs' counts for all.
type verdict int

const (
	granted verdict = iota // all get what they want
	queued                 // slots are lacking: ask others for them, and take nothing
	refused                // rights of this minute are lacking: change nothing
)

var errRefused = errors.New("refused")

// fly makes an exchange for all legs in one transaction. The limiter's lock is released meanwhile.
func (l *Limiter) fly(ctx context.Context, legs ...leg) (verdict, error) {
	f := &flight{landed: make(chan struct{})}
	for _, leg := range legs {
		leg.way().flight = f
	}
	l.mu.Unlock()
	v, err := l.exchange(ctx, legs)
	l.mu.Lock()
	for _, leg := range legs {
		leg.way().flight = nil
		leg.land(v, err)
	}
	f.err = err
	close(f.landed)
	return v, err
}

func (l *Limiter) exchange(ctx context.Context, legs []leg) (v verdict, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err = l.store.Tx(ctx, func(tx store.Tx) error {
		v = granted
		for _, leg := range legs {
			one, err := leg.read(tx)
			if err != nil {
				return err
			}
			v = max(v, one)
		}
		if v == refused {
			return errRefused // so that nothing is sent
		}
		for _, leg := range legs {
			if err := leg.write(tx, v); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errRefused) {
		err = nil
	}
	return v, err
}

// get reads a document that may be absent.
func get(tx store.Tx, ref store.Ref, into any) (store.Version, error) {
	version, err := tx.Get(ref, into)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return version, err
}
