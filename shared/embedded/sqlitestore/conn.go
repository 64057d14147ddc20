package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sluice-gateway/sluice/shared/store"
)

// value is what SQLite stores: int64, string, []byte or nil.
type value = driver.Value

// background is for what is too short to be interrupted; a context that can end costs the driver a goroutine.
var background = context.Background()

// conn is one SQLite connection and the statements prepared on it. It speaks to the driver directly: database/sql would
// add a pool and a goroutine per call. Not safe for concurrent use.
type conn struct {
	path       string
	raw        driver.Conn
	statements map[string]driver.Stmt
}

// connect opens the file, which must exist.
func connect(path string, settings ...string) (*conn, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=rw"
	raw, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, named(path, err)
	}
	c := &conn{path, raw, map[string]driver.Stmt{}}
	if err := c.set(settings...); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// set applies settings, each the text of a PRAGMA.
func (c *conn) set(settings ...string) error {
	for _, setting := range settings {
		if _, err := c.exec("pragma " + setting); err != nil {
			return err
		}
	}
	return nil
}

// forget closes the prepared statements.
func (c *conn) forget() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	clear(c.statements)
	return errors.Join(errs...)
}

func (c *conn) close() error { return errors.Join(c.forget(), c.raw.Close()) }

func (c *conn) prepare(sql string) (driver.Stmt, error) {
	if s, ok := c.statements[sql]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(sql)
	if err == nil {
		c.statements[strings.Clone(sql)] = s
	}
	return s, err
}

// exec runs one statement and tells how many rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, named(c.path, err)
	}
	result, err := s.(driver.StmtExecContext).ExecContext(background, arguments(args))
	if err != nil {
		return 0, named(c.path, err)
	}
	return result.RowsAffected()
}

// query hands each row to take, which must not keep it, until take answers false.
func (c *conn) query(ctx context.Context, sql string, args []any, take func(row []value) bool) error {
	s, err := c.prepare(sql)
	if err != nil {
		return named(c.path, err)
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, arguments(args))
	if err != nil {
		return named(c.path, err)
	}
	row := make([]value, len(rows.Columns()))
	for {
		if err = rows.Next(row); err != nil || !take(row) {
			break
		}
	}
	if err == io.EOF {
		err = nil
	}
	if e := rows.Close(); err == nil {
		err = e
	}
	return named(c.path, err)
}

// one reads a single row of numbers or text; ok is false if there is none.
func (c *conn) one(sql string, args ...any) (row []value, ok bool, err error) {
	err = c.query(background, sql, args, func(r []value) bool {
		row, ok = r, true
		return false
	})
	return row, ok, err
}

func arguments(args []any) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return named
}

// named says which file an error of SQLite is about, and what it means in the words of package store.
func named(path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return store.ErrExists
	case full(code):
		return fmt.Errorf("%w: %s: %w", store.ErrFull, path, err)
	case code&0xff == sqlite3.SQLITE_CORRUPT, code&0xff == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("integrity: %s is damaged or not a database: %w", path, err)
	}
	return fmt.Errorf("sqlitestore: %s: %w", path, err)
}

// full tells whether a result code means that the file cannot grow. SQLite itself answers SQLITE_FULL for ENOSPC in its
// files; a quota, a file size limit or a full disk under the shared-memory file come as failed writes.
func full(code int) bool {
	switch code {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE:
		return true
	}
	return code&0xff == sqlite3.SQLITE_FULL
}
