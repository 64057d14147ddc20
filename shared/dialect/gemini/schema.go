package gemini

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Google takes JSON schema as it is in parametersJsonSchema and responseJsonSchema, which keep more of it than the older OpenAPI form in
// parameters and responseSchema. Of its keywords Google reads some and ignores the rest, or refuses them on some models; so what goes is
// what it documents, and what says the same in other words is said in those (API reference and structured output guide, read 2026-11).

// Limits of a schema.
const (
	maxNodes   = 20_000 // subschemas in all
	maxFollow  = 2_000  // subschemas, from which on references are no longer replaced
	maxNest    = 64     // levels
	leastDepth = 32     // levels that must be left for a reference to be replaced
)

var (
	errNoSchema = errors.New("it is not a JSON schema")
	errTooDeep  = errors.New("it is nested too deep")
	errTooLarge = errors.New("it is too large")
	errNoTarget = errors.New("a $ref leads nowhere within it")
)

// kept are the keywords that go as they are.
var kept = map[string]bool{
	"title": true, "description": true, "format": true, "minItems": true, "maxItems": true, "minimum": true, "maximum": true,
	"minLength": true, "maxLength": true, "pattern": true, "minProperties": true, "maxProperties": true, "default": true,
	"required": true, "propertyOrdering": true,
}

// formats are those that Google knows; it refuses others.
var formats = map[string]bool{
	"date-time": true, "date": true, "time": true, "enum": true, "int32": true, "int64": true, "float": true, "double": true,
}

// cleaner makes a schema one that Google takes. References are replaced by what they refer to; one that leads back into itself, or
// would make the schema too large, stays a reference to a definition at the top.
type cleaner struct {
	root  *node
	nodes int
	open  []string          // references that are being followed
	names map[string]string // references that stay, with the names of their definitions
	queue []string          // those whose definitions are yet to be written
	large map[*node]map[string]*node
}

// cleanSchema makes a JSON schema fit for Google.
func cleanSchema(raw []byte) (json.RawMessage, error) {
	root, ok := parse(raw)
	if !ok || root.kind != jsonedit.Object {
		return nil, errNoSchema
	}
	c := cleaner{root: &root, names: map[string]string{}}
	out, err := c.schema(&root, maxNest)
	if err != nil {
		return nil, err
	}
	if len(c.names) > 0 {
		defs, err := c.definitions()
		if err != nil {
			return nil, err
		}
		out.set("$defs", defs)
	}
	return out.write(nil), nil
}

// definitions writes what the references that stayed refer to.
func (c *cleaner) definitions() (node, error) {
	defs := node{kind: jsonedit.Object}
	for len(c.queue) > 0 {
		ref := c.queue[0]
		c.queue = c.queue[1:]
		target := c.lookup(ref)
		if target == nil {
			return defs, errNoTarget
		}
		c.open = append(c.open[:0], ref)
		def, err := c.schema(target, maxNest)
		if err != nil {
			return defs, err
		}
		defs.set(c.names[ref], def)
	}
	return defs, nil
}

// schema cleans one schema and those within it.
func (c *cleaner) schema(n *node, depth int) (out node, err error) {
	out.kind = jsonedit.Object
	if n.kind != jsonedit.Object { // true and false are schemas too: anything
		return out, nil
	}
	if depth == 0 {
		return out, errTooDeep
	}
	if c.nodes++; c.nodes > maxNodes {
		return out, errTooLarge
	}
	if ref := n.get("$ref").text(); ref != "" {
		return c.follow(n, ref, depth)
	}
	for i := range n.members {
		m := &n.members[i]
		if err := c.keyword(&out, n, m, depth); err != nil {
			return out, err
		}
	}
	if v := n.get("const"); v != nil {
		enumerate(&out, []node{*v})
	} else if v := n.get("enum"); v != nil {
		enumerate(&out, v.items)
	}
	if err := c.merge(&out, n.get("allOf"), depth); err != nil {
		return out, err
	}
	settle(&out)
	return out, nil
}

// keyword carries one keyword over.
func (c *cleaner) keyword(out, n *node, m *member, depth int) error {
	switch v := &m.value; m.name {
	case "type":
		out.set("type", typeOf(v, n.get("nullable")))
	case "properties":
		return c.properties(out, v, depth)
	case "items":
		if v.kind == jsonedit.Array { // the older word for prefixItems
			return c.list(out, "prefixItems", v, depth)
		}
		return c.one(out, "items", v, depth)
	case "prefixItems":
		return c.list(out, "prefixItems", v, depth)
	case "anyOf", "oneOf": // Google reads oneOf as anyOf
		return c.list(out, "anyOf", v, depth)
	case "additionalProperties":
		if v.kind == jsonedit.Bool {
			out.set(m.name, *v)
			return nil
		}
		return c.one(out, m.name, v, depth)
	case "format":
		if formats[v.text()] {
			out.set(m.name, *v)
		}
	default:
		if kept[m.name] {
			out.set(m.name, *v)
		}
	}
	return nil
}

func (c *cleaner) one(out *node, name string, v *node, depth int) error {
	inner, err := c.schema(v, depth-1)
	if err == nil {
		out.set(name, inner)
	}
	return err
}

func (c *cleaner) list(out *node, name string, v *node, depth int) error {
	list := arrayNode()
	if old := out.get(name); old != nil {
		list = *old
	}
	for i := range v.items {
		inner, err := c.schema(&v.items[i], depth-1)
		if err != nil {
			return err
		}
		list.items = append(list.items, inner)
	}
	if len(list.items) > 0 {
		out.set(name, list)
	}
	return nil
}

func (c *cleaner) properties(out, v *node, depth int) error {
	object := node{kind: jsonedit.Object}
	for i := range v.members {
		inner, err := c.schema(&v.members[i].value, depth-1)
		if err != nil {
			return err
		}
		object.members = append(object.members, member{v.members[i].name, inner})
	}
	out.set("properties", object)
	return nil
}

// merge puts the schemas of an allOf into one, for Google knows no allOf: properties and required names add up, of all else the first
// counts.
func (c *cleaner) merge(out, all *node, depth int) error {
	if !all.is(jsonedit.Array) {
		return nil
	}
	for i := range all.items {
		part, err := c.schema(&all.items[i], depth-1)
		if err != nil {
			return err
		}
		for _, m := range part.members {
			old := out.get(m.name)
			switch {
			case old == nil:
				out.set(m.name, m.value)
			case m.name == "properties":
				for _, p := range m.value.members {
					old.set(p.name, p.value)
				}
			case m.name == "required":
				old.items = append(old.items, m.value.items...)
			}
		}
	}
	return nil
}

// follow puts what a reference refers to in its place; what stands beside it counts more.
func (c *cleaner) follow(n *node, ref string, depth int) (out node, err error) {
	target := c.lookup(ref)
	if target == nil {
		return out, errNoTarget
	}
	for _, open := range c.open {
		if open == ref {
			return c.keep(ref), nil
		}
	}
	if c.nodes > maxFollow || depth < leastDepth {
		return c.keep(ref), nil
	}
	c.open = append(c.open, ref)
	out, err = c.schema(target, depth-1)
	c.open = c.open[:len(c.open)-1]
	if err != nil || out.get("$ref") != nil {
		return out, err
	}
	for _, name := range [...]string{"title", "description", "default"} {
		if v := n.get(name); v != nil {
			out.set(name, *v)
		}
	}
	return out, nil
}

// keep leaves a reference, to a definition that is written later. Nothing may stand beside it.
func (c *cleaner) keep(ref string) node {
	name, known := c.names[ref]
	if !known {
		name = "def" + strconv.Itoa(len(c.names))
		c.names[ref] = name
		c.queue = append(c.queue, ref)
	}
	out := node{kind: jsonedit.Object}
	out.set("$ref", stringNode("#/$defs/"+name))
	return out
}

// lookup finds what a JSON pointer within the schema points to. Nothing outside is ever fetched.
func (c *cleaner) lookup(ref string) *node {
	path, local := strings.CutPrefix(ref, "#")
	if !local {
		return nil
	}
	at := c.root
	if path == "" {
		return at
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, step := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		step = unescape.Replace(step)
		if at.kind == jsonedit.Array {
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at.items) {
				return nil
			}
			at = &at.items[i]
			continue
		}
		if at = c.child(at, step); at == nil {
			return nil
		}
	}
	return at
}

// child is a member of an object; those of large ones are sorted once.
func (c *cleaner) child(n *node, name string) *node {
	if len(n.members) < 32 {
		return n.get(name)
	}
	if c.large == nil {
		c.large = map[*node]map[string]*node{}
	}
	if c.large[n] == nil {
		c.large[n] = n.byName()
	}
	return c.large[n][name]
}
