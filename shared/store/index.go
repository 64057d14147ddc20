package store

import (
	"fmt"
	"slices"
)

// Check tells whether the query is well formed and served by a declared index. Every driver calls it first.
func (q Query) Check() error {
	if q.Order == "" && (q.From != nil || q.To != nil) {
		return fmt.Errorf("%w: %s: a range needs an order", ErrNoIndex, q.Collection.Name)
	}
	if q.Order == "" && len(q.Eq) == 0 {
		return nil // by id alone: every store can
	}
	for _, index := range q.Collection.Indexes {
		if q.servedBy(index) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s: equal %v, order %q", ErrNoIndex, q.Collection.Name, q.Eq, q.Order)
}

func (q Query) servedBy(index Index) bool {
	equal := index
	if q.Order != "" {
		if len(index) == 0 || index[len(index)-1] != q.Order {
			return false
		}
		equal = index[:len(index)-1]
	}
	if len(equal) != len(q.Eq) {
		return false
	}
	return !slices.ContainsFunc(equal, func(field string) bool { _, ok := q.Eq[field]; return !ok })
}
