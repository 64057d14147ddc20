// Package sqlitestore keeps documents and messages in one SQLite file: the local driver of the ports store and queue.
//
// One goroutine writes, in groups: while a commit is being made durable the next operations gather, and go into one
// transaction together. An operation is answered when its group is on disk (WAL, synchronous=FULL). A few read connections
// are opened when they are first needed.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	applicationID = 0x51c1ce // marks the file as ours
	layout        = 1        // version of the tables' layout
	readers       = 3        // read connections at most
	// checkedBytes is the size up to which a file is read through when it is opened; that takes about 0.1 s.
	checkedBytes = 16 << 20
)

// Options are what tests and tools may want different. The zero value is right for everybody else.
type Options struct {
	MaxPages int              // of 4096 bytes; writes beyond answer store.ErrFull. 0: as the disk allows
	Now      func() time.Time // of the queue; nil is time.Now
}

// DB is an open file. It is a store.Store; Queue makes it a queue as well. Everything may be called concurrently.
type DB struct {
	path   string
	now    func() time.Time
	tables map[string]*table

	writer   *writer
	readers  *readerPool
	watchers watchers
	signals  signals
	close    func() error
}

var _ store.Store = (*DB)(nil)

// Open opens or makes the file, takes its folder for this process alone and creates what the collections need. Only
// those collections can be used. A file that is damaged or not ours is refused and left as it is.
func Open(ctx context.Context, path string, collections ...store.Collection) (*DB, error) {
	return Options{}.Open(ctx, path, collections...)
}

// Open is the function Open with options.
func (o Options) Open(ctx context.Context, path string, collections ...store.Collection) (_ *DB, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	db := &DB{path: path, now: o.Now, tables: map[string]*table{}}
	if db.now == nil {
		db.now = time.Now
	}
	for _, c := range collections {
		if db.tables[c.Name], err = newTable(c); err != nil {
			return nil, err
		}
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	c, err := db.open(ctx, o.MaxPages)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	if db.writer, err = newWriter(db, c); err != nil {
		return nil, errors.Join(err, c.close(), unlock())
	}
	db.readers = newReaderPool(path, readers)
	db.close = sync.OnceValue(func() error {
		return errors.Join(db.writer.stop(), db.readers.close(), c.close(), unlock())
	})
	return db, nil
}

// open makes the writer's connection and brings the file's layout up to date.
func (db *DB) open(ctx context.Context, maxPages int) (*conn, error) {
	// Created here for its mode, which the WAL inherits. Later opens would drop SQLite's POSIX locks when closed.
	f, err := os.OpenFile(db.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("open database %s: %w", db.path, err)
	}
	c, err := connect(db.path, "busy_timeout = 5000")
	if err != nil {
		return nil, err
	}
	if err = db.prepareFile(ctx, c, info.Size(), maxPages); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// settings of the write connection. Checkpoints are rare because a page changes often: fewer are cheaper.
var settings = []string{
	"journal_mode = wal", "synchronous = full", "temp_store = memory",
	"cache_size = -4000",            // KiB, filled only as far as pages are used
	"wal_autocheckpoint = 4000",     // pages
	"journal_size_limit = 33554432", // bytes that the WAL keeps after a burst
}

func (db *DB) prepareFile(ctx context.Context, c *conn, size int64, maxPages int) error {
	if err := db.recognize(c); err != nil {
		return err
	}
	if err := c.set(settings...); err != nil {
		return err
	}
	if maxPages > 0 {
		if err := c.set(fmt.Sprintf("max_page_count = %d", maxPages)); err != nil {
			return err
		}
	}
	if size > 0 && size <= checkedBytes {
		if err := check(ctx, c, "quick_check"); err != nil {
			return err
		}
	}
	if _, err := c.exec("begin immediate"); err != nil {
		return err
	}
	if err := c.set(fmt.Sprintf("application_id = %d", applicationID), fmt.Sprintf("user_version = %d", layout)); err != nil {
		return err
	}
	for _, sql := range schema {
		if _, err := c.exec(sql); err != nil {
			return err
		}
	}
	for _, t := range db.tables {
		if err := t.create(c); err != nil {
			return err
		}
	}
	_, err := c.exec("commit")
	return errors.Join(err, c.forget())
}

// recognize refuses files that others made, or a later version of this package.
func (db *DB) recognize(c *conn) error {
	row, _, err := c.one("select application_id, user_version, (select count(*) from sqlite_schema)" +
		" from pragma_application_id, pragma_user_version")
	if err != nil {
		return err
	}
	id, version, tables := row[0].(int64), row[1].(int64), row[2].(int64)
	if tables > 0 && id != applicationID {
		return fmt.Errorf("%s is a database of another program", db.path)
	}
	if version > layout {
		return fmt.Errorf("%s has layout %d, this program knows %d: use a newer one", db.path, version, layout)
	}
	return nil
}

// Close answers what is under way, then closes the file. It may be called again.
func (db *DB) Close() error { return db.close() }

// Check reads the whole file and tells whether it is sound. It takes about a second for 100 MB.
func (db *DB) Check(ctx context.Context) error {
	return db.readers.use(ctx, func(c *conn) error { return check(ctx, c, "integrity_check") })
}

func check(ctx context.Context, c *conn, how string) error {
	var faults []string
	err := c.query(ctx, "pragma "+how+"(3)", nil, func(row []value) bool {
		faults = append(faults, row[0].(string))
		return true
	})
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return fmt.Errorf("integrity: %s is damaged: %q", c.path, faults)
	}
	return nil
}

// table finds the collection's table. Not to have named a collection in Open is a programmer's error.
func (db *DB) table(name string) (*table, error) {
	if t := db.tables[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("sqlitestore: collection %q was not named when the database was opened", name)
}
