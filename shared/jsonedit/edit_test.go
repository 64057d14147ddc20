package jsonedit_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	type change struct {
		field string
		raw   string // empty: delete
	}
	for _, tc := range []struct {
		name, body, want string
		changes          []change
	}{
		{"nothing", ` { "a" : 1 } `, ` { "a" : 1 } `, nil},
		{"set", `{"a":1, "b" : "x" ,"c":3}`, `{"a":1, "b" : [2] ,"c":3}`, []change{{"b", "[2]"}}},
		{"set out of order", `{"a":1,"b":2}`, `{"a":10,"b":20}`, []change{{"b", "20"}, {"a", "10"}}},
		{"insert", "{\"a\":1\n}", "{\"a\":1,\"n\":2\n}", []change{{"n", "2"}}},
		{"insert two", `{"a":1}`, `{"a":1,"n":2,"m":3}`, []change{{"n", "2"}, {"m", "3"}}},
		{"insert into empty", `{ }`, `{ "n":2}`, []change{{"n", "2"}}},
		{"insert two into empty", `{}`, `{"n":2,"m":3}`, []change{{"n", "2"}, {"m", "3"}}},
		{"insert a quoted name", `{}`, `{"q\"":2}`, []change{{`q"`, "2"}}},
		{"delete first", `{"a":1, "b":2}`, `{ "b":2}`, []change{{"a", ""}}},
		{"delete middle", `{"a":1, "b":2 ,"c":3}`, `{"a":1 ,"c":3}`, []change{{"b", ""}}},
		{"delete last", `{"a":1, "b":2 }`, `{"a":1 }`, []change{{"b", ""}}},
		{"delete only", `{ "a":1 }`, `{  }`, []change{{"a", ""}}},
		{"delete first two", `{"a":1,"b":2,"c":3}`, `{"c":3}`, []change{{"b", ""}, {"a", ""}}},
		{"delete last two", `{"a":1,"b":2,"c":3}`, `{"a":1}`, []change{{"c", ""}, {"b", ""}}},
		{"delete outer two", `{"a":1,"b":2,"c":3}`, `{"b":2}`, []change{{"c", ""}, {"a", ""}}},
		{"delete all", `{"a":1,"b":2,"c":3}`, `{}`, []change{{"c", ""}, {"b", ""}, {"a", ""}}},
		{"delete all, insert", `{"a":1,"b":2}`, `{"n":1,"m":2}`, []change{{"n", "1"}, {"b", ""}, {"m", "2"}, {"a", ""}}},
		{"delete last, insert", `{"a":1,"b":2}`, `{"a":1,"n":1}`, []change{{"n", "1"}, {"b", ""}}},
		{"delete first, set second", `{"a":1,"b":2}`, `{"b":3}`, []change{{"b", "3"}, {"a", ""}}},
		{"delete absent", `{"a":1}`, `{"a":1}`, []change{{"x", ""}}},
		{"two of one field", `{"a":1,"b":2}`, `{"a":5,"b":2}`, []change{{"a", "5"}, {"a", "6"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fields := make([]jsonedit.Field, len(tc.changes))
			byName := map[string]int{}
			wanted := fields[:0]
			for _, c := range tc.changes {
				if _, ok := byName[c.field]; !ok {
					byName[c.field] = len(wanted)
					wanted = append(wanted, jsonedit.Field{Name: c.field})
				}
			}
			for _, scan := range []func() bool{
				func() bool { return jsonedit.Scan([]byte(tc.body), wanted) == nil },
				func() bool { return jsonedit.Find([]byte(tc.body), wanted) },
			} {
				if !scan() {
					t.Fatal("not read")
				}
				var edits []jsonedit.Edit
				for _, c := range tc.changes {
					f := &wanted[byName[c.field]]
					if c.raw == "" {
						edits = append(edits, f.Delete())
					} else {
						edits = append(edits, f.Set([]byte(c.raw)))
					}
				}
				if got := jsonedit.Replace([]byte("kept "), []byte(tc.body), edits...); string(got) != "kept "+tc.want {
					t.Errorf("got  %s\nwant %s", got, tc.want)
				}
			}
		})
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\n\r\t\x7f", "ü漢😀\u2028", "<&>", "bad \xff\xc0 end", "\xed\xa0\x80"} {
		got := jsonedit.Quote(s)
		var back string
		if err := json.Unmarshal(got, &back); err != nil || !utf8.Valid(got) {
			t.Errorf("Quote(%q) = %s: %v", s, got, err)
		}
		if want := string([]rune(s)); back != want {
			t.Errorf("Quote(%q) reads back as %q, want %q", s, back, want)
		}
	}
}
