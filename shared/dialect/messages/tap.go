package messages

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/sse"
)

// tap passes a stream of Anthropic's on.
type tap struct {
	request  *dialect.Request
	counts   counts
	chunks   int64
	last     bool   // the counts are those of the whole answer
	stop     []byte // the success terminator as it came
	progress dialect.Progress
}

var _ dialect.Tap = (*tap)(nil)

const deltaEvent = "content_block_delta"

func (t *tap) Frame(dst []byte, f dialect.Frame) ([]byte, error) {
	switch {
	case t.progress == dialect.Done:
		return dst, nil // nothing follows what ends a stream
	case len(f.Data) == 0:
		return append(dst, f.Raw...), nil
	case f.Name == deltaEvent && f.Data[0] == '{' && f.Data[len(f.Data)-1] == '}': // what a stream is full of, and nothing to see in it
		t.chunks++
		return append(dst, f.Raw...), nil
	}
	found := [...]jsonedit.Field{{Name: "type"}, {Name: "message"}, {Name: "usage"}, {Name: "error"}}
	if !jsonedit.Find(f.Data, found[:]) {
		return dst, dialect.InvalidAnswer("an event of the stream is not a JSON object")
	}
	kind, _ := found[0].Text()
	switch kind {
	case "message_start":
		return t.start(dst, f, &found[1]), nil
	case "message_delta":
		if found[2].Given() {
			t.counts.add(found[2].Raw)
			t.last = true
		}
	case "message_stop":
		t.progress, t.stop = dialect.Done, bytes.Clone(f.Raw)
		return dst, nil
	case deltaEvent:
		t.chunks++
	case "error":
		return dst, decodeError(0, nil, f.Data)
	case "":
		if found[3].Given() {
			return dst, decodeError(0, nil, f.Data)
		}
	}
	return append(dst, f.Raw...), nil
}

// start reads the usage of the input, and puts the caller's name of the model into the event.
func (t *tap) start(dst []byte, f dialect.Frame, message *jsonedit.Field) []byte {
	inner := [...]jsonedit.Field{{Name: "model"}, {Name: "usage"}}
	dialect.Within(message, inner[:])
	t.counts.add(inner[1].Raw)
	if inner[0].Kind != jsonedit.String || isText(&inner[0], t.request.Model) {
		return append(dst, f.Raw...)
	}
	edited := jsonedit.Replace(nil, message.Raw, inner[0].SetString(t.request.Model))
	return sse.Append(dst, "message_start", jsonedit.Replace(nil, f.Data, message.Set(edited)))
}

func (t *tap) Progress() dialect.Progress { return t.progress }

// Seen is the usage as it was told. What was told at the start knows nothing of the output yet: a stream that is cut used as many
// tokens as there were pieces.
func (t *tap) Seen() dialect.Seen {
	seen := dialect.Seen{Usage: t.counts.usage(), Tier: t.counts.tier, Chunks: t.chunks}
	if u := &seen.Usage; u.Source != "" && !t.last {
		u.OutputTokens, u.Source = max(u.OutputTokens, t.chunks), gateway.UsageCounted
	}
	return seen
}

func (t *tap) End(dst []byte) []byte {
	if t.stop != nil {
		return append(dst, t.stop...)
	}
	return append(dst, stopFrame...)
}

func (t *tap) Fail(dst []byte, e *gateway.Error) []byte { return fail(dst, e) }

// stopFrame is what tells a caller that a stream ended well.
const stopFrame = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

// fail appends what ends a stream badly.
func fail(dst []byte, e *gateway.Error) []byte { return sse.Append(dst, "error", EncodeError(e)) }
