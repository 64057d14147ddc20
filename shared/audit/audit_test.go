package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var start = time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)

func put(t *testing.T, s store.Store, by audit.By, c audit.Change, now time.Time) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx store.Tx) error { return audit.Put(tx, by, c, now) }); err != nil {
		t.Fatal(err)
	}
}

func TestActor(t *testing.T) {
	t.Parallel()
	full := gateway.Principal{KeyHash: "hash", KeyAlias: "alias", UserID: "user"}
	for want, by := range map[string]audit.By{
		"somebody": {Principal: full, ChangedBy: "somebody"},
		"user":     {Principal: full},
		"alias":    {Principal: gateway.Principal{KeyHash: "hash", KeyAlias: "alias"}},
		"hash":     {Principal: gateway.Principal{KeyHash: "hash"}},
	} {
		if got := by.Actor(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	put(t, s, audit.By{Principal: gateway.Principal{KeyHash: "hash", UserID: "u"}, ChangedBy: "a"}, audit.Change{
		Action: "updated", Table: "team", Object: "t", Fields: map[string]json.RawMessage{"b": nil, "a": nil},
		Before: map[string]any{"x": 1.5}, After: map[string]any{"x": nil},
	}, start)
	for got, err := range audit.Select(t.Context(), s, audit.Filter{}) {
		want := audit.Record{
			ID: got.ID, At: start.UnixMicro(), Actor: "a", Key: "hash", Action: "updated", Table: "team", Object: "t",
			Fields: []string{"a", "b"}, Before: `{"x":1.5}`, After: `{"x":null}`,
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(got.ID) != 32 {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// A change that does not happen leaves no record.
func TestRollback(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	err := s.Tx(t.Context(), func(tx store.Tx) error {
		if err := audit.Put(tx, audit.By{}, audit.Change{After: struct{}{}}, start); err != nil {
			return err
		}
		return context.DeadlineExceeded
	})
	if n, _ := audit.Count(t.Context(), s, audit.Filter{}); err == nil || n != 0 {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	for i := range 20 {
		put(t, s, audit.By{ChangedBy: fmt.Sprint("actor", i%2)}, audit.Change{
			Action: "created", Table: fmt.Sprint("table", i%4), Object: fmt.Sprint("o", i),
		}, start.Add(time.Duration(i)*time.Second))
	}
	at := func(i int) int64 { return start.Add(time.Duration(i) * time.Second).UnixMicro() }
	for _, c := range []struct {
		filter audit.Filter
		first  string
		n      int
		total  int64
	}{
		{audit.Filter{}, "o19", 20, 20},
		{audit.Filter{Limit: 3}, "o19", 3, 20},
		{audit.Filter{Table: "table1"}, "o17", 5, 5},
		{audit.Filter{Actor: "actor0"}, "o18", 10, 10},
		{audit.Filter{Object: "o5", Table: "ignored"}, "o5", 1, 1},
		{audit.Filter{From: at(5), To: at(7)}, "o6", 2, 2},
		{audit.Filter{Table: "table0", From: at(1), To: at(9)}, "o8", 2, 2},
		{audit.Filter{Object: "nothing"}, "", 0, 0},
	} {
		var objects []string
		for r, err := range audit.Select(t.Context(), s, c.filter) {
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, r.Object)
		}
		total, err := audit.Count(t.Context(), s, c.filter)
		if err != nil || total != c.total || len(objects) != c.n || c.n > 0 && objects[0] != c.first {
			t.Errorf("%+v: %v of %d, %v", c.filter, objects, total, err)
		}
	}
}
