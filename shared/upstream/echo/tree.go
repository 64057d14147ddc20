package echo

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// node is a JSON value. Objects keep the order of their members, as models fill in a schema in its own order.
type node struct {
	value   any // nil, bool, json.Number, string; []*node for an array; object's members are in names and members
	names   []string
	members map[string]*node // nil: not an object
}

// parse reads a JSON value; text is known to be valid.
func parse(text []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return next(d)
}

func next(d *json.Decoder) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return nextObject(d)
	case json.Delim('['):
		list := []*node{}
		for d.More() {
			item, err := next(d)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = d.Token()
		return &node{value: list}, err
	}
	return &node{value: token}, nil
}

func nextObject(d *json.Decoder) (*node, error) {
	n := &node{members: map[string]*node{}}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if n.members[name] == nil {
			n.names = append(n.names, name)
		}
		if n.members[name], err = next(d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return n, err
}

// member is nil if there is none of that name.
func (n *node) member(name string) *node {
	if n == nil {
		return nil
	}
	return n.members[name]
}

func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	list, _ := n.value.([]*node)
	return list
}

func (n *node) text() string {
	if n == nil {
		return ""
	}
	text, _ := n.value.(string)
	return text
}

// cost is what a regular expression is counted as, in steps.
func (n *node) cost() int {
	if n.text() == "" {
		return 0
	}
	return 100
}

// number reports false if n is none, or no finite one.
func (n *node) number() (float64, bool) {
	if n == nil {
		return 0, false
	}
	raw, ok := n.value.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := raw.Float64()
	return x, err == nil
}

// count is a number that something must have at least or at most.
func (n *node) count() (int, bool) {
	x, ok := n.number()
	return int(min(max(x, 0), maxMade+1)), ok
}

// at follows a JSON pointer (RFC 6901) in the form of a reference within a document; nil if it leads nowhere.
func (n *node) at(reference string) *node {
	pointer, within := strings.CutPrefix(reference, "#")
	if !within {
		return nil
	}
	for pointer != "" && n != nil {
		rest, rooted := strings.CutPrefix(pointer, "/")
		if !rooted {
			return nil
		}
		name, _, _ := strings.Cut(rest, "/")
		pointer = rest[len(name):]
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
		name = unescape.Replace(name)
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.list()) {
			n = n.list()[i]
			continue
		}
		n = n.member(name)
	}
	return n
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// append writes the value.
func (n *node) append(dst []byte) []byte {
	switch v := n.value.(type) {
	case string:
		return append(dst, quote(v)...)
	case json.Number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case []*node:
		dst = append(dst, '[')
		for i, item := range v {
			dst = separate(dst, i)
			dst = item.append(dst)
		}
		return append(dst, ']')
	}
	if n.members == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, name := range n.names {
		dst = append(append(separate(dst, i), quote(name)...), ": "...)
		dst = n.members[name].append(dst)
	}
	return append(dst, '}')
}

// separate writes the comma before every item but the first.
func separate(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ", "...)
}
