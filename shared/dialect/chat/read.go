package chat

import (
	"encoding/json"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// reader reads JSON that has been checked: a caller's body, or a provider's answer. It keeps the first error, and then what it reads is
// of no use.
type reader struct {
	err    error
	answer bool // of a provider: what is not known here is left out, not refused
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) invalid(path, format string, args ...any) {
	r.fail(gateway.Invalid(path, format, args...))
}

// wrong fails for a value of another type.
func (r *reader) wrong(path string, raw []byte, want string) {
	r.fail(dialect.WrongType(&jsonedit.Field{Name: path, Kind: jsonedit.KindOf(raw[0])}, want))
}

func join(at, name string) string {
	switch {
	case at == "":
		return name
	case name == "":
		return at
	default:
		return at + "." + name
	}
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// given reports whether a field is there with another value than null.
func given(raw []byte) bool { return len(raw) > 0 && raw[0] != 'n' }

// text reads a string; absent and null are empty.
func (r *reader) text(at, name string, raw []byte) string {
	if !given(raw) {
		return ""
	}
	text, ok := jsonedit.Unquote(raw)
	if !ok {
		r.wrong(join(at, name), raw, "a string")
	}
	return text
}

// slot is where a string of an object is read into.
type slot struct {
	name string
	into *string
}

// strings reads some strings of an object.
func (r *reader) strings(at string, raw []byte, slots ...slot) {
	for name, raw := range jsonedit.Members(raw) {
		for _, s := range slots {
			if s.name == name {
				*s.into = r.text(at, name, raw)
			}
		}
	}
}

// need reads a string that must be there and not empty.
func (r *reader) need(at, name string, raw []byte) string {
	text := r.text(at, name, raw)
	if text == "" && r.err == nil {
		r.invalid(join(at, name), "%s is required.", join(at, name))
	}
	return text
}

// word reads a string that is one of a few.
func (r *reader) word(at, name string, raw []byte, known ...string) string {
	text := r.text(at, name, raw)
	if text == "" || r.err != nil {
		return ""
	}
	list := ""
	for i, word := range known {
		if word == text {
			return text
		}
		list += word
		switch len(known) - i {
		case 1:
		case 2:
			list += " or "
		default:
			list += ", "
		}
	}
	r.invalid(join(at, name), "%s must be %s, not %.40q.", join(at, name), list, text)
	return ""
}

// flag reads true or false; absent and null are nil.
func (r *reader) flag(at, name string, raw []byte) *bool {
	if !given(raw) {
		return nil
	}
	if raw[0] != 't' && raw[0] != 'f' {
		r.wrong(join(at, name), raw, "true or false")
		return nil
	}
	return new(raw[0] == 't')
}

// number reads a number within bounds.
func (r *reader) number(at, name string, raw []byte, least, most float64) *float64 {
	if !given(raw) {
		return nil
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case jsonedit.KindOf(raw[0]) != jsonedit.Number:
		r.wrong(join(at, name), raw, "a number")
	case err != nil || n < least || n > most:
		r.invalid(join(at, name), "%s must be from %v to %v.", join(at, name), least, most)
	default:
		return &n
	}
	return nil
}

// whole reads a whole number within bounds.
func (r *reader) whole(at, name string, raw []byte, least, most int64) *int64 {
	if !given(raw) {
		return nil
	}
	n, ok := jsonedit.Int(raw)
	switch {
	case jsonedit.KindOf(raw[0]) != jsonedit.Number:
		r.wrong(join(at, name), raw, "a whole number")
	case !ok || n < least || n > most:
		r.invalid(join(at, name), "%s must be a whole number from %d to %d.", join(at, name), least, most)
	default:
		return &n
	}
	return nil
}

// isObject reports whether there is an object; absent and null are none, and all else is refused.
func (r *reader) isObject(at, name string, raw []byte) bool {
	if given(raw) && raw[0] != '{' {
		r.wrong(join(at, name), raw, "an object")
	}
	return given(raw) && r.err == nil
}

// isList is as isObject.
func (r *reader) isList(at, name string, raw []byte) bool {
	if given(raw) && raw[0] != '[' {
		r.wrong(join(at, name), raw, "a list")
	}
	return given(raw) && r.err == nil
}

// object reads an object's value as JSON of its own; absent and null are nil.
func (r *reader) object(at, name string, raw []byte) json.RawMessage {
	if !r.isObject(at, name, raw) {
		return nil
	}
	return raw
}

// texts reads a list of strings.
func (r *reader) texts(at, name string, raw []byte, most int) (all []string) {
	if !r.isList(at, name, raw) {
		return nil
	}
	at = join(at, name)
	for item := range jsonedit.Elements(raw) {
		if len(all) == most {
			r.invalid(at, "%s may have %d entries.", at, most)
			return nil
		}
		text, ok := jsonedit.Unquote(item)
		if !ok {
			r.wrong(index(at, len(all)), item, "a string")
			return nil
		}
		all = append(all, text)
	}
	return all
}
