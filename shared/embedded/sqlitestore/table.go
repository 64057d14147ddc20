package sqlitestore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/store"
)

// table holds one collection: the documents as JSON in the order of their creation, so that writing is appending, and a
// column for each field that an index names, filled in Go when a document is written. That costs a third of what
// expression indexes do.
type table struct {
	store.Collection
	name   string   // quoted
	fields []string // that have a column
	labels []string // the same as they stand in JSON, with quotes

	get, insert, put, update, touch, remove string // statements
}

func newTable(c store.Collection) (*table, error) {
	if c.Name == "" {
		return nil, fmt.Errorf("sqlitestore: a collection has no name")
	}
	t := &table{Collection: c, name: quote("c:" + c.Name)}
	for _, index := range t.indexes() {
		for _, field := range index {
			if !slices.Contains(t.fields, field) {
				t.fields = append(t.fields, field)
			}
		}
	}
	slices.Sort(t.fields)
	columns, sets := "", ""
	for _, field := range t.fields {
		t.labels = append(t.labels, label(field))
		columns += column(field) + ", "
		sets += column(field) + " = excluded." + column(field) + ", "
	}
	t.get = "select version, body from " + t.name + " where id = ?"
	t.insert = "insert into " + t.name + "(id, version, " + columns + "body) values (?, ?" + strings.Repeat(", ?", len(t.fields)+1) + ")"
	t.put = t.insert + " on conflict(id) do update set version = excluded.version, " + sets + "body = excluded.body"
	t.update = "update " + t.name + " set version = ?, " + strings.ReplaceAll(columns, ",", " = ?,") + "body = ? where id = ? and version = ?"
	t.touch = "update " + t.name + " set version = ?, body = ? where id = ?"
	t.remove = "delete from " + t.name + " where id = ?"
	return t, nil
}

// indexes are the declared ones and that of the time to live.
func (t *table) indexes() []store.Index {
	if t.TTL == "" {
		return t.Indexes
	}
	return append(slices.Clone(t.Indexes), store.Index{t.TTL})
}

// create makes the table what the collection declares. Fields and indexes that are new are filled from the documents;
// indexes no longer declared are dropped.
func (t *table) create(c *conn) error {
	if _, err := c.exec("create table if not exists " + t.name +
		"(n integer primary key, id text not null unique, version integer not null, body blob not null) strict"); err != nil {
		return err
	}
	if err := t.addColumns(c); err != nil {
		return err
	}
	declared := map[string]string{}
	for _, index := range t.indexes() {
		name, sql := t.index(index)
		declared[name] = sql
	}
	existing, err := c.texts("select name from sqlite_schema where type = 'index' and sql is not null and tbl_name = ?", "c:"+t.Name)
	if err != nil {
		return err
	}
	for _, name := range existing {
		if declared[name] == "" {
			if _, err := c.exec("drop index " + quote(name)); err != nil {
				return err
			}
		}
	}
	for _, sql := range declared {
		if _, err := c.exec(sql); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) addColumns(c *conn) error {
	existing, err := c.texts("select name from pragma_table_info(?)", "c:"+t.Name)
	if err != nil {
		return err
	}
	for i, field := range t.fields {
		if slices.Contains(existing, "f:"+field) {
			continue
		}
		if _, err := c.exec("alter table " + t.name + " add column " + column(field) + " any"); err != nil {
			return err
		}
		path := "$." + t.labels[i]
		if _, err := c.exec("update "+t.name+" set "+column(field)+" = case json_type(cast(body as text), ?)"+
			" when 'true' then x'01' when 'false' then x'00' when 'integer' then json_extract(cast(body as text), ?)"+
			" when 'text' then json_extract(cast(body as text), ?) end", path, path, path); err != nil {
			return err
		}
	}
	return nil
}

// index names and declares one index. It leaves out the documents that lack one of its fields: no query selects them.
func (t *table) index(index store.Index) (name, sql string) {
	name = "i:" + t.Name + ":" + strings.Join(index, ",")
	columns, present := make([]string, len(index)), make([]string, len(index))
	for i, field := range index {
		columns[i] = column(field)
		present[i] = column(field) + " is not null"
	}
	return name, fmt.Sprintf("create index if not exists %s on %s(%s, id) where %s",
		quote(name), t.name, strings.Join(columns, ", "), strings.Join(present, " and "))
}

func (c *conn) texts(sql string, args ...any) ([]string, error) {
	var texts []string
	err := c.query(background, sql, args, func(row []value) bool {
		texts = append(texts, row[0].(string))
		return true
	})
	return texts, err
}

// label is a field's name as it stands in JSON, with quotes.
func label(field string) string {
	text, _ := json.Marshal(field) // a string always can
	return string(text)
}

func column(field string) string { return quote("f:" + field) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
