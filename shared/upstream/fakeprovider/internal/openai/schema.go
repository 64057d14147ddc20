package openai

import (
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// StrictSchema says what a strict schema lacks: every object must forbid other properties and require all of its own (OpenAI's
// guide "Structured model outputs", read 2026-11). It is empty if nothing does.
func StrictSchema(schema map[string]any) string {
	if len(schema) == 0 {
		return "the schema is empty"
	}
	if wire.Text(schema, "type") != "object" {
		return `schema must be a JSON Schema of 'type: "object"'`
	}
	return strictly(schema, "()")
}

func strictly(s map[string]any, at string) string {
	properties := wire.Sub(s, "properties")
	if slices.Contains(wire.Strings(s, "type"), "object") || properties != nil {
		if s["additionalProperties"] != false {
			return "In context=" + at + ", 'additionalProperties' is required to be supplied and to be false."
		}
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if !slices.Contains(wire.Strings(s, "required"), name) {
				return "In context=" + at + ", 'required' is required to be supplied and to be an array including every key in " +
					"properties. Missing '" + name + "'."
			}
		}
	}
	for _, key := range []string{"oneOf", "allOf", "not", "if", "patternProperties"} {
		if s[key] != nil {
			return "In context=" + at + ", '" + key + "' is not permitted."
		}
	}
	for _, key := range []string{"properties", "$defs", "definitions"} {
		for _, name := range slices.Sorted(maps.Keys(wire.Sub(s, key))) {
			if bad := strictly(wire.Sub(wire.Sub(s, key), name), "('"+key+"', '"+name+"')"); bad != "" {
				return bad
			}
		}
	}
	for _, option := range wire.Items(s, "anyOf") {
		if bad := strictly(option, "('anyOf')"); bad != "" {
			return bad
		}
	}
	if items := wire.Sub(s, "items"); items != nil {
		return strictly(items, "('items')")
	}
	return ""
}

// CheckStrict refuses a schema that is called strict and is not.
func CheckStrict(param, what string, schema map[string]any, strict bool) *wire.Refusal {
	if !strict {
		return nil
	}
	if bad := StrictSchema(schema); bad != "" {
		return coded(param, "invalid_json_schema", "Invalid schema for "+what+": "+bad)
	}
	return nil
}
