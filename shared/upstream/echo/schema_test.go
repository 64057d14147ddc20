package echo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/echo"
)

const tree = `"$defs": {"node": {"type": "object", "required": ["value", "next", "children"], "properties": {"value": {"type": "integer"},
	"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}`

func TestFill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, want string }{
		"anything":           {`{}`, `"text"`},
		"true":               {`true`, `"text"`},
		"string":             {`{"type": "string"}`, `"text"`},
		"long string":        {`{"type": "string", "minLength": 6}`, `"textte"`},
		"short string":       {`{"type": "string", "maxLength": 2}`, `"te"`},
		"date":               {`{"type": "string", "format": "date"}`, `"2024-01-01"`},
		"unknown format":     {`{"type": "string", "format": "regex"}`, `"text"`},
		"pattern":            {`{"type": "string", "pattern": "^[A-Z]{2}-\\d{3}(x|y)?z+$"}`, `"AA-111z"`},
		"pattern of text":    {`{"type": "string", "pattern": "^[a-z]+$"}`, `"text"`},
		"pattern unknown":    {`{"type": "string", "pattern": "^(?=x)x$"}`, `"text"`},
		"pattern too heavy":  {`{"type": "string", "pattern": "^[\\pL]{1000}$"}`, `"text"`},
		"pattern of nothing": {`{"type": "string", "pattern": "a\\bb"}`, `"text"`},
		"enum":               {`{"type": "string", "enum": ["b", "a"]}`, `"b"`},
		"enum of objects":    {`{"enum": [{"b": [1, "<", null, true], "a": 1.50}]}`, `{"b": [1, "<", null, true], "a": 1.50}`},
		"const":              {`{"const": null, "type": "string"}`, `null`},
		"boolean":            {`{"type": "boolean"}`, `true`},
		"null":               {`{"type": "null"}`, `null`},
		"nullable":           {`{"type": ["string", "null"]}`, `"text"`},
		"null first":         {`{"type": ["null", "string"]}`, `null`},
		"integer":            {`{"type": "integer"}`, `1`},
		"minimum":            {`{"type": "integer", "minimum": 18}`, `18`},
		"fraction":           {`{"type": "integer", "minimum": 1.5}`, `2`},
		"exclusive":          {`{"type": "integer", "exclusiveMinimum": 18}`, `19`},
		"exclusive, draft 4": {`{"type": "integer", "minimum": 18, "exclusiveMinimum": true}`, `19`},
		"maximum":            {`{"type": "integer", "maximum": -5}`, `-5`},
		"below":              {`{"type": "integer", "exclusiveMaximum": 1}`, `0`},
		"below, draft 4":     {`{"type": "integer", "maximum": 1, "exclusiveMaximum": true}`, `0`},
		"step":               {`{"type": "integer", "minimum": 11, "multipleOf": 5}`, `15`},
		"step down":          {`{"type": "integer", "maximum": -1, "multipleOf": 5}`, `-5`},
		"number":             {`{"type": "number"}`, `1`},
		"number, fraction":   {`{"type": "number", "minimum": 2.5}`, `2.5`},
		"between":            {`{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}`, `0.25`},
		"above, at most":     {`{"type": "number", "exclusiveMinimum": 0.25, "maximum": 0.5}`, `0.5`},
		"number, step":       {`{"type": "number", "minimum": 2.25, "multipleOf": 0.1}`, `2.3`},
		"huge":               {`{"type": "number", "minimum": 1e999}`, `1`},
		"number by minimum":  {`{"minimum": 3}`, `3`},
		"object":             {`{"type": "object"}`, `{}`},
		"required": {`{"type": "object", "properties": {"b": {"type": "null"}, "x": {}, "a": {"type": "boolean"}}, "required": ["a", "b", "c"]}`,
			`{"b": null, "a": true, "c": "text"}`},
		"object by a member": {`{"properties": {"a": {}}}`, `{}`},
		"other members":      {`{"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}}`, `{"a": 1}`},
		"enough members":     {`{"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"], "minProperties": 2}`, `{"b": "text", "a": "text"}`},
		"nested": {`{"type": "object", "required": ["a"], "properties": {"a": {"type": "object", "required": ["b"], "properties": {"b": {"type": "array", "items": {"type": "integer"}}}}}}`,
			`{"a": {"b": [1]}}`},
		"array":    {`{"type": "array"}`, `["text"]`},
		"items":    {`{"type": "array", "items": {"enum": [2, 1]}, "minItems": 3}`, `[2, 2, 2]`},
		"no items": {`{"type": "array", "maxItems": 0}`, `[]`},
		"tuple": {`{"type": "array", "prefixItems": [{"type": "integer"}, {"type": "null"}], "items": {"type": "boolean"}, "minItems": 3}`,
			`[1, null, true]`},
		"tuple, draft 4":      {`{"items": [{"type": "integer"}, {"type": "null"}]}`, `[1, null]`},
		"items by themselves": {`{"items": {"type": "null"}}`, `[null]`},
		"any of":              {`{"anyOf": [false, {"type": "integer"}, {"type": "null"}]}`, `1`},
		"one of":              {`{"oneOf": [{"type": "boolean"}, {"type": "null"}]}`, `true`},
		"all of": {`{"allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}, {"required": ["b"], "properties": {"a": {"minimum": 7}}}]}`,
			`{"a": 7, "b": "text"}`},
		"any of, and more": {`{"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "integer"}}, "anyOf": [{"required": ["b"]}, {"required": ["a"]}]}`,
			`{"b": 1}`},
		"two choices":       {`{"anyOf": [{"type": "integer"}], "oneOf": [{"minimum": 4}]}`, `4`},
		"reference":         {`{"$ref": "#/$defs/a~1b/c%20d/1", "$defs": {"a/b": {"c d": [{}, {"type": "null"}]}}}`, `null`},
		"definitions":       {`{"allOf": [{"$ref": "#/definitions/a"}], "description": "x", "definitions": {"a": {"type": "integer"}}}`, `1`},
		"reference twice":   {`{"type": "array", "prefixItems": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "null"}}}`, `[null, null]`},
		"tree":              {`{"$ref": "#/$defs/node", ` + tree + `}`, `{"value": 1, "next": null, "children": []}`},
		"tree within":       {`{"type": "array", "items": {"$ref": "#/$defs/node"}, ` + tree + `}`, `[{"value": 1, "next": null, "children": []}]`},
		"itself":            {`{"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [{"$ref": "#"}, {"type": "integer"}]}}}`, `{"a": 1}`},
		"itself, in a list": {`{"type": "array", "items": {"$ref": "#"}}`, `[]`},
	} {
		got, err := echo.Fill([]byte(c.schema))
		if got != c.want || err != nil {
			t.Errorf("%s: %s, %v, not %s", name, got, err, c.want)
		}
	}
}

// Schemas without a value are refused, and those that ask for more than one request should have.
func TestCannotFill(t *testing.T) {
	t.Parallel()
	double := `{"$ref": "#/$defs/a0", "$defs": {`
	for i := range 40 {
		double += fmt.Sprintf(`"a%d": {"type": "array", "prefixItems": [{"$ref": "#/$defs/a%d"}, {"$ref": "#/$defs/a%d"}]}, `, i, i+1, i+1)
	}
	double += `"a40": {"type": "null"}}}`
	for name, c := range map[string]struct{ schema, want string }{
		"nothing":         {`false`, "no value"},
		"no end":          {`{"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}`, "no value"},
		"no end in items": {`{"type": "array", "items": {"$ref": "#"}, "minItems": 1}`, "no value"},
		"no choice":       {`{"anyOf": [false, {"$ref": "#"}]}`, "no value"},
		"deep":            {strings.Repeat(`{"type": "array", "minItems": 1, "items": `, 100) + "{}" + strings.Repeat("}", 100), "no value"},
		"elsewhere":       {`{"$ref": "https://example.com/schema"}`, "refers to nothing"},
		"nowhere":         {`{"$ref": "#/$defs/a", "$defs": {}}`, "refers to nothing"},
		"not rooted":      {`{"$ref": "#a"}`, "refers to nothing"},
		"long":            {`{"type": "string", "minLength": 1e9}`, "bytes"},
		"many":            {`{"type": "array", "minItems": 1e300}`, "bytes"},
		"many nulls":      {`{"type": "array", "items": {"type": "null"}, "minItems": 30000}`, "steps"},
		"doubled":         {double, "steps"},
		"patterns":        {`{"type": "array", "items": {"type": "string", "pattern": "[\\pL]{1000}"}, "minItems": 1000}`, "steps"},
		"wide":            {`{"type": "object", "required": [` + strings.Repeat(`"a",`, 30_000) + `"a"]}`, "steps"},
		"alternatives":    {`{"anyOf": [` + strings.Repeat(`{"$ref": "#"},`, 30_000) + `{}]}`, "steps"},
	} {
		got, err := echo.Fill([]byte(c.schema))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.100s, %v", name, got, err)
		}
	}
}

// Whatever the schema, the value is JSON and always the same.
func FuzzFill(f *testing.F) {
	for _, seed := range []string{
		`{"$ref": "#/$defs/node", ` + tree + `}`, `{"type": ["integer"], "minimum": -0.0, "multipleOf": 3, "exclusiveMaximum": 2}`, `{"enum": [{"a": 1}]}`,
		`{"type": "string", "pattern": "^(a|b){3}\\w[^x]$", "maxLength": 2}`, `{"items": [{}, false], "allOf": [{"anyOf": [{"$ref": "#"}, {"const": "\u0000"}]}]}`,
		`{"required": ["a", 1], "properties": {"a": {"type": "array", "minItems": 2}}, "minProperties": 3}`, `[{"a": "b"}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, schema string) {
		if !json.Valid([]byte(schema)) {
			return
		}
		got, err := echo.Fill([]byte(schema))
		if again, _ := echo.Fill([]byte(schema)); again != got {
			t.Errorf("%s, and then %s", got, again)
		}
		if err == nil && !json.Valid([]byte(got)) {
			t.Errorf("%q is not JSON", got)
		}
	})
}
