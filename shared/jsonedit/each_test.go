package jsonedit_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		`{}`:    {},
		` { } `: {},
		`{"a":1,"b" : [2, {"c":"]}"}] , "\u0064":null}`: {"a": "1", "b": `[2, {"c":"]}"}]`, "d": "null"},
		`[1]`:                 {},
		`"x"`:                 {},
		``:                    {},
		`{"a":1,`:             {"a": "1"},
		`{"a":1 "b":2}`:       {"a": "1"},
		`{"a"`:                {},
		`{"a":"\"","b":"\\"}`: {"a": `"\""`, "b": `"\\"`},
	} {
		got := map[string]string{}
		for name, raw := range jsonedit.Members([]byte(text)) {
			got[name] = string(raw)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`[]`: nil, ` [ ] `: nil, `[1, "a,b" ,[2,3],{"x":[]}, null]`: {"1", `"a,b"`, "[2,3]", `{"x":[]}`, "null"},
		`{"a":1}`: nil, ``: nil, `[1,`: {"1"}, `[`: nil, `[1 2]`: {"1"},
	} {
		var got []string
		for raw := range jsonedit.Elements([]byte(text)) {
			got = append(got, string(raw))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// What the standard library reads of valid JSON is what is stepped through, and no bytes make it panic.
func FuzzEach(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\u00e9"}],"a":2}`))
	f.Add([]byte(`[1,"x",[2]]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		members, elements := map[string]json.RawMessage{}, []json.RawMessage{}
		for name, raw := range jsonedit.Members(text) {
			members[name] = raw
		}
		for raw := range jsonedit.Elements(text) {
			elements = append(elements, raw)
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) == nil && object != nil && len(members) != len(object) {
			t.Errorf("%d members of %q, want %d", len(members), text, len(object))
		}
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil && list != nil && len(elements) != len(list) {
			t.Errorf("%d elements of %q, want %d", len(elements), text, len(list))
		}
	})
}

func TestEditEach(t *testing.T) {
	t.Parallel()
	edit := func(item []byte) []byte {
		if string(item) == "0" {
			return nil
		}
		return append([]byte("9"), item...)
	}
	for text, want := range map[string]string{`[1, 2]`: `[91,92]`, `[0,1,0]`: `[91]`, `[0]`: `[]`, `[]`: `[]`, `{"a":1}`: `{"a":1}`, ``: ``} {
		if got := string(jsonedit.EditEach([]byte(text), edit)); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
