package h1

import (
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
)

// body reads an answer off its connection. Whoever takes it out of the open state decides about the connection.
type body struct {
	c      *conn
	ctx    context.Context // the request's: the body lives as long as the call
	left   int64           // bytes to come of a Content-Length; -1: chunks, or until the connection ends
	chunks io.Reader       // decodes chunks; nil: there are none
	atEnd  bool            // the last chunk was read, its trailer not
	keep   bool            // the connection can serve another call after this one

	state atomic.Uint32
	err   error // why it ended
}

const (
	open = iota
	ended
	closed
)

func (b *body) init(c *conn, ctx context.Context, left int64, chunked, keep bool) {
	b.c, b.ctx, b.left = c, ctx, left
	b.keep = keep && (chunked || left >= 0)
	if chunked {
		b.chunks = httputil.NewChunkedReader(c.in.R)
	}
}

// Read returns io.EOF together with the last bytes where it can, io.ErrUnexpectedEOF for a body cut short, the cause of
// an ended context, and http.ErrBodyReadAfterClose.
func (b *body) Read(p []byte) (int, error) {
	switch b.state.Load() {
	case ended:
		return 0, b.err
	case closed:
		return 0, http.ErrBodyReadAfterClose
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.ctx.Err() != nil {
		return 0, b.end(context.Cause(b.ctx))
	}
	n, err := b.read(p)
	if err != nil {
		err = b.end(err)
	}
	return n, err
}

func (b *body) read(p []byte) (n int, err error) {
	in := b.c.in.R
	switch {
	case b.atEnd:
		return 0, b.c.readTrailer()
	case b.chunks != nil:
		n, err = b.chunks.Read(p)
		if err != io.EOF {
			return n, err
		}
		if next, _ := in.Peek(min(2, in.Buffered())); n > 0 && string(next) != "\r\n" {
			b.atEnd = true // do not keep the caller from his bytes
			return n, nil
		}
		return n, b.c.readTrailer()
	case b.left < 0:
		return in.Read(p)
	}
	n, err = in.Read(p[:min(int64(len(p)), b.left)])
	if b.left -= int64(n); b.left == 0 {
		return n, io.EOF
	}
	return n, unexpected(err)
}

// end gives the connection back, or up, unless Close was faster.
func (b *body) end(err error) error {
	if err != io.EOF {
		err = cause(b.ctx, err)
	}
	b.err = err
	if !b.state.CompareAndSwap(open, ended) {
		return http.ErrBodyReadAfterClose
	}
	b.c.finish(b.keep && err == io.EOF)
	return err
}

// Close may be called at any time, also while Read waits, and again. Before the end it closes the connection.
func (b *body) Close() error {
	if b.state.Swap(closed) == open {
		b.c.close()
	}
	return nil
}

// readTrailer reads over the fields after the last chunk; io.EOF is success.
func (c *conn) readTrailer() error {
	c.limit = c.t.MaxHeaderBytes
	defer func() { c.limit = unlimited }()
	for {
		line, err := c.in.ReadLine()
		if err != nil {
			return unexpected(err)
		}
		if line == "" {
			return io.EOF
		}
	}
}
