package jsonedit

import (
	"bytes"
	"encoding/json"
)

// Find looks up top-level fields without checking the text: for bodies from a provider that we only pass on. It stops
// at the last wanted field it meets, the first of duplicates wins, and strings and numbers it steps over are not
// looked into. It reports false when the text cannot be followed; never panics, whatever the bytes.
func Find(body []byte, fields []Field) bool {
	reset(fields)
	s := scanner{body: body}
	i := s.space(0)
	if s.at(i) != '{' {
		return false
	}
	if i = s.space(i + 1); s.at(i) == '}' {
		absent(fields, i, true)
		return true
	}
	missing := len(fields)
	for prev := -1; ; {
		key, name := i, skipString(body, i)
		if name < 0 {
			return false
		}
		start := s.colon(name)
		end := skipValue(body, start)
		if end < 0 {
			return false
		}
		raw := body[key+1 : name-1]
		field := wanted(fields, raw, bytes.IndexByte(raw, '\\') >= 0)
		if field != nil && field.Kind == Absent {
			field.found(body, key, prev, start, end)
			missing--
		} else {
			field = nil
		}
		switch i = s.space(end); s.at(i) {
		case ',':
			if field != nil {
				field.next = i
			}
			if missing == 0 {
				return true
			}
			prev, i = i, s.space(i+1)
		case '}':
			absent(fields, end, false)
			return true
		default:
			return false
		}
	}
}

// FindWhole is Find for a text that must be JSON from its beginning to its end, of any depth and in any encoding of strings.
func FindWhole(body []byte, fields []Field) bool {
	return Scan(body, fields) == nil || Find(body, fields) && json.Valid(body)
}

// skipString steps over a string that starts at i; negative if there is none or it does not end.
func skipString(b []byte, i int) int {
	if i < 0 || i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		quote := i + n
		slashes := 0
		for b[quote-1-slashes] == '\\' && quote-1-slashes >= i {
			slashes++
		}
		if i = quote + 1; slashes%2 == 0 {
			return i
		}
	}
}

// skipValue steps over a value that starts at i by counting brackets; negative if it does not end.
func skipValue(b []byte, i int) int {
	if i < 0 || i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{' || c == '[':
		return skipNested(b, i)
	case c == '-' || c == 't' || c == 'f' || c == 'n' || c-'0' <= 9:
		for i < len(b) && (b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z' || b[i]-'0' <= 9 || b[i] == '-' || b[i] == '+' || b[i] == '.') {
			i++
		}
		return i
	default:
		return -1
	}
}

// skipNested steps over an object or array that starts at i, of any depth.
func skipNested(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}
