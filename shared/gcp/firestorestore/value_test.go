package firestorestore

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/store"
)

func TestValuesSurvive(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		`{}`,
		`{"a":null,"b":true,"c":false,"d":"","e":"ü\u0000x"}`,
		`{"max":9223372036854775807,"min":-9223372036854775808,"zero":0}`,
		`{"list":[1,"two",null,{"three":[3]},[],[[4],[]]]}`,
		`{"":"empty","__x__":1,"~":2,"~~a":3,"[]":[5],"ttl_at":7,"a.b":8,"map":{"[]":[1],"":[{"[]":[2]}]}}`,
	} {
		fields, err := encode(json.RawMessage(doc), "")
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		got, err := toDoc(&pb.Document{Name: "x/y", Fields: fields})
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		var gotAny, wantAny any
		if err := errors.Join(json.Unmarshal(got.JSON, &gotAny), json.Unmarshal([]byte(doc), &wantAny)); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(gotAny, wantAny); diff != "" {
			t.Errorf("%s, got - want +:\n%s", doc, diff)
		}
		if strings.Contains(doc, "max") && !strings.Contains(string(got.JSON), "9223372036854775807") {
			t.Errorf("%s lost digits", got.JSON)
		}
	}
}

func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]any{
		"float":           map[string]any{"a": 1.5},
		"nested float":    map[string]any{"a": []any{map[string]any{"b": 0.1}}},
		"exponent":        json.RawMessage(`{"a":1e3}`),
		"over 64 bits":    json.RawMessage(`{"a":9223372036854775808}`),
		"array":           []int{1},
		"null":            nil,
		"string":          "x",
		"not marshalable": map[string]any{"f": func() {}},
	} {
		if _, err := encode(doc, ""); err == nil {
			t.Errorf("%s is stored", name)
		}
	}
	for name, doc := range map[string]any{
		"long JSON":    map[string]any{"a": strings.Repeat("x", store.MaxDocBytes)},
		"many numbers": map[string]any{"a": make([]int, 200_000)}, // short as JSON, long in Firestore
	} {
		if _, err := encode(doc, ""); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v; want ErrTooLarge", name, err)
		}
	}
	if _, err := encode(map[string]any{"a": strings.Repeat("x", store.MaxDocBytes-8)}, ""); err != nil {
		t.Errorf("the largest document: %v", err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"plain_1": "plain_1", "1st": "`1st`", "a.b": "`a.b`", "a`b\\": "`a\\`b\\\\`", "": "`~`", "ttl_at": "`~ttl_at`",
	} {
		if got := path(name); got != want {
			t.Errorf("path(%q) = %s; want %s", name, got, want)
		}
	}
}
