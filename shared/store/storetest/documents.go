package storetest

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/store"
)

var documents = group{name: "Document", cases: []testCase{
	{"RoundTrip", roundTrip},
	{"Refused", refused},
	{"Large", large},
	{"NotShared", notShared},
}}

// roundTrip reads back everything that a document may hold.
func roundTrip(t *testing.T, f fixture) {
	doc := map[string]any{
		"text": "grüße, 世界 🦊", "empty": "", "markup": `<a href="x">&amp;</a> \ / "`, "control": "\t\n\r\u0001\u2028",
		"max": int64(math.MaxInt64), "min": int64(math.MinInt64), "zero": 0, "exact": int64(1)<<53 + 1,
		"yes": true, "no": false, "nothing": nil,
		"list":   []any{1, "two", nil, true, map[string]any{"deep": []any{}}},
		"object": map[string]any{"empty": map[string]any{}, "with space": 1, "ünï": map[string]any{"x": "y"}},
		"number": "1.5e3", "Case": 1, "case": 2,
	}
	f.create(t, "a", doc)
	var got json.RawMessage
	_, err := f.Get(t.Context(), f.ref("a"), &got)
	must(t, err)
	if diff := cmp.Diff(normal(t, doc), normal(t, got)); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
	for read, err := range f.Query(t.Context(), store.Query{Collection: f.collection}) {
		must(t, err)
		if diff := cmp.Diff(normal(t, doc), normal(t, json.RawMessage(read.JSON))); diff != "" {
			t.Errorf("Query (-want +got):\n%s", diff)
		}
	}
}

// normal is a value as JSON has it, with numbers as they were written.
func normal(t *testing.T, v any) (decoded any) {
	t.Helper()
	encoded, err := json.Marshal(v)
	must(t, err)
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	must(t, decoder.Decode(&decoded))
	return decoded
}

// refused tries what is no document by every way into the store.
func refused(t *testing.T, f fixture) {
	at := f.create(t, "there", record{Name: "before"})
	tooLarge := map[string]any{"x": strings.Repeat("x", store.MaxDocBytes)}
	for name, doc := range map[string]any{
		"float":     map[string]any{"x": 1.5},
		"deep":      map[string]any{"x": map[string]any{"y": []any{0, 0.25}}},
		"exponent":  map[string]any{"x": 1e300},
		"unsigned":  map[string]any{"x": uint64(math.MaxUint64)},
		"array":     []int{1},
		"text":      "text",
		"too large": tooLarge,
	} {
		_, create := f.Create(t.Context(), f.ref("new"), doc)
		_, update := f.Update(t.Context(), f.ref("there"), doc, at)
		ways := map[string]error{"Create": create, "Update": update,
			"Tx.Create": f.Tx(t.Context(), func(tx store.Tx) error { return tx.Create(f.ref("new"), doc) }),
			"Tx.Put":    f.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(f.ref("there"), doc) }),
			"Tx.Add":    f.Tx(t.Context(), func(tx store.Tx) error { return tx.Add(f.ref("new"), doc, store.Deltas{"n": 1}) }),
		}
		for way, err := range ways {
			if err == nil {
				t.Errorf("%s took %s", way, name)
			}
			if name == "too large" {
				wantError(t, err, store.ErrTooLarge)
			}
		}
	}
	f.want(t, "new", nil)
	f.want(t, "there", &record{Name: "before"})
}

func large(t *testing.T, f fixture) {
	doc := record{Name: strings.Repeat("x", store.MaxDocBytes-1000)}
	f.create(t, "a", doc)
	f.want(t, "a", &doc)
}

// notShared changes what was written and read: the store must have its own.
func notShared(t *testing.T, f fixture) {
	doc := map[string]any{"name": "before"}
	f.create(t, "a", doc)
	doc["name"] = "after"
	for read, err := range f.Query(t.Context(), store.Query{Collection: f.collection}) {
		must(t, err)
		clear(read.JSON)
	}
	f.want(t, "a", &record{Name: "before"})
}
