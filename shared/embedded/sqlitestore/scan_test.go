package sqlitestore

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/store"
)

// FuzzScan compares the scan with a full decode: what is refused, and what the columns hold.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":"x","c":true}`, `{"a":{"a":2},"b":["b",{"b":3}],"c":null}`, `{"a":"\\\"","b":"\\","a\u0062":1}`,
		`{"a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808}`, `{"a":1.5}`, `{"x":[1e3]}`, `[1]`, `{"a":1,"a":2}`,
		`{"x":{"a":":","b":"{"},"c":false}`,
	} {
		f.Add([]byte(seed))
	}
	table, err := newTable(store.Collection{Name: "t", Indexes: []store.Index{{"a"}, {"b", "c"}, {`"<é`}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		encoded, err := json.Marshal(json.RawMessage(doc))
		if err != nil {
			return // not JSON, which encode never sees
		}
		var decoded map[string]any
		decoder := json.NewDecoder(bytes.NewReader(encoded))
		decoder.UseNumber()
		err = decoder.Decode(&decoded)
		refused := err != nil || decoded == nil || hasFraction(decoded)

		values := make([]any, len(table.fields))
		if err := table.scan(encoded, values); (err != nil) != refused {
			// Of a name given twice, decoding forgets the first value, and with it what may be wrong with that.
			if err == nil || bytes.Count(encoded, []byte(":")) == len(decoded) {
				t.Fatalf("scan of %s: error %v, want one: %v", encoded, err, refused)
			}
			return
		} else if refused {
			return
		}
		for i, field := range table.fields {
			if diff := cmp.Diff(columnValue(decoded[field]), values[i]); diff != "" {
				t.Errorf("%s of %s (-decoded +scanned):\n%s", field, encoded, diff)
			}
		}
	})
}

func columnValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case string:
		return v
	case bool:
		return truth(v)
	}
	return nil
}

func hasFraction(v any) bool {
	switch v := v.(type) {
	case json.Number:
		_, err := v.Int64()
		return err != nil
	case []any:
		for _, e := range v {
			if hasFraction(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if hasFraction(e) {
				return true
			}
		}
	}
	return false
}
