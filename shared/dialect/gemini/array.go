package gemini

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/sse"
)

// Array serves a stream to a caller who did not ask for alt=sse: Google then answers a JSON array whose elements come one by one. It takes
// the bytes that would go out as server-sent events, whole events at a time, comments left out. Its zero value is ready.
type Array struct{ begun bool }

// ArrayType is the media type of such an answer.
const ArrayType = "application/json"

// Append appends the elements for some events.
func (a *Array) Append(dst, events []byte) []byte {
	r := sse.NewReader(bytes.NewReader(events))
	defer r.Close()
	for {
		e, err := r.Next()
		if err != nil {
			return dst
		}
		data := bytes.TrimSpace(e.Data)
		if len(data) == 0 {
			continue
		}
		if a.begun {
			dst = append(dst, ",\r\n"...)
		} else {
			dst = append(dst, '[')
		}
		a.begun = true
		dst = append(dst, data...)
	}
}

// End appends what ends the array, be it well or badly.
func (a *Array) End(dst []byte) []byte {
	if !a.begun {
		dst = append(dst, '[')
	}
	a.begun = true
	return append(dst, ']')
}
