// Package jsonedit reads and changes a few top-level fields of a JSON object without decoding the rest: one pass over
// the bytes, no allocation, and every byte that is not edited stays as the sender wrote it.
//
//	fields := [...]jsonedit.Field{{Name: "model"}, {Name: "stream"}}
//	if err := jsonedit.Scan(body, fields[:]); err != nil {
//		return err
//	}
//	model, ok := fields[0].Text()
//	body = jsonedit.Replace(nil, body, fields[0].SetString("gpt-4o"))
package jsonedit

import "fmt"

// MaxDepth is how deep Scan lets objects and arrays nest; the top-level object is the first level.
const MaxDepth = 64

// The walker keeps one bit for each open object or array in a uint64.
var _ [64 - MaxDepth]struct{}

// Kind is the JSON type of a value.
type Kind uint8

const (
	Absent Kind = iota // the field is not there
	String
	Number
	Bool
	Null
	Object
	Array
)

var kindNames = [...]string{"absent", "string", "number", "boolean", "null", "object", "array"}

func (k Kind) String() string { return kindNames[k] }

// Field is a top-level field that a caller asks for by Name; Scan and Find fill in the rest. It may be used again for
// another body. Raw aliases the body.
type Field struct {
	Name  string
	Kind  Kind   // Absent: the body has no such field
	Raw   []byte // the value as written, without white space around it; nil when absent
	Start int    // offset of Raw in the body; when absent, where a new member would go

	key        int // offset of the name's opening quote
	prev, next int // offsets of the commas before and after the member, -1 where there is none
}

// Present reports whether the body has the field, null included.
func (f *Field) Present() bool { return f.Kind != Absent }

// Given reports whether the body has the field with another value than null.
func (f *Field) Given() bool { return f.Kind != Absent && f.Kind != Null }

// Member is the byte range of the whole member: name, colon and value, without commas. Both are zero when absent.
func (f *Field) Member() (from, to int) {
	if f.Kind == Absent {
		return 0, 0
	}
	return f.key, f.Start + len(f.Raw)
}

// Fault is what is wrong with a text.
type Fault uint8

const (
	Empty     Fault = iota // nothing but white space
	Syntax                 // not JSON as RFC 8259 defines it
	BadUTF8                // a string has bytes that are not UTF-8
	TooDeep                // nested deeper than MaxDepth
	NotObject              // valid so far, but the top level is no object
	Duplicate              // a wanted field is there twice
)

// Error is the only error of Scan. Its text is fit for the sender of the body: it names offsets, never values.
type Error struct {
	Fault  Fault
	Offset int    // in bytes from the start of the body
	Field  string // the field given twice
	detail string // what was expected
}

func (e *Error) Error() string {
	switch e.Fault {
	case Empty:
		return "the JSON body is empty"
	case BadUTF8:
		return fmt.Sprintf("invalid JSON at byte %d: the string is not valid UTF-8", e.Offset)
	case TooDeep:
		return fmt.Sprintf("invalid JSON at byte %d: nested deeper than %d levels", e.Offset, MaxDepth)
	case NotObject:
		return fmt.Sprintf("the JSON body must be an object, not %s", e.detail)
	case Duplicate:
		return fmt.Sprintf("invalid JSON at byte %d: the field %q is given twice", e.Offset, e.Field)
	default:
		return fmt.Sprintf("invalid JSON at byte %d: expected %s", e.Offset, e.detail)
	}
}

// Scan checks the whole body and fills in fields. The body must be exactly one JSON object (RFC 8259) in valid UTF-8,
// nested no deeper than MaxDepth; escapes of lone surrogates pass. Names compare after unescaping and with their case. A
// wanted field that occurs twice is an error, so that what was checked is what any reader sees; other duplicates pass.
// The error is always an *Error; fields are then undefined.
func Scan(body []byte, fields []Field) error {
	s := scanner{body: body}
	if !s.top(fields) {
		err := s.err
		return &err
	}
	return nil
}

// reset prepares fields for a body.
func reset(fields []Field) {
	for i := range fields {
		fields[i] = Field{Name: fields[i].Name}
	}
}

// wanted returns the field of that name, nil if nobody asks for it. The name is what stands between the quotes.
func wanted(fields []Field, name []byte, escaped bool) *Field {
	var buf [64]byte
	if escaped {
		var ok bool
		if name, ok = appendUnescaped(buf[:0], name); !ok {
			return nil
		}
	}
	for i := range fields {
		if fields[i].Name == string(name) {
			return &fields[i]
		}
	}
	return nil
}

// found notes where a member stands. The comma after it is known later: see closeMember.
func (f *Field) found(body []byte, key, prev, start, end int) {
	f.Kind, f.Raw, f.Start = KindOf(body[start]), body[start:end:end], start
	f.key, f.prev, f.next = key, prev, -1
}

// absent tells all fields that were not found where they would go.
func absent(fields []Field, at int, isEmpty bool) {
	for i := range fields {
		if f := &fields[i]; f.Kind == Absent {
			f.Start, f.prev = at, 0
			if isEmpty {
				f.prev = -1
			}
		}
	}
}

// KindOf tells the kind of a value from its first byte.
func KindOf(c byte) Kind {
	switch c {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		return Number
	}
}
