package sqlitestore_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var modelled = store.Collection{Name: "modelled", Indexes: []store.Index{
	{"a"}, {"b"}, {`q"\é`}, {"a", "b"}, {"b", `q"\é`, "a"}}}

var ids = []string{"1", "2", "3", "A", "a", "ä", `"`}

var (
	fieldGen = rapid.SampledFrom([]string{"a", "b", `q"\é`, "other"})
	textGen  = rapid.SampledFrom([]string{"", "x", "y", "z\"\\", "\\", "é<&>", `{"a":1}`, "1", "true"})
	intGen   = rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64())
	idGen    = rapid.SampledFrom(ids)
	// valueGen makes whatever JSON may hold, nested names like the indexed ones included.
	valueGen = rapid.OneOf(textGen.AsAny(), intGen.AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
		rapid.SampledFrom([]any{[]any{"a", int64(1)}, map[string]any{"a": int64(7), "b": "x"}, []any{map[string]any{"a": "x"}}}))
	docGen = rapid.MapOfN(fieldGen, valueGen, 0, 4)
)

func queryGen(t *rapid.T) store.Query {
	scalar := rapid.OneOf(textGen.AsAny(), intGen.AsAny())
	q := store.Query{Collection: modelled, Limit: rapid.IntRange(0, 3).Draw(t, "limit"), Desc: rapid.Bool().Draw(t, "desc")}
	index := rapid.SampledFrom(append([]store.Index{nil}, modelled.Indexes...)).Draw(t, "index")
	equal := index
	if len(index) > 0 && rapid.Bool().Draw(t, "ordered") {
		q.Order, equal = index[len(index)-1], index[:len(index)-1]
		kind := rapid.SampledFrom([]*rapid.Generator[any]{textGen.AsAny(), intGen.AsAny()}).Draw(t, "kind")
		q.From = rapid.OneOf(rapid.Just[any](nil), kind).Draw(t, "from")
		q.To = rapid.OneOf(rapid.Just[any](nil), kind).Draw(t, "to")
	}
	q.Eq = map[string]any{}
	for _, field := range equal {
		q.Eq[field] = rapid.OneOf(scalar, rapid.Bool().AsAny()).Draw(t, field)
	}
	if rapid.Bool().Draw(t, "after") {
		q.After = &store.Cursor{ID: idGen.Draw(t, "after id")}
		if q.Order != "" {
			q.After.Value = scalar.Draw(t, "after value")
		}
	}
	return q
}

// TestModel does the same to this driver and to the one in memory and compares what they answer.
func TestModel(t *testing.T) {
	t.Parallel()
	db := open(t, sqlitestore.Options{}, modelled)
	rapid.Check(t, func(rt *rapid.T) {
		must(t, db.Tx(t.Context(), func(tx store.Tx) error {
			for _, id := range ids {
				if err := tx.Delete(modelled.Ref(id)); err != nil {
					return err
				}
			}
			return nil
		}))
		stores := []store.Store{db, memstore.New()}
		versions := []map[string]store.Version{{}, {}}
		both := func(do func(i int, s store.Store) (any, error)) {
			got, gotErr := do(0, stores[0])
			want, wantErr := do(1, stores[1])
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("(-memory +sqlite):\n%s", diff)
			}
			for _, e := range []error{store.ErrNotFound, store.ErrExists, store.ErrChanged} {
				if errors.Is(gotErr, e) != errors.Is(wantErr, e) {
					rt.Fatalf("got error %v, want %v", gotErr, wantErr)
				}
			}
			if (gotErr == nil) != (wantErr == nil) {
				rt.Fatalf("got error %v, want %v", gotErr, wantErr)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				id, doc := idGen.Draw(rt, "id"), docGen.Draw(rt, "doc")
				both(func(i int, s store.Store) (any, error) {
					v, err := s.Create(t.Context(), modelled.Ref(id), doc)
					if err == nil {
						versions[i][id] = v
					}
					return nil, err
				})
			},
			"update": func(rt *rapid.T) {
				id, doc := idGen.Draw(rt, "id"), docGen.Draw(rt, "doc")
				both(func(i int, s store.Store) (any, error) {
					v, err := s.Update(t.Context(), modelled.Ref(id), doc, versions[i][id])
					if err == nil {
						versions[i][id] = v
					}
					return nil, err
				})
			},
			"delete": func(rt *rapid.T) {
				id := idGen.Draw(rt, "id")
				both(func(_ int, s store.Store) (any, error) { return nil, s.Delete(t.Context(), modelled.Ref(id)) })
			},
			"tx": func(rt *rapid.T) {
				create, add, put := idGen.Draw(rt, "create"), idGen.Draw(rt, "add"), idGen.Draw(rt, "put")
				doc, delta, fails := docGen.Draw(rt, "doc"), rapid.Int64Range(-5, 5).Draw(rt, "delta"), rapid.Bool().Draw(rt, "fails")
				both(func(_ int, s store.Store) (any, error) {
					return nil, s.Tx(t.Context(), func(tx store.Tx) error {
						err := errors.Join(tx.Put(modelled.Ref(put), doc), tx.Add(modelled.Ref(add), doc, store.Deltas{"b": delta}))
						if fails {
							return errors.New("own")
						}
						return errors.Join(err, tx.Create(modelled.Ref(create), doc))
					})
				})
			},
			"query": func(rt *rapid.T) {
				q := queryGen(rt)
				both(func(_ int, s store.Store) (any, error) {
					var docs []map[string]any
					for doc, err := range s.Query(t.Context(), q) {
						if err != nil {
							return nil, err
						}
						decoded := map[string]any{"id": doc.ID}
						if err := doc.Decode(&decoded); err != nil {
							return nil, err
						}
						docs = append(docs, decoded)
					}
					return docs, nil
				})
				both(func(_ int, s store.Store) (any, error) {
					n, sums, err := s.Sum(t.Context(), q)
					return []any{n, sums}, err
				})
			},
		})
	})
}
