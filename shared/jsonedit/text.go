package jsonedit

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// text reads a string from behind its opening quote to behind its closing one, and tells whether it has escapes.
func (s *scanner) text(i int) (end int, escaped bool) {
	for {
		i = plain(s.body, i)
		if i >= len(s.body) {
			return s.fail(Syntax, len(s.body), "the closing quote of a string"), false
		}
		switch c := s.body[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			if i = s.escape(i); i < 0 {
				return i, false
			}
			escaped = true
		case c < ' ':
			return s.fail(Syntax, i, "no control character in a string"), false
		default:
			var ok bool
			if i, ok = wide(s.body, i); !ok {
				return s.fail(BadUTF8, i, ""), false
			}
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns the offset of the first byte from i on that is a quote, a backslash, a control character or not ASCII.
// It looks at eight bytes at a time: x-n*ones sets the high bit of bytes below n, and x^c*ones makes c zero. A borrow
// can mislead only above the first hit.
func plain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^'"'*ones, x^'\\'*ones
		hit := ((x-' '*ones)&^x | (quote-ones)&^quote | (slash-ones)&^slash | x) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// wide steps over a run of UTF-8 that is not ASCII, to the offset behind it or of the first bad byte.
func wide(b []byte, i int) (end int, ok bool) {
	for i < len(b) && b[i] >= utf8.RuneSelf {
		// Three bytes that need no look at the second one's range: most of what is written in the world's scripts.
		if i+2 < len(b) && 0xe1 <= b[i] && b[i] <= 0xec && b[i+1]&0xc0 == 0x80 && b[i+2]&0xc0 == 0x80 {
			i += 3
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i, false
		}
		i += size
	}
	return i, true
}

// escape reads a backslash and what belongs to it.
func (s *scanner) escape(i int) int {
	switch s.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(s.body, i+2); ok {
			return i + 6
		}
	}
	return s.fail(Syntax, i, "a valid escape")
}

// hex4 reads four hexadecimal digits.
func hex4(b []byte, i int) (r rune, ok bool) {
	if i+4 > len(b) {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
