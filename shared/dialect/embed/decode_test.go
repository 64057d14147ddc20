package embed_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       dialect.Embedding
		unknown    []string
	}{
		{"a text", `{"model":"m","input":"hello"}`, dialect.Embedding{Inputs: []string{"hello"}}, nil},
		{
			"texts", `{"input":["a \u00e9\n" , "b]\"},"],"encoding_format":"base64","dimensions":256,"user":"u","input_type":"query"}`,
			dialect.Embedding{Inputs: []string{"a é\n", "b]\"},"}, Base64: true, Dimensions: 256, User: "u", Purpose: embed.SearchQuery}, nil,
		},
		{"tokens", `{"input":[ 15339, 1917 ]}`, dialect.Embedding{Tokens: [][]int64{{15339, 1917}}}, nil},
		{"lists of tokens", `{"input":[[15339],[ 0 ,2147483648]]}`, dialect.Embedding{Tokens: [][]int64{{15339}, {0, 1 << 31}}}, nil},
		{
			"nulls", `{"input":"x","encoding_format":null,"dimensions":null,"user":null,"input_type":null}`,
			dialect.Embedding{Inputs: []string{"x"}}, nil,
		},
		{"float", `{"input":"x","encoding_format":"float"}`, dialect.Embedding{Inputs: []string{"x"}}, nil},
		{
			"the gateway's own fields", `{"input":"x","model":"m","tags":["t"],"metadata":{"tags":["t"]},"litellm_metadata":{},"drop_params":true}`,
			dialect.Embedding{Inputs: []string{"x"}}, nil,
		},
		{
			"unknown fields", `{"truncate":"END","model":"m","input":"x","a":{"b":[1]}}`, dialect.Embedding{Inputs: []string{"x"}},
			[]string{"a", "truncate"},
		},
		{"the most inputs", `{"input":[` + repeat(`"x"`, 2048) + `]}`, dialect.Embedding{Inputs: strings.Split(repeat("x", 2048), ",")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, unknown, err := embed.Decode([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, &c.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(unknown, c.unknown); diff != "" {
				t.Errorf("unknown (-got +want):\n%s", diff)
			}
		})
	}
}

func repeat(element string, n int) string {
	return strings.TrimSuffix(strings.Repeat(element+",", n), ",")
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, param string }{
		{"nothing", ``, ""},
		{"no JSON", `{"input":`, ""},
		{"a list", `[]`, ""},
		{"no input", `{"model":"m"}`, "input"},
		{"null", `{"input":null}`, "input"},
		{"a number", `{"input":5}`, "input"},
		{"an object", `{"input":{"text":"x"}}`, "input"},
		{"an empty text", `{"input":""}`, "input"},
		{"an empty list", `{"input":[ ]}`, "input"},
		{"an empty text in a list", `{"input":["a","b","c",""]}`, "input[3]"},
		{"an empty list in a list", `{"input":[[1],[]]}`, "input[1]"},
		{"a null in a list", `{"input":["a",null]}`, "input[1]"},
		{"nulls", `{"input":[null]}`, "input[0]"},
		{"objects", `{"input":[{"text":"a"}]}`, "input[0]"},
		{"a token among texts", `{"input":["a",1]}`, "input[1]"},
		{"a text among tokens", `{"input":[1,"a"]}`, "input[1]"},
		{"a text among lists", `{"input":[[1],"a"]}`, "input[1]"},
		{"a list among texts", `{"input":["a",["b"]]}`, "input[1]"},
		{"texts in lists", `{"input":[["a"]]}`, "input[0][0]"},
		{"a negative token", `{"input":[1,-1]}`, "input[1]"},
		{"half a token", `{"input":[[1],[2,1.5]]}`, "input[1][1]"},
		{"a large token", `{"input":[[2147483649]]}`, "input[0][0]"},
		{"too many inputs", `{"input":[` + repeat(`"x"`, 2049) + `]}`, "input"},
		{"too many tokens", `{"input":[` + repeat(`1`, 300_001) + `]}`, "input"},
		{"too many tokens in all", `{"input":[` + repeat(`[`+repeat(`1`, 1000)+`]`, 301) + `]}`, "input"},
		{"a bad format", `{"input":"x","encoding_format":"hex"}`, "encoding_format"},
		{"a format of the wrong type", `{"input":"x","encoding_format":1}`, "encoding_format"},
		{"no dimensions", `{"input":"x","dimensions":0}`, "dimensions"},
		{"dimensions of the wrong type", `{"input":"x","dimensions":"256"}`, "dimensions"},
		{"a bad purpose", `{"input":"x","input_type":"image"}`, "input_type"},
		{"a purpose of the wrong type", `{"input":"x","input_type":["query"]}`, "input_type"},
		{"a user of the wrong type", `{"input":"x","user":7}`, "user"},
		{"input twice", `{"input":"x","input":"y"}`, "input"},
		{"where the call goes", `{"input":"x","api_base":"http://x"}`, "api_base"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := embed.Decode([]byte(c.body))
			if err == nil {
				t.Fatalf("it was read: %+v", got)
			}
			e := asError(t, err)
			if e.Status() != 400 || e.Param != c.param || !strings.Contains(e.Message, c.param) {
				t.Errorf("got %d, param %q, want %q: %s", e.Status(), e.Param, c.param, e.Message)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	if err := embed.Unknown(nil, nil); err != nil {
		t.Error(err)
	}
	if err := embed.Unknown([]string{"a", "b"}, func(string) bool { return true }); err != nil {
		t.Error(err)
	}
	err := embed.Unknown([]string{"a", "b"}, func(name string) bool { return name == "a" })
	if err == nil || asError(t, err).Param != "b" {
		t.Errorf("got %v", err)
	}
}

func TestDetokenize(t *testing.T) {
	t.Parallel()
	e := &dialect.Embedding{Tokens: [][]int64{{15339, 1917}, {9468, 239, 235}, {9468}, {239, 235, 0}}, User: "u"}
	got, err := embed.Detokenize(e)
	if err != nil {
		t.Fatal(err)
	}
	want := &dialect.Embedding{Inputs: []string{"hello world", "👍", "\ufffd", "\ufffd!"}, User: "u"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if again, err := embed.Detokenize(got); err != nil || again != got {
		t.Errorf("texts became %v, %v", again, err)
	}
	if len(e.Tokens) != 4 || e.Inputs != nil {
		t.Error("the argument was changed")
	}
}

// FuzzDecode: whatever the bytes, what is read fits the limits and can be written for every vendor.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"input":"x"}`, `{"input":["a","\u0000"],"dimensions":1}`, `{"input":[1,2],"encoding_format":"base64"}`, `{"input":[[1],[2]],"z":[{}]}`,
		`{"input":[[],"`, `{"input":[1 ,]}`, `{"input":["a"],"input_type":"clustering"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, _, err := embed.Decode(body)
		if err != nil {
			if e := asError(t, err); e.Status() != 400 {
				t.Fatalf("%d: %v", e.Status(), err)
			}
			return
		}
		if n := len(e.Inputs) + len(e.Tokens); n == 0 || n > 2048 || len(e.Inputs) > 0 && len(e.Tokens) > 0 {
			t.Fatalf("%d texts and %d lists of tokens", len(e.Inputs), len(e.Tokens))
		}
		for op, d := range embed.Dialects {
			for _, part := range embed.Parts(d, e, "m") {
				wire, err := d.EncodeEmbedding(&part, dialect.Target{Model: "m", Drop: func(string) bool { return true }})
				if err == nil {
					mustBeJSON(t, wire.Body, fmt.Sprintf("%s writes", op))
				} else if e := asError(t, err); e.Status() != 400 {
					t.Fatalf("%s: %v", op, err)
				}
			}
		}
	})
}
