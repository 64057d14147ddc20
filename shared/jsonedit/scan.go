package jsonedit

// scanner is the strict walker. Its methods take the offset to read at and return the offset behind what they read, or
// a negative number after noting the error.
type scanner struct {
	body []byte
	err  Error
}

func (s *scanner) fail(fault Fault, offset int, detail string) int {
	s.err = Error{Fault: fault, Offset: offset, detail: detail}
	return -1
}

// at returns the byte at i, or NUL, which no rule accepts outside a string, behind the end.
func (s *scanner) at(i int) byte {
	if i < len(s.body) {
		return s.body[i]
	}
	return 0
}

// space skips white space.
func (s *scanner) space(i int) int {
	for i < len(s.body) && s.body[i] <= ' ' {
		if c := s.body[i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			break
		}
		i++
	}
	return i
}

// top walks the whole text, noting wanted members.
func (s *scanner) top(fields []Field) bool {
	reset(fields)
	i := s.space(0)
	if i == len(s.body) {
		return s.fail(Empty, i, "") >= 0
	}
	if s.body[i] != '{' {
		return s.notObject(i) >= 0
	}
	if i = s.members(i+1, fields); i < 0 {
		return false
	}
	if i = s.space(i); i < len(s.body) {
		return s.fail(Syntax, i, "the end after the object") >= 0
	}
	return true
}

// notObject tells a text that is JSON of another type from one that is no JSON.
func (s *scanner) notObject(i int) int {
	kind := KindOf(s.body[i])
	end := s.value(i)
	if end < 0 {
		return end
	}
	if end = s.space(end); end < len(s.body) {
		return s.fail(Syntax, end, "the end after the value")
	}
	return s.fail(NotObject, i, kind.String())
}

// members walks the top-level object from behind its brace.
func (s *scanner) members(i int, fields []Field) int {
	i = s.space(i)
	if s.at(i) == '}' {
		absent(fields, i, true)
		return i + 1
	}
	for prev := -1; ; {
		key := i
		start, field := s.name(i, fields)
		if start < 0 {
			return start
		}
		end := s.value(start)
		if end < 0 {
			return end
		}
		if field != nil {
			field.found(s.body, key, prev, start, end)
		}
		switch i = s.space(end); s.at(i) {
		case ',':
			if field != nil {
				field.next = i
			}
			prev, i = i, s.space(i+1)
		case '}':
			absent(fields, end, false)
			return i + 1
		default:
			return s.fail(Syntax, i, "',' or '}'")
		}
	}
}

// name reads a top-level member's name and colon, returns where the value starts and the field that asks for it.
func (s *scanner) name(i int, fields []Field) (int, *Field) {
	if s.at(i) != '"' {
		return s.fail(Syntax, i, "a field name in quotes"), nil
	}
	end, escaped := s.text(i + 1)
	if end < 0 {
		return end, nil
	}
	field := wanted(fields, s.body[i+1:end-1], escaped)
	if field != nil && field.Kind != Absent {
		start := s.fail(Duplicate, i, "")
		s.err.Field = field.Name
		return start, nil
	}
	return s.colon(end), field
}

// colon reads a colon with white space around it.
func (s *scanner) colon(i int) int {
	if i = s.space(i); s.at(i) != ':' {
		return s.fail(Syntax, i, "':'")
	}
	return s.space(i + 1)
}

// value reads a value of any kind. Nesting is a bit in objects, not a call: set for an object, clear for an array.
func (s *scanner) value(i int) int {
	var objects uint64
	for depth := uint(1); ; {
		switch c := s.at(i); c {
		case '"':
			i, _ = s.text(i + 1)
		case '{', '[':
			if depth == MaxDepth {
				return s.fail(TooDeep, i, "")
			}
			depth++
			objects <<= 1
			i = s.space(i + 1)
			if c == '[' {
				if s.at(i) != ']' {
					continue
				}
				break // the loop below closes it
			}
			objects |= 1
			if s.at(i) != '}' {
				if i = s.innerName(i); i < 0 {
					return i
				}
				continue
			}
		default:
			i = s.scalar(i, c)
		}
		if i < 0 {
			return i
		}
		var more bool
		if i, more = s.after(i, &objects, &depth); !more {
			return i
		}
	}
}

// after reads what follows a value inside nested objects and arrays: closing brackets, then a comma and in an object
// the next name. It reports whether another value follows; if not, the outermost value is complete or wrong.
func (s *scanner) after(i int, objects *uint64, depth *uint) (int, bool) {
	for *depth > 1 {
		i = s.space(i)
		isObject := *objects&1 != 0
		switch c := s.at(i); {
		case c == ',':
			i = s.space(i + 1)
			if isObject {
				i = s.innerName(i)
			}
			return i, i >= 0
		case isObject && c == '}', !isObject && c == ']':
			i++
			*objects >>= 1
			*depth--
		case isObject:
			return s.fail(Syntax, i, "',' or '}'"), false
		default:
			return s.fail(Syntax, i, "',' or ']'"), false
		}
	}
	return i, false
}

// innerName reads a nested member's name and colon.
func (s *scanner) innerName(i int) int {
	if s.at(i) != '"' {
		return s.fail(Syntax, i, "a field name in quotes")
	}
	if i, _ = s.text(i + 1); i < 0 {
		return i
	}
	if s.at(i) == ':' { // the usual way to write it
		return s.space(i + 1)
	}
	return s.colon(i)
}

// scalar reads a number, true, false or null that starts with c.
func (s *scanner) scalar(i int, c byte) int {
	switch c {
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	default:
		return s.number(i)
	}
}

func (s *scanner) literal(i int, word string) int {
	if end := i + len(word); end <= len(s.body) && string(s.body[i:end]) == word {
		return end
	}
	return s.fail(Syntax, i, "a value")
}

// number reads [-] (0 | 1-9 digits) [. digits] [e [+-] digits].
func (s *scanner) number(i int) int {
	start := i
	if s.at(i) == '-' {
		i++
	}
	switch c := s.at(i); {
	case c == '0':
		i++
	case '1' <= c && c <= '9':
		i = s.digits(i)
	case i == start:
		return s.fail(Syntax, i, "a value")
	default:
		return s.fail(Syntax, i, "a digit")
	}
	if s.at(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return i
		}
	}
	if s.at(i)|0x20 == 'e' {
		if i++; s.at(i) == '+' || s.at(i) == '-' {
			i++
		}
		i = s.digits(i)
	}
	return i
}

// digits reads one digit or more.
func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.body) && s.body[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return s.fail(Syntax, i, "a digit")
	}
	return i
}
