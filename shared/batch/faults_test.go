package batch_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

var (
	errCrashed = errors.New("the process is dead")
	errFlaky   = errors.New("the network hiccups")
)

// chances are how likely things go wrong at each step.
type chances struct {
	crash, freeze, flaky       float64
	lose, duplicate, terminate float64
}

// dice is a random source for many goroutines.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
	chances
}

func (d *dice) happens(p float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return p > 0 && d.rng.Float64() < p
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// calm ends all misfortune.
func (d *dice) calm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.chances = chances{}
}

func (d *dice) now() chances {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.chances
}

// process is one instance of the program. Whatever it does to the world outside may come before a crash, after it, late, or
// with its answer lost; once dead it does nothing any more.
type process struct {
	*dice
	mu   sync.Mutex
	dead bool
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) die() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	return errCrashed
}

// step does one thing to the world.
func (p *process) step(do func() error) error {
	if err := p.before(); err != nil {
		return err
	}
	return p.after(do())
}

func (p *process) before() error {
	c := p.now()
	if p.happens(c.freeze) {
		time.Sleep(time.Duration(p.below(120)) * time.Second) // fake time: everything here is in a bubble
	}
	switch {
	case p.isDead():
		return errCrashed
	case p.happens(c.crash):
		return p.die()
	case p.happens(c.flaky):
		return errFlaky
	}
	return nil
}

func (p *process) after(err error) error {
	switch c := p.now(); {
	case p.isDead():
		return errCrashed
	case p.happens(c.crash):
		return p.die()
	case err == nil && p.happens(c.flaky):
		return errFlaky
	}
	return err
}

// faultyStore is a store as a process sees it.
type faultyStore struct {
	store.Store
	p *process
}

func (s faultyStore) Get(ctx context.Context, ref store.Ref, into any) (v store.Version, err error) {
	err = s.p.step(func() (err error) { v, err = s.Store.Get(ctx, ref, into); return err })
	return v, err
}

func (s faultyStore) Query(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		if err := s.p.before(); err != nil {
			yield(store.Doc{}, err)
			return
		}
		s.Store.Query(ctx, q)(yield)
	}
}

func (s faultyStore) Sum(ctx context.Context, q store.Query, fields ...string) (n int64, sums []int64, err error) {
	err = s.p.step(func() (err error) { n, sums, err = s.Store.Sum(ctx, q, fields...); return err })
	return n, sums, err
}

func (s faultyStore) Create(ctx context.Context, ref store.Ref, doc any) (v store.Version, err error) {
	err = s.p.step(func() (err error) { v, err = s.Store.Create(ctx, ref, doc); return err })
	return v, err
}

func (s faultyStore) Update(ctx context.Context, ref store.Ref, doc any, ifAt store.Version) (v store.Version, err error) {
	err = s.p.step(func() (err error) { v, err = s.Store.Update(ctx, ref, doc, ifAt); return err })
	return v, err
}

func (s faultyStore) Delete(ctx context.Context, ref store.Ref) error {
	return s.p.step(func() error { return s.Store.Delete(ctx, ref) })
}

func (s faultyStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	return s.p.step(func() error {
		return s.Store.Tx(ctx, func(tx store.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return s.p.before() // between reading and committing
		})
	})
}

// faultyBucket is a bucket as a process sees it.
type faultyBucket struct {
	blob.Bucket
	p *process
}

func (b faultyBucket) Create(ctx context.Context, name string, r io.Reader) (info blob.Info, err error) {
	err = b.p.step(func() (err error) { info, err = b.Bucket.Create(ctx, name, r); return err })
	return info, err
}

func (b faultyBucket) Open(ctx context.Context, name string, from, n int64) (r io.ReadCloser, err error) {
	err = b.p.step(func() (err error) { r, err = b.Bucket.Open(ctx, name, from, n); return err })
	return r, err
}

func (b faultyBucket) Delete(ctx context.Context, name string) error {
	return b.p.step(func() error { return b.Bucket.Delete(ctx, name) })
}

// faultyQueue is a queue as a process sees it; messages also get lost and doubled.
type faultyQueue struct {
	queue.Publisher
	p *process
}

func (q faultyQueue) Publish(ctx context.Context, topic queue.Topic, ms ...queue.Message) error {
	return q.p.step(func() error {
		for _, m := range ms {
			c := q.p.now()
			if topic == queue.Work && q.p.happens(c.lose) {
				continue
			}
			if q.p.happens(c.duplicate) {
				ms = append(ms, m)
			}
			if err := q.Publisher.Publish(ctx, topic, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// faultyCaller is the provider as a process sees it: a dead process calls nobody and hears nothing.
type faultyCaller struct {
	batch.Caller
	p *process
}

func (c faultyCaller) Call(ctx context.Context, call batch.Call) batch.Reply {
	if c.p.isDead() {
		<-ctx.Done()
		return batch.Reply{Retryable: true}
	}
	return c.Caller.Call(ctx, call)
}
