package sse

import "bytes"

var byteOrderMark = []byte("\ufeff")

// parser finds the end of one event, however the bytes arrive. Its offsets count from the event's first byte, so the
// bytes may move between calls; none is looked at twice, but for a line end that the next byte decides.
type parser struct {
	end int // behind the event; 0: not found yet

	prefix  int // bytes in front that belong to the event before: the LF of its last CR LF
	line    int // where the current line starts
	scanned int // the current line has no end before this offset

	data, name, id span
	dataLines      int

	fresh  bool // no line was read yet, so a byte order mark may come
	crlf   bool // the line before ended in CR LF: another CR waits for its LF
	skipLF bool // the event before ended in CR without waiting

	joined []byte // data of events with several data lines, back to back; data is a span of it if dataLines > 1
}

// span is a part of an event; to is 0 when there is none, as every value stands behind a field name.
type span struct{ from, to int }

func (s span) of(b []byte) []byte {
	if s.to == 0 {
		return nil
	}
	return b[s.from:s.to:s.to]
}

// begin makes the parser ready for the next event.
func (p *parser) begin() {
	*p = parser{crlf: p.crlf, skipLF: p.skipLF, joined: p.joined}
}

// parse goes on looking for the end of the event in b, which starts where the event does; eof says that b is all there
// will be. It reports whether the event is whole.
func (p *parser) parse(b []byte, eof bool) bool {
	if p.skipLF && len(b) > 0 {
		if p.skipLF = false; b[0] == '\n' {
			p.prefix, p.line, p.scanned = 1, 1, 1
			p.crlf = true
		}
	}
	for {
		end := lineEnd(b, p.scanned)
		p.scanned = end
		if end == len(b) {
			return false
		}
		start := p.line
		if p.fresh && bytes.HasPrefix(b, byteOrderMark) {
			start = len(byteOrderMark)
		}
		next := p.terminator(b, end, end == start, eof)
		if next < 0 {
			return false
		}
		if end == start {
			p.end, p.fresh = next, false
			return true
		}
		p.field(b, end)
		p.line, p.scanned = next, next
	}
}

// terminator returns the offset behind the line end at i; negative if that depends on a byte still to come. The end of
// an event is never held up for a byte that may not come: after a CR, a LF is waited for only if the line before had
// one, else it is skipped when it comes. So what belongs to which event depends on the bytes alone.
func (p *parser) terminator(b []byte, i int, blank, eof bool) int {
	switch {
	case b[i] == '\n':
		p.crlf = false
		return i + 1
	case blank && !p.crlf:
		p.skipLF = true
		return i + 1
	case i+1 < len(b):
		p.crlf = b[i+1] == '\n'
	case eof:
		p.crlf = false
	default:
		return -1
	}
	if p.crlf {
		return i + 2
	}
	return i + 1
}

// field notes the field on the current line, which ends at end.
func (p *parser) field(b []byte, end int) {
	line := b[p.line:end]
	if p.fresh {
		line, p.fresh = bytes.TrimPrefix(line, byteOrderMark), false
	}
	colon := bytes.IndexByte(line, ':')
	name, value := line, span{end, end}
	if colon >= 0 {
		name, value.from = line[:colon], end-len(line)+colon+1
		if value.from < end && b[value.from] == ' ' {
			value.from++
		}
	}
	switch string(name) {
	case "data":
		p.addData(b, value)
	case "event":
		p.name = value
	case "id":
		if bytes.IndexByte(value.of(b), 0) < 0 { // the standard ignores an id with NUL
			p.id = value
		}
	}
}

// addData notes a data line. From the second one on, the data is put together in joined.
func (p *parser) addData(b []byte, value span) {
	p.dataLines++
	switch p.dataLines {
	case 1:
		p.data = value
		return
	case 2:
		from := len(p.joined)
		p.joined = append(p.joined, p.data.of(b)...)
		p.data.from = from
	}
	p.joined = append(append(p.joined, '\n'), value.of(b)...)
	p.data.to = len(p.joined)
}

// forget drops from joined what belongs to events that were handed out.
func (p *parser) forget() {
	switch {
	case p.dataLines > 1:
		p.joined = p.joined[:copy(p.joined, p.joined[p.data.from:])]
		p.data = span{0, len(p.joined)}
	case cap(p.joined) > maxPooled:
		p.joined = nil
	default:
		p.joined = p.joined[:0]
	}
}

// event cuts the event out of its bytes.
func (p *parser) event(raw []byte) Event {
	e := Event{Raw: raw[:len(raw):len(raw)], Name: p.name.of(raw), ID: p.id.of(raw)}
	if p.dataLines > 1 {
		e.Data = p.data.of(p.joined)
	} else {
		e.Data = p.data.of(raw)
	}
	return e
}

// torn reports whether b, at the end of the stream, holds a part of an event.
func (p *parser) torn(b []byte) bool { return len(b) > p.prefix }

// lineEnd returns the offset of the first CR or LF in b from i on, the length of b if there is none.
func lineEnd(b []byte, i int) int {
	end := len(b)
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		end = i + n
	}
	if n := bytes.IndexByte(b[i:end], '\r'); n >= 0 {
		return i + n
	}
	return end
}
