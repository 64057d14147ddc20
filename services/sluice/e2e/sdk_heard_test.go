package e2e_test

import (
	"encoding/json"
	"fmt"

	"github.com/openai/openai-go/v3/responses"
)

// heard puts the events of a response together, with the SDK's accumulator, and holds them to the whole response at the end.
type heard struct {
	all   responses.ResponseAccumulator
	last  int64 // sequence number
	text  string
	args  map[int64]string // by output index
	done  map[int64]responses.ResponseOutputItemUnion
	begun bool
}

func (h *heard) hear(event responses.ResponseStreamEventUnion) error {
	if h.begun && event.SequenceNumber != h.last+1 || !h.begun && event.SequenceNumber != 0 {
		return fmt.Errorf("event %s has the number %d behind %d", event.Type, event.SequenceNumber, h.last)
	}
	if !h.begun {
		h.args, h.done = map[int64]string{}, map[int64]responses.ResponseOutputItemUnion{}
	}
	h.begun, h.last = true, event.SequenceNumber
	var same responses.ResponsesServerEventUnion // which the accumulator takes: that of the same API over a WebSocket
	if err := json.Unmarshal([]byte(event.RawJSON()), &same); err != nil {
		return err
	}
	if event.Type != "error" {
		if err := h.all.AddEvent(same); err != nil {
			return fmt.Errorf("%w: %s", err, event.RawJSON())
		}
	}
	switch e := event.AsAny().(type) {
	case responses.ResponseTextDeltaEvent:
		h.text += e.Delta
	case responses.ResponseFunctionCallArgumentsDeltaEvent:
		h.args[e.OutputIndex] += e.Delta
	case responses.ResponseOutputItemDoneEvent:
		h.done[e.OutputIndex] = e.Item
	}
	return nil
}

// agrees reports how the events differ from the whole response.
func (h *heard) agrees(whole *responses.Response) error {
	rebuilt, err := h.all.ReconstructedResponse()
	switch {
	case err != nil:
		return err
	case rebuilt.ID != whole.ID || rebuilt.OutputText() != whole.OutputText():
		return fmt.Errorf("the accumulator made %s of %s", rebuilt.RawJSON(), whole.RawJSON())
	case h.text != whole.OutputText():
		return fmt.Errorf("the deltas add up to %q, the response says %q", h.text, whole.OutputText())
	case len(h.done) != len(whole.Output):
		return fmt.Errorf("%d items are done, the response has %d", len(h.done), len(whole.Output))
	}
	for i, item := range whole.Output {
		index := int64(i)
		if d := h.done[index]; d.ID != item.ID || d.Type != item.Type || d.CallID != item.CallID {
			return fmt.Errorf("item %d was %s when it was done, and is %s in the response", i, d.RawJSON(), item.RawJSON())
		}
		if call, ok := item.AsAny().(responses.ResponseFunctionToolCall); ok && call.Arguments != h.args[index] {
			return fmt.Errorf("the arguments' deltas add up to %q, the response says %q", h.args[index], call.Arguments)
		}
	}
	return nil
}
