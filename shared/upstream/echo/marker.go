package echo

import (
	"encoding/json"
	"strings"
)

// marker is a word in double square brackets that tells echo what to do.
type marker struct {
	name     string
	argument string // what stands behind the name; what may be left out is in parentheses
	example  string
	what     string
	json     bool // the argument may hold JSON, and with it "]]"
	set      func(s *script, argument string) bool
}

// find returns the marker that text begins with, its argument and its length. The marker is nil if there is none; the
// length is 0 if there can be none behind either, as nothing closes it.
func find(text string) (m *marker, argument string, length int) {
	m = known(text)
	if m == nil {
		return nil, "", len("[")
	}
	end := strings.Index(text, "]]")
	if end < 0 {
		return nil, "", 0
	}
	if m.json {
		end = withJSON(text, end)
	}
	return m, strings.TrimSpace(text[len("[[")+len(m.name) : end]), end + len("]]")
}

func known(text string) *marker {
	for i := range markers {
		rest, found := strings.CutPrefix(text[len("[["):], markers[i].name)
		if found && (strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "]]")) {
			return &markers[i]
		}
	}
	return nil
}

// withJSON finds the end of a marker with a JSON value that begins before the first "]]", which may be within it.
func withJSON(text string, first int) int {
	start := strings.IndexAny(text[len("[["):first], `{["`)
	if start < 0 {
		return first
	}
	start += len("[[")
	d := json.NewDecoder(strings.NewReader(text[start:]))
	var value json.RawMessage
	if d.Decode(&value) != nil {
		return first
	}
	rest := strings.TrimLeft(text[start+int(d.InputOffset()):], " ")
	if !strings.HasPrefix(rest, "]]") {
		return first
	}
	return len(text) - len(rest)
}

// maxQuoted is how much of a marker a refusal quotes, in bytes.
const maxQuoted = 60

// read does what the markers in text say and returns the text without them. Markers of unknown names are text like any.
func (s *script) read(text string) (rest string, f *fault) {
	var kept strings.Builder
	for {
		at := strings.Index(text, "[[")
		if at < 0 {
			break
		}
		kept.WriteString(text[:at])
		text = text[at:]
		m, argument, length := find(text)
		if length == 0 {
			break
		}
		if m == nil {
			kept.WriteString(text[:length])
		} else if !m.set(s, argument) {
			return "", m.refuse(text[:length])
		}
		text = text[length:]
	}
	kept.WriteString(text)
	return kept.String(), nil
}

func (m *marker) refuse(given string) *fault {
	if len(given) > maxQuoted {
		given = strings.ToValidUTF8(given[:maxQuoted], "") + "..."
	}
	takes := "nothing behind its name"
	if m.argument != "" {
		takes = m.argument
	}
	return invalid("messages", "The marker %s cannot be obeyed: %s takes %s, as in %s.", given, m.name, takes, m.example)
}

// markedError is the fault that [[error]] in one of the texts asks for; nil if none does. Other markers are text.
func markedError(texts []string) *fault {
	for _, text := range texts {
		for at := strings.Index(text, "[[error"); at >= 0; at = strings.Index(text, "[[error") {
			m, argument, length := find(text[at:])
			var s script
			switch {
			case length == 0:
				length = len(text) - at
			case m == nil:
			case !m.set(&s, argument):
				return m.refuse(text[at : at+length])
			default:
				return s.err
			}
			text = text[at+length:]
		}
	}
	return nil
}
