// Package blob is the PORT to objects: written once, read in ranges. Cloud Storage is the model.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Errors that drivers answer with, possibly wrapped. Anything else means that the bucket could not be asked.
var (
	ErrNotFound = errors.New("blob: no such object")
	ErrExists   = errors.New("blob: object exists")
	ErrFull     = errors.New("blob: disk full")
)

// Info describes an object.
type Info struct {
	Name  string
	Bytes int64
}

// Bucket keeps objects. Names are slash-separated, at most 512 bytes, of letters, digits and "-_.:=@+" (drivers encode what
// their system cannot hold), never with an empty, "." or ".." element. All methods may be called concurrently.
type Bucket interface {
	// Create writes a new object from r, or answers ErrExists. The object is invisible until it is whole: an error of r
	// or of the bucket leaves nothing to be seen. It is durable when Create returns.
	Create(ctx context.Context, name string, r io.Reader) (Info, error)
	// Open reads n bytes from offset from; n < 0 reads to the end; a range past the end is shortened. A failed read is an
	// error, never an early end.
	Open(ctx context.Context, name string, from, n int64) (io.ReadCloser, error)
	// List yields the objects whose names begin with prefix, in the order of their names.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes an object; an absent one is fine.
	Delete(ctx context.Context, name string) error
}
