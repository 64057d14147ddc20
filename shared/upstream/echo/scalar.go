package echo

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formats are texts of the formats that JSON Schema names (draft 2020-12, section 7.3).
var formats = map[string]string{
	"date-time": "2024-01-01T00:00:00Z", "date": "2024-01-01", "time": "00:00:00Z", "duration": "P1D", "email": "text@example.com",
	"hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/text", "url": "https://example.com/text",
	"uuid": "00000000-0000-4000-8000-000000000000",
}

// madeText is "text", or what fits better.
func madeText(v view) string {
	text := "text"
	if known := formats[v.get("format").text()]; known != "" {
		return known
	}
	if pattern := v.get("pattern").text(); pattern != "" {
		text = matching(pattern, text)
	}
	least, _ := v.get("minLength").count()
	if n := utf8.RuneCountInString(text); n < least {
		text += strings.Repeat("text", (least-n)/4+1)[:least-n]
	}
	if most, told := v.get("maxLength").count(); told && utf8.RuneCountInString(text) > max(most, least) {
		text = string([]rune(text)[:max(most, least)])
	}
	return text
}

const (
	maxPattern = 1 << 10 // bytes of a regular expression that a text is made for
	maxWeight  = 10_000  // of it: compiling takes time in proportion
)

// matching is a text that a regular expression matches, or otherwise where that cannot be told.
func matching(pattern, otherwise string) string {
	if len(pattern) > maxPattern {
		return otherwise
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || weight(tree) > maxWeight {
		return otherwise
	}
	check, err := regexp.Compile(pattern)
	if err != nil || check.MatchString(otherwise) {
		return otherwise
	}
	var b strings.Builder
	shortest(&b, tree)
	if text := b.String(); utf8.ValidString(text) && check.MatchString(text) {
		return text
	}
	return otherwise
}

// weight is how large an expression is with its repetitions written out.
func weight(e *syntax.Regexp) (n int) {
	n = 1 + len(e.Rune)
	for _, sub := range e.Sub {
		n += weight(sub)
	}
	return min(n*max(e.Min, e.Max, 1), maxWeight+1)
}

// shortest writes what an expression matches at least.
func shortest(b *strings.Builder, e *syntax.Regexp) {
	switch e.Op {
	case syntax.OpLiteral:
		b.WriteString(string(e.Rune))
	case syntax.OpCharClass:
		b.WriteRune(shown(e.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpPlus:
		shortest(b, e.Sub[0])
	case syntax.OpConcat:
		for _, sub := range e.Sub {
			shortest(b, sub)
		}
	case syntax.OpRepeat:
		for range e.Min {
			shortest(b, e.Sub[0])
		}
	}
}

// shown is a letter or digit of a class if it has one, else its first.
func shown(ranges []rune) rune {
	if len(ranges) == 0 {
		return utf8.RuneError
	}
	for _, wanted := range "a1A" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= wanted && wanted <= ranges[i+1] {
				return wanted
			}
		}
	}
	return ranges[0]
}

// appendNumber writes 1, or the number next to it that fits.
func appendNumber(dst []byte, v view, whole bool) []byte {
	least, most := bounds(v, whole)
	x := 1.0
	if x < least {
		x = least
	} else if x > most {
		x = most
	}
	step, _ := v.get("multipleOf").number()
	if whole && (step <= 0 || step < 1 && math.Mod(1, step) == 0) {
		step = 1
	}
	if step > 0 {
		up := math.Ceil(x/step) * step
		if up > most {
			up = math.Floor(x/step) * step
		}
		x = up
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		x = 1
	}
	if whole || x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.AppendFloat(dst, x, 'f', 0, 64)
	}
	return strconv.AppendFloat(dst, x, 'g', 15, 64)
}

// bounds are the least and the largest number that fit; infinite if nothing is said.
func bounds(v view, whole bool) (least, most float64) {
	least, above := edge(v, "minimum", "exclusiveMinimum", math.Inf(-1))
	most, below := edge(v, "maximum", "exclusiveMaximum", math.Inf(1))
	gap := 1.0
	if room := min(most, below) - max(least, above); room > 0 && room <= gap {
		gap = room / 2
	}
	switch {
	case above >= least && whole:
		least = math.Floor(above) + 1
	case above >= least:
		least = above + gap
	}
	switch {
	case below <= most && whole:
		most = math.Ceil(below) - 1
	case below <= most:
		most = below - gap
	}
	return least, most
}

// edge is a bound and one that itself does not fit. In draft 4 of JSON Schema the latter is a boolean.
func edge(v view, name, exclusive string, none float64) (within, beyond float64) {
	within, beyond = none, none
	if x, told := v.get(name).number(); told {
		within = x
	}
	if x, told := v.get(exclusive).number(); told {
		beyond = x
	} else if n := v.get(exclusive); n != nil && n.value == true {
		beyond = within
	}
	return within, beyond
}
