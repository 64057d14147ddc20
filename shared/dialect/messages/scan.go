package messages

import (
	"bytes"
	"encoding/json"
	"iter"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// elements are the values of an array. The text must be JSON: of anything else a part may come.
func elements(raw []byte) (all [][]byte) {
	for _, value := range parts(raw, '[') {
		all = append(all, value)
	}
	return all
}

// members are the names and values of an object, as elements are those of an array.
func members(raw []byte) iter.Seq2[string, []byte] { return parts(raw, '{') }

// parts steps through an array or object.
func parts(raw []byte, opens byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		raw = bytes.TrimSpace(raw)
		if len(raw) < 2 || raw[0] != opens {
			return
		}
		for i := 1; i < len(raw); i++ {
			name := ""
			if opens == '{' {
				i = skipSpace(raw, i)
				end := skip(raw, i)
				name, _ = jsonedit.Unquote(raw[i:end])
				if i = skipSpace(raw, end) + 1; i > len(raw) {
					return
				}
			}
			i = skipSpace(raw, i)
			end := skip(raw, i)
			if end == i || !yield(name, raw[i:end:end]) {
				return
			}
			i = skipSpace(raw, end) // at the comma or what closes
		}
	}
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}

// skip is the end of the value that starts at i.
func skip(raw []byte, i int) int {
	for depth := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(raw))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return min(i, len(raw))
}

// marshal writes a value of our own types as JSON, without escapes that only HTML needs.
func marshal(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null") // our types are all writable, and raw parts are checked before
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
