package messages

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// What Anthropic compiles of JSON schemas (its page on structured outputs and its SDK, read 2026-11).
var (
	schemaWords = map[string]bool{
		"$ref": true, "$defs": true, "definitions": true, "type": true, "anyOf": true, "allOf": true, "description": true, "title": true,
		"enum": true, "const": true, "default": true, "properties": true, "additionalProperties": true, "required": true, "items": true,
		"minItems": true, "format": true, "pattern": true,
	}
	schemaFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
	// silent are words that say nothing to a model.
	silent = []string{"$schema", "$id", "$comment", "$anchor", "unevaluatedProperties"}
)

// cleanSchema makes a schema one that Anthropic takes, in the order in which it was written: models write fields in that order. Rules
// that cannot be enforced go into the description, so that the model still knows them. It returns other values than objects as they
// are.
func cleanSchema(schema []byte) json.RawMessage {
	if len(schema) == 0 || schema[0] != '{' {
		return schema
	}
	s := schemaIn{members: map[string][]byte{}}
	for name, value := range members(schema) {
		if name == "oneOf" {
			name = "anyOf" // near enough: no choice matches two by accident
		}
		if _, twice := s.members[name]; !twice {
			s.names = append(s.names, name)
		}
		s.members[name] = value
	}
	if ref := s.members["$ref"]; ref != nil && len(s.members["$defs"]) == 0 && len(s.members["definitions"]) == 0 {
		return object([]string{"$ref"}, map[string][]byte{"$ref": ref})
	}
	s.clean()
	return object(s.names, s.members)
}

// schemaIn is a schema being cleaned.
type schemaIn struct {
	names   []string
	members map[string][]byte
	notes   []byte // members that are only told
}

func (s *schemaIn) clean() {
	for _, name := range slices.Clone(s.names) {
		value := s.members[name]
		switch name {
		case "properties", "$defs", "definitions":
			s.members[name] = each(value)
		case "anyOf", "allOf":
			s.members[name] = list(value)
		case "items":
			s.members[name] = cleanSchema(value)
		case "minItems":
			if n, ok := jsonedit.Int(value); !ok || n > 1 {
				s.tell(name)
			}
		case "format":
			if format, ok := jsonedit.Unquote(value); !ok || !slices.Contains(schemaFormats, format) {
				s.tell(name)
			}
		default:
			if !schemaWords[name] {
				s.tell(name)
			}
		}
	}
	s.close()
	s.describe()
}

// close says that an object has no other members, which Anthropic requires. One without named members is a map and keeps its rule.
func (s *schemaIn) close() {
	const more = "additionalProperties"
	kind, _ := jsonedit.Unquote(s.members["type"])
	properties := s.members["properties"]
	if kind != "object" && properties == nil && !isUnion(s.members["type"]) {
		return
	}
	if properties == nil && len(s.members[more]) > 0 && s.members[more][0] == '{' {
		s.members[more] = cleanSchema(s.members[more])
		return
	}
	if s.members[more] == nil {
		s.names = append(s.names, more)
	}
	s.members[more] = []byte("false")
}

// isUnion reports whether a type is a list with object in it.
func isUnion(kind []byte) bool {
	return slices.ContainsFunc(elements(kind), func(one []byte) bool { return string(one) == `"object"` })
}

// tell takes a member out and notes what it said.
func (s *schemaIn) tell(name string) {
	if !slices.Contains(silent, name) {
		if len(s.notes) > 0 {
			s.notes = append(s.notes, ", "...)
		}
		s.notes = append(append(append(s.notes, name...), ": "...), s.members[name]...)
	}
	delete(s.members, name)
	s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == name })
}

// describe adds the notes to the description.
func (s *schemaIn) describe() {
	if len(s.notes) == 0 {
		return
	}
	text, _ := jsonedit.Unquote(s.members["description"])
	if s.members["description"] == nil {
		s.names = append(s.names, "description")
	} else {
		text += "\n\n"
	}
	s.members["description"] = jsonedit.Quote(text + "{" + string(s.notes) + "}")
}

// each cleans the values of an object.
func each(value []byte) []byte {
	var names []string
	cleaned := map[string][]byte{}
	for name, schema := range members(value) {
		if _, twice := cleaned[name]; !twice {
			names = append(names, name)
		}
		cleaned[name] = cleanSchema(schema)
	}
	return object(names, cleaned)
}

// list cleans the values of an array.
func list(value []byte) []byte {
	out := []byte{'['}
	for i, schema := range elements(value) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, cleanSchema(schema)...)
	}
	return append(out, ']')
}

// object writes an object's members in order.
func object(names []string, values map[string][]byte) json.RawMessage {
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(jsonedit.AppendQuote(out, name), ':')
		out = append(out, values[name]...)
	}
	return append(out, '}')
}
