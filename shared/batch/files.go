package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Life of files, as OpenAI has it (Files and Batch API reference, read 2026-11).
const (
	minLife      = time.Hour
	maxLife      = 30 * 24 * time.Hour
	defaultLife  = 30 * 24 * time.Hour // of batch inputs and results; other files live until they are deleted
	maxFilesPage = 10_000
)

var purposes = []string{"batch", "user_data", "assistants", "fine-tune", "vision", "evals"}

// Files keeps what callers upload and what batches write. A file belongs to its owner; for everybody else it is not there.
// All methods may be called concurrently; their errors are gateway.Errors.
type Files struct{ Deps }

// NewFiles returns files on d.
func NewFiles(d Deps) *Files {
	d.Settings = d.Settings.filled()
	return &Files{d}
}

// Spooled is content that is stored under a name but is no file yet, because what it is for may come after it. It must be
// registered or discarded.
type Spooled struct {
	id, blob, sha256 string
	bytes            int64
}

// Description is what a caller says about a file.
type Description struct {
	Filename     string
	Purpose      string
	ExpiresAfter time.Duration // from creation; 0 is the purpose's default
}

// Check answers KindInvalid for a description that Register refuses.
func (d Description) Check() error {
	switch {
	case d.Purpose == "":
		return gateway.Invalid("purpose", "Missing required parameter: 'purpose'.")
	case !slices.Contains(purposes, d.Purpose):
		return gateway.Invalid("purpose", "'%s' is not one of %s.", clip(d.Purpose), strings.Join(purposes, ", "))
	}
	return checkLife("expires_after", d.ExpiresAfter)
}

func checkLife(param string, life time.Duration) error {
	if life != 0 && (life < minLife || life > maxLife) {
		return gateway.Invalid(param+"[seconds]", "%s[seconds] must be between %d and %d.", param, int(minLife.Seconds()), int(maxLife.Seconds()))
	}
	return nil
}

// clip keeps what a caller sent short enough to say it back.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}

// Upload stores a file. An error of r is returned as KindInvalid, and nothing is stored then.
func (f *Files) Upload(ctx context.Context, p gateway.Principal, filename, purpose string, expiresAfter time.Duration, r io.Reader) (File, error) {
	d := Description{filename, purpose, expiresAfter}
	if err := d.Check(); err != nil {
		return File{}, err
	}
	s, err := f.Spool(ctx, p, r)
	if err != nil {
		return File{}, err
	}
	return f.Register(ctx, p, s, d)
}

// Spool stores content without keeping it in memory. Over the limit it is KindTooLarge, empty it is KindInvalid.
func (f *Files) Spool(ctx context.Context, p gateway.Principal, r io.Reader) (Spooled, error) {
	s := Spooled{id: newFileID()}
	s.blob = fileBlob(p.Owner(), s.id)
	in := &meter{in: r, most: f.Settings.MaxFileBytes, sum: sha256.New()}
	_, err := f.Blobs.Create(ctx, s.blob, in)
	switch {
	case in.over:
		e := gateway.Errorf(gateway.KindTooLarge, "The file is larger than %d bytes.", f.Settings.MaxFileBytes)
		e.Param = "file"
		return s, e
	case in.err != nil:
		return s, gateway.Invalid("file", "The upload did not arrive whole.").WithCause(in.err)
	case err != nil:
		return s, asError(fmt.Errorf("store upload: %w", err))
	}
	s.bytes, s.sha256 = in.n, hex.EncodeToString(in.sum.Sum(nil))
	if s.bytes == 0 {
		f.Discard(ctx, s)
		e := gateway.Invalid("file", "The file is empty.")
		e.Code = "empty_file"
		return s, e
	}
	return s, nil
}

// Discard removes content that becomes no file.
func (f *Files) Discard(ctx context.Context, s Spooled) {
	if err := f.Blobs.Delete(context.WithoutCancel(ctx), s.blob); err != nil {
		f.Log.WarnContext(ctx, "an upload without file is left", "blob", s.blob, "error", err)
	}
}

// Register makes a file of spooled content; if it cannot, the content is discarded.
func (f *Files) Register(ctx context.Context, p gateway.Principal, s Spooled, d Description) (File, error) {
	if err := d.Check(); err != nil {
		f.Discard(ctx, s)
		return File{}, err
	}
	now := f.Now()
	doc := fileDoc{
		ID: s.id, Owner: p.Owner().String(), Key: p.KeyHash, Filename: strings.ToValidUTF8(d.Filename, "�"),
		Purpose: d.Purpose, Bytes: s.bytes, SHA256: s.sha256, Blob: s.blob, Created: now.UnixMicro(),
	}
	switch {
	case d.ExpiresAfter != 0:
		doc.Expires = now.Add(d.ExpiresAfter).Unix()
	case d.Purpose == "batch":
		doc.Expires = now.Add(defaultLife).Unix()
	}
	if _, err := f.Store.Create(ctx, doc.ref(), doc); err != nil {
		if !isAway(err) { // else it may be there
			f.Discard(ctx, s)
		}
		return File{}, asError(fmt.Errorf("create file: %w", err))
	}
	return doc.object(), nil
}

// Get returns a file, or KindNotFound.
func (f *Files) Get(ctx context.Context, p gateway.Principal, id string) (File, error) {
	doc, err := f.find(ctx, p, id)
	if err != nil {
		return File{}, err
	}
	return doc.object(), nil
}

func (d *Deps) find(ctx context.Context, p gateway.Principal, id string) (doc fileDoc, err error) {
	if !isID(id) {
		return doc, noFile(id)
	}
	_, err = d.Store.Get(ctx, files.Ref(id), &doc)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (!p.Sees(gateway.OwnerFrom(doc.Owner)) || doc.gone(d.Now().Unix()))) {
		return doc, noFile(id)
	}
	return doc, asError(err)
}

func noFile(id string) error {
	e := gateway.Errorf(gateway.KindNotFound, "No such File object: %s", clip(id))
	e.Param = "id"
	return e
}

// isID reports whether id can be one of ours, so that no other text reaches the store.
func isID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// Content returns a file and its bytes. A read that fails is an error, never an early end.
func (f *Files) Content(ctx context.Context, p gateway.Principal, id string) (File, io.ReadCloser, error) {
	doc, err := f.find(ctx, p, id)
	if err != nil {
		return File{}, nil, err
	}
	content, err := f.Blobs.Open(ctx, doc.Blob, 0, -1)
	if errors.Is(err, blob.ErrNotFound) {
		return File{}, nil, noFile(id)
	}
	return doc.object(), content, asError(err)
}

// Delete makes a file absent at once. A batch that reads it goes on: its bytes live until the batch is final.
func (f *Files) Delete(ctx context.Context, p gateway.Principal, id string) (Deleted, error) {
	doc, err := f.find(ctx, p, id)
	if err != nil {
		return Deleted{}, err
	}
	doc.Deleted, doc.Expires = true, f.Now().Add(-purgeAfter).Unix()
	err = f.insist(ctx, func() error {
		return f.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(doc.ref(), doc) })
	})
	if err != nil {
		return Deleted{}, asError(fmt.Errorf("delete file: %w", err))
	}
	if err := f.purge(ctx, doc); err != nil {
		f.Log.WarnContext(ctx, "a deleted file is purged later", "file", id, "error", err)
	}
	return Deleted{ID: id, Object: "file", Deleted: true}, nil
}

// fileBlob names a file's object. The owner is in it by hash, for their names are theirs.
func fileBlob(o gateway.Owner, id string) string {
	return "files/" + derivedID(32, o.String()) + "/" + id
}

// meter counts and hashes what is read, up to a limit.
type meter struct {
	in      io.Reader
	n, most int64
	sum     hash.Hash
	over    bool
	err     error // of in
}

var errTooLarge = errors.New("over the size limit")

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.n += int64(n)
	m.sum.Write(b[:n])
	switch {
	case m.n > m.most:
		m.over = true
		return 0, errTooLarge
	case err != nil && err != io.EOF: //nolint:errorlint // readers return io.EOF itself
		m.err = err
	}
	return n, err
}
