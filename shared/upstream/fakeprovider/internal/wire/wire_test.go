package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	m, err := wire.DecodeStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFill(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]}`: `{"a":"a"}`,
		`{"type":"object","properties":{"a":{"type":"boolean"}}}`:                                       `{"a":true}`,
		`{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"INTEGER"}}}}`:              `{"a":[1]}`,
		`{"type":"array","minItems":2,"items":{"enum":["x","y"]}}`:                                      `["x","x"]`,
		`{"const":7}`: `7`,
		`{"type":["null","number"],"minimum":2.5}`:           `2.5`,
		`{"type":"integer","exclusiveMinimum":3}`:            `4`,
		`{"anyOf":[{"type":"null"},{"type":"string"}]}`:      `"value"`,
		`{"type":"string","format":"date"}`:                  `"2026-01-02"`,
		`{"type":"string","minLength":7}`:                    `"valuexx"`,
		`{"type":"string","maxLength":2}`:                    `"va"`,
		`{"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}}`: `null`,
		`{}`: `"value"`,
	} {
		if got := string(wire.JSON(wire.Fill(decode(t, schema), 0))); got != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
	endless := decode(t, `{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"required":["a"]}}}`)
	if got := string(wire.JSON(wire.Fill(endless, 0))); len(got) > 200 {
		t.Errorf("a schema that refers to itself makes %s", got)
	}
}

func prompt(text string) *wire.Call {
	c := wire.NewCall("chat", &wire.Request{})
	c.Prompt.Open(wire.User)
	c.Prompt.Say(text)
	return c
}

func TestCompose(t *testing.T) {
	t.Parallel()
	c, tools := prompt("a b c d"), []wire.Tool{{Name: "f"}, {Name: "g"}}
	for name, x := range map[string]struct {
		change func(*wire.Call)
		manner wire.Manner
		want   wire.Answer
	}{
		"plain": {want: wire.Answer{Blocks: []wire.Block{{Pieces: []string{"a", " b", " c", " d"}}}}},
		"limit": {change: func(c *wire.Call) { c.Limit = 2 }, want: wire.Answer{
			Blocks: []wire.Block{{Pieces: []string{"a", " b"}}}, Finish: wire.Length,
		}},
		"limit in hiding": {change: func(c *wire.Call) { c.Limit = 2 }, manner: wire.Manner{Reasoning: 5}, want: wire.Answer{
			Blocks: []wire.Block{{Pieces: []string{}}}, Hidden: 2, Finish: wire.Length,
		}},
		"stop": {change: func(c *wire.Call) { c.Stops = []string{"x", " c"} }, want: wire.Answer{
			Blocks: []wire.Block{{Pieces: []string{"a", " b"}}}, Finish: wire.StopSequence, Stopped: " c",
		}},
		"thoughts": {change: func(c *wire.Call) { c.Thinking, c.Shown, c.Limit = wire.Asked, true, 4 }, want: wire.Answer{Blocks: []wire.Block{
			{Kind: wire.Thought, Pieces: []string{"thought", " one", " two"}}, {Pieces: []string{"a"}},
		}, Finish: wire.Length}},
		"no thoughts": {change: func(c *wire.Call) { c.Thinking = wire.Never }, manner: wire.Manner{Think: 3, Words: 1}, want: wire.Answer{
			Blocks: []wire.Block{{Pieces: []string{"a"}}},
		}},
		"calls": {change: func(c *wire.Call) { c.Tools = tools }, manner: wire.Manner{Calls: 2}, want: wire.Answer{Blocks: []wire.Block{
			{Kind: wire.Called, Name: "f", Pieces: []string{`"value"`}}, {Kind: wire.Called, Name: "g", Pieces: []string{`"value1"`}},
		}, Finish: wire.Calls}},
		"forced": {change: func(c *wire.Call) { c.Tools, c.Force = tools, "g" }, want: wire.Answer{Blocks: []wire.Block{
			{Kind: wire.Called, Name: "g", Pieces: []string{`"value"`}},
		}, Finish: wire.Calls}},
		"blocked": {manner: wire.Manner{Block: true}, want: wire.Answer{Finish: wire.PromptBlocked}},
	} {
		call := *prompt("a b c d")
		if x.change != nil {
			x.change(&call)
		}
		if d := cmp.Diff(x.want, call.Compose(x.manner)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if got := c.Prompt.Tokens(); got != 3+2 {
		t.Errorf("%d tokens", got)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	union := wire.Union(wire.Fields{"x": wire.Integer(1, 3), "y": wire.Filled}, nil)
	rule := wire.Closed(wire.Fields{"a!": wire.List(1, union), "b": wire.Bool})
	for text, want := range map[string]wire.Fault{
		`{}`:                      {At: wire.Path{"a"}, Missing: true},
		`{"a":[{"x":1}],"c":1}`:   {At: wire.Path{"c"}, Unknown: true},
		`{"a":[]}`:                {At: wire.Path{"a"}, Want: "an array with at least 1 elements"},
		`{"a":[{"y":"s"},{}]}`:    {At: wire.Path{"a", 1}, Want: "exactly one of x, y"},
		`{"a":[{"x":4}]}`:         {At: wire.Path{"a", 0, "x"}, Want: "an integer between 1 and 3"},
		`{"a":[{"x":1}],"b":"t"}`: {At: wire.Path{"b"}, Want: "a boolean"},
	} {
		if d := cmp.Diff(&want, rule(nil, any(decode(t, text)))); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	if f := rule(nil, any(decode(t, `{"a":[{"x":1}],"b":null}`))); f != nil {
		t.Errorf("null is not as good as absent: %+v", f)
	}
	if p := (wire.Path{"a", 1, "x"}); p.Dots() != "a.1.x" || p.Brackets() != "a[1].x" {
		t.Errorf("paths %s, %s", p.Dots(), p.Brackets())
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	seal := wire.Seal("a", "x|y")
	if !wire.Sealed("a", seal) || wire.Sealed("b", seal) || wire.Sealed("a", "?") || wire.Sealed("a", "eHg=") {
		t.Error("seals do not hold")
	}
	if s := wire.Sign("a", "x"); s == wire.Sign("b", "x") || s == wire.Sign("a", "y") || !strings.HasPrefix(s, "sig-") {
		t.Error("signatures do not differ")
	}
}

// What is decoded is what is encoded again, but for spaces and the order of keys.
func FuzzDecodeStrict(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[]`, "{\"\xff\":1}", `{"a":1e999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := wire.DecodeStrict([]byte(s))
		if err != nil {
			return
		}
		again, err := wire.DecodeStrict(wire.JSON(m))
		if err != nil || cmp.Diff(m, again) != "" {
			t.Errorf("%q became %v, %v", s, again, err)
		}
	})
}
