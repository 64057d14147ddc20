package sse

import (
	"errors"
	"io"
	"iter"
	"sync"
)

// minBuffer is what a reader holds while it waits: most streams have events of some hundred bytes. maxPooled is for what comes faster than
// it is read, and for larger events.
const (
	minBuffer = 1 << 10
	maxPooled = 4 << 10
)

// maxEmptyReads is how often in a row a source may answer with neither bytes nor error.
const maxEmptyReads = 100

// Buffers of other sizes are left to the garbage collector.
var (
	small = sync.Pool{New: func() any { return new([minBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([maxPooled]byte) }}
)

// Reader reads events from a stream. The slices of an event stay valid until Close, or until a Next that has to read:
// while Buffered reports true, more events can be taken and all of them used together. It holds one pooled buffer of
// 1 KiB while it waits, and more only while an event needs more. Not for concurrent use.
type Reader struct {
	MaxEventBytes int // limit for one event's Raw; may be changed before the first Next

	src io.Reader
	err error // how src ended, or ErrTooLong

	buf   []byte // buf[start:] was not handed out yet
	start int
	full  bool // the last read had more to give than there was room for, by the look of it
	parser
}

// NewReader returns a reader of src, which stays the caller's to close.
func NewReader(src io.Reader) *Reader {
	return &Reader{MaxEventBytes: MaxEventBytes, src: src, parser: parser{fresh: true}}
}

// Next returns the next event. It blocks only while no whole event is buffered. Errors: io.EOF when the stream ended
// between events; io.ErrUnexpectedEOF when it ended inside one, which is then not handed out (see Tail); ErrTooLong; else
// the source's own. Whole events come before an error, and the error repeats.
func (r *Reader) Next() (Event, error) {
	for !r.Buffered() {
		if r.err == io.EOF && r.torn(r.buf[r.start:]) {
			r.err = io.ErrUnexpectedEOF
		}
		if r.err != nil {
			return Event{}, r.err
		}
		r.fill()
	}
	event := r.event(r.buf[r.start : r.start+r.end])
	r.start += r.end
	r.begin()
	return event, nil
}

// Buffered reports whether Next will return another event without reading. If not, it is time to flush what was written.
func (r *Reader) Buffered() bool {
	if r.end > 0 {
		return true
	}
	if r.err == ErrTooLong {
		return false
	}
	pending := r.buf[r.start:]
	size := len(pending)
	if r.parse(pending, r.err != nil) {
		size = r.end
	}
	if size > r.MaxEventBytes {
		r.err, r.end = ErrTooLong, 0
	}
	return r.end > 0
}

// All is Next in a loop. The clean end of the stream ends it; any other error is its last pair.
func (r *Reader) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := r.Next()
			if err == io.EOF || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Tail returns what came of the event in which the stream ended, after Next has answered io.ErrUnexpectedEOF. It lacks
// its blank line, maybe more: only a caller who knows how its streams end can say whether it is whole.
func (r *Reader) Tail() Event {
	if !errors.Is(r.err, io.ErrUnexpectedEOF) {
		return Event{}
	}
	rest := r.buf[r.start:]
	whole := r.parser // a copy: Tail may be called again
	whole.field(rest, len(rest))
	return whole.event(rest)
}

// Close gives the buffer back: no slice of an event may be used any more. Next then answers io.ErrClosedPipe.
func (r *Reader) Close() {
	release(r.buf)
	*r = Reader{err: io.ErrClosedPipe}
}

// fill reads once, after making room.
func (r *Reader) fill() {
	r.makeRoom()
	r.forget()
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		r.full = len(r.buf) == cap(r.buf)
		if r.err = err; n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// makeRoom moves the pending bytes to the front of a buffer that has room behind them: a pooled one if few are pending, the same if there
// is room, else a larger one.
func (r *Reader) makeRoom() {
	pending := r.buf[r.start:]
	old := r.buf
	want := minBuffer
	if r.full {
		want = maxPooled
	}
	switch {
	case len(pending) <= minBuffer/2 && cap(old) != want:
		r.buf = pooled(want)
	case len(pending) == cap(old) && cap(old) < maxPooled:
		r.buf = pooled(maxPooled)
	case len(pending) == cap(old):
		r.buf = make([]byte, min(2*cap(old), r.MaxEventBytes+maxPooled))
	}
	r.buf = r.buf[:copy(r.buf[:cap(r.buf)], pending)]
	r.start = 0
	if cap(old) != cap(r.buf) {
		release(old)
	}
}

func pooled(size int) []byte {
	if size == minBuffer {
		return small.Get().(*[minBuffer]byte)[:]
	}
	return large.Get().(*[maxPooled]byte)[:]
}

// release gives a buffer to the pool if it came from there.
func release(buf []byte) {
	switch cap(buf) {
	case minBuffer:
		small.Put((*[minBuffer]byte)(buf[:minBuffer]))
	case maxPooled:
		large.Put((*[maxPooled]byte)(buf[:maxPooled]))
	}
}
