package gemini

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// maxDepth is how deep a tree may nest: deeper than any body that a caller may send.
const maxDepth = 200

// node is a JSON value whose objects keep their order, which means something in a schema. Its bytes are those of the text.
type node struct {
	kind    jsonedit.Kind
	raw     []byte
	members []member // of an object
	items   []node   // of an array
}

type member struct {
	name  string
	value node
}

// parse reads a whole text. It reports false if that is not JSON, or too deep.
func parse(raw []byte) (node, bool) {
	if !json.Valid(raw) {
		return node{}, false
	}
	p := parser{raw: raw}
	n := p.value(maxDepth)
	return n, !p.tooDeep
}

// parser reads JSON that is known to be valid.
type parser struct {
	raw     []byte
	at      int
	tooDeep bool
}

// next steps over white space and returns what is there.
func (p *parser) next() byte {
	for ; p.at < len(p.raw); p.at++ {
		switch c := p.raw[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *parser) value(depth int) (n node) {
	c, start := p.next(), p.at
	switch {
	case depth == 0:
		p.tooDeep, p.at = true, len(p.raw)
		return n
	case c == '{':
		n.kind = jsonedit.Object
		n.members = p.object(depth)
	case c == '[':
		n.kind = jsonedit.Array
		n.items = p.array(depth)
	case c == '"':
		n.kind = jsonedit.String
		p.string()
	default:
		n.kind = map[byte]jsonedit.Kind{'t': jsonedit.Bool, 'f': jsonedit.Bool, 'n': jsonedit.Null}[c]
		if n.kind == jsonedit.Absent {
			n.kind = jsonedit.Number
		}
		p.literal()
	}
	n.raw = p.raw[start:p.at:p.at]
	return n
}

func (p *parser) object(depth int) (members []member) {
	p.at++
	for p.next() == '"' {
		start := p.at
		p.string()
		name, _ := jsonedit.Unquote(p.raw[start:p.at])
		p.next()
		p.at++ // the colon
		members = append(members, member{name, p.value(depth - 1)})
		if p.next() == ',' {
			p.at++
		}
	}
	p.at = min(p.at+1, len(p.raw))
	return members
}

func (p *parser) array(depth int) (items []node) {
	p.at++
	for c := p.next(); c != ']' && c != 0; c = p.next() {
		items = append(items, p.value(depth-1))
		if p.next() == ',' {
			p.at++
		}
	}
	p.at = min(p.at+1, len(p.raw))
	return items
}

func (p *parser) string() {
	for p.at++; p.at < len(p.raw) && p.raw[p.at] != '"'; p.at++ {
		if p.raw[p.at] == '\\' {
			p.at++
		}
	}
	p.at = min(p.at+1, len(p.raw))
}

func (p *parser) literal() {
	for ; p.at < len(p.raw); p.at++ {
		switch p.raw[p.at] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return
		}
	}
}

// get is the last member of that name, as readers of JSON take it; nil if there is none.
func (n *node) get(name string) *node {
	for i := len(n.members) - 1; i >= 0; i-- {
		if n.members[i].name == name {
			return &n.members[i].value
		}
	}
	return nil
}

// text is the value of a string; empty for every other kind.
func (n *node) text() string {
	if n == nil || n.kind != jsonedit.String {
		return ""
	}
	s, _ := jsonedit.Unquote(n.raw)
	return s
}

// is reports whether there is a value of that kind.
func (n *node) is(kind jsonedit.Kind) bool { return n != nil && n.kind == kind }

// set gives an object a member, in place of one of that name.
func (n *node) set(name string, value node) {
	if old := n.get(name); old != nil {
		*old = value
		return
	}
	n.members = append(n.members, member{name, value})
}

func stringNode(s string) node { return node{kind: jsonedit.String, raw: jsonedit.Quote(s)} }

func arrayNode(items ...node) node { return node{kind: jsonedit.Array, items: items} }

// write appends the value: objects and arrays anew, all else as it was.
func (n *node) write(dst []byte) []byte {
	switch n.kind {
	case jsonedit.Object:
		dst = append(dst, '{')
		for i := range n.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsonedit.AppendQuote(dst, n.members[i].name), ':')
			dst = n.members[i].value.write(dst)
		}
		return append(dst, '}')
	case jsonedit.Array:
		dst = append(dst, '[')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.items[i].write(dst)
		}
		return append(dst, ']')
	default:
		return append(dst, n.raw...)
	}
}
