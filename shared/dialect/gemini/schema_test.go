package gemini_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// cleaned is what of a schema goes to Google.
func cleaned(schema string) (string, error) {
	r := llm.Request{Messages: hi(), Format: llm.Format{Kind: llm.JSONSchema, Schema: json.RawMessage(schema)}}
	w, err := gemini.Outbound{}.EncodeRequest(&r, dialect.Target{Model: "gemini-2.5-flash"})
	if err != nil {
		return "", err
	}
	var got struct {
		GenerationConfig struct{ ResponseJSONSchema json.RawMessage }
	}
	err = json.Unmarshal(w.Body, &got)
	return string(got.GenerationConfig.ResponseJSONSchema), err
}

func TestSchema(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"kept": {
			`{"type":"object","title":"T","description":"d","properties":{"a":{"type":"integer","minimum":1,"maximum":5},"b":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":2}},"required":["a"],"additionalProperties":false}`,
			`{"type":"object","title":"T","description":"d","properties":{"a":{"type":"integer","minimum":1,"maximum":5},"b":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":2}},"required":["a"],"additionalProperties":false}`,
		},
		"dropped": {
			`{"$schema":"x","$id":"y","$comment":"z","type":"string","examples":["a"],"if":{},"then":{},"not":{},"readOnly":true,"contentEncoding":"base64","x-order":1}`,
			`{"type":"string"}`,
		},
		"dropped in objects": {
			`{"type":"object","properties":{"$schema":{"type":"string","format":"uri"}},"patternProperties":{"^a":{}},"propertyNames":{},"dependentRequired":{}}`,
			`{"type":"object","properties":{"$schema":{"type":"string"}}}`,
		},
		"dropped in arrays": {`{"type":"array","uniqueItems":true,"contains":{},"items":{"type":"number","multipleOf":2,"exclusiveMinimum":0}}`, `{"type":"array","items":{"type":"number"}}`},
		"formats":           {`{"type":"string","format":"date-time"}`, `{"type":"string","format":"date-time"}`},
		"type list":         {`{"type":["string","null"]}`, `{"type":["string","null"]}`},
		"one type":          {`{"type":["string"]}`, `{"type":"string"}`},
		"upper case":        {`{"type":"STRING","nullable":true}`, `{"type":["string","null"]}`},
		"const":             {`{"const":"a"}`, `{"enum":["a"],"type":"string"}`},
		"const number":      {`{"type":"integer","const":5}`, `{"type":"integer","enum":[5]}`},
		"const bool":        {`{"type":"boolean","const":true}`, `{"type":"boolean"}`},
		"enum":              {`{"enum":["a","",null],"type":"string"}`, `{"type":["string","null"],"enum":["a"]}`},
		"enum of all":       {`{"enum":["a",true]}`, `{}`},
		"oneOf":             {`{"oneOf":[{"type":"string"},{"type":"null"}]}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
		"anyOf":             {`{"anyOf":[{"type":"string","x":1},true]}`, `{"anyOf":[{"type":"string"},{}]}`},
		"allOf":             {`{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`, `{"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"],"type":"object"}`},
		"allOf one":         {`{"$defs":{"A":{"type":"string"}},"description":"d","allOf":[{"$ref":"#/$defs/A"}]}`, `{"description":"d","type":"string"}`},
		"tuple":             {`{"type":"array","items":[{"type":"string"},{"type":"number"}]}`, `{"type":"array","prefixItems":[{"type":"string"},{"type":"number"}]}`},
		"map":               {`{"type":"object","additionalProperties":{"type":"string","x":1}}`, `{"type":"object","additionalProperties":{"type":"string"}}`},
		"no type":           {`{"properties":{"a":{"items":{}}}}`, `{"properties":{"a":{"items":{},"type":"array"}},"type":"object"}`},
		"required unknown":  {`{"type":"object","properties":{"a":{}},"required":["a","b","a"]}`, `{"type":"object","properties":{"a":{}},"required":["a"]}`},
		"required none":     {`{"type":"object","required":["b"]}`, `{"type":"object"}`},
		"ref": {
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A","description":"own"},"b":{"$ref":"#/definitions/B~1x"}},"$defs":{"A":{"type":"string","description":"its"}},"definitions":{"B/x":{"type":"number"}}}`,
			`{"type":"object","properties":{"a":{"type":"string","description":"own"},"b":{"type":"number"}}}`,
		},
		"recursion": {
			`{"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{"v":{"type":"string"},"next":{"$ref":"#/$defs/Node","description":"gone"}}}}}`,
			`{"type":"object","properties":{"v":{"type":"string"},"next":{"$ref":"#/$defs/def0"}},"$defs":{"def0":{"type":"object","properties":{"v":{"type":"string"},"next":{"$ref":"#/$defs/def0"}}}}}`,
		},
		"root recursion": {
			`{"type":"object","properties":{"child":{"$ref":"#"}}}`,
			`{"type":"object","properties":{"child":{"type":"object","properties":{"child":{"$ref":"#/$defs/def0"}}}},"$defs":{"def0":{"type":"object","properties":{"child":{"$ref":"#/$defs/def0"}}}}}`,
		},
		"two that lead to each other": {
			`{"$ref":"#/$defs/A","$defs":{"A":{"type":"array","items":{"$ref":"#/$defs/B"}},"B":{"type":"array","items":{"$ref":"#/$defs/A"}}}}`,
			`{"type":"array","items":{"type":"array","items":{"$ref":"#/$defs/def0"}},"$defs":{"def0":{"type":"array","items":{"type":"array","items":{"$ref":"#/$defs/def0"}}}}}`,
		},
		"ref to itself": {`{"$ref":"#"}`, `{"$ref":"#/$defs/def0","$defs":{"def0":{"$ref":"#/$defs/def0"}}}`},
	} {
		got, err := cleaned(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, c.want)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"no JSON":      `{`,
		"list":         `[]`,
		"number":       `5`,
		"outside":      `{"$ref":"https://example.com/a.json"}`,
		"a file":       `{"$ref":"file:///etc/passwd"}`,
		"nowhere":      `{"$ref":"#/$defs/A"}`,
		"depth bomb":   strings.Repeat(`{"items":`, 150) + `{}` + strings.Repeat(`}`, 150),
		"deeper":       strings.Repeat(`{"items":`, 5000) + `{}` + strings.Repeat(`}`, 5000),
		"many schemas": `{"anyOf":[` + strings.Repeat(`{},`, 30_000) + `{}]}`,
	} {
		if got, err := cleaned(in); err == nil {
			t.Errorf("%s passes: %.200s", name, got)
		}
	}
}

// Schemas that would grow without end, or to the size of a disk, stay small and are done soon.
func TestSchemaBombs(t *testing.T) {
	t.Parallel()
	doubling := &strings.Builder{}
	for i := range 60 {
		fmt.Fprintf(doubling, `"d%d":{"type":"object","properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}},`, i, i+1, i+1)
	}
	chain, all := &strings.Builder{}, &strings.Builder{}
	for i := range 2000 {
		fmt.Fprintf(chain, `"d%d":{"$ref":"#/$defs/d%d"},`, i, i+1)
		fmt.Fprintf(all, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+2)
	}
	mesh := &strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(mesh, `"d%d":{"anyOf":[`, i)
		for k := range 40 {
			fmt.Fprintf(mesh, `{"$ref":"#/$defs/d%d"},`, k)
		}
		mesh.WriteString(`{}]},`)
	}
	wide := &strings.Builder{}
	for i := range 200_000 {
		fmt.Fprintf(wide, `"n%d",`, i)
	}
	for name, in := range map[string]string{
		"doubling": `{"$ref":"#/$defs/d0","$defs":{` + doubling.String() + `"d60":{"type":"string"}}}`,
		"chain":    `{"$ref":"#/$defs/d0","$defs":{` + chain.String() + `"d2000":{"type":"string"}}}`,
		"allOf":    `{"$ref":"#/$defs/d0","$defs":{` + all.String() + `"d2000":{"type":"string"},"d2001":{"type":"string"}}}`,
		"mesh":     `{"$ref":"#/$defs/d0","$defs":{` + mesh.String() + `"x":{}}}`,
		"required": `{"type":"object","properties":{"n1":{}},"required":[` + wide.String() + `"n1"]}`,
		"types":    `{"type":[` + wide.String() + `"string"]}`,
	} {
		start := time.Now()
		got, err := cleaned(in)
		if took := time.Since(start); took > 20*time.Second || len(got) > 4<<20 {
			t.Errorf("%s: %v, %d bytes, %v", name, took, len(got), err)
		}
		if err == nil && !json.Valid([]byte(got)) {
			t.Errorf("%s: no JSON", name)
		}
	}
}
