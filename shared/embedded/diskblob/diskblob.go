// Package diskblob is the bucket in a folder: one file for each object, readable by its owner only. Several processes may
// share the folder. The file system must have hard links.
package diskblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
)

var _ blob.Bucket = (*Bucket)(nil)

// staleAfter is how long nothing may have been written to a temporary file before its writer must be dead.
const staleAfter = 24 * time.Hour

// Bucket keeps objects in a folder. Make one with Open.
type Bucket struct {
	root   *os.Root // no name, and no symbolic link, leads out of it
	synced sync.Map // folders that are known to survive a crash
}

// Open opens the bucket in dir, which it makes with mode 0700 if it is absent. It removes what writers that died more than
// a day ago have left.
func Open(dir string) (*Bucket, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	b := &Bucket{root: root}
	if err := b.removeStale(); err != nil {
		root.Close()
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return b, nil
}

// Close lets go of the folder. No other call may be running.
func (b *Bucket) Close() error { return b.root.Close() }

func (b *Bucket) removeStale() error {
	if err := b.root.Mkdir(tempFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	files, err := fs.ReadDir(b.root.FS(), tempFolder)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || time.Since(info.ModTime()) < staleAfter {
			continue
		}
		if err := b.root.Remove(tempFolder + "/" + file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Open is blob.Bucket's.
func (b *Bucket) Open(ctx context.Context, name string, from, n int64) (io.ReadCloser, error) {
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return nil, err
	}
	if from < 0 {
		return nil, fmt.Errorf("open %s: negative offset %d", name, from)
	}
	f, err := b.root.Open(filePath(name))
	if err != nil {
		return nil, wrap("open", name, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, wrap("open", name, err)
	}
	from = min(from, info.Size())
	if rest := info.Size() - from; n < 0 || n > rest {
		n = rest
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		f.Close()
		return nil, wrap("open", name, err)
	}
	return &reader{f: f, left: n}, nil
}

// reader reads a part of a file, and takes a file that has become shorter for the damage that it is.
type reader struct {
	f    *os.File
	left int64
}

func (r *reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.f.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }

// List is blob.Bucket's. It reads all names below the prefix's folder before it yields the first.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		infos, err := b.walk(ctx, prefix)
		if err != nil {
			yield(blob.Info{}, wrap("list", prefix, err))
			return
		}
		for _, info := range infos {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (b *Bucket) walk(ctx context.Context, prefix string) (infos []blob.Info, err error) {
	err = fs.WalkDir(b.root.FS(), prefixFolder(prefix), func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed meanwhile, or never there
		case err != nil:
			return err
		case d.IsDir() && p == tempFolder:
			return fs.SkipDir
		case d.IsDir() || !strings.HasPrefix(objectName(p), prefix):
			return ctx.Err()
		}
		info, err := d.Info()
		if err == nil {
			infos = append(infos, blob.Info{Name: objectName(p), Bytes: info.Size()})
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return errors.Join(err, ctx.Err())
	})
	slices.SortFunc(infos, func(x, y blob.Info) int { return strings.Compare(x.Name, y.Name) })
	return infos, err
}

// Delete is blob.Bucket's. The object's folder stays.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return err
	}
	err := b.root.Remove(filePath(name))
	if absent(err) {
		return nil
	}
	return wrap("delete", name, err)
}

func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// wrap turns the system's errors into the port's.
func wrap(op, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case absent(err):
		err = blob.ErrNotFound
	case errors.Is(err, fs.ErrExist):
		err = blob.ErrExists
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		err = fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("%s %s: %w", op, name, err)
}
