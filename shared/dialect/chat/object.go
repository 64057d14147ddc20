package chat

import (
	"strconv"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// object writes a JSON object, field by field. Names are written as they are.
type object struct{ b []byte }

// open begins an object behind dst.
func open(dst []byte) object { return object{append(dst, '{')} }

func (o *object) name(name string) {
	o.item()
	o.b = append(append(append(o.b, '"'), name...), `":`...)
}

func (o *object) text(name, value string) {
	o.name(name)
	o.b = jsonedit.AppendQuote(o.b, value)
}

// word writes a string, unless it is empty.
func (o *object) word(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

// textOrNull writes a string, null for an empty one.
func (o *object) textOrNull(name, value string) {
	if value == "" {
		o.raw(name, "null")
		return
	}
	o.text(name, value)
}

// raw writes what is JSON already.
func (o *object) raw(name, value string) {
	o.name(name)
	o.b = append(o.b, value...)
}

// json writes what is JSON already, unless it is empty.
func (o *object) json(name string, value []byte) {
	if len(value) > 0 {
		o.name(name)
		o.b = append(o.b, value...)
	}
}

func (o *object) number(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

// count writes a number, unless it is 0.
func (o *object) count(name string, n int64) {
	if n != 0 {
		o.number(name, n)
	}
}

func (o *object) fraction(name string, n *float64) {
	if n != nil {
		o.name(name)
		o.b = strconv.AppendFloat(o.b, *n, 'g', -1, 64)
	}
}

func (o *object) whole(name string, n *int64) {
	if n != nil {
		o.number(name, *n)
	}
}

func (o *object) flag(name string, is *bool) {
	if is != nil {
		o.name(name)
		o.b = strconv.AppendBool(o.b, *is)
	}
}

func (o *object) texts(name string, all []string) {
	if len(all) == 0 {
		return
	}
	o.list(name)
	for _, text := range all {
		o.item()
		o.b = jsonedit.AppendQuote(o.b, text)
	}
	o.end()
}

// into begins a field that is an object; close ends it.
func (o *object) into(name string) {
	o.name(name)
	o.b = append(o.b, '{')
}

// close ends an object.
func (o *object) close() { o.b = append(o.b, '}') }

// list begins a field that is a list: item comes before each value, and end behind the last.
func (o *object) list(name string) {
	o.name(name)
	o.b = append(o.b, '[')
}

// item writes the comma before all fields and items but the first.
func (o *object) item() {
	if last := o.b[len(o.b)-1]; last != '[' && last != '{' {
		o.b = append(o.b, ',')
	}
}

// open begins an item that is an object.
func (o *object) open() {
	o.item()
	o.b = append(o.b, '{')
}

func (o *object) end() { o.b = append(o.b, ']') }
