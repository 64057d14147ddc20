package sqlitestore

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/store"
)

// A page ends after this many documents or bytes, whichever comes first.
const (
	pageDocs  = 200
	pageBytes = 1 << 20
)

// selection is a query as SQL: conditions and their arguments, in two halves because a page moves the cursor.
type selection struct {
	t      *table
	index  string // quoted; empty: that of the ids
	where  []string
	args   []any
	near   []condition // at the end of the range where reading begins: a position within the range implies them
	column string      // ordered by, quoted; empty: by id
	desc   bool
	after  *position
	limit  int // 0 is all
}

// condition is a part of a where clause, with at most one argument.
type condition struct {
	text string
	args []any
}

// position is a store.Cursor with the value as SQLite has it.
type position struct {
	value any
	id    string
}

// found is a document and where it stands.
type found struct {
	store.Doc
	value any
}

func (db *DB) selection(q store.Query) (*selection, error) {
	t, err := db.table(q.Collection.Name)
	if err != nil {
		return nil, err
	}
	s := &selection{t: t, desc: q.Desc, limit: q.Limit}
	if s.index, err = t.serving(q); err != nil {
		return nil, err
	}
	for _, field := range slices.Sorted(maps.Keys(q.Eq)) {
		if b, ok := q.Eq[field].(bool); ok {
			s.add(column(field)+" = ?", truth(b))
		} else if err := s.compare(column(field)+" = ?", q.Eq[field]); err != nil {
			return nil, err
		}
	}
	if err := s.order(q); err != nil {
		return nil, err
	}
	return s, nil
}

// serving names the index for a query: SQLite, left to itself, may take another that needs more reading.
func (t *table) serving(q store.Query) (string, error) {
	q.Collection = t.Collection // what there really are indexes for
	if err := q.Check(); err != nil || q.Order == "" && len(q.Eq) == 0 {
		return "", err
	}
	for _, index := range t.Indexes {
		q.Collection.Indexes = []store.Index{index}
		if q.Check() == nil {
			name, _ := t.index(index)
			return quote(name), nil
		}
	}
	return "", store.ErrNoIndex
}

func (s *selection) order(q store.Query) (err error) {
	if q.Order != "" {
		s.column = column(q.Order)
		s.add(s.column + " is not null")
	}
	lower, upper := s.above(q), s.below(q)
	near, far := lower, upper
	if q.Desc {
		near, far = upper, lower
	}
	s.near = near
	for _, c := range far {
		s.add(c.text, c.args...)
	}
	for _, with := range []any{q.From, q.To} {
		if with != nil && err == nil {
			err = operand(with)
		}
	}
	if q.After != nil && err == nil {
		if q.Order != "" {
			err = operand(q.After.Value)
		}
		s.after = &position{q.After.Value, q.After.ID}
	}
	return err
}

// SQLite sorts numbers before text before truth; a range is of one kind, so its open end is where the kind ends.

func (s *selection) above(q store.Query) []condition {
	if q.From != nil {
		return []condition{{s.column + " >= ?", []any{q.From}}}
	}
	if _, text := q.To.(string); text {
		return []condition{{s.column + " >= ''", nil}}
	}
	return nil
}

func (s *selection) below(q store.Query) []condition {
	_, number := q.From.(int64)
	switch {
	case q.To != nil:
		return []condition{{s.column + " < ?", []any{q.To}}}
	case number:
		return []condition{{s.column + " < ''", nil}}
	case q.From != nil:
		return []condition{{s.column + " < x''", nil}}
	default:
		return nil
	}
}

func (s *selection) add(condition string, args ...any) {
	s.where, s.args = append(s.where, condition), append(s.args, args...)
}

func (s *selection) compare(condition string, with any) error {
	s.add(condition, with)
	return operand(with)
}

// operand refuses what the port does not compare with.
func operand(v any) error {
	switch v.(type) {
	case string, int64:
		return nil
	}
	return fmt.Errorf("sqlitestore: cannot compare with a %T", v)
}

// sql is the statement that reads what, at most limit rows behind the position, in order.
func (s *selection) sql(what string, limit int) (string, []any) {
	where, args := slices.Clone(s.where), slices.Clone(s.args)
	for _, c := range s.near {
		where, args = append(where, c.text), append(args, c.args...)
	}
	direction, behind := "", ">"
	if s.desc {
		direction, behind = " desc", "<"
	}
	order := "id" + direction
	if s.column != "" {
		order = s.column + direction + ", " + order
	}
	if s.after != nil && s.column == "" {
		where, args = append(where, "id "+behind+" ?"), append(args, s.after.id)
	} else if s.after != nil {
		where = append(where, fmt.Sprintf("(%s, id) %s (?, ?)", s.column, behind))
		args = append(args, s.after.value, s.after.id)
	}
	statement := "select " + what + " from " + s.t.name
	if s.index != "" {
		statement += " indexed by " + s.index
	}
	if len(where) > 0 {
		statement += " where " + strings.Join(where, " and ")
	}
	statement += " order by " + order
	if limit > 0 {
		statement, args = statement+" limit ?", append(args, int64(limit))
	}
	return statement, args
}

// page reads the next documents and moves the position behind them. more is false when there are no others.
func (s *selection) page(ctx context.Context, db *DB) (docs []found, more bool, err error) {
	limit := pageDocs
	if s.limit > 0 {
		limit = min(limit, s.limit)
	}
	what := "id, version, body"
	if s.column != "" {
		what += ", " + s.column
	}
	sql, args := s.sql(what, limit)
	bytes := 0
	err = db.readers.use(ctx, func(c *conn) error {
		return c.query(background, sql, args, func(row []value) bool {
			f := found{Doc: store.Doc{ID: row[0].(string), Version: store.Version(row[1].(int64)), JSON: row[2].([]byte)}}
			if s.column != "" {
				f.value = row[3]
			}
			docs = append(docs, f)
			bytes += len(f.JSON)
			return bytes < pageBytes
		})
	})
	if err != nil || len(docs) == 0 {
		return nil, false, err
	}
	last := docs[len(docs)-1]
	s.after = &position{last.value, last.ID}
	s.near = nil // with both, SQLite would begin each page at the beginning of the range
	more = len(docs) == limit || bytes >= pageBytes
	if s.limit > 0 {
		s.limit -= len(docs)
		more = more && s.limit > 0
	}
	return docs, more, nil
}

// Query implements store.Reader.
func (db *DB) Query(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		s, err := db.selection(q)
		for more := err == nil; more; {
			var docs []found
			docs, more, err = s.page(ctx, db)
			for _, f := range docs {
				if !yield(f.Doc, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(store.Doc{}, err)
		}
	}
}

// Sum implements store.Reader.
func (db *DB) Sum(ctx context.Context, q store.Query, fields ...string) (n int64, sums []int64, err error) {
	s, err := db.selection(q)
	if err != nil {
		return 0, nil, err
	}
	what, total := []string{"1"}, []string{"count(*)"}
	for i, field := range fields {
		what = append(what, fmt.Sprintf("%s as s%d", s.t.number(field), i))
		total = append(total, fmt.Sprintf("coalesce(sum(s%d), 0)", i))
	}
	inner, args := s.sql(strings.Join(what, ", "), s.limit)
	sums = make([]int64, len(fields))
	err = db.readers.use(ctx, func(c *conn) error {
		return c.query(ctx, "select "+strings.Join(total, ", ")+" from ("+inner+")", args, func(row []value) bool {
			n = row[0].(int64)
			for i := range sums {
				sums[i] = row[i+1].(int64)
			}
			return false
		})
	})
	if err != nil {
		return 0, nil, err
	}
	return n, sums, nil
}

// number is the SQL for a field's whole number, or null.
func (t *table) number(field string) string {
	if slices.Contains(t.fields, field) {
		return fmt.Sprintf("iif(typeof(%[1]s) = 'integer', %[1]s, null)", column(field))
	}
	path := "'" + strings.ReplaceAll("$."+label(field), "'", "''") + "'"
	return fmt.Sprintf("iif(json_type(cast(body as text), %[1]s) = 'integer', json_extract(cast(body as text), %[1]s), null)", path)
}
