package responses

import "bytes"

// elements cuts a list, which must be valid JSON, into what it holds.
func elements(list []byte) (out [][]byte) {
	depth, start := 0, 0
	add := func(end int) {
		if raw := trim(list[start:end]); len(raw) > 0 {
			out = append(out, raw)
		}
	}
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '"':
			i = endOfString(list, i)
		case '[', '{':
			if depth++; depth == 1 {
				start = i + 1
			}
		case ']', '}':
			if depth--; depth == 0 {
				add(i)
				return out
			}
		case ',':
			if depth == 1 {
				add(i)
				start = i + 1
			}
		}
	}
	return out
}

// endOfString is where the string that begins at i has its closing quote.
func endOfString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
