package messages

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// reader reads fields of a caller's body, which is valid JSON. It keeps the first error, and then all that it reads is empty.
type reader struct{ err error }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) invalid(path, format string, args ...any) {
	r.fail(gateway.Invalid(path, format, args...))
}

// wrong fails for a field of another type, naming its place.
func (r *reader) wrong(at string, f *jsonedit.Field, want string) {
	named := *f
	named.Name = join(at, f.Name)
	r.fail(dialect.WrongType(&named, want))
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// text reads a string; absent and null are empty.
func (r *reader) text(at string, f *jsonedit.Field) string {
	if !f.Given() {
		return ""
	}
	text, ok := f.Text()
	if !ok {
		r.wrong(at, f, "a string")
	}
	return text
}

// need reads a string that must be there and not empty.
func (r *reader) need(at string, f *jsonedit.Field) string {
	text := r.text(at, f)
	if text == "" {
		r.invalid(join(at, f.Name), "%s is required.", join(at, f.Name))
	}
	return text
}

// flag reads true or false; absent and null are nil.
func (r *reader) flag(at string, f *jsonedit.Field) *bool {
	if !f.Given() {
		return nil
	}
	is, ok := f.Bool()
	if !ok {
		r.wrong(at, f, "true or false")
		return nil
	}
	return &is
}

func (r *reader) isSet(at string, f *jsonedit.Field) bool {
	is := r.flag(at, f)
	return is != nil && *is
}

// whole reads a whole number of at least least; absent and null are nil.
func (r *reader) whole(at string, f *jsonedit.Field, least int64) *int64 {
	if !f.Given() {
		return nil
	}
	n, ok := f.Int()
	switch {
	case f.Kind != jsonedit.Number:
		r.wrong(at, f, "a whole number")
	case !ok || n < least || n > dialect.MaxTokens:
		r.invalid(join(at, f.Name), "%s must be a whole number from %d to %d.", join(at, f.Name), least, int64(dialect.MaxTokens))
	default:
		return &n
	}
	return nil
}

// fraction reads a number from 0 to 1.
func (r *reader) fraction(f *jsonedit.Field) *float64 {
	if !f.Given() {
		return nil
	}
	n, err := strconv.ParseFloat(string(f.Raw), 64)
	switch {
	case f.Kind != jsonedit.Number:
		r.wrong("", f, "a number")
	case err != nil || n < 0 || n > 1:
		r.invalid(f.Name, "%s must be a number from 0 to 1.", f.Name)
	default:
		return &n
	}
	return nil
}

// list reads an array; absent and null are empty.
func (r *reader) list(at string, f *jsonedit.Field) [][]byte {
	if !f.Given() {
		return nil
	}
	if f.Kind != jsonedit.Array {
		r.wrong(at, f, "a list")
		return nil
	}
	return elements(f.Raw)
}

// texts reads an array of strings.
func (r *reader) texts(at string, f *jsonedit.Field) (all []string) {
	for i, raw := range r.list(at, f) {
		text, ok := jsonedit.Unquote(raw)
		if !ok {
			r.invalid(index(join(at, f.Name), i), "%s must be a string.", index(join(at, f.Name), i))
			return nil
		}
		all = append(all, text)
	}
	return all
}

// object looks for fields of an object and reports whether there is one; absent and null are none.
func (r *reader) object(at string, f *jsonedit.Field, into []jsonedit.Field) bool {
	if !f.Given() {
		return false
	}
	return r.find(join(at, f.Name), f.Raw, into)
}

// find looks for fields of an object.
func (r *reader) find(at string, raw []byte, into []jsonedit.Field) bool {
	if len(raw) == 0 || raw[0] != '{' || !jsonedit.Find(raw, into) {
		r.invalid(at, "%s must be an object.", at)
		return false
	}
	return true
}

// raw is a field's value as JSON of its own.
func raw(f *jsonedit.Field) json.RawMessage { return json.RawMessage(bytes.Clone(f.Raw)) }
