package sqlitestore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Get implements store.Reader.
func (db *DB) Get(ctx context.Context, ref store.Ref, into any) (version store.Version, err error) {
	t, err := db.table(ref.Collection)
	if err != nil {
		return 0, err
	}
	var body []byte
	err = db.readers.use(ctx, func(c *conn) error {
		return c.query(background, t.get, []any{ref.ID}, func(row []value) bool {
			version, body = store.Version(row[0].(int64)), row[1].([]byte)
			return false
		})
	})
	if err != nil {
		return 0, err
	}
	return version, decode(ref, body, into)
}

func decode(ref store.Ref, body []byte, into any) error {
	switch {
	case body == nil:
		return fmt.Errorf("%w: %s/%s", store.ErrNotFound, ref.Collection, ref.ID)
	case into == nil:
		return nil
	}
	return json.Unmarshal(body, into)
}

// Create implements store.Writer.
func (db *DB) Create(ctx context.Context, ref store.Ref, doc any) (store.Version, error) {
	return db.write(ctx, ref, doc, (*session).create)
}

// Update implements store.Writer.
func (db *DB) Update(ctx context.Context, ref store.Ref, doc any, ifAt store.Version) (store.Version, error) {
	return db.write(ctx, ref, doc, func(s *session, t *table, id string, r row) (store.Version, error) {
		return s.update(t, id, r, ifAt)
	})
}

// Delete implements store.Writer.
func (db *DB) Delete(ctx context.Context, ref store.Ref) error {
	t, err := db.table(ref.Collection)
	if err != nil {
		return err
	}
	return db.writer.do(ctx, func(s *session) error { return s.remove(t, ref.ID) })
}

// write encodes on the caller's goroutine: the writer's is the one that all wait for.
func (db *DB) write(ctx context.Context, ref store.Ref, doc any,
	how func(*session, *table, string, row) (store.Version, error)) (version store.Version, err error) {
	t, err := db.table(ref.Collection)
	if err != nil {
		return 0, err
	}
	r, err := t.encode(ref.ID, doc)
	if err != nil {
		return 0, err
	}
	err = db.writer.do(ctx, func(s *session) (err error) {
		version, err = how(s, t, ref.ID, r)
		return err
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

func (s *session) create(t *table, id string, r row) (store.Version, error) {
	version, err := s.store(t, t.insert, id, r)
	if err == store.ErrExists {
		err = fmt.Errorf("%w: %s/%s", err, t.Name, id)
	}
	return version, err
}

func (s *session) put(t *table, id string, r row) (store.Version, error) {
	return s.store(t, t.put, id, r)
}

// touch replaces a document that keeps the values of its indexed fields: no index is written.
func (s *session) touch(t *table, id string, r row) error {
	version, err := s.next()
	if err != nil {
		return err
	}
	if _, err := s.exec(t.touch, version, r.body, id); err != nil {
		return err
	}
	s.change(t, id)
	return nil
}

func (s *session) store(t *table, statement, id string, r row) (store.Version, error) {
	version, err := s.next()
	if err != nil {
		return 0, err
	}
	args := make([]any, 0, 8)
	args = append(args, id, version)
	args = append(append(args, r.values...), r.body)
	if _, err := s.exec(statement, args...); err != nil {
		return 0, err
	}
	s.change(t, id)
	return store.Version(version), nil
}

func (s *session) update(t *table, id string, r row, ifAt store.Version) (store.Version, error) {
	version, err := s.next()
	if err != nil {
		return 0, err
	}
	args := append(append([]any{version}, r.values...), r.body, id, int64(ifAt))
	n, err := s.exec(t.update, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: %s/%s", store.ErrChanged, t.Name, id)
	}
	if err != nil {
		return 0, err
	}
	s.change(t, id)
	return store.Version(version), nil
}

func (s *session) remove(t *table, id string) error {
	n, err := s.exec(t.remove, id)
	if n > 0 {
		s.change(t, id)
	}
	return err
}

func (s *session) change(t *table, id string) {
	if s.db.watchers.any(t.Name) {
		s.changed = append(s.changed, t.Ref(id))
	}
}
