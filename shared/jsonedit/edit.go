package jsonedit

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Edit is one change to a top-level member; make it with Set, SetString or Delete of a Field that Scan or Find filled in.
type Edit struct {
	op         op
	from, to   int // the value when set, the whole member when deleted
	prev, next int // commas around the member, as in Field
	name       string
	raw        []byte
}

type op uint8

const (
	nothing op = iota
	set
	insert
	remove
)

// Set gives the field a new value, written as raw, which must be JSON; a field that is absent becomes the last member.
// raw is kept until Replace.
func (f *Field) Set(raw []byte) Edit {
	e := Edit{op: set, from: f.Start, to: f.Start + len(f.Raw), prev: f.prev, name: f.Name, raw: raw}
	if f.Kind == Absent {
		e.op = insert
	}
	return e
}

// SetString gives the field a string as its new value.
func (f *Field) SetString(s string) Edit { return f.Set(Quote(s)) }

// Delete removes the member and one comma next to it; of a field that is absent it does nothing.
func (f *Field) Delete() Edit {
	if f.Kind == Absent {
		return Edit{}
	}
	return Edit{op: remove, from: f.key, to: f.Start + len(f.Raw), prev: f.prev, next: f.next}
}

// Replace appends body with the edits made to dst and returns it; all other bytes stay as they are. The edits must come
// from one Scan or Find of this body and may stand in any order (Replace sorts them in place). Give each field one
// edit: of several, the one nearest the front of the body wins. dst must not overlap body.
func Replace(dst, body []byte, edits ...Edit) []byte {
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.from, b.from) })
	dst = slices.Grow(dst, len(body)+growth(edits))
	var (
		done     = 0     // body[:done] is dealt with
		lastCut  = -1    // while all members so far are deleted, the comma after the last of them
		bare     = false // all members are deleted
		inserted = false
	)
	for _, e := range edits {
		if e.op == nothing || e.from < done {
			continue
		}
		switch e.op {
		case set:
			dst = append(append(dst, body[done:e.from]...), e.raw...)
			done = e.to
		case insert:
			dst = append(dst, body[done:e.from]...)
			if inserted || e.prev >= 0 && !bare {
				dst = append(dst, ',')
			}
			dst = append(append(AppendQuote(dst, e.name), ':'), e.raw...)
			done, inserted = e.from, true
		case remove:
			from, to := e.prev, e.to
			if e.prev == lastCut { // nothing is left before it: the comma after it goes, not the one before
				from, lastCut, bare = e.from, e.next, e.next < 0
				to = max(to, e.next+1)
			}
			dst = append(dst, body[done:from]...)
			done = to
		}
	}
	return append(dst, body[done:]...)
}

// growth is how many bytes the edits add at most.
func growth(edits []Edit) (n int) {
	for _, e := range edits {
		n += len(e.name) + len(e.raw) + len(`,"":`)
	}
	return n
}

// Quote writes s as a JSON string.
func Quote(s string) []byte { return AppendQuote(make([]byte, 0, len(s)+2), s) }

// AppendQuote appends s to dst as a JSON string in valid UTF-8: what is not UTF-8 in s becomes U+FFFD.
func AppendQuote(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
