package dialect

import (
	"io"

	"github.com/sluice-gateway/sluice/shared/sse"
)

// SSE is the framing of server-sent events.
var SSE = Framing{MediaType: "text/event-stream", Open: func(r io.Reader) FrameReader { return events{sse.NewReader(r)} }}

type events struct{ *sse.Reader }

func (e events) Next() (Frame, error) {
	event, err := e.Reader.Next()
	return frameOf(event), err
}

func (e events) Tail() Frame { return frameOf(e.Reader.Tail()) }

func frameOf(e sse.Event) Frame { return Frame{Raw: e.Raw, Name: name(e.Name), Data: e.Data} }

// name spares an allocation for the names that streams are full of.
func name(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "content_block_delta":
		return "content_block_delta"
	case "response.output_text.delta":
		return "response.output_text.delta"
	default:
		return string(b)
	}
}
