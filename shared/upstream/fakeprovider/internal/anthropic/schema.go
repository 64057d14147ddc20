package anthropic

import (
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// unsupported are what no strict schema may use (guide "Structured outputs", read 2026-11).
var unsupported = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems",
	"patternProperties", "if", "not",
}

// checkSchemas looks at the schemas that answers and strict tools must obey.
func checkSchemas(r *wire.Request) *wire.Refusal {
	if s := wire.Sub(wire.Sub(wire.Sub(r.Fields, "output_config"), "format"), "schema"); s != nil {
		if bad := strictly(s); bad != "" {
			return invalid("output_config.format.schema: " + bad)
		}
	}
	for _, t := range wire.Items(r.Fields, "tools") {
		if wire.Flag(t, "strict") {
			if bad := strictly(wire.Sub(t, "input_schema")); bad != "" {
				return invalid("tools." + wire.Text(t, "name") + ".input_schema: " + bad)
			}
		}
	}
	return nil
}

func strictly(s map[string]any) string {
	kinds := wire.Strings(s, "type")
	if slices.Contains(kinds, "object") && s["additionalProperties"] != false {
		return "For 'object' type, 'additionalProperties' must be explicitly set to false"
	}
	for _, name := range unsupported {
		if s[name] != nil {
			return "For '" + wire.First(append(kinds, "any")...) + "' type, property '" + name + "' is not supported"
		}
	}
	for _, key := range []string{"properties", "$defs", "definitions"} {
		for _, name := range slices.Sorted(maps.Keys(wire.Sub(s, key))) {
			if bad := strictly(wire.Sub(wire.Sub(s, key), name)); bad != "" {
				return bad
			}
		}
	}
	for _, key := range []string{"anyOf", "allOf", "oneOf"} {
		for _, option := range wire.Items(s, key) {
			if bad := strictly(option); bad != "" {
				return bad
			}
		}
	}
	if items := wire.Sub(s, "items"); items != nil {
		return strictly(items)
	}
	return ""
}
