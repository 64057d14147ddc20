package sqlitestore

import (
	"context"
	"errors"
	"sync"
)

// errClosed answers what comes after Close.
var errClosed = errors.New("sqlitestore: closed")

// readerPool lends read connections, the one used last first, so that a quiet program has only one open.
type readerPool struct {
	path string
	free chan struct{} // one for each connection that may be lent

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newReaderPool(path string, n int) *readerPool {
	p := &readerPool{path: path, free: make(chan struct{}, n)}
	for range n {
		p.free <- struct{}{}
	}
	return p
}

// use runs fn with a connection of its own.
func (p *readerPool) use(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.free:
	}
	defer func() { p.free <- struct{}{} }()
	c, err := p.take()
	if err != nil {
		return err
	}
	defer p.give(c)
	return fn(c)
}

func (p *readerPool) take() (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if last := len(p.idle) - 1; last >= 0 {
		c := p.idle[last]
		p.idle = p.idle[:last]
		return c, nil
	}
	return connect(p.path, "busy_timeout = 5000", "query_only = on", "cache_size = -1000", "temp_store = memory")
}

func (p *readerPool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// close waits for readers to finish.
func (p *readerPool) close() error {
	for range cap(p.free) {
		<-p.free
	}
	p.mu.Lock()
	p.closed = true
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.mu.Unlock()
	for range cap(p.free) {
		p.free <- struct{}{} // for whoever comes late, to learn that it is closed
	}
	return errors.Join(errs...)
}
