package memstore

import (
	"context"
	"iter"

	"github.com/sluice-gateway/sluice/shared/store"
)

// watcher is told that something in its collection has changed; it then looks for itself.
type watcher struct {
	collection string
	news       chan struct{}
}

func (w *watcher) notify(changed iter.Seq[store.Ref]) {
	for ref := range changed {
		if ref.Collection != w.collection {
			continue
		}
		select {
		case w.news <- struct{}{}:
		default: // it has yet to look at earlier news
		}
		return
	}
}

// Watch implements store.Store. It runs the query anew after every change of its collection.
func (s *Store) Watch(ctx context.Context, q store.Query) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		w := &watcher{q.Collection.Name, make(chan struct{}, 1)}
		s.mu.Lock()
		s.watchers[w] = struct{}{}
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(s.watchers, w)
			s.mu.Unlock()
		}()

		known := map[string]*document{}
		for live := false; ctx.Err() == nil; {
			found, err := s.find(q)
			if err != nil {
				yield(store.Change{}, err)
				return
			}
			if !difference(known, found, yield) {
				return
			}
			if !live && !yield(store.Change{Live: true}, nil) {
				return
			}
			live = true
			select {
			case <-ctx.Done():
			case <-w.news:
			}
		}
	}
}

// difference yields how found differs from known and brings known up to date. It tells whether to go on.
func difference(known map[string]*document, found []*document, yield func(store.Change, error) bool) bool {
	left := make(map[string]bool, len(known))
	for id := range known {
		left[id] = true
	}
	for _, d := range found {
		delete(left, d.id)
		if known[d.id] == d {
			continue
		}
		known[d.id] = d
		if !yield(store.Change{Doc: d.doc()}, nil) {
			return false
		}
	}
	for id := range left {
		delete(known, id)
		if !yield(store.Change{Doc: store.Doc{ID: id}, Removed: true}, nil) {
			return false
		}
	}
	return true
}
