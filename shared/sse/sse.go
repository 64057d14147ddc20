// Package sse reads and writes server-sent events (WHATWG HTML standard, section "Server-sent events"), bytes first: a
// reader that hands out each event as it was received, for passing on, next to its fields; and functions that write one.
package sse

import "errors"

// MaxEventBytes is the default limit for one event as received.
const MaxEventBytes = 16 << 20

// ErrTooLong says that an event exceeds the reader's limit; the stream cannot be read further.
var ErrTooLong = errors.New("the server-sent event is too long")

// Event is one block of lines up to a blank line. A block may have no data: comments, keep-alives and lone blank lines
// are events too, so that a proxy can pass them on. The Raw of all events, one after another, are the stream, except
// that a LF which ends the stream may be left out if it belongs to the CR before it.
type Event struct {
	Raw  []byte // as received, blank line included
	Data []byte // the data lines joined by LF, nil when there is none; part of Raw when there is just one
	Name []byte // the event field, nil when absent
	ID   []byte // the id field, nil when absent
}

// Append appends an event to dst: its name unless that is empty, and data, whose lines (ended by LF, CR or CR LF) become
// data lines. What reads it gets data back with LF for every line end. A line end in the name becomes a space.
func Append(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(dst, "event: "...)
		for i := range len(name) {
			c := name[i]
			if c == '\n' || c == '\r' {
				c = ' '
			}
			dst = append(dst, c)
		}
		dst = append(dst, '\n')
	}
	for {
		end := lineEnd(data, 0)
		dst = append(append(append(dst, "data: "...), data[:end]...), '\n')
		if end == len(data) {
			return append(dst, '\n')
		}
		if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
			end++
		}
		data = data[end+1:]
	}
}

// AppendComment appends a comment of one line, which readers ignore: it keeps a connection alive. The text must not
// contain line ends.
func AppendComment(dst []byte, text string) []byte {
	return append(append(append(dst, ": "...), text...), "\n\n"...)
}
