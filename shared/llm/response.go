package llm

import "github.com/sluice-gateway/sluice/shared/gateway"

// Response is a whole answer.
type Response struct {
	ID      string // the vendor's
	Model   string // as the vendor calls it
	Created int64  // Unix seconds; 0 if the vendor does not say
	Choices []Choice
	Usage   gateway.Usage // Source is empty if the vendor told none that can be believed
	Tier    string        // service tier that the vendor says it served
}

// Choice is one of the n answers.
type Choice struct {
	Parts    []Part
	Finish   Finish
	Stop     string // the stop sequence that was met, where the vendor tells
	Logprobs []Logprob
}

// Finish says why an answer ended.
type Finish string

const (
	FinishStop    Finish = "stop"
	FinishStopSeq Finish = "stop_sequence"
	FinishLength  Finish = "length"
	FinishTools   Finish = "tool_calls"
	FinishFilter  Finish = "content_filter" // the vendor's filter cut it
	FinishRefusal Finish = "refusal"        // the model declined
	FinishPause   Finish = "pause"          // the vendor wants to be asked to go on
)

// Logprob is a token with its probability.
type Logprob struct {
	Token   string
	Logprob float64
	Bytes   []byte
	Top     []Logprob // without Top
}

// EventType says what an Event is.
type EventType uint8

const (
	Begin     EventType = iota + 1 // ID, Model, Tier; Usage of the input where it is known already
	PartBegin                      // Part: its kind and what is known of it; a tool call's id and name
	Delta                          // Text: more of the part's text or of its call's arguments; Signature, Citations, Logprobs where they come
	PartEnd                        // Index
	End                            // Finish, Stop: the choice is complete
	Spent                          // Usage, Tier: the last one counts
)

// Event is a piece of an answer that comes in pieces: Begin, then for each part PartBegin, Deltas and PartEnd, then End for each choice
// and Spent. Parts of a choice are numbered from 0 and do not nest; parts of one choice may overlap where the vendor's do.
type Event struct {
	Type      EventType
	Choice    int
	Index     int // of the part within its choice
	Part      Part
	Text      string
	Signature Signature
	Citations []Citation
	Logprobs  []Logprob
	Finish    Finish
	Stop      string
	Usage     *gateway.Usage
	ID        string
	Model     string
	Tier      string
}

// Events are the events of a whole answer, for a caller who asked for a stream.
func (r *Response) Events() []Event {
	out := []Event{{Type: Begin, ID: r.ID, Model: r.Model, Tier: r.Tier}}
	for c := range r.Choices {
		choice := &r.Choices[c]
		logprobs := choice.Logprobs
		for i := range choice.Parts {
			p := choice.Parts[i]
			text := p.Text
			if p.Kind == ToolCall {
				call := *p.Call
				text, call.Arguments, p.Call = call.Arguments, "", &call
			}
			signature, citations := p.Signature, p.Citations
			p.Text, p.Citations = "", nil
			if p.Kind == Thinking {
				p.Signature = Signature{}
			} else {
				signature = Signature{}
			}
			out = append(out, Event{Type: PartBegin, Choice: c, Index: i, Part: p})
			d := Event{Type: Delta, Choice: c, Index: i, Text: text, Signature: signature, Citations: citations}
			if p.Kind == Text {
				d.Logprobs, logprobs = logprobs, nil
			}
			if d.Text != "" || !d.Signature.IsZero() || len(d.Citations) > 0 || len(d.Logprobs) > 0 {
				out = append(out, d)
			}
			out = append(out, Event{Type: PartEnd, Choice: c, Index: i})
		}
		out = append(out, Event{Type: End, Choice: c, Finish: choice.Finish, Stop: choice.Stop})
	}
	usage := r.Usage
	return append(out, Event{Type: Spent, Usage: &usage, Tier: r.Tier})
}
