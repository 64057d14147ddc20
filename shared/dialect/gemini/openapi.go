package gemini

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// fromOpenAPI makes JSON schema of Google's OpenAPI form: types in lower case, nullable as a type, counts as numbers (int64 may come as
// strings), properties in their propertyOrdering.
func fromOpenAPI(n *node) node {
	out := node{kind: jsonedit.Object}
	if n.kind != jsonedit.Object {
		return out
	}
	var nullable, ordering *node
	for i := range n.members {
		switch m := &n.members[i]; camel(m.name) {
		case "nullable":
			nullable = &m.value
		case "propertyOrdering":
			ordering = &m.value
		}
	}
	for i := range n.members {
		m := &n.members[i]
		switch name := camel(m.name); name {
		case "nullable", "propertyOrdering":
		case "type":
			if t := typeOf(&m.value, nullable); t.kind == jsonedit.String || len(t.items) > 0 {
				out.set("type", t)
			}
		case "example":
			out.set("examples", arrayNode(m.value))
		case "items", "additionalProperties":
			out.set(name, fromOpenAPI(&m.value))
		case "anyOf":
			out.set(name, eachFromOpenAPI(m.value))
		case "properties", "defs":
			out.set(name, eachFromOpenAPI(m.value))
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			out.set(name, plainNumber(m.value))
		case "format":
			if m.value.text() != "enum" { // says no more than the enum beside it
				out.set(name, m.value)
			}
		default:
			out.set(name, m.value)
		}
	}
	order(out.get("properties"), ordering)
	return out
}

func eachFromOpenAPI(n node) node {
	out := node{kind: n.kind, raw: n.raw}
	for i := range n.items {
		out.items = append(out.items, fromOpenAPI(&n.items[i]))
	}
	for i := range n.members {
		out.members = append(out.members, member{n.members[i].name, fromOpenAPI(&n.members[i].value)})
	}
	return out
}

// plainNumber takes the quotes off a number.
func plainNumber(n node) node {
	if _, ok := jsonedit.Int([]byte(n.text())); ok {
		return node{kind: jsonedit.Number, raw: []byte(n.text())}
	}
	return n
}

// order sorts properties as their ordering has them; those that it does not name come last.
func order(properties, ordering *node) {
	if !properties.is(jsonedit.Object) || !ordering.is(jsonedit.Array) {
		return
	}
	sorted, rest := node{kind: jsonedit.Object}, properties.byName()
	take := func(name string) {
		if v := rest[name]; v != nil {
			sorted.members = append(sorted.members, member{name, *v})
			delete(rest, name)
		}
	}
	for i := range ordering.items {
		take(ordering.items[i].text())
	}
	for i := range properties.members {
		take(properties.members[i].name)
	}
	*properties = sorted
}

// camel is the camelCase name of a field that may be written in snake_case.
func camel(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	out := make([]byte, 0, len(name))
	up := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_':
			up = len(out) > 0
		case up && c >= 'a' && c <= 'z':
			out, up = append(out, c-'a'+'A'), false
		default:
			out, up = append(out, c), false
		}
	}
	return string(out)
}
