package sqlitestore

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/store"
)

// plan is how SQLite would run a statement.
func plan(t *testing.T, db *DB, sql string, args []any) string {
	t.Helper()
	var steps []string
	err := db.readers.use(t.Context(), func(c *conn) error {
		return c.query(t.Context(), "explain query plan "+sql, args, func(row []value) bool {
			steps = append(steps, fmt.Sprint(row[3]))
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}

// TestPlans: every query that the port allows is one walk along the declared index, without sorting; so are the queue's.
func TestPlans(t *testing.T) {
	t.Parallel()
	c := store.Collection{Name: "things", TTL: "expires", Indexes: []store.Index{
		{"owner"}, {"n"}, {"owner", "n"}, {"key", "n"}, {"open", "owner", "n"}}}
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "sluice.db"), c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	owner := map[string]any{"owner": "x"}
	for _, test := range []struct {
		index string
		query store.Query
	}{
		{"sqlite_autoindex", store.Query{}},
		{"things:owner", store.Query{Eq: owner}},
		{"things:n", store.Query{Order: "n"}},
		{"things:n", store.Query{Order: "n", From: int64(1), To: int64(2)}},
		{"things:owner,n", store.Query{Eq: owner, Order: "n"}},
		{"things:owner,n", store.Query{Eq: owner, Order: "n", From: int64(1)}},
		{"things:owner,n", store.Query{Eq: map[string]any{"owner": "x", "n": int64(1)}}},
		{"things:key,n", store.Query{Eq: map[string]any{"key": "x"}, Order: "n", To: "z"}},
		{"things:open,owner,n", store.Query{Eq: map[string]any{"open": true, "owner": "x"}, Order: "n"}},
	} {
		for _, desc := range []bool{false, true} {
			for _, after := range []*store.Cursor{nil, {Value: int64(1), ID: "x"}} {
				q := test.query
				q.Collection, q.Desc, q.After = c, desc, after
				s, err := db.selection(q)
				if err != nil {
					t.Fatal(err)
				}
				sql, args := s.sql("id, version, body", 100)
				got := plan(t, db, sql, args)
				if !strings.Contains(got, test.index+" (") && !strings.Contains(got, test.index+"_") || strings.Contains(got, "TEMP B-TREE") {
					t.Errorf("%s\nwant index %s, plan is %s", sql, test.index, got)
				}
			}
		}
	}
	for index, sql := range map[string]string{
		"things:expires": `select id from "c:things" where "f:expires" <= 1 order by "f:expires", id limit 5`,
		"deliveries_due": strings.NewReplacer("?", "1").Replace(leaseSQL),
	} {
		if got := plan(t, db, sql, nil); !strings.Contains(got, index) || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s\nwant index %s, plan is %s", sql, index, got)
		}
	}
}

// TestSettings: an acknowledged commit must be on the disk, not only in the system's memory.
func TestSettings(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "sluice.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const full = int64(2)
	err = db.writer.do(t.Context(), func(s *session) error {
		for setting, want := range map[string]any{"synchronous": full, "journal_mode": "wal"} {
			row, _, err := s.c.one("pragma " + setting)
			if err != nil {
				return err
			}
			if row[0] != want {
				t.Errorf("%s is %v, want %v", setting, row[0], want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
