package messages_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Schemas keep their order and lose what Anthropic does not take.
func TestSchema(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"nested": {
			`{"$schema":"x","type":"object","properties":{"list":{"type":"array","minItems":2,"maxItems":3,"items":{"type":"object","properties":{"q":{"type":"string","format":"date","maxLength":5}}}},"a":{"type":["object","null"],"properties":{}}},"additionalProperties":true}`,
			`{"type":"object","properties":{"list":{"type":"array","items":{"type":"object","properties":{"q":{"type":"string","format":"date","description":"{maxLength: 5}"}},"additionalProperties":false},"description":"{minItems: 2, maxItems: 3}"},"a":{"type":["object","null"],"properties":{},"additionalProperties":false}},"additionalProperties":false}`,
		},
		"choices": {
			`{"type":"object","properties":{"x":{"oneOf":[{"type":"string","format":"color","description":"D"},{"$ref":"#/$defs/n","description":"gone"}]}},"$defs":{"n":{"type":"number","multipleOf":2}}}`,
			`{"type":"object","properties":{"x":{"anyOf":[{"type":"string","description":"D\n\n{format: \"color\"}"},{"$ref":"#/$defs/n"}]}},"$defs":{"n":{"type":"number","description":"{multipleOf: 2}"}},"additionalProperties":false}`,
		},
		"map":       {`{"type":"object","additionalProperties":{"type":"string","minLength":1}}`, `{"type":"object","additionalProperties":{"type":"string","description":"{minLength: 1}"}}`},
		"reference": {`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object"}}}`, `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","additionalProperties":false}}}`},
		"few":       {`{"type":"object","properties":{"a":{"type":"array","minItems":1,"items":true},"b":{"enum":[1,"x"]},"c":{"const":null,"default":{"type":"x"}}}}`, `{"type":"object","properties":{"a":{"type":"array","minItems":1,"items":true},"b":{"enum":[1,"x"]},"c":{"const":null,"default":{"type":"x"}}},"additionalProperties":false}`},
		"escapes":   {`{"type":"object", "properties" : { "a\"}" : {"type":"string" , "title":"\\"} } }`, `{"type":"object","properties":{"a\"}":{"type":"string","title":"\\"}},"additionalProperties":false}`},
	} {
		fields, _ := encode(t, &llm.Request{Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.JSONSchema, Schema: json.RawMessage(c.in)}}, dialect.Target{Model: budget})
		if diff := cmp.Diff(`{"format":{"type":"json_schema","schema":`+c.want+`}}`, string(fields["output_config"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
