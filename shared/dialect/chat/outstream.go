package chat

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// DecodeStream reads a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &decoder{} }

// decoder puts parts where chunks have only fields.
type decoder struct {
	begun, done bool
	id          string
	choices     []decoding
	usage       *gateway.Usage // that has not been told yet
	tier        string
}

// Progress tells how far the stream is. Only the terminator ends it well, as it does where a stream passes through.
func (d *decoder) Progress() dialect.Progress {
	if d.done {
		return dialect.Done
	}
	return dialect.Open
}

// Decode appends the events of one chunk.
func (d *decoder) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	switch {
	case d.done || len(f.Data) == 0:
		return dst, nil
	case isDone(f.Data):
		return d.end(dst)
	case f.Name == errorEvent:
		return dst, DecodeError(0, nil, f.Data)
	}
	a, err := readAnswer(f.Data)
	if err != nil {
		return dst, err
	}
	if tier := tierOf(&a[aTier]); tier != "" {
		d.tier = tier
	}
	dst = d.begin(dst, &a)
	if u, ok := usageOf(a[aUsage].Raw); ok {
		d.usage = &u
	}
	chosen := 0
	for raw := range jsonedit.Elements(a[aChoices].Raw) {
		chosen++
		if dst, err = d.choice(dst, raw); err != nil {
			return dst, err
		}
	}
	if d.begun && (chosen == 0 || d.ended()) {
		dst = d.spent(dst)
	}
	return dst, nil
}

// errorEvent is the name that some hosts give an event which is an error.
const errorEvent = "error"

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }

// begin tells that the answer begins. Azure's first chunk says what its filter found in the prompt, and begins nothing.
func (d *decoder) begin(dst []llm.Event, a *answered) []llm.Event {
	id, _ := a[aID].Text()
	if choices := &a[aChoices]; d.begun || id == "" && (choices.Kind != jsonedit.Array || isEmptyList(choices)) {
		return dst
	}
	d.begun, d.id = true, id
	model, _ := a[aModel].Text()
	return append(dst, llm.Event{Type: llm.Begin, ID: id, Model: model, Tier: d.tier})
}

// ended reports whether all choices have.
func (d *decoder) ended() bool {
	for i := range d.choices {
		if !d.choices[i].ended {
			return false
		}
	}
	return len(d.choices) > 0
}

// spent tells the usage once it is complete.
func (d *decoder) spent(dst []llm.Event) []llm.Event {
	if d.usage == nil {
		return dst
	}
	u := d.usage
	d.usage = nil
	return append(dst, llm.Event{Type: llm.Spent, Usage: u, Tier: d.tier})
}

// end ends what has not ended: some hosts give no reason.
func (d *decoder) end(dst []llm.Event) ([]llm.Event, error) {
	if len(d.choices) == 0 {
		return dst, dialect.InvalidAnswer("the stream has no choices")
	}
	for n := range d.choices {
		if c := &d.choices[n]; !c.ended {
			dst = c.end(dst, n, "")
		}
	}
	d.done = true
	return d.spent(dst), nil
}

func (d *decoder) choice(dst []llm.Event, raw []byte) ([]llm.Event, error) {
	c, err := readChoice(raw)
	if err != nil {
		return dst, err
	}
	n, _ := c[cIndex].Int()
	if n < 0 || n >= maxChoices {
		return dst, dialect.InvalidAnswer("a choice's index is out of range")
	}
	for len(d.choices) <= int(n) {
		d.choices = append(d.choices, decoding{})
	}
	s := &d.choices[n]
	if s.ended {
		return dst, nil // what Azure's filter found, or an empty delta
	}
	finish, err := finishIn(&c[cFinish])
	if err != nil {
		return dst, err
	}
	if c[cDelta].Kind == jsonedit.Object {
		if dst, err = s.delta(dst, int(n), &c, d.id); err != nil {
			return dst, err
		}
	}
	if finish != "" {
		dst = s.end(dst, int(n), finish)
	}
	return dst, nil
}
