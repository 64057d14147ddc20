package sqlitestore

import (
	"context"
	"time"
)

// sweepDocs is how many documents one transaction of Sweep deletes at most.
const sweepDocs = 500

// Sweep deletes the documents whose time to live ended before now, and gives memory back. To be called now and then, say
// every hour; it takes little when there is little to do.
func (db *DB) Sweep(ctx context.Context, now time.Time) error {
	for _, t := range db.tables {
		if t.TTL == "" {
			continue
		}
		for n := sweepDocs; n == sweepDocs; {
			err := db.writer.do(ctx, func(s *session) (err error) {
				n, err = s.sweep(t, now)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return db.writer.do(ctx, func(s *session) error {
		_, err := s.c.exec("pragma shrink_memory")
		return err
	})
}

func (s *session) sweep(t *table, now time.Time) (int, error) {
	var ids []string
	ttl := column(t.TTL)
	err := s.query("select id from "+t.name+" where "+ttl+" <= ? order by "+ttl+", id limit ?",
		[]any{now.Unix(), int64(sweepDocs)}, func(row []value) bool {
			ids = append(ids, row[0].(string))
			return true
		})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := s.remove(t, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
