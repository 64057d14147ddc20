package gemini

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// fields are all fields of a request; others are refused.
var fields = wire.Fields{
	"contents!": wire.List(0, content), "systemInstruction": wire.Closed(wire.Fields{"role": wire.String, "parts!": wire.List(1, part)}),
	"tools": wire.List(0, tool), "toolConfig": toolConfig, "safetySettings": wire.List(0, safety), "generationConfig": generation,
	"cachedContent": wire.String, "serviceTier": wire.String, "store": wire.Bool, "model": wire.String,
}

// vertexFields are what Vertex AI takes beside.
var vertexFields = fields.With(wire.Fields{"labels": wire.MapOf(wire.String), "modelArmorConfig": wire.Object})

var content = wire.Closed(wire.Fields{
	"role":   wire.Is("a valid role: user, model", func(s string) bool { return s == "user" || s == "model" }),
	"parts!": wire.List(1, part),
})

var mimeType = wire.Match(`^[a-z]+/[A-Za-z0-9.+-]+$`)

var blob = wire.Closed(wire.Fields{"mimeType!": mimeType, "data!": wire.Base64, "displayName": wire.String})

// part has exactly one kind of data.
var part = wire.Union(wire.Fields{
	"text": wire.String, "inlineData": blob,
	"fileData":     wire.Closed(wire.Fields{"fileUri!": wire.Filled, "mimeType": mimeType, "displayName": wire.String}),
	"functionCall": wire.Closed(wire.Fields{"name!": functionName, "args": wire.Object, "id": wire.String}),
	"functionResponse": wire.Closed(wire.Fields{
		"name!": functionName, "response!": wire.Object, "id": wire.String, "willContinue": wire.Bool, "scheduling": wire.String,
		"parts": wire.List(0, wire.Union(wire.Fields{"inlineData": blob, "fileData": wire.Object}, nil)),
	}),
	"executableCode": wire.Object, "codeExecutionResult": wire.Object,
}, wire.Fields{
	"thought": wire.Bool, "thoughtSignature": seal, "videoMetadata": wire.Object, "mediaResolution": wire.Anything,
	"partMetadata": wire.Object,
})

var functionName = wire.Match(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$`)

var tool = wire.Closed(wire.Fields{
	"functionDeclarations": wire.List(1, declaration), "googleSearch": wire.Object, "googleSearchRetrieval": wire.Object,
	"codeExecution": wire.Object, "urlContext": wire.Object, "computerUse": wire.Object, "googleMaps": wire.Object, "fileSearch": wire.Object,
})

func declaration(at wire.Path, v any) *wire.Fault {
	if m, _ := v.(map[string]any); m["parameters"] != nil && m["parametersJsonSchema"] != nil {
		return &wire.Fault{At: at, Want: "only one of parameters and parametersJsonSchema"}
	}
	return wire.Closed(wire.Fields{
		"name!": functionName, "description": wire.String, "parameters": schema, "parametersJsonSchema": wire.Object,
		"response": schema, "responseJsonSchema": wire.Object, "behavior": wire.String,
	})(at, v)
}

var toolConfig = wire.Closed(wire.Fields{
	"functionCallingConfig": wire.Closed(wire.Fields{
		"mode": wire.Enum("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"), "allowedFunctionNames": wire.List(0, wire.String),
		"streamFunctionCallArguments": wire.Bool,
	}),
	"retrievalConfig": wire.Object, "includeServerSideToolInvocations": wire.Bool,
})

var safety = wire.Closed(wire.Fields{"category!": wire.String, "threshold!": wire.String, "method": wire.String})

var generation = wire.Closed(wire.Fields{
	"temperature": wire.Float(0, 2), "topP": wire.Float(0, 1), "topK": wire.Float(1, 1000), "candidateCount": wire.Integer(1, 8),
	"maxOutputTokens": wire.Integer(1, 1<<31), "stopSequences": stops, "seed": wire.Integer(-1<<31, 1<<31-1),
	"presencePenalty": wire.Float(-2, 2), "frequencyPenalty": wire.Float(-2, 2), "responseLogprobs": wire.Bool,
	"logprobs": wire.Integer(0, 20), "responseMimeType": wire.Enum("text/plain", "application/json", "text/x.enum"),
	"responseSchema": schema, "responseJsonSchema": wire.Object, "_responseJsonSchema": wire.Object,
	"responseModalities": wire.List(1, wire.Enum("TEXT", "IMAGE", "AUDIO")), "speechConfig": wire.Object, "imageConfig": wire.Object,
	"mediaResolution": wire.String, "audioTimestamp": wire.Bool, "enableEnhancedCivicAnswers": wire.Bool, "routingConfig": wire.Object,
	"thinkingConfig": wire.Closed(wire.Fields{
		"includeThoughts": wire.Bool, "thinkingBudget": wire.Integer(-1, 65536),
		"thinkingLevel": wire.Enum("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "minimal", "low", "medium", "high"),
	}),
})

func stops(at wire.Path, v any) *wire.Fault {
	if list, ok := v.([]any); ok && len(list) > 5 {
		return &wire.Fault{At: at, Want: "at most 5 stop sequences"}
	}
	return wire.List(0, wire.Filled)(at, v)
}

// whole is an int64 of protobuf, which may be a number or a string.
func whole(at wire.Path, v any) *wire.Fault {
	if s, ok := v.(string); ok {
		v = json.Number(s)
	}
	return wire.Integer(0, 1<<62)(at, v)
}

// schemaFields are the subset of OpenAPI that schemas may use.
var schemaFields = wire.Fields{
	"type": types, "format": wire.String, "title": wire.String, "description": wire.String, "nullable": wire.Bool,
	"enum": wire.List(1, wire.String), "maxItems": whole, "minItems": whole, "required": wire.List(0, wire.String),
	"minProperties": whole, "maxProperties": whole, "minLength": whole, "maxLength": whole, "pattern": wire.String,
	"example": wire.Anything, "default": wire.Anything, "propertyOrdering": wire.List(0, wire.String),
	"minimum": wire.Float(-1e300, 1e300), "maximum": wire.Float(-1e300, 1e300), "items": wire.Anything, "anyOf": wire.Anything,
	"properties": wire.Anything,
}

var types = wire.Is("a type", func(s string) bool {
	return slices.Contains([]string{"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}, strings.ToUpper(s))
})

// schema checks a schema and those inside it, with the rules that the API has beside the form.
func schema(at wire.Path, v any) *wire.Fault {
	if f := wire.Closed(schemaFields)(at, v); f != nil {
		return f
	}
	s := v.(map[string]any)
	for name, inner := range map[string]wire.Rule{
		"items": schema, "anyOf": wire.List(1, schema), "properties": wire.MapOf(schema),
	} {
		if s[name] != nil {
			if f := inner(append(at[:len(at):len(at)], name), s[name]); f != nil {
				return f
			}
		}
	}
	return schemaSense(at, s)
}

func schemaSense(at wire.Path, s map[string]any) *wire.Fault {
	kind, properties := strings.ToUpper(wire.Text(s, "type")), wire.Sub(s, "properties")
	format := wire.Text(s, "format")
	switch {
	case kind == "" && s["anyOf"] == nil:
		return &wire.Fault{At: append(at[:len(at):len(at)], "type"), Missing: true}
	case kind == "OBJECT" && s["properties"] != nil && len(properties) == 0:
		return &wire.Fault{At: append(at[:len(at):len(at)], "properties"), Want: "something: should be non-empty for OBJECT type"}
	case kind == "ARRAY" && s["items"] == nil:
		return &wire.Fault{At: append(at[:len(at):len(at)], "items"), Missing: true}
	case s["enum"] != nil && kind != "STRING":
		return &wire.Fault{At: append(at[:len(at):len(at)], "enum"), Want: "nothing: only allowed for STRING type"}
	case kind == "STRING" && format != "" && format != "enum" && format != "date-time":
		return &wire.Fault{At: append(at[:len(at):len(at)], "format"), Want: "only 'enum' and 'date-time' for STRING type"}
	}
	for _, name := range wire.Strings(s, "required") {
		if !slices.Contains(slices.Collect(maps.Keys(properties)), name) {
			return &wire.Fault{At: append(at[:len(at):len(at)], "required"), Want: "defined properties: '" + name + "' is not defined"}
		}
	}
	return nil
}

// seal is a signature, or what stands for one.
func seal(at wire.Path, v any) *wire.Fault {
	if text, ok := v.(string); ok && slices.Contains(pardoned, text) {
		return nil
	}
	return wire.Base64(at, v)
}
