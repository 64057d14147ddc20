package echo

import "fmt"

// object appends an object with the required members, in the order of the schema's properties, and more if it needs more.
func (f *filler) object(dst []byte, v view, depth int) (out []byte, err error) {
	if err := f.step(v.size()); err != nil {
		return dst, err
	}
	names := v.names()
	out = append(dst, '{')
	for i, name := range names {
		out = append(append(separate(out, i), quote(name)...), ": "...)
		if out, err = f.value(out, v.property(name), depth+1); err != nil {
			return dst, err
		}
	}
	return append(out, '}'), nil
}

// size is how much there is to look through.
func (v view) size() (n int) {
	for _, s := range v.schemas {
		n += len(s.member("required").list())
		if properties := s.member("properties"); properties != nil {
			n += len(properties.names)
		}
	}
	return n
}

// names are those of the members to fill in.
func (v view) names() (names []string) {
	required, listed := map[string]bool{}, map[string]bool{}
	for _, s := range v.schemas {
		for _, name := range s.member("required").list() {
			if text, is := name.value.(string); is {
				required[text] = true
			}
		}
	}
	add := func(name string) {
		if !listed[name] {
			listed[name] = true
			names = append(names, name)
		}
	}
	var optional []string
	for _, s := range v.schemas {
		if properties := s.member("properties"); properties != nil {
			for _, name := range properties.names {
				if required[name] {
					add(name)
				} else {
					optional = append(optional, name)
				}
			}
		}
	}
	for _, s := range v.schemas {
		for _, name := range s.member("required").list() {
			if text, is := name.value.(string); is {
				add(text)
			}
		}
	}
	least, _ := v.get("minProperties").count()
	for _, name := range optional {
		if len(names) >= least {
			break
		}
		add(name)
	}
	return names
}

// property is what the schemas say about a member.
func (v view) property(name string) (out []*node) {
	for _, s := range v.schemas {
		if p := s.member("properties").member(name); p != nil {
			out = append(out, p)
		} else if p := s.member("additionalProperties"); p != nil && p.members != nil {
			out = append(out, p)
		}
	}
	return out
}

// array appends an array of one item, or as many as there must be, or none where an item would have no end.
func (f *filler) array(dst []byte, v view, depth int) (out []byte, err error) {
	first := v.get("prefixItems").list()
	items := v.get("items")
	if items != nil && len(items.list()) > 0 { // as it was before prefixItems
		first, items = items.list(), v.get("additionalItems")
	}
	least, _ := v.get("minItems").count()
	n := max(1, len(first), least)
	if most, told := v.get("maxItems").count(); told {
		n = min(n, max(most, least))
	}
	out = append(dst, '[')
	for i := range n {
		var schemas []*node
		if i < len(first) {
			schemas = first[i : i+1]
		} else if items != nil {
			schemas = []*node{items}
		}
		before := len(out)
		if out, err = f.value(separate(out, i), schemas, depth+1); err == errDead && i >= least {
			return append(out[:before], ']'), nil
		} else if err != nil {
			return dst, err
		}
		if len(out) > maxMade {
			return dst, fmt.Errorf("it asks for more than %d bytes", maxMade)
		}
	}
	return append(out, ']'), nil
}
