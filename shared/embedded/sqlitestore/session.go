package sqlitestore

import (
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// countStep is how many numbers are reserved at once: one write in a million.
const countStep = 1_000_000

// session is what operations see of the transaction under way. Only the writer's goroutine uses it.
type session struct {
	db *DB
	c  *conn

	count   int64 // last number given out: versions, message ids, lease tokens
	ceiling int64 // no number above it is given out before the file says so

	writes    int // statements that changed something
	broken    error
	changed   []store.Ref // for watchers
	published []queue.Subscription
}

// mark is a place to return to.
type mark struct {
	ceiling                    int64
	writes, changed, published int
}

func newSession(db *DB, c *conn) (*session, error) {
	row, _, err := c.one("select value from counter")
	if err != nil {
		return nil, err
	}
	ceiling := row[0].(int64)
	return &session{db: db, c: c, count: ceiling, ceiling: ceiling}, nil
}

func (s *session) mark() mark {
	return mark{s.ceiling, s.writes, len(s.changed), len(s.published)}
}

func (s *session) restore(m mark) {
	s.ceiling, s.writes, s.changed, s.published = m.ceiling, m.writes, s.changed[:m.changed], s.published[:m.published]
}

// transact runs the group in one transaction and leaves each operation's own error in it. Its error is of the whole.
func (s *session) transact(group []*op, savepoints bool) error {
	s.broken, s.writes, s.changed, s.published = nil, 0, s.changed[:0], s.published[:0]
	start := s.mark()
	if _, err := s.c.exec("begin immediate"); err != nil {
		return err
	}
	err := s.run(group, savepoints)
	if err == nil {
		_, err = s.c.exec("commit")
	}
	if err != nil {
		_, _ = s.c.exec("rollback") // SQLite may have done so itself
		s.restore(start)
		return err
	}
	s.db.watchers.notify(s.changed)
	s.db.signals.notify(s.published)
	return nil
}

func (s *session) run(group []*op, savepoints bool) error {
	for _, o := range group {
		before := s.mark()
		if savepoints {
			if _, err := s.c.exec("savepoint op"); err != nil {
				return err
			}
		}
		o.err = o.safely(s)
		if s.broken != nil {
			return s.broken
		}
		if o.err != nil && s.writes > before.writes {
			if len(group) == 1 {
				return o.err
			}
			if !savepoints {
				return errPartial
			}
			if _, err := s.c.exec("rollback to op"); err != nil {
				return err
			}
			s.restore(before)
		}
		if savepoints {
			if _, err := s.c.exec("release op"); err != nil {
				return err
			}
		}
	}
	return nil
}

// exec runs one statement. Its error is store.ErrExists, or the end of the transaction.
func (s *session) exec(sql string, args ...any) (int64, error) {
	n, err := s.c.exec(sql, args...)
	if err == nil {
		s.writes++
	} else if err != store.ErrExists {
		s.broken = err
	}
	return n, err
}

func (s *session) query(sql string, args []any, take func([]value) bool) error {
	err := s.c.query(background, sql, args, take)
	if err != nil {
		s.broken = err
	}
	return err
}

// next gives out a number that the file has never seen: larger than all before, also over restarts.
func (s *session) next() (int64, error) {
	if s.count >= s.ceiling {
		ceiling := s.count + countStep
		if _, err := s.exec("update counter set value = ?", ceiling); err != nil {
			return 0, err
		}
		s.ceiling = ceiling
	}
	s.count++
	return s.count, nil
}
