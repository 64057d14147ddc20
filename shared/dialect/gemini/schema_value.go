package gemini

import (
	"bytes"
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// typeOf writes a type in JSON schema's words: lower case, and with null among several where OpenAPI says nullable.
func typeOf(v, nullable *node) node {
	var names []node
	add := func(name string) {
		if name = strings.ToLower(name); !types[name] {
			return
		}
		n := stringNode(name)
		for i := range names {
			if bytes.Equal(names[i].raw, n.raw) {
				return
			}
		}
		names = append(names, n)
	}
	if v.kind == jsonedit.Array {
		for i := range v.items {
			add(v.items[i].text())
		}
	} else {
		add(v.text())
	}
	if nullable.is(jsonedit.Bool) && nullable.raw[0] == 't' {
		add("null")
	}
	if len(names) == 1 {
		return names[0]
	}
	return arrayNode(names...)
}

// types are JSON schema's.
var types = map[string]bool{"string": true, "number": true, "integer": true, "boolean": true, "object": true, "array": true, "null": true}

// enumerate carries an enum over. Google takes strings that are not empty, and numbers; null among them is another type, and for all
// else there is no enum.
func enumerate(out *node, values []node) {
	list := arrayNode()
	for i := range values {
		switch v := &values[i]; {
		case v.kind == jsonedit.Null:
			if old := out.get("type"); old != nil {
				*old = typeOf(old, &node{kind: jsonedit.Bool, raw: []byte("true")})
			}
		case v.kind == jsonedit.String && v.text() == "":
		case v.kind == jsonedit.String || v.kind == jsonedit.Number:
			list.items = append(list.items, *v)
		default:
			return
		}
	}
	if len(list.items) > 0 {
		out.set("enum", list)
	}
}

// settle makes the keywords of one schema fit each other: a type where there is none to be seen, and required names only of properties
// that there are.
func settle(out *node) {
	if ref := out.get("$ref"); ref != nil { // nothing may stand beside it
		out.members = []member{{"$ref", *ref}}
		return
	}
	properties, required := out.get("properties"), out.get("required")
	if t := out.get("type"); t == nil || len(t.items) == 0 && t.kind == jsonedit.Array {
		switch enum := out.get("enum"); {
		case properties != nil:
			out.set("type", stringNode("object"))
		case out.get("items") != nil || out.get("prefixItems") != nil:
			out.set("type", stringNode("array"))
		case enum != nil && allStrings(enum.items):
			out.set("type", stringNode("string"))
		}
	}
	if required == nil {
		return
	}
	names, there := arrayNode(), properties.byName()
	for _, name := range required.items {
		if there[name.text()] != nil {
			names.items = append(names.items, name)
			delete(there, name.text()) // once is enough
		}
	}
	if len(names.items) > 0 {
		*required = names
	} else {
		out.remove("required")
	}
}

func allStrings(values []node) bool {
	for i := range values {
		if values[i].kind != jsonedit.String {
			return false
		}
	}
	return true
}

// byName has the members of an object; of two with one name the last.
func (n *node) byName() map[string]*node {
	if n == nil {
		return nil
	}
	out := make(map[string]*node, len(n.members))
	for i := range n.members {
		out[n.members[i].name] = &n.members[i].value
	}
	return out
}

func (n *node) remove(name string) {
	for i := range n.members {
		if n.members[i].name == name {
			n.members = append(n.members[:i:i], n.members[i+1:]...)
			return
		}
	}
}

// isObject reports whether a clean schema is of an object, and whether that may have anything in it.
func isObject(raw []byte) (is, hasSome bool) {
	root, ok := parse(raw)
	if !ok {
		return false, false
	}
	if properties := root.get("properties"); properties != nil {
		hasSome = len(properties.members) > 0
	}
	return root.get("type").text() == "object", hasSome || root.get("additionalProperties").is(jsonedit.Object) || root.get("anyOf") != nil
}
