package jsonedit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

var seeds = []string{
	"", "{}", "[]", " { } ", `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi \u00fc\ud83d\ude00"}]}`,
	`{"model":"a","model":"b"}`, `{"mod\u0065l":null,"n":-1.5e+10,"x":[[],{},[{"a":0}],false]}`, "{\"a\":\"\xff\"}", "{\"a\":\"ü漢😀\"}",
	`{"a":"\ud800"}`, `{"a":1}x`, `{"a":01}`, `{"a":[1,]}`, `{"a":{"b":}}`, "\ufeff{}", `{"":"","\"":"\\"}`,
}

// FuzzScan compares Scan with encoding/json. Scan is stricter in four ways only: UTF-8, depth, an object at the top, and
// wanted fields given once.
func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields := names("model", "a", "")
		err := jsonedit.Scan(body, fields)
		var fault *jsonedit.Error
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("got a %T", err)
		}
		if valid := json.Valid(body); valid != (err == nil) {
			if !valid {
				t.Fatalf("accepted %q", body)
			}
			if allowed := fault.Fault == jsonedit.BadUTF8 && !utf8.Valid(body) || fault.Fault == jsonedit.TooDeep ||
				fault.Fault == jsonedit.NotObject || fault.Fault == jsonedit.Duplicate; !allowed {
				t.Fatalf("refused %q: %v", body, err)
			}
		}
		if err != nil {
			if fault.Offset < 0 || fault.Offset > len(body) || fault.Error() == "" {
				t.Fatalf("offset %d of %d", fault.Offset, len(body))
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		found := names("model", "a", "")
		if !jsonedit.Find(body, found) {
			t.Fatal("Find cannot follow what Scan accepts")
		}
		for i := range fields {
			raw, present := want[fields[i].Name]
			if present != fields[i].Present() || !bytes.Equal(raw, fields[i].Raw) {
				t.Fatalf("%q: got %q, want %q", fields[i].Name, fields[i].Raw, raw)
			}
			if f, g := fields[i], found[i]; f.Kind != g.Kind || f.Start != g.Start || !bytes.Equal(f.Raw, g.Raw) {
				t.Fatalf("%q: Find says %v, Scan says %v", f.Name, g, f)
			}
			checkText(t, &fields[i])
		}
	})
}

func checkText(t *testing.T, f *jsonedit.Field) {
	t.Helper()
	got, ok := f.Text()
	if ok != (f.Kind == jsonedit.String) {
		t.Fatalf("%s is text: %v", f.Raw, ok)
	}
	var want string
	if ok && (json.Unmarshal(f.Raw, &want) != nil || got != want) {
		t.Fatalf("Text of %s is %q, want %q", f.Raw, got, want)
	}
}

// FuzzFind: whatever the bytes, Find answers, and what it answers lies inside the body.
func FuzzFind(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields := names("model", "a")
		if !jsonedit.Find(body, fields) {
			return
		}
		for i := range fields {
			f := &fields[i]
			if from, to := f.Member(); from < 0 || to > len(body) || f.Present() && len(f.Raw) == 0 {
				t.Fatalf("member [%d:%d] of %d bytes", from, to, len(body))
			}
			f.Text()
			f.Int()
			f.Bool()
			jsonedit.Replace(nil, body, f.SetString("x"))
			jsonedit.Replace(nil, body, f.Delete())
		}
	})
}

// FuzzFindWhole: it finds what Find finds, in what encoding/json takes for a text.
func FuzzFindWhole(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, got := names("model", "a"), names("model", "a")
		found := jsonedit.Find(body, want) && json.Valid(body)
		if whole := jsonedit.FindWhole(body, got); whole != found || whole && !reflect.DeepEqual(want, got) {
			t.Errorf("%t %+v, want %t %+v", whole, got, found, want)
		}
	})
}

// FuzzReplace: after edits of an accepted body, its map differs in the edited fields only, and an edit that sets a value
// leaves every byte around that value alone.
func FuzzReplace(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "new \u2028 \" value", uint8(0b011011))
	}
	f.Fuzz(func(t *testing.T, body []byte, value string, plan uint8) {
		fields := names("a", "model", "n")
		if jsonedit.Scan(body, fields) != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		var edits []jsonedit.Edit
		for i := range fields {
			f := &fields[i]
			switch plan >> (2 * i) & 3 {
			case 1:
				edits = append(edits, f.SetString(value))
				want[f.Name] = jsonedit.Quote(value)
				checkSplice(t, body, f)
			case 2:
				edits = append(edits, f.Delete())
				delete(want, f.Name)
			case 3:
				edits = append([]jsonedit.Edit{f.Set([]byte("[1, 2]"))}, edits...)
				want[f.Name] = []byte("[1, 2]")
			}
		}
		out := jsonedit.Replace(nil, body, edits...)
		if err := jsonedit.Scan(out, fields); err != nil {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %q: got %q, want %q (%v)", body, out, got, want, err)
		}
	})
}

func checkSplice(t *testing.T, body []byte, f *jsonedit.Field) {
	t.Helper()
	if !f.Present() {
		return
	}
	want := append(append(append([]byte{}, body[:f.Start]...), "null"...), body[f.Start+len(f.Raw):]...)
	if got := jsonedit.Replace(nil, body, f.Set([]byte("null"))); !bytes.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// Values that encoding/json writes are all accepted and found again.
func TestScanAcceptsWhatIsWritten(t *testing.T) {
	t.Parallel()
	value := rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(4) })
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.String(), value, 0, 8).Draw(t, "object")
		object["model"] = rapid.String().Draw(t, "model")
		body, err := json.MarshalIndent(object, "", rapid.StringOf(rapid.SampledFrom([]rune(" \t\n\r"))).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		fields := names("model")
		if err := jsonedit.Scan(body, fields); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got, _ := fields[0].Text(); got != object["model"] {
			t.Fatalf("got %q, want %q", got, object["model"])
		}
	})
}

func anyJSON(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil), rapid.Float64().AsAny(),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny(), rapid.MapOfN(rapid.String(), anyJSON(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(kinds...)
}
