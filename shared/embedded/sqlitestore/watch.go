package sqlitestore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/sluice-gateway/sluice/shared/store"
)

// pendingMax is how many changed documents a watcher remembers one by one; beyond it reads its query anew.
const pendingMax = 4096

// watchers are told which documents a commit has changed.
type watchers struct {
	mu           sync.RWMutex
	byCollection map[string]map[*watcher]struct{}
}

// watcher gathers what changed until its owner looks.
type watcher struct {
	wake chan struct{}

	mu       sync.Mutex
	pending  map[string]struct{}
	overflow bool
}

func (ws *watchers) any(collection string) bool {
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	return len(ws.byCollection[collection]) > 0
}

func (ws *watchers) add(collection string) (w *watcher, remove func()) {
	w = &watcher{wake: make(chan struct{}, 1), pending: map[string]struct{}{}}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byCollection == nil {
		ws.byCollection = map[string]map[*watcher]struct{}{}
	}
	if ws.byCollection[collection] == nil {
		ws.byCollection[collection] = map[*watcher]struct{}{}
	}
	ws.byCollection[collection][w] = struct{}{}
	return w, func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		delete(ws.byCollection[collection], w)
	}
}

func (ws *watchers) notify(changed []store.Ref) {
	if len(changed) == 0 {
		return
	}
	ws.mu.RLock()
	defer ws.mu.RUnlock()
	for _, ref := range changed {
		for w := range ws.byCollection[ref.Collection] {
			w.note(ref.ID)
		}
	}
}

func (w *watcher) note(id string) {
	w.mu.Lock()
	if len(w.pending) < pendingMax {
		w.pending[id] = struct{}{}
	} else {
		w.overflow = true
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take empties what is pending; all means that more has changed than ids tell.
func (w *watcher) take() (ids []string, all bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids, all = slices.Collect(maps.Keys(w.pending)), w.overflow
	clear(w.pending)
	w.overflow = false
	return ids, all
}

// Watch implements store.Store.
func (db *DB) Watch(ctx context.Context, q store.Query) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		w, remove := db.watchers.add(q.Collection.Name)
		defer remove()
		view := &view{db: db, q: q, known: map[string]store.Version{}, yield: yield}
		if !view.reload(ctx) || !yield(store.Change{Live: true}, nil) {
			return
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
			ids, all := w.take()
			if all || q.Limit > 0 { // with a limit, what leaves lets others in
				if !view.reload(ctx) {
					return
				}
				continue
			}
			for _, id := range ids {
				if !view.look(ctx, id) {
					return
				}
			}
		}
	}
}

// view is what a watcher has been shown. Its methods tell whether to go on.
type view struct {
	db    *DB
	q     store.Query
	known map[string]store.Version
	yield func(store.Change, error) bool
}

// reload reads the whole query and shows what differs.
func (v *view) reload(ctx context.Context) bool {
	gone := maps.Clone(v.known)
	for doc, err := range v.db.Query(ctx, v.q) {
		if err != nil {
			return v.fail(ctx, err)
		}
		delete(gone, doc.ID)
		if !v.show(doc) {
			return false
		}
	}
	for id := range gone {
		if !v.hide(id) {
			return false
		}
	}
	return true
}

// look reads one document that has changed.
func (v *view) look(ctx context.Context, id string) bool {
	s, err := v.db.selection(v.q)
	if err != nil {
		return v.fail(ctx, err)
	}
	s.index = "" // its id finds it sooner
	s.add("id = ?", id)
	docs, _, err := s.page(ctx, v.db)
	if err != nil {
		return v.fail(ctx, err)
	}
	if len(docs) == 0 {
		return v.hide(id)
	}
	return v.show(docs[0].Doc)
}

func (v *view) show(doc store.Doc) bool {
	if v.known[doc.ID] == doc.Version {
		return true
	}
	v.known[doc.ID] = doc.Version
	return v.yield(store.Change{Doc: doc}, nil)
}

func (v *view) hide(id string) bool {
	if _, ok := v.known[id]; !ok {
		return true
	}
	delete(v.known, id)
	return v.yield(store.Change{Doc: store.Doc{ID: id}, Removed: true}, nil)
}

// fail ends the watch, with an error unless it is its owner who ends it.
func (v *view) fail(ctx context.Context, err error) bool {
	if ctx.Err() == nil {
		v.yield(store.Change{}, err)
	}
	return false
}
