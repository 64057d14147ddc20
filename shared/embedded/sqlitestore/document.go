package sqlitestore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/store"
)

// row is a document on its way into a table.
type row struct {
	body   []byte
	values []any // of the table's fields
}

// encode makes a row of a Go value, refusing what the port refuses.
func (t *table) encode(id string, doc any) (row, error) {
	body, err := json.Marshal(doc)
	if err != nil {
		return row{}, fmt.Errorf("%s/%s: %w", t.Name, id, err)
	}
	if len(body) > store.MaxDocBytes {
		return row{}, fmt.Errorf("%w: %s/%s has %d bytes", store.ErrTooLarge, t.Name, id, len(body))
	}
	r := row{body, make([]any, len(t.fields))}
	if err := t.scan(body, r.values); err != nil {
		return row{}, fmt.Errorf("sqlitestore: %s/%s: %w", t.Name, id, err)
	}
	return r, nil
}

// sameValues reports whether a stored document has the same values in the table's fields as a row.
func (t *table) sameValues(body []byte, r row) bool {
	values := make([]any, len(t.fields))
	return t.scan(body, values) == nil && reflect.DeepEqual(values, r.values)
}

// scan walks over JSON as json.Marshal writes it, that is valid and without spaces. It refuses numbers that are not whole
// and keeps the values of the top-level fields that have a column. A full decode would cost ten times as much.
func (t *table) scan(body []byte, values []any) error {
	if body[0] != '{' {
		return fmt.Errorf("a document is a JSON object")
	}
	depth, column := 0, -1 // column of the value that comes next
	for i := 0; i < len(body); {
		end, isNumber := i+1, false
		switch c := body[i]; {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == '"':
			end = i + stringEnd(body[i:])
		case c == '-' || c >= '0' && c <= '9':
			end, isNumber = i+numberEnd(body[i:]), true
		case c == 't' || c == 'n':
			end = i + len("true")
		case c == 'f':
			end = i + len("false")
		}
		token := body[i:end]
		if isNumber {
			if err := whole(token); err != nil {
				return err
			}
		}
		if depth == 1 && token[0] == '"' && end < len(body) && body[end] == ':' {
			column, i = t.column(token), end+1
			continue
		}
		if column >= 0 {
			values[column] = scalar(token)
			column = -1
		}
		i = end
	}
	return nil
}

// column finds the field with that JSON label, or answers -1.
func (t *table) column(label []byte) int {
	for i, l := range t.labels {
		if l == string(label) {
			return i
		}
	}
	if bytes.IndexByte(label, '\\') < 0 && utf8.Valid(label) {
		return -1
	}
	return slices.Index(t.fields, unquote(label)) // there are other ways to write it
}

// stringEnd is the length of the JSON string that s begins with.
func stringEnd(s []byte) int {
	i := 1
	for {
		i += bytes.IndexByte(s[i:], '"') + 1
		slashes := 0
		for s[i-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
}

// numberEnd is the length of the JSON number that s begins with.
func numberEnd(s []byte) int {
	for i, c := range s {
		if c == ',' || c == '}' || c == ']' {
			return i
		}
	}
	return len(s)
}

func whole(number []byte) error {
	const always = 18 // digits and sign that fit int64 whatever they are
	fits := bytes.IndexAny(number, ".eE") < 0
	if fits && len(number) > always {
		_, err := strconv.ParseInt(string(number), 10, 64)
		fits = err == nil
	}
	if !fits {
		return fmt.Errorf("%s is not a whole number that fits 64 bits", number)
	}
	return nil
}

// scalar is what a column holds for a JSON token; objects, arrays and null are absent.
func scalar(token []byte) any {
	switch token[0] {
	case '"':
		return unquote(token)
	case 't':
		return truth(true)
	case 'f':
		return truth(false)
	case 'n', '{', '[':
		return nil
	}
	n, _ := strconv.ParseInt(string(token), 10, 64) // whole has seen it
	return n
}

func unquote(token []byte) (s string) {
	if bytes.IndexByte(token, '\\') < 0 && utf8.Valid(token) {
		return string(token[1 : len(token)-1])
	}
	_ = json.Unmarshal(token, &s) // json.Marshal wrote it
	return s
}

// truth is a boolean in a column: SQLite has none, and an integer would equal a number.
func truth(b bool) []byte {
	if b {
		return []byte{1}
	}
	return []byte{0}
}
