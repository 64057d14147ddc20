package responses

import (
	"strconv"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// object writes a JSON object, field by field.
type object struct{ b []byte }

// open begins an object behind dst.
func open(dst []byte) object { return object{append(dst, '{')} }

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), `":`...)
}

// text writes a string; names are written as they are.
func (o *object) text(name, value string) {
	o.name(name)
	o.b = jsonedit.AppendQuote(o.b, value)
}

func (o *object) bytes(name string, value []byte) { o.text(name, string(value)) }

// raw writes what is JSON already.
func (o *object) raw(name, value string) {
	o.name(name)
	o.b = append(o.b, value...)
}

func (o *object) json(name string, value []byte) {
	o.name(name)
	o.b = append(o.b, value...)
}

func (o *object) number(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

// textOrNull writes a string, null for an empty one.
func (o *object) textOrNull(name, value string) {
	if value == "" {
		o.raw(name, "null")
		return
	}
	o.text(name, value)
}

// close ends the object.
func (o *object) close() []byte { return append(o.b, '}') }
