// Package store is the PORT to a small document store. Firestore is the model; every driver does exactly this much, and
// passes the suite in storetest.
//
// A document is what encoding/json makes of a Go value: objects, arrays, strings, booleans, null and whole numbers that fit
// int64. Floats are not stored: a driver refuses a document that has one. Field names are JSON names.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
)

// MaxDocBytes is the largest document a driver takes, as JSON, in bytes. Firestore's own limit is 1 MiB including names
// (quota page, read 2026-11); the rest is room for its encoding.
const MaxDocBytes = 1_000_000

// Errors that drivers answer with, possibly wrapped. Anything else means that the store could not be asked.
var (
	ErrNotFound = errors.New("store: no such document")
	ErrExists   = errors.New("store: document exists")
	ErrChanged  = errors.New("store: document has changed")
	ErrTooLarge = errors.New("store: document too large")
	ErrNoIndex  = errors.New("store: query needs an index that its collection does not declare")
	ErrFull     = errors.New("store: disk full")
)

// Collection names a kind of document and declares the indexes its queries need.
type Collection struct {
	Name    string
	Indexes []Index
	// TTL names the field, in Unix seconds, after which a driver may delete the document; empty means never. Deletion comes
	// late (Firestore: about a day), so readers treat such a document as absent themselves.
	TTL string
}

// Index lists the fields of one kind of query: those compared for equality in any order, and last the one ordered by, if
// any. Equality alone on one field is declared as that field.
type Index []string

// Ref names a document. IDs are at most 200 bytes without slash; they must not rise with time, or Firestore gets hot.
type Ref struct {
	Collection string
	ID         string
}

// Ref names a document of the collection.
func (c Collection) Ref(id string) Ref { return Ref{c.Name, id} }

// Version tells two states of one document apart. Zero is no version.
type Version int64

// Doc is a document as read.
type Doc struct {
	ID      string
	Version Version
	JSON    []byte // the caller's to keep
}

// Decode reads the document into a Go value.
func (d Doc) Decode(into any) error { return json.Unmarshal(d.JSON, into) }

// Query selects documents of one collection: those whose fields equal Eq, with Order in [From, To). It is served only by
// an index that the collection declares; drivers answer ErrNoIndex otherwise, as production would.
type Query struct {
	Collection Collection
	Eq         map[string]any // string, int64 or bool
	Order      string         // ordered by this field, then by id; empty: by id
	From, To   any            // string or int64; nil is open. They need Order.
	Desc       bool
	After      *Cursor // starts behind this position
	Limit      int     // 0 is all
}

// Cursor is a position in a query's results.
type Cursor struct {
	Value any // of the Order field; nil if ordered by id
	ID    string
}

// Change is one step of a Watch.
type Change struct {
	Doc     Doc
	Removed bool // Doc has left the query's results; only its ID is set
	Live    bool // no document: all that stood at the start has been delivered, what follows is news
}

// Reader reads documents. All methods may be called concurrently.
type Reader interface {
	// Get reads one document into a Go value, or answers ErrNotFound. A nil into only asks for the version.
	Get(ctx context.Context, ref Ref, into any) (Version, error)
	// Query yields documents in order. It reads in pages and holds no lock between them. An error ends it.
	Query(ctx context.Context, q Query) iter.Seq2[Doc, error]
	// Sum counts the query's documents and adds up the named whole-number fields; absent ones count as zero.
	Sum(ctx context.Context, q Query, fields ...string) (n int64, sums []int64, err error)
}

// Writer changes documents.
type Writer interface {
	// Create stores a new document or answers ErrExists.
	Create(ctx context.Context, ref Ref, doc any) (Version, error)
	// Update replaces a document that is still at the version, or answers ErrChanged (also when it is gone).
	Update(ctx context.Context, ref Ref, doc any, ifAt Version) (Version, error)
	// Delete removes a document; an absent one is fine.
	Delete(ctx context.Context, ref Ref) error
}

// Tx is a transaction: all reads come before all writes, and the writes take effect together or not at all.
type Tx interface {
	// Get reads as Reader.Get does. What was read is unchanged when the writes take effect.
	Get(ref Ref, into any) (Version, error)
	Create(ref Ref, doc any) error         // ErrExists, here or from Store.Tx
	Put(ref Ref, doc any) error            // creates or replaces
	Add(ref Ref, base any, n Deltas) error // see below
	Delete(ref Ref) error                  // an absent one is fine
}

// Deltas are amounts to add to top-level whole-number fields by JSON name. Tx.Add adds them blindly, without reading and
// so without contention; an absent document begins as base with those fields at zero, and an existing one takes on
// base's other fields.
type Deltas map[string]int64

// Store is a document store.
type Store interface {
	Reader
	Writer
	// Tx runs fn and commits. On a conflict fn runs again, so it must have no side effects but on variables that it sets
	// afresh. An error of fn rolls back and is returned as it is. ErrExists from a Create may surface only here.
	// If the outcome is not known the error is none of this package's: the caller must be able to repeat.
	Tx(ctx context.Context, fn func(Tx) error) error
	// Watch yields every document that the query selects, then Live, then changes as they happen, until ctx ends or an
	// error is yielded; after an error the caller watches anew. Every commit is seen; several of one document may be seen
	// as the last.
	Watch(ctx context.Context, q Query) iter.Seq2[Change, error]
}
