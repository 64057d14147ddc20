package fakeprovider

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// framing is how events are written; the zero value is how vendors do it. Only badCRC matters to streams that are no server-sent
// events.
type framing struct {
	eol      string // default \n
	comments bool
	noSpace  bool
	bom      bool
	twoLines bool // JSON in two data lines
	openEnd  bool // the last event lacks its empty line
	badCRC   bool
}

func contentType(f wire.Format) string {
	if own, ok := f.(wire.Framer); ok {
		return own.ContentType()
	}
	return "text/event-stream; charset=utf-8"
}

// frame makes the bytes of an event.
func (x *exchange) frame(e wire.Event, last bool) []byte {
	first := !x.opened
	x.opened = true
	own, ok := x.target.Format.(wire.Framer)
	if !ok {
		return x.plan.frame.event(e, first, last)
	}
	b := own.Frame(e)
	if x.plan.frame.badCRC {
		b[len(b)-1] ^= 1
	}
	return b
}

// event makes one server-sent event.
func (f framing) event(e wire.Event, first, last bool) []byte {
	eol := wire.First(f.eol, "\n")
	space := " "
	if f.noSpace {
		space = ""
	}
	var b bytes.Buffer
	if f.bom && first {
		b.WriteString("\uFEFF")
	}
	if f.comments {
		b.WriteString(": keep-alive" + eol + eol + ":" + eol + "id: 1" + eol + "retry: 1000" + eol + "unknown" + eol)
	}
	if e.Name != "" {
		b.WriteString("event:" + space + e.Name + eol)
	}
	payload, field := e.Payload(), "data:"+space
	head, tail, cut := bytes.Cut(payload, []byte(`,"`))
	if f.twoLines && cut {
		b.WriteString(field + string(head) + "," + eol + field + `"` + string(tail) + eol)
	} else {
		b.WriteString(field + string(payload) + eol)
	}
	if !f.openEnd || !last {
		b.WriteString(eol)
	}
	return b.Bytes()
}
