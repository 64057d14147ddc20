package jsonedit

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is the value of a string; ok is false for every other kind.
func (f *Field) Text() (value string, ok bool) {
	if f.Kind != String {
		return "", false
	}
	return Unquote(f.Raw)
}

// Bool is the value of true or false; ok is false for every other kind.
func (f *Field) Bool() (value, ok bool) {
	return f.Kind == Bool && f.Raw[0] == 't', f.Kind == Bool
}

// Int is the value of a number that is whole and fits int64, however it is written (1000, 1e3, 1.0); ok is false for
// fractions, for numbers out of range (before an exponent counts) and for every other kind.
func (f *Field) Int() (value int64, ok bool) {
	if f.Kind != Number {
		return 0, false
	}
	return Int(f.Raw)
}

// Int reads a JSON number as Field.Int does.
func Int(raw []byte) (value int64, ok bool) {
	i, limit := 0, uint64(math.MaxInt64)
	if len(raw) > 0 && raw[0] == '-' {
		i, limit = 1, -math.MinInt64
	}
	var n uint64
	start := i
	for ; i < len(raw) && raw[i]-'0' <= 9; i++ {
		d := uint64(raw[i] - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if i == start {
		return 0, false
	}
	if i < len(raw) {
		return scientific(raw)
	}
	if start == 1 {
		return -int64(n), true
	}
	return int64(n), true
}

// scientific reads a number with a fraction or an exponent: its significant digits, shifted by the exponent.
func scientific(raw []byte) (int64, bool) {
	var digits []byte // without leading zeros
	i, shift := 0, 0
	if raw[0] == '-' {
		digits, i = append(digits, '-'), 1
	}
	sign := len(digits)
	for seenDot := false; i < len(raw) && raw[i]|0x20 != 'e'; i++ {
		switch c := raw[i]; {
		case c == '.' && !seenDot:
			seenDot = true
			continue
		case c-'0' > 9:
			return 0, false
		case c != '0' || len(digits) > sign:
			digits = append(digits, c)
		}
		if seenDot {
			shift--
		}
	}
	if i < len(raw) {
		exp, err := strconv.Atoi(string(raw[i+1:]))
		if tooBig := errors.Is(err, strconv.ErrRange) || exp > math.MaxInt32 || exp < math.MinInt32; tooBig || err != nil {
			return 0, tooBig && len(digits) == sign
		}
		shift += exp
	}
	return shifted(digits, sign, shift)
}

// shifted is digits times ten to the power of shift, if that is whole and fits.
func shifted(digits []byte, sign, shift int) (int64, bool) {
	if len(digits) == sign {
		return 0, true
	}
	for ; shift < 0; shift++ {
		last := len(digits) - 1
		if last < sign || digits[last] != '0' {
			return 0, false
		}
		digits = digits[:last]
	}
	if len(digits)+shift > len("-9223372036854775808") {
		return 0, false
	}
	for range shift {
		digits = append(digits, '0')
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}

// Unquote is the value of a JSON string written as raw, quotes included. An escaped lone surrogate becomes U+FFFD.
func Unquote(raw []byte) (value string, ok bool) {
	last := len(raw) - 1
	if last < 1 || raw[0] != '"' || raw[last] != '"' {
		return "", false
	}
	raw = raw[1:last]
	if plain(raw, 0) == len(raw) {
		return string(raw), true
	}
	var buf [128]byte
	out, ok := appendUnescaped(buf[:0], raw)
	return string(out), ok
}

// unescapes maps the letter behind a backslash to what it stands for.
var unescapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// appendUnescaped appends the value of what stands between the quotes of a JSON string.
func appendUnescaped(dst, b []byte) ([]byte, bool) {
	for i := 0; i < len(b); {
		end := plain(b, i)
		dst = append(dst, b[i:end]...)
		if i = end; i == len(b) {
			break
		}
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
		case c != '\\' || i+1 == len(b):
			return dst, false
		case b[i+1] == 'u':
			r, next := unescapeRune(b, i)
			if next < 0 {
				return dst, false
			}
			dst, i = utf8.AppendRune(dst, r), next
		case unescapes[b[i+1]] == 0:
			return dst, false
		default:
			dst, i = append(dst, unescapes[b[i+1]]), i+2
		}
	}
	return dst, true
}

// unescapeRune reads \uXXXX, or two of them that make a surrogate pair.
func unescapeRune(b []byte, i int) (r rune, next int) {
	r, ok := hex4(b, i+2)
	if !ok {
		return 0, -1
	}
	i += 6
	if utf16.IsSurrogate(r) && i+1 < len(b) && b[i] == '\\' && b[i+1] == 'u' {
		low, ok := hex4(b, i+2)
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return r, i // AppendRune writes U+FFFD for a lone surrogate
}
