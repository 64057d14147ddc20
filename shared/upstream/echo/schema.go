package echo

import (
	"errors"
	"fmt"
)

const (
	maxMade  = 256 << 10 // bytes of JSON that are made up for one schema
	maxSteps = 20_000    // schemas visited for it: they can refer to each other and have alternatives
	maxDepth = 64        // of the values in each other
)

// errDead is where a schema allows no value, or none that ends. Another alternative may do.
var errDead = errors.New("the schema has no value that ends")

// filler makes up a value for a JSON schema: the least that fits, always the same. It knows what OpenAI's structured outputs
// and tool schemas are made of; of other constraints (not, if, uniqueItems, dependentRequired) it knows nothing.
type filler struct {
	root  *node
	open  map[*node]bool // schemas referred to that the value being made is within
	steps int
}

// fill makes up a value.
func fill(schema []byte) (string, error) {
	root, err := parse(schema)
	if err != nil {
		return "", err
	}
	f := filler{root: root, open: map[*node]bool{root: true}}
	out, err := f.value(nil, []*node{root}, 0)
	return string(out), err
}

// value appends a value that fits all the schemas.
func (f *filler) value(dst []byte, schemas []*node, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, errDead
	}
	var v view
	err := f.flatten(&v, schemas)
	if err == nil {
		dst, err = f.choose(dst, v, depth)
	}
	f.leave(&v)
	return dst, err
}

// view is several schemas that a value must fit, looked at as one.
type view struct {
	schemas []*node
	choices [][]*node // alternatives yet to choose from
	entered []*node   // schemas referred to
}

// flatten adds schemas to the view, and those that they refer to.
func (f *filler) flatten(v *view, schemas []*node) error {
	for _, s := range schemas {
		if err := f.step(1); err != nil {
			return err
		}
		if allowed, is := s.value.(bool); is && !allowed {
			return errDead
		}
		if s.members == nil {
			continue
		}
		v.schemas = append(v.schemas, s)
		if reference := s.member("$ref").text(); reference != "" {
			if err := f.enter(v, reference); err != nil {
				return err
			}
		}
		if err := f.flatten(v, s.member("allOf").list()); err != nil {
			return err
		}
		for _, name := range [...]string{"anyOf", "oneOf"} {
			if list := s.member(name).list(); len(list) > 0 {
				v.choices = append(v.choices, list)
			}
		}
	}
	return nil
}

// enter follows a reference, unless the value being made is already within it: then there would be no end.
func (f *filler) enter(v *view, reference string) error {
	target := f.root.at(reference)
	switch {
	case target == nil:
		return fmt.Errorf("%.80q refers to nothing in it", reference)
	case f.open[target]:
		return errDead
	}
	f.open[target] = true
	v.entered = append(v.entered, target)
	return f.flatten(v, []*node{target})
}

func (f *filler) leave(v *view) {
	for _, target := range v.entered {
		delete(f.open, target)
	}
}

// step counts the work, as small schemas can ask for much.
func (f *filler) step(n int) error {
	if f.steps += n; f.steps > maxSteps {
		return fmt.Errorf("it takes more than %d steps", maxSteps)
	}
	return nil
}

// choose takes the first alternative that leads to a value.
func (f *filler) choose(dst []byte, v view, depth int) ([]byte, error) {
	if len(v.choices) == 0 {
		return f.plain(dst, v.schemas, depth)
	}
	err := errDead
	for _, alternative := range v.choices[0] {
		with := view{schemas: v.schemas[:len(v.schemas):len(v.schemas)], choices: v.choices[1:len(v.choices):len(v.choices)]}
		var out []byte
		if err = f.flatten(&with, []*node{alternative}); err == nil {
			out, err = f.choose(dst, with, depth)
		}
		f.leave(&with)
		if err != errDead {
			return out, err
		}
	}
	return dst, err
}

// plain appends a value for schemas without alternatives.
func (f *filler) plain(dst []byte, schemas []*node, depth int) (out []byte, err error) {
	v := view{schemas: schemas}
	switch given := v.get("const"); {
	case given != nil:
		out = given.append(dst)
	case len(v.get("enum").list()) > 0:
		out = v.get("enum").list()[0].append(dst)
	default:
		out, err = f.typed(dst, v, depth)
	}
	if len(out) > maxMade {
		err = fmt.Errorf("it asks for more than %d bytes", maxMade)
	}
	return out, err
}

func (f *filler) typed(dst []byte, v view, depth int) ([]byte, error) {
	switch v.kind() {
	case "object":
		return f.object(dst, v, depth)
	case "array":
		return f.array(dst, v, depth)
	case "integer":
		return appendNumber(dst, v, true), nil
	case "number":
		return appendNumber(dst, v, false), nil
	case "boolean":
		return append(dst, "true"...), nil
	case "null":
		return append(dst, "null"...), nil
	default:
		text := madeText(v)
		return append(dst, quote(text)...), f.step(len(text)/32 + v.get("pattern").cost())
	}
}

// get is the first that the schemas say under a name; nil if they say nothing.
func (v view) get(name string) *node {
	for _, s := range v.schemas {
		if found := s.member(name); found != nil {
			return found
		}
	}
	return nil
}

// kind is the type of value: the first where there are several, and a guess where there is none.
func (v view) kind() string {
	given := v.get("type")
	if list := given.list(); len(list) > 0 {
		given = list[0]
	}
	if kind := given.text(); kind != "" {
		return kind
	}
	for _, guess := range [...]struct{ name, kind string }{
		{"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"items", "array"}, {"prefixItems", "array"},
		{"minimum", "number"}, {"maximum", "number"},
	} {
		if v.get(guess.name) != nil {
			return guess.kind
		}
	}
	return "string"
}
