package jsonedit

import "iter"

// Members steps through the members of an object that Scan has checked, or is a part of such a body. The values alias the text. Of what
// is no object there are none, and it stops where a text cannot be followed.
func Members(raw []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		s := scanner{body: raw}
		i := s.space(0)
		if s.at(i) != '{' {
			return
		}
		for {
			i = s.space(i + 1)
			end := skipString(raw, i)
			if end < 0 {
				return
			}
			name, _ := Unquote(raw[i:end])
			start := s.colon(end)
			if end = skipValue(raw, start); end < 0 || !yield(name, raw[start:end:end]) {
				return
			}
			if i = s.space(end); s.at(i) != ',' {
				return
			}
		}
	}
}

// Elements steps through those of an array, as Members does.
func Elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s := scanner{body: raw}
		i := s.space(0)
		if s.at(i) != '[' {
			return
		}
		for {
			i = s.space(i + 1)
			end := skipValue(raw, i)
			if end < 0 || !yield(raw[i:end:end]) {
				return
			}
			if i = s.space(end); s.at(i) != ',' {
				return
			}
		}
	}
}

// EditEach is an array with each item as edit makes it; nil takes the item out. What is no array stays as it is.
func EditEach(list []byte, edit func(item []byte) []byte) []byte {
	if len(list) == 0 || list[0] != '[' {
		return list
	}
	out := append(make([]byte, 0, len(list)), '[')
	for item := range Elements(list) {
		edited := edit(item)
		if edited == nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, edited...)
	}
	return append(out, ']')
}
