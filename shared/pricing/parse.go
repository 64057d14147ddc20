package pricing

import (
	"fmt"
	"strconv"
	"strings"
)

// modes are the modes that a row may have.
var modes = map[string]bool{"chat": true, "completion": true, "embedding": true, "responses": true, imageMode: true}

// rowsHint and namesHint size the book for what it is known to hold.
const rowsHint, namesHint = 450, 720

// parse reads the text of a book; the comment at the top of book.txt describes it.
func parse(text string) (*Book, error) {
	b := &Book{prices: make([]Price, 0, namesHint), index: make(map[key]int32, namesHint)}
	sheets := make([][tiers]sheet, 0, rowsHint)
	var section Price // what the rows of a provider have in common
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "provider "); ok {
			f := strings.Split(rest, "\t")
			if len(f) != 3 {
				return nil, fmt.Errorf("price book line %d: a provider has 3 fields, not %d", number, len(f))
			}
			section = Price{Provider: f[0], Source: f[1], Read: f[2]}
			continue
		}
		names, p, s, err := parseRow(line, section)
		if err != nil {
			return nil, fmt.Errorf("price book line %d: %w", number, err)
		}
		sheets = append(sheets, s)
		p.sheets = &sheets[len(sheets)-1] // a grown array leaves the old one to the rows that point there
		if err := b.add(names, p); err != nil {
			return nil, fmt.Errorf("price book line %d: %w", number, err)
		}
	}
	return b, nil
}

// add takes a row in under all its names.
func (b *Book) add(names string, p Price) error {
	for name := range strings.FieldsSeq(names) {
		k := key{p.Provider, strings.ToLower(name)}
		if _, twice := b.index[k]; twice {
			return fmt.Errorf("%s is listed twice", name)
		}
		p.Model = name
		b.index[k] = int32(len(b.prices))
		b.prices = append(b.prices, p)
	}
	return nil
}

// parseRow reads one row.
func parseRow(line string, section Price) (names string, p Price, s [tiers]sheet, err error) {
	f := strings.Split(line, "\t")
	if len(f) < 4 || len(f) > 5 || section.Provider == "" {
		return "", p, s, fmt.Errorf("a row has 4 or 5 fields and follows a provider")
	}
	p = section
	p.Mode = f[1]
	if !modes[p.Mode] {
		return "", p, s, fmt.Errorf("unknown mode %q", p.Mode)
	}
	if len(f) == 5 {
		p.Read = f[4]
	}
	in, out, _ := strings.Cut(f[2], "/")
	if p.MaxInput, err = strconv.ParseInt(in, 10, 64); err != nil {
		return "", p, s, fmt.Errorf("max input: %w", err)
	}
	if p.MaxOutput, err = strconv.ParseInt(out, 10, 64); err != nil {
		return "", p, s, fmt.Errorf("max output: %w", err)
	}
	s, p.LongAbove, err = parseSheets(f[3])
	return f[0], p, s, err
}

// listed are rates as written: a class that is not listed is unlisted.
type listed [9]PicoUSD

const unlisted = -1

// classes are the words for the elements of listed.
var classes = [len(listed{})]string{"in", "cached", "write", "write1h", "audio_in", "out", "audio_out", "image_in", "image_out"}

// rates fills in what is not listed.
func (l listed) rates() Rates {
	or := func(i int, fallback PicoUSD) PicoUSD {
		if l[i] == unlisted {
			return fallback
		}
		return l[i]
	}
	r := Rates{Input: l[0], Output: l[5]}
	r.Cached, r.CacheWrite = or(1, r.Input), or(2, r.Input)
	r.CacheWrite1h = or(3, r.CacheWrite)
	r.AudioInput, r.AudioOutput = or(4, r.Input), or(6, r.Output)
	r.ImageInput, r.ImageOutput = or(7, r.Input), or(8, r.Output)
	return r
}

// tierNames are the words that open the section of a tier.
var tierNames = [tiers]string{batch: "batch", flex: "flex", priority: "priority"}

// parseSheets reads the prices of a row. A section takes what it does not list from the one it derives from: long and the
// tiers from the standard price, the long price of a tier from the standard's long price.
func parseSheets(text string) (s [tiers]sheet, above int64, err error) {
	var base, long listed
	for i := range base {
		base[i], long[i] = unlisted, unlisted
	}
	for i, part := range strings.Split(text, "; ") {
		t, limit, rest, err := sectionHead(part)
		if err != nil {
			return s, 0, fmt.Errorf("%q: %w", part, err)
		}
		from := &base
		if limit != 0 && t != standard {
			from = &long
		}
		l, err := parseRates(rest, *from)
		if err != nil {
			return s, 0, fmt.Errorf("%q: %w", part, err)
		}
		r := l.rates()
		switch {
		case i == 0 && t == standard && limit == 0:
			base, long = l, l
			s = [tiers]sheet{{r, r}, {r, r}, {r, r}, {r, r}}
		case i == 1 && t == standard && limit > 0:
			long, above = l, limit
			for t := range s {
				s[t].long = r
			}
		case i > 0 && t != standard && limit == 0:
			s[t].base = r
			if above == 0 {
				s[t].long = r
			}
		case t != standard && limit != 0 && above != 0:
			s[t].long = r
		default:
			return s, 0, fmt.Errorf("%q is out of order", part)
		}
	}
	return s, above, nil
}

// sectionHead reads what opens a section: nothing, "long>N", a tier, or a tier and "long". The limit is N, or -1 for the
// row's own, or 0 without "long".
func sectionHead(part string) (t tier, limit int64, rest string, err error) {
	word, rest, _ := strings.Cut(part, " ")
	for i, name := range tierNames {
		if name == word {
			t = tier(i)
		}
	}
	if t == standard {
		number, isLong := strings.CutPrefix(word, "long>")
		if !isLong {
			return standard, 0, part, nil
		}
		limit, err = strconv.ParseInt(number, 10, 64)
		return standard, limit, rest, err
	}
	if after, isLong := strings.CutPrefix(rest, "long "); isLong {
		return t, -1, after, nil
	}
	return t, 0, rest, nil
}

// parseRates reads "in=2.5 out=10" on top of what it derives from.
func parseRates(text string, l listed) (listed, error) {
	for pair := range strings.FieldsSeq(text) {
		class, price, _ := strings.Cut(pair, "=")
		i := 0
		for i < len(classes) && classes[i] != class {
			i++
		}
		if i == len(classes) {
			return l, fmt.Errorf("unknown class %q", class)
		}
		n, ok := parsePerMillion(price)
		if !ok {
			return l, fmt.Errorf("%q is no price", pair)
		}
		l[i] = n
	}
	if l[0] == unlisted || l[5] == unlisted {
		return l, fmt.Errorf("in and out must be listed")
	}
	return l, nil
}
