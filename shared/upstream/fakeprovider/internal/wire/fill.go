package wire

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// maxDepth bounds how deep a value is filled; a schema may refer to itself.
const maxDepth = 12

// Fill makes a value that a JSON schema allows, always the same: every required property, the first of an enum, the lowest of a
// range, strings that repeat the property's name. The n-th tool call has n after its strings, if n is not 0. Patterns are not
// understood.
func Fill(schema map[string]any, n int) any {
	f := filler{root: schema}
	if n > 0 {
		f.suffix = string(JSON(n))
	}
	return f.value(schema, "value", 0)
}

type filler struct {
	root   map[string]any
	suffix string
}

func (f *filler) value(s map[string]any, name string, depth int) any {
	s = f.resolve(s, 0)
	if v, ok := s["const"]; ok {
		return v
	}
	if list, _ := s["enum"].([]any); len(list) > 0 {
		return list[0]
	}
	switch typeOf(s) {
	case "object":
		return f.object(s, depth)
	case "array":
		return f.array(s, name, depth)
	case "integer", "number":
		return number(s)
	case "boolean":
		return true
	case "null":
		return nil
	}
	return f.text(s, name)
}

// resolve follows references and takes the first alternative that is not null.
func (f *filler) resolve(s map[string]any, hops int) map[string]any {
	if hops > maxDepth {
		return map[string]any{}
	}
	if ref, ok := s["$ref"].(string); ok {
		return f.resolve(f.lookUp(ref), hops+1)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		for _, option := range Items(s, key) {
			if option = f.resolve(option, hops+1); typeOf(option) != "null" {
				merged := maps.Clone(s)
				delete(merged, key)
				maps.Copy(merged, option)
				return f.resolve(merged, hops+1)
			}
		}
	}
	return s
}

func (f *filler) lookUp(ref string) map[string]any {
	at := f.root
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#"), "/") {
		if step != "" {
			at = Sub(at, step)
		}
	}
	return at
}

// typeOf is the schema's type in lower case; of several, the first that is not null.
func typeOf(s map[string]any) string {
	types := Strings(s, "type")
	for _, t := range types {
		if t = strings.ToLower(t); t != "null" {
			return t
		}
	}
	switch {
	case len(types) > 0:
		return "null"
	case s["properties"] != nil:
		return "object"
	case s["items"] != nil:
		return "array"
	}
	return ""
}

func (f *filler) object(s map[string]any, depth int) any {
	properties, filled := Sub(s, "properties"), map[string]any{}
	names := Strings(s, "required")
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(properties))
	}
	for _, name := range names {
		if depth < maxDepth {
			filled[name] = f.value(Sub(properties, name), name, depth+1)
		}
	}
	return filled
}

func (f *filler) array(s map[string]any, name string, depth int) any {
	list := []any{}
	for range max(1, Count(s, "minItems", 1)) {
		if depth < maxDepth {
			list = append(list, f.value(Sub(s, "items"), name, depth+1))
		}
	}
	return list
}

func number(s map[string]any) any {
	if low, ok := s["minimum"]; ok {
		return low
	}
	if low, ok := Number(s, "exclusiveMinimum"); ok {
		return int64(low) + 1
	}
	if high, ok := Number(s, "maximum"); ok && high < 1 {
		return s["maximum"]
	}
	if step, ok := s["multipleOf"].(json.Number); ok {
		return step
	}
	return 1
}

// formats are values for strings of a known format.
var formats = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "time": "03:04:05Z", "email": "someone@example.com",
	"uri": "https://example.com/", "uuid": "00000000-0000-4000-8000-000000000000", "ipv4": "192.0.2.1", "hostname": "example.com",
}

func (f *filler) text(s map[string]any, name string) string {
	if v, ok := formats[Text(s, "format")]; ok {
		return v
	}
	text := name + f.suffix
	for len(text) < Count(s, "minLength", 0) {
		text += "x"
	}
	return text[:min(len(text), Count(s, "maxLength", len(text)))]
}
