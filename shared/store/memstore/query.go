package memstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/store"
)

// find returns the documents that the query selects, in its order.
func (s *Store) find(q store.Query) ([]*document, error) {
	if err := check(q); err != nil {
		return nil, err
	}
	s.mu.Lock()
	var found []*document
	for ref, d := range s.docs {
		if ref.Collection == q.Collection.Name && selects(q, d) {
			found = append(found, d)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b *document) int { return compare(q, a.position(q), b.position(q)) })
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
	}
	return found, nil
}

// check refuses a query that is not served by an index or compares with what the port does not allow.
func check(q store.Query) error {
	if err := q.Check(); err != nil {
		return err
	}
	bounds := []any{q.From, q.To}
	if q.After != nil {
		if q.Order != "" && q.After.Value == nil {
			return fmt.Errorf("store: %s: a cursor in %s needs its value", q.Collection.Name, q.Order)
		}
		bounds = append(bounds, q.After.Value)
	}
	for _, v := range q.Eq {
		if _, ok := v.(bool); !ok {
			bounds = append(bounds, v)
		}
	}
	for _, v := range bounds {
		switch v.(type) {
		case nil, string, int64:
		default:
			return fmt.Errorf("store: %s: cannot compare with a %T", q.Collection.Name, v)
		}
	}
	return nil
}

func selects(q store.Query, d *document) bool {
	for field, want := range q.Eq {
		if d.fields[field] != want {
			return false
		}
	}
	if value := d.fields[q.Order]; q.Order != "" {
		if rank(value) == 0 || outside(value, q.From, -1) || outside(value, q.To, 1) {
			return false
		}
		if q.To != nil && value == q.To {
			return false
		}
	}
	return q.After == nil || compare(q, d.position(q), *q.After) > 0
}

// outside tells whether value lies on that side of the bound or is of another type. No bound has no outside.
func outside(value, bound any, side int) bool {
	return bound != nil && (rank(value) != rank(bound) || compareValues(value, bound) == side)
}

func (d *document) position(q store.Query) store.Cursor {
	if q.Order == "" {
		return store.Cursor{ID: d.id}
	}
	return store.Cursor{Value: d.fields[q.Order], ID: d.id}
}

func compare(q store.Query, a, b store.Cursor) int {
	c := cmp.Or(compareValues(a.Value, b.Value), strings.Compare(a.ID, b.ID))
	if q.Desc {
		return -c
	}
	return c
}

// compareValues orders numbers before text, as Firestore does, and booleans behind.
func compareValues(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case bool:
		return cmp.Compare(truth[a], truth[b.(bool)])
	}
	return 0
}

var truth = map[bool]int{true: 1}

// rank tells kinds of values apart; 0 is what cannot be compared.
func rank(v any) int {
	switch v.(type) {
	case int64:
		return 1
	case string:
		return 2
	case bool:
		return 3
	}
	return 0
}
