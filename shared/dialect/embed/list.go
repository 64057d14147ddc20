package embed

import "github.com/sluice-gateway/sluice/shared/jsonedit"

// list steps through the elements of a JSON array. Its text has been checked before: of other text it makes some elements, and ends.
type list struct{ rest []byte }

// elements reports false if raw is no array.
func elements(raw []byte) (list, bool) {
	last := len(raw) - 1
	if last < 1 || raw[0] != '[' || raw[last] != ']' {
		return list{}, false
	}
	return list{raw[1:last]}, true
}

// next returns the next element, nil behind the last.
func (l *list) next() []byte {
	i := skip(l.rest, 0)
	if i == len(l.rest) {
		return nil
	}
	end := max(valueEnd(l.rest, i), i+1)
	element := l.rest[i:end]
	if i = skip(l.rest, end); i < len(l.rest) && l.rest[i] == ',' {
		i++
	}
	l.rest = l.rest[i:]
	return element
}

func skip(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns where the value ends that starts at i.
func valueEnd(b []byte, i int) int {
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '[', '{':
		return nestedEnd(b, i)
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case ',', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return i
}

func nestedEnd(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// kind tells the JSON type of an element for a message.
func kind(element []byte) jsonedit.Kind {
	switch element[0] {
	case '"':
		return jsonedit.String
	case '[':
		return jsonedit.Array
	case '{':
		return jsonedit.Object
	case 't', 'f':
		return jsonedit.Bool
	case 'n':
		return jsonedit.Null
	default:
		return jsonedit.Number
	}
}
