package jsonedit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

func names(ns ...string) []jsonedit.Field {
	fields := make([]jsonedit.Field, len(ns))
	for i, n := range ns {
		fields[i].Name = n
	}
	return fields
}

func TestScanFinds(t *testing.T) {
	t.Parallel()
	type got struct {
		Kind   jsonedit.Kind
		Raw    string
		Member string
	}
	for _, tc := range []struct {
		name, body string
		want       got // of "model"
	}{
		{"string", `{"model":"m"}`, got{jsonedit.String, `"m"`, `"model":"m"`}},
		{"white space", " \r\n\t{ \"model\" : \"m\" , \"x\":1 } ", got{jsonedit.String, `"m"`, `"model" : "m"`}},
		{"last", `{"a":[1,{"model":2}],"model":-1.5e+3}`, got{jsonedit.Number, `-1.5e+3`, `"model":-1.5e+3`}},
		{"true", `{"model":true,"b":null}`, got{jsonedit.Bool, `true`, `"model":true`}},
		{"null", `{"model":null}`, got{jsonedit.Null, `null`, `"model":null`}},
		{"object", `{"model":{"a":[]}}`, got{jsonedit.Object, `{"a":[]}`, `"model":{"a":[]}`}},
		{"array", `{"model":[[],{}, 0]}`, got{jsonedit.Array, `[[],{}, 0]`, `"model":[[],{}, 0]`}},
		{"escaped name", `{"mod\u0065l":"m"}`, got{jsonedit.String, `"m"`, `"mod\u0065l":"m"`}},
		{"other case", `{"Model":"m","MODEL":1}`, got{}},
		{"nested only", `{"a":{"model":"m"}}`, got{}},
		{"only in a string", `{"a":"\"model\":\"m\""}`, got{}},
		{"empty object", `{}`, got{}},
		{"lone surrogate passes", `{"model":"\ud800"}`, got{jsonedit.String, `"\ud800"`, `"model":"\ud800"`}},
		{"other duplicates pass", `{"a":1,"a":2,"model":3}`, got{jsonedit.Number, `3`, `"model":3`}},
		{"huge number", `{"model":1e400}`, got{jsonedit.Number, `1e400`, `"model":1e400`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			read := func(f jsonedit.Field) got {
				from, to := f.Member()
				if f.Present() && tc.body[f.Start:f.Start+len(f.Raw)] != string(f.Raw) {
					t.Errorf("Start %d does not point at Raw %q", f.Start, f.Raw)
				}
				return got{f.Kind, string(f.Raw), tc.body[from:to]}
			}
			fields := names("stream", "model")
			if err := jsonedit.Scan([]byte(tc.body), fields); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, read(fields[1])); diff != "" {
				t.Errorf("Scan (-want +got):\n%s", diff)
			}
			if !jsonedit.Find([]byte(tc.body), fields) {
				t.Fatal("Find: not followed")
			}
			if diff := cmp.Diff(tc.want, read(fields[1])); diff != "" {
				t.Errorf("Find (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScanRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		fault      jsonedit.Fault
		offset     int
		text       string
	}{
		{"empty", "", jsonedit.Empty, 0, "the JSON body is empty"},
		{"blank", " \n", jsonedit.Empty, 2, "the JSON body is empty"},
		{"word", "hello", jsonedit.Syntax, 0, "invalid JSON at byte 0: expected a value"},
		{"array", "[1]", jsonedit.NotObject, 0, "the JSON body must be an object, not array"},
		{"string", ` "a" `, jsonedit.NotObject, 1, "the JSON body must be an object, not string"},
		{"number", "1", jsonedit.NotObject, 0, "the JSON body must be an object, not number"},
		{"null", "null", jsonedit.NotObject, 0, "the JSON body must be an object, not null"},
		{"two values", "1 2", jsonedit.Syntax, 2, "invalid JSON at byte 2: expected the end after the value"},
		{"two objects", "{}{}", jsonedit.Syntax, 2, "invalid JSON at byte 2: expected the end after the object"},
		{"garbage behind", `{"a":1} x`, jsonedit.Syntax, 8, "invalid JSON at byte 8: expected the end after the object"},
		{"byte order mark", "\ufeff{}", jsonedit.Syntax, 0, "invalid JSON at byte 0: expected a value"},
		{"UTF-16", "{\x00}\x00", jsonedit.Syntax, 1, "invalid JSON at byte 1: expected a field name in quotes"},
		{"open", `{"a":1`, jsonedit.Syntax, 6, "invalid JSON at byte 6: expected ',' or '}'"},
		{"just open", `{`, jsonedit.Syntax, 1, "invalid JSON at byte 1: expected a field name in quotes"},
		{"no colon", `{"a" 1}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected ':'"},
		{"no value", `{"a":}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected a value"},
		{"trailing comma", `{"a":1,}`, jsonedit.Syntax, 7, "invalid JSON at byte 7: expected a field name in quotes"},
		{"trailing comma nested", `{"a":[1,]}`, jsonedit.Syntax, 8, "invalid JSON at byte 8: expected a value"},
		{"wrong bracket", `{"a":[1}`, jsonedit.Syntax, 7, "invalid JSON at byte 7: expected ',' or ']'"},
		{"wrong brace", `{"a":{"b":1]`, jsonedit.Syntax, 11, "invalid JSON at byte 11: expected ',' or '}'"},
		{"single quotes", `{'a':1}`, jsonedit.Syntax, 1, "invalid JSON at byte 1: expected a field name in quotes"},
		{"comment", `{"a":/**/1}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected a value"},
		{"leading zero", `{"a":01}`, jsonedit.Syntax, 6, "invalid JSON at byte 6: expected ',' or '}'"},
		{"plus", `{"a":+1}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected a value"},
		{"minus alone", `{"a":-}`, jsonedit.Syntax, 6, "invalid JSON at byte 6: expected a digit"},
		{"no fraction", `{"a":1.}`, jsonedit.Syntax, 7, "invalid JSON at byte 7: expected a digit"},
		{"no exponent", `{"a":1e}`, jsonedit.Syntax, 7, "invalid JSON at byte 7: expected a digit"},
		{"NaN", `{"a":NaN}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected a value"},
		{"short literal", `{"a":tru}`, jsonedit.Syntax, 5, "invalid JSON at byte 5: expected a value"},
		{"long literal", `{"a":truee}`, jsonedit.Syntax, 9, "invalid JSON at byte 9: expected ',' or '}'"},
		{"open string", `{"a":"b`, jsonedit.Syntax, 7, "invalid JSON at byte 7: expected the closing quote of a string"},
		{"newline in string", "{\"a\":\"b\n\"}", jsonedit.Syntax, 7, "invalid JSON at byte 7: expected no control character in a string"},
		{"NUL in string", "{\"a\":\"\x00\"}", jsonedit.Syntax, 6, "invalid JSON at byte 6: expected no control character in a string"},
		{"bad escape", `{"a":"\x"}`, jsonedit.Syntax, 6, "invalid JSON at byte 6: expected a valid escape"},
		{"short escape", `{"a":"\u12"}`, jsonedit.Syntax, 6, "invalid JSON at byte 6: expected a valid escape"},
		{"not UTF-8", "{\"a\":\"xyz\xff\"}", jsonedit.BadUTF8, 9, "invalid JSON at byte 9: the string is not valid UTF-8"},
		{"overlong", "{\"a\":\"\xc0\xaf\"}", jsonedit.BadUTF8, 6, "invalid JSON at byte 6: the string is not valid UTF-8"},
		{"encoded surrogate", "{\"a\":\"\xed\xa0\x80\"}", jsonedit.BadUTF8, 6, "invalid JSON at byte 6: the string is not valid UTF-8"},
		{"name not UTF-8", "{\"\xff\":1}", jsonedit.BadUTF8, 2, "invalid JSON at byte 2: the string is not valid UTF-8"},
		{"model twice", `{"model":"a","model":"b"}`, jsonedit.Duplicate, 13, `invalid JSON at byte 13: the field "model" is given twice`},
		{"model twice, escaped", `{"model":"a","\u006dodel":"b"}`, jsonedit.Duplicate, 13, `invalid JSON at byte 13: the field "model" is given twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := jsonedit.Scan([]byte(tc.body), names("model"))
			var e *jsonedit.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Fault != tc.fault || e.Offset != tc.offset || e.Error() != tc.text {
				t.Errorf("got fault %d at %d %q, want %d at %d %q", e.Fault, e.Offset, e, tc.fault, tc.offset, tc.text)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		nested := func(n int) []byte {
			return []byte(`{"x":` + strings.Repeat(pair[0], n) + "1" + strings.Repeat(pair[1], n) + "}")
		}
		if err := jsonedit.Scan(nested(jsonedit.MaxDepth-1), nil); err != nil {
			t.Errorf("%d levels: %v", jsonedit.MaxDepth, err)
		}
		for _, n := range []int{jsonedit.MaxDepth, 100_000} {
			var e *jsonedit.Error
			if err := jsonedit.Scan(nested(n), nil); !errors.As(err, &e) || e.Fault != jsonedit.TooDeep {
				t.Errorf("%d levels: got %v, want TooDeep", n+1, err)
			}
		}
	}
}

// A million members cost one pass: nothing is hashed, so nothing collides.
func TestManyMembers(t *testing.T) { // not parallel: it counts allocations
	body := []byte("{" + strings.Repeat(`"a":1,`, 1_000_000) + `"model":"m"}`)
	fields := names("model")
	if allocs := testing.AllocsPerRun(1, func() {
		if err := jsonedit.Scan(body, fields); err != nil {
			t.Error(err)
		}
	}); allocs > 0 {
		t.Errorf("got %v allocations, want none", allocs)
	}
	if got, ok := fields[0].Text(); got != "m" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestFindGivesUp(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "[]", "x", "{", `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":[1}`, `{"a":"\"}`,
		`{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":?}`, "\xff"} {
		if jsonedit.Find([]byte(body), names("model")) {
			t.Errorf("%q: followed to the end", body)
		}
	}
}

func TestFindStopsEarly(t *testing.T) {
	t.Parallel()
	fields := names("id", "model")
	if !jsonedit.Find([]byte(`{"id":"x","id":"y","model":"m","usage":broken`), fields) {
		t.Fatal("looked behind the last wanted field")
	}
	if string(fields[0].Raw) != `"x"` || string(fields[1].Raw) != `"m"` {
		t.Errorf("got %s and %s", fields[0].Raw, fields[1].Raw)
	}
}
