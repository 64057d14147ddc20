package responses

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// tap passes a stream's events on to the caller and sees what it used.
type tap struct {
	*exchange
	seen   dialect.Seen
	events int64  // so far: the number of the next one
	last   []byte // the terminal event, held back until End
	told   bool   // the provider itself has told the caller that it failed
}

// Tap returns a tap for the answer.
func (p *passage) Tap() dialect.Tap { return &tap{exchange: p.exchange} }

func (t *tap) Seen() dialect.Seen { return t.seen }

func (t *tap) Progress() dialect.Progress {
	if t.last != nil {
		return dialect.Done
	}
	return dialect.Open
}

// End appends the terminal event.
func (t *tap) End(dst []byte) []byte { return append(dst, t.last...) }

// Fail tells the caller what went wrong, unless the provider did.
func (t *tap) Fail(dst []byte, e *gateway.Error) []byte {
	if t.told {
		return dst
	}
	w := &writer{exchange: t.exchange, number: t.events}
	return w.fail(dst, e, nil)
}

var doneMark = []byte("[DONE]")

// steps are the events that are looked into; all others pass as they came.
var steps = map[string]func(t *tap, dst []byte, f *dialect.Frame, o *jsonedit.Field) ([]byte, error){
	"response.created": (*tap).running, "response.in_progress": (*tap).running, "response.queued": (*tap).running,
	"response.completed": (*tap).ended, "response.incomplete": (*tap).ended, "response.failed": (*tap).failed,
	"error": func(t *tap, dst []byte, f *dialect.Frame, _ *jsonedit.Field) ([]byte, error) {
		t.events-- // Fail tells it
		return dst, DecodeError(0, nil, f.Data)
	},
}

// Frame passes an event on: raw as it came, edited, or not at all.
func (t *tap) Frame(dst []byte, f dialect.Frame) ([]byte, error) {
	switch {
	case len(f.Data) == 0:
		return append(dst, f.Raw...), nil // a comment that keeps the connection alive
	case bytes.Equal(bytes.TrimSpace(f.Data), doneMark):
		return dst, nil // not OpenAI's, but some of its imitators'
	}
	kind := [1]jsonedit.Field{{Name: "type"}}
	if !jsonedit.Find(f.Data, kind[:]) {
		return dst, dialect.InvalidAnswer("an event of the stream is not a JSON object")
	}
	var name []byte
	if kind[0].Kind == jsonedit.String {
		name = kind[0].Raw[1 : len(kind[0].Raw)-1]
	} else {
		name = []byte(f.Name)
	}
	t.events++
	step, looked := steps[string(name)]
	if !looked {
		if bytes.HasSuffix(name, []byte(".delta")) {
			t.seen.Chunks++
		}
		return append(dst, f.Raw...), nil
	}
	response := [1]jsonedit.Field{{Name: "response"}}
	jsonedit.Find(f.Data, response[:])
	return step(t, dst, &f, &response[0])
}

// running passes on a Response that is not finished.
func (t *tap) running(dst []byte, f *dialect.Frame, field *jsonedit.Field) ([]byte, error) {
	o, ok := look(field.Raw, jsonedit.Find)
	if !ok {
		return append(dst, f.Raw...), nil
	}
	t.note(o)
	return appendEdited(dst, f, field, t.public(o, field.Raw)), nil
}

func (t *tap) note(o *response) {
	if tier := o.tier(); tier != "" {
		t.seen.Tier = tier
	}
	if u, ok := usageOf(o[oUsage].Raw); ok {
		t.seen.Usage = u
	}
}

// ended holds the terminal event back.
func (t *tap) ended(dst []byte, f *dialect.Frame, field *jsonedit.Field) ([]byte, error) {
	o, ok := look(field.Raw, jsonedit.Find)
	if !ok || !json.Valid(f.Data) {
		return dst, dialect.InvalidAnswer("the stream's last event is not whole")
	}
	t.note(o)
	t.final = bytes.Clone(t.public(o, field.Raw))
	t.last = appendEdited(nil, f, field, t.final)
	return dst, nil
}

// failed passes a failure on as the provider tells it, and ends the stream.
func (t *tap) failed(dst []byte, f *dialect.Frame, field *jsonedit.Field) ([]byte, error) {
	o, ok := look(field.Raw, jsonedit.Find)
	if !ok || !json.Valid(f.Data) {
		return dst, dialect.InvalidAnswer("the stream's last event is not whole")
	}
	t.note(o)
	t.told = true
	t.final = bytes.Clone(t.public(o, field.Raw))
	return appendEdited(dst, f, field, t.final), DecodeError(0, nil, field.Raw)
}

// appendEdited appends an event with another Response in it, or as it came if that is the same.
func appendEdited(dst []byte, f *dialect.Frame, field *jsonedit.Field, now []byte) []byte {
	if bytes.Equal(now, field.Raw) {
		return append(dst, f.Raw...)
	}
	if f.Name != "" {
		dst = append(append(append(dst, "event: "...), f.Name...), '\n')
	}
	dst = append(dst, "data: "...)
	start := len(dst)
	dst = jsonedit.Replace(dst, f.Data, field.Set(now))
	for i := start; i < len(dst); i++ {
		if dst[i] == '\n' || dst[i] == '\r' { // between tokens: inside strings they are escaped
			dst[i] = ' '
		}
	}
	return append(dst, "\n\n"...)
}
