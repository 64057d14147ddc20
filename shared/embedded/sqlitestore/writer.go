package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"runtime/debug"
	"sync"
	"sync/atomic"
)

// groupSize is how many operations at most share a transaction, so that the first does not wait too long for the last.
const groupSize = 256

// errPartial tells that an operation failed halfway, which takes savepoints to undo.
var errPartial = errors.New("sqlitestore: operation failed after a write")

// writer is the goroutine that owns the write connection.
type writer struct {
	session *session

	mu      sync.Mutex
	waiting []*op
	closed  bool
	wake    chan struct{}
	stopped chan struct{}
}

// op is one operation that succeeds or fails as a whole.
type op struct {
	run     func(*session) error // may run again when its group is repeated
	claimed atomic.Bool          // by the writer to run it, or by its owner to give up
	done    chan struct{}
	err     error
}

func newWriter(db *DB, c *conn) (*writer, error) {
	s, err := newSession(db, c)
	if err != nil {
		return nil, err
	}
	w := &writer{session: s, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go w.loop()
	return w, nil
}

// do has the writer run an operation and waits until it is durable. When ctx ends before the operation has begun, it
// never will.
func (w *writer) do(ctx context.Context, run func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &op{run: run, done: make(chan struct{})}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed
	}
	w.waiting = append(w.waiting, o)
	w.mu.Unlock()
	w.signal()
	select {
	case <-o.done:
	case <-ctx.Done():
		if o.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-o.done
	}
	if p, ok := o.err.(panicked); ok {
		panic(p.Error())
	}
	return o.err
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// stop lets the writer finish what is waiting.
func (w *writer) stop() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.stopped
	return nil
}

func (w *writer) loop() {
	defer close(w.stopped)
	for range w.wake {
		for group, closed := w.next(); ; group, closed = w.next() {
			if len(group) > 0 {
				w.commit(group)
			} else if closed {
				return
			} else {
				break
			}
		}
	}
}

// next takes what has queued up.
func (w *writer) next() (group []*op, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), groupSize)
	for _, o := range w.waiting[:n] {
		if o.claimed.CompareAndSwap(false, true) {
			group = append(group, o)
		}
	}
	if w.waiting = w.waiting[n:]; len(w.waiting) == 0 {
		w.waiting = nil
	}
	return group, w.closed && len(w.waiting) == 0
}

// commit runs a group in one transaction and answers it. Savepoints cost, so they are used only when an operation has
// failed halfway. If the transaction as a whole fails, each operation is tried alone: what frees space may still succeed.
func (w *writer) commit(group []*op) {
	err := w.session.transact(group, false)
	if errors.Is(err, errPartial) {
		err = w.session.transact(group, true)
	}
	if err != nil && len(group) > 1 {
		for _, o := range group {
			w.commit([]*op{o})
		}
		return
	}
	for _, o := range group {
		if err != nil {
			o.err = err
		}
		close(o.done)
	}
}

// panicked carries a panic of an operation to whoever asked for it.
type panicked struct {
	value any
	stack []byte
}

func (p panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func (o *op) safely(s *session) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v, debug.Stack()}
		}
	}()
	return o.run(s)
}
