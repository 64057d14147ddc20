// Package wire is what the fake's machinery and its vendors say to each other: a vendor's format reads a request as a [Call] or
// refuses it, the machinery makes the [Answer], and the format writes that as one JSON text or as events. Formats know nothing
// of faults, bills or connections.
package wire

import (
	"encoding/json"
	"net/http"
)

// Format is one operation of one vendor.
type Format interface {
	// Parse reads a request as strictly as the vendor does.
	Parse(*Request) (*Call, *Refusal)
	// Whole is the answer in one piece, to be marshalled.
	Whole(*Reply) any
	// Stream writes the answer as events, or is nil if the operation never streams.
	Stream(*Reply) Stream
	// Usage reports tokens in the vendor's words, to be marshalled.
	Usage(*Call, Tokens) any
	// Refuse is the body of an error answer. It may set headers.
	Refuse(*Refusal, http.Header) []byte
}

// Framer is a Format whose streams are no server-sent events.
type Framer interface {
	ContentType() string
	Frame(Event) []byte
}

// Header is a Format whose good answers say something in headers.
type Header interface {
	Headers(*Reply, http.Header)
}

// Stream makes the events of one answer, in this order. A choice is one of the n answers that were asked for; block and i count
// from 0.
type Stream interface {
	Open() []Event
	Begin(choice, block int) []Event
	Piece(choice, block, i int) []Event
	End(choice, block int) []Event
	// Finish says why the answer ended, where the vendor says so before the usage.
	Finish() []Event
	// Report ends with the usage; last is false if the truth follows.
	Report(last bool) []Event
	// Done is the terminator, where there is one.
	Done() []Event
	// Fail is an error in the middle of a stream.
	Fail() []Event
}

// Event is one message of a stream.
type Event struct {
	Name  string // of a server-sent event or of a Bedrock message; may be empty
	Data  any    // to be marshalled, or Raw
	Error bool   // a Bedrock exception
}

// Raw is data that is sent as it is.
type Raw string

// Payload is the event's data as text.
func (e Event) Payload() []byte {
	if raw, ok := e.Data.(Raw); ok {
		return []byte(raw)
	}
	return JSON(e.Data)
}

// JSON marshals what the fake itself has made, which cannot fail.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("fakeprovider: " + err.Error())
	}
	return b
}

// Request is what arrived.
type Request struct {
	Fields map[string]any
	Model  string // from the path, where the vendor has it there, else from the body
	Stream bool   // asked for by the path
	Header http.Header
	Manner Manner // what the model's name asks for
}

// Target is where a request goes.
type Target struct {
	Op     string // as on the bill
	Format Format
	Model  string // if the path says so
	Stream bool   // if the path says so
	Free   bool   // costs nothing, so it is not on the bill
	// Handle answers what is no generation; then the fields above do not matter, but Format, which writes refusals.
	Handle func(http.ResponseWriter, *http.Request)
}

// Tokens is what a call has cost so far. Each of the others is part of Prompt or Completion.
type Tokens struct {
	Prompt, Cached, Write5m, Write1h, PromptAudio int64
	Completion, Reasoning, CompletionAudio        int64
}

// Reply is an answer being written.
type Reply struct {
	ID    string // a number, from which the vendor makes its ids
	Call  *Call
	Extra json.RawMessage // fields that nobody has heard of, or nil
	Every bool            // every chunk reports the usage so far
	Usage func() json.RawMessage
	Answer
}

// CallID makes the id of the n-th tool call of the answer: the prefix and 22 digits.
func (r *Reply) CallID(prefix string, n int) string {
	return prefix + digits(r.ID+pad(n, 2), 22)
}

func pad(n, width int) string { return digits(string(JSON(n)), width) }

func digits(s string, width int) string {
	for len(s) < width {
		s = "0" + s
	}
	return s
}

// Calls is how many tool calls come before the block.
func (r *Reply) Calls(block int) (n int) {
	for _, b := range r.Blocks[:block] {
		if b.Kind == Called {
			n++
		}
	}
	return n
}
