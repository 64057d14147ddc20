package diskblob

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// Create is blob.Bucket's: a temporary file, made durable, then linked to the object's name, which fails if that is taken.
func (b *Bucket) Create(ctx context.Context, name string, r io.Reader) (blob.Info, error) {
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return blob.Info{}, err
	}
	file := filePath(name)
	if _, err := b.root.Lstat(file); err == nil {
		return blob.Info{}, wrap("create", name, blob.ErrExists)
	}
	temp := tempFolder + "/" + rand.Text()
	defer b.root.Remove(temp) // absent is fine; a failure leaves it to the next Open
	n, err := b.write(temp, contextReader{ctx, r})
	if err == nil {
		err = b.publish(temp, file)
	}
	if err != nil {
		return blob.Info{}, wrap("create", name, err)
	}
	return blob.Info{Name: name, Bytes: n}, nil
}

func (b *Bucket) write(temp string, r io.Reader) (int64, error) {
	f, err := b.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return n, errors.Join(err, f.Close())
}

// publish gives the whole file its name, and makes the name durable.
func (b *Bucket) publish(temp, file string) error {
	folder := path.Dir(file)
	if err := b.makeFolder(folder); err != nil {
		return err
	}
	if err := b.root.Link(temp, file); err != nil {
		return err
	}
	return b.syncFolder(folder)
}

// makeFolder makes a folder and those above it, durably. A folder that another process made may not be durable yet, so each
// is synced once by this one too.
func (b *Bucket) makeFolder(folder string) error {
	if _, known := b.synced.Load(folder); known || folder == "." {
		return nil
	}
	parent := path.Dir(folder)
	if err := b.makeFolder(parent); err != nil {
		return err
	}
	if err := b.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := b.syncFolder(parent); err != nil {
		return err
	}
	b.synced.Store(folder, true)
	return nil
}

func (b *Bucket) syncFolder(folder string) error {
	f, err := b.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// contextReader stops a copy when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if ended := c.ctx.Err(); ended != nil {
		err = ended
	}
	return n, err
}
