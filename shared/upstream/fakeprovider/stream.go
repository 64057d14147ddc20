package fakeprovider

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// framing is how events are written; the zero value is how OpenAI does it.
type framing struct {
	eol      string // default \n
	comments bool
	noSpace  bool
	bom      bool
	twoLines bool // JSON in two data lines
	openEnd  bool // the last event lacks its empty line
}

// frame makes one event of the stream.
func (f framing) frame(payload []byte, first, last bool) []byte {
	eol := f.eol
	if eol == "" {
		eol = "\n"
	}
	field := "data: "
	if f.noSpace {
		field = "data:"
	}
	var b bytes.Buffer
	if f.bom && first {
		b.WriteString("\uFEFF")
	}
	if f.comments {
		b.WriteString(": keep-alive" + eol + eol + ":" + eol + "id: 1" + eol + "retry: 1000" + eol + "unknown" + eol)
	}
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

// stream writes the answer as events.
func (x *exchange) stream() {
	x.line.Stream = true // also when nobody asked
	x.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	x.started = true
	if !x.openChoices() || !x.sendContent() {
		return
	}
	x.settle(x.plan.broken == nil || x.plan.broken.at == atContent)
	if x.breaks(atFinish) {
		return
	}
	for i := range x.call.n {
		if !x.event(x.chunk(i, delta{finish: x.finish})) {
			return
		}
	}
	if x.breaks(atUsage) || !x.sendUsage() || x.breaks(atDone) {
		return
	}
	x.write(x.plan.frame.frame([]byte("[DONE]"), false, true))
}

// openChoices sends what comes before the first word: for chats, the role.
func (x *exchange) openChoices() bool {
	for i := range x.call.n {
		if x.call.op == "chat" && !x.event(x.chunk(i, delta{role: "assistant"})) {
			return false
		}
	}
	return true
}

func (x *exchange) sendContent() bool {
	for i := range x.words {
		for choice := range x.call.n {
			if x.breaks(atContent) || !x.wait(x.plan.gap) {
				return false
			}
			if !x.sendPiece(choice, i) {
				return false
			}
		}
	}
	return !x.breaks(atContent)
}

func (x *exchange) sendPiece(choice, i int) bool {
	d := delta{text: x.piece(i)}
	x.chunks++
	if x.plan.halve && x.chunks == x.total() {
		payload, _ := json.Marshal(x.chunk(choice, d))
		x.settle(true)
		x.write(x.plan.frame.frame(payload[:len(payload)/2], false, true))
		return false
	}
	return x.event(x.chunk(choice, d))
}

func (x *exchange) sendUsage() bool {
	if !x.call.includeUsage || x.plan.usage.none {
		return true
	}
	if x.plan.usage.twice && !x.event(x.usageChunk(tokens{Prompt: 1, Completion: 1, Total: 2}.json())) {
		return false
	}
	return x.event(x.usageChunk(x.usage()))
}

// event sends one JSON event.
func (x *exchange) event(v any) bool {
	payload, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fakeprovider: %v", err))
	}
	first := !x.opened
	x.opened = true
	return x.write(x.plan.frame.frame(payload, first, false))
}

// breaks ends the answer here if the plan says so, and reports whether it did.
func (x *exchange) breaks(at stage) bool {
	b := x.plan.broken
	if b == nil || b.at != at || at == atContent && b.n != x.chunks {
		return false
	}
	b.ending(x)
	return true
}
