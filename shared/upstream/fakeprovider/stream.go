package fakeprovider

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// stream writes the answer as events.
func (x *exchange) stream() {
	x.line.Stream = true // also when nobody asked
	x.w.Header().Set("Content-Type", contentType(x.target.Format))
	x.started = true
	if !x.send(x.events.Open()) || !x.sendContent() {
		return
	}
	x.settle(x.plan.broken == nil || x.plan.broken.at == atContent)
	if x.breaks(atFinish) || !x.send(x.events.Finish()) || x.breaks(atUsage) || !x.report() || x.breaks(atDone) {
		return
	}
	for _, e := range x.events.Done() {
		x.write(x.frame(e, true))
	}
}

func (x *exchange) sendContent() bool {
	for b, block := range x.reply.Blocks {
		for choice := range x.call.N {
			if !x.send(x.events.Begin(choice, b)) {
				return false
			}
		}
		for i := range block.Pieces {
			if !x.sendPiece(b, i) {
				return false
			}
		}
		for choice := range x.call.N {
			if !x.send(x.events.End(choice, b)) {
				return false
			}
		}
	}
	return !x.breaks(atContent)
}

// sendPiece sends one piece of each choice.
func (x *exchange) sendPiece(block, i int) bool {
	for choice := range x.call.N {
		if x.breaks(atContent) || !x.wait(x.plan.gap) {
			return false
		}
		x.chunks++
		if x.reply.Blocks[block].Kind == wire.Thought {
			x.thoughts++
		}
		events := x.events.Piece(choice, block, i)
		if x.plan.halve && x.chunks == x.total() {
			x.sendHalf(append(events, x.events.End(choice, block)...))
			return false
		}
		if !x.send(events) {
			return false
		}
	}
	return true
}

// sendHalf sends half of the last content event, and no more.
func (x *exchange) sendHalf(events []wire.Event) {
	x.settle(true)
	if len(events) == 0 {
		return
	}
	e := events[0]
	if _, binary := x.target.Format.(wire.Framer); binary {
		frame := x.frame(e, true)
		x.write(frame[:len(frame)/2])
		return
	}
	payload := e.Payload()
	e.Data = wire.Raw(payload[:len(payload)/2])
	x.write(x.frame(e, true))
}

// report sends the usage, after a wrong one if the plan says so.
func (x *exchange) report() bool {
	if x.plan.usage.twice {
		truth := x.reply.Usage
		x.reply.Usage = func() json.RawMessage { return x.one() }
		sent := x.send(x.events.Report(false))
		x.reply.Usage = truth
		if !sent {
			return false
		}
	}
	return x.send(x.events.Report(true))
}

func (x *exchange) send(events []wire.Event) bool {
	for _, e := range events {
		if !x.write(x.frame(e, false)) {
			return false
		}
	}
	return true
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
