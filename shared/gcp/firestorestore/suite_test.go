package firestorestore_test

import (
	"context"
	"iter"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return rewatching{open(t, newProject(), storetest.Collections()...), t}
	})
}

// rewatching begins a watch anew when the emulator has broken it, as any user of a watch must. Where documents change while a watch
// starts, the emulator sends both at once over one stream, and what arrives is garbled.
type rewatching struct {
	store.Store
	t *testing.T
}

func (s rewatching) Watch(ctx context.Context, q store.Query) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		known, live := map[string]store.Version{}, false
		for again := 5; ; again-- {
			broken := false
			for c, err := range s.Store.Watch(ctx, q) {
				if broken = garbled(err) && again > 0 && ctx.Err() == nil; broken {
					s.t.Logf("the emulator broke a watch: %v", err)
					break
				}
				if told := c.Live && live || err == nil && c.Doc.Version > 0 && c.Doc.Version <= known[c.Doc.ID]; told {
					continue
				}
				if live = live || c.Live; c.Doc.ID != "" {
					known[c.Doc.ID] = c.Doc.Version
				}
				if !yield(c, err) {
					return
				}
			}
			if !broken {
				return
			}
		}
	}
}

func garbled(err error) bool {
	code := status.Code(err)
	return code == codes.Internal || code == codes.Canceled
}
