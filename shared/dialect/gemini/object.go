package gemini

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// faults keeps the first thing that is wrong with a body, so that its readers need not look after each field.
type faults struct{ first *gateway.Error }

func (f *faults) add(e *gateway.Error) {
	if f.first == nil {
		f.first = e
	}
}

// wrong notes that a value has another type.
func (f *faults) wrong(path, want string, kind jsonedit.Kind) {
	field := jsonedit.Field{Name: path, Kind: kind}
	f.add(gateway.AsError(dialect.WrongType(&field, want)))
}

// object is a JSON object whose fields are taken one by one, by their names in camelCase.
type object struct {
	faults *faults
	path   string
	fields []field
}

type field struct {
	name  string // in camelCase
	path  string // as the caller wrote it
	value node
	taken bool
}

// object reads a value that must be an object. A field that is null is as good as absent.
func (f *faults) object(n *node, path string) *object {
	o := &object{faults: f, path: path}
	if n.kind != jsonedit.Object {
		f.wrong(path, "an object", n.kind)
		return o
	}
	seen := make(map[string]bool, len(n.members))
	for i := range n.members {
		m := &n.members[i]
		name := camel(m.name)
		if seen[name] {
			f.add(gateway.AsError(twice(join(path, m.name), nil)))
		}
		seen[name] = true
		if m.value.kind != jsonedit.Null {
			o.fields = append(o.fields, field{name: name, path: join(path, m.name), value: m.value})
		}
	}
	return o
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// take is the field of that name; nil if it was not given.
func (o *object) take(name string) *field {
	for i := range o.fields {
		if o.fields[i].name == name {
			o.fields[i].taken = true
			return &o.fields[i]
		}
	}
	return nil
}

// rest are the fields that nobody took.
func (o *object) rest() []field {
	return slices.DeleteFunc(slices.Clone(o.fields), func(f field) bool { return f.taken })
}

// refuseRest makes an unknown field an error.
func (o *object) refuseRest() {
	for _, f := range o.rest() {
		e := gateway.Invalid(f.path, "%s is not known, or cannot be carried to this model's provider.", f.path)
		e.Code = "unsupported_parameter"
		o.faults.add(e)
	}
}

// text is a string; empty if it was not given.
func (o *object) text(name string) string {
	f := o.take(name)
	if f == nil {
		return ""
	}
	if f.value.kind != jsonedit.String {
		o.faults.wrong(f.path, "a string", f.value.kind)
	}
	return f.value.text()
}

// flag is true or false; nil if it was not given.
func (o *object) flag(name string) *bool {
	f := o.take(name)
	if f == nil {
		return nil
	}
	if f.value.kind != jsonedit.Bool {
		o.faults.wrong(f.path, "true or false", f.value.kind)
		return nil
	}
	is := f.value.raw[0] == 't'
	return &is
}

// number is any number; nil if it was not given.
func (o *object) number(name string) *float64 {
	f := o.take(name)
	if f == nil {
		return nil
	}
	n, err := strconv.ParseFloat(string(f.value.raw), 64)
	if f.value.kind != jsonedit.Number || err != nil {
		o.faults.wrong(f.path, "a number", f.value.kind)
		return nil
	}
	return &n
}

// whole is a whole number between two; nil if it was not given.
func (o *object) whole(name string, least, most int64) *int64 {
	f := o.take(name)
	if f == nil {
		return nil
	}
	if f.value.kind != jsonedit.Number {
		o.faults.wrong(f.path, "a whole number", f.value.kind)
		return nil
	}
	n, ok := jsonedit.Int(f.value.raw)
	if !ok || n < least || n > most {
		o.faults.add(gateway.Invalid(f.path, "%s must be a whole number from %d to %d.", f.path, least, most))
		return nil
	}
	return &n
}

// object is a field that must be an object; nil if it was not given.
func (o *object) object(name string) *object {
	f := o.take(name)
	if f == nil {
		return nil
	}
	return o.faults.object(&f.value, f.path)
}

// list are the elements of a list with their paths. Google takes an element for a list of one, where elements are objects.
func (o *object) list(name string) []field {
	f := o.take(name)
	if f == nil {
		return nil
	}
	switch f.value.kind {
	case jsonedit.Object:
		return []field{*f}
	case jsonedit.Array:
		out := make([]field, len(f.value.items))
		for i := range f.value.items {
			out[i] = field{path: f.path + "[" + strconv.Itoa(i) + "]", value: f.value.items[i]}
		}
		return out
	default:
		o.faults.wrong(f.path, "a list", f.value.kind)
		return nil
	}
}

// texts is a list of strings.
func (o *object) texts(name string) (out []string) {
	for _, f := range o.list(name) {
		if f.value.kind != jsonedit.String {
			o.faults.wrong(f.path, "a string", f.value.kind)
		}
		out = append(out, f.value.text())
	}
	return out
}

// word is a string of Google's upper-case words; empty for those that say that nothing is said.
func (o *object) word(name string) string {
	w := strings.ToUpper(o.text(name))
	if strings.HasSuffix(w, "_UNSPECIFIED") {
		return ""
	}
	return w
}
