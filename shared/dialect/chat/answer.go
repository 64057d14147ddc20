package chat

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Answer is a provider's whole answer, fit for the caller.
type Answer struct {
	Body  []byte
	Usage gateway.Usage // counted by us if the provider told none that can be believed
	Tier  string        // the service tier that the provider says it served, usually empty
}

// Answer reads a 2xx body and puts the public model name into it. The error is KindUpstream for what is no answer, or the
// provider's own error that came under a good status.
func (r *Request) Answer(body []byte) (Answer, error) {
	fields := [...]jsonedit.Field{{Name: "model"}, {Name: "usage"}, {Name: "error"}, {Name: "service_tier"}}
	if !jsonedit.Find(body, fields[:]) || !json.Valid(body) {
		return Answer{}, invalidAnswer("not a JSON object")
	}
	model, usage, fault := &fields[0], &fields[1], &fields[2]
	if fault.Given() {
		return Answer{}, DecodeError(0, nil, body)
	}
	u, ok := usageOf(usage.Raw)
	if !ok {
		u = gateway.Usage{InputTokens: r.CountInput(), Source: gateway.UsageCounted}
		if r.Op != gateway.OpEmbeddings {
			u.OutputTokens = int64(len(body)) / bytesPerToken
		}
	}
	if name, ok := model.Text(); ok && name != r.Model {
		body = jsonedit.Replace(make([]byte, 0, len(body)+len(r.Model)), body, model.SetString(r.Model))
	}
	return Answer{body, u, tierOf(&fields[3])}, nil
}

func invalidAnswer(what string) *gateway.Error {
	e := gateway.Errorf(gateway.KindUpstream, "The provider's answer is invalid: %s.", what)
	e.Code = "upstream_invalid_response"
	return e
}

// Tap passes a stream's events on to the caller and sees what it used.
type Tap struct {
	request *Request
	strip   bool // the caller did not ask for usage: take it out

	Usage   gateway.Usage // the last that was told; Source is empty until then
	Tier    string        // the service tier that the provider says it served
	Chunks  int64         // events with content so far: about as many tokens
	Done    bool          // the success terminator came
	scratch []byte
}

// Tap returns a tap for the answer to r.
func (r *Request) Tap() *Tap { return &Tap{request: r, strip: r.asksFor()} }

var doneMark = []byte("[DONE]")

// Event appends to dst what the caller gets for one event of the upstream: raw as it came, an edited one, or nothing. The
// success terminator is never appended: its sender first makes the ledger durable. An error ends the stream.
func (t *Tap) Event(dst, raw, data []byte) ([]byte, error) {
	switch {
	case len(data) == 0:
		return append(dst, raw...), nil // a comment that keeps the connection alive
	case bytes.Equal(bytes.TrimSpace(data), doneMark):
		t.Done = true
		return dst, nil
	}
	fields := [...]jsonedit.Field{{Name: "model"}, {Name: "usage"}, {Name: "error"}, {Name: "choices"}, {Name: "service_tier"}}
	if !jsonedit.Find(data, fields[:]) {
		return dst, invalidAnswer("an event of the stream is not a JSON object")
	}
	model, usage, fault, choices := &fields[0], &fields[1], &fields[2], &fields[3]
	if fault.Given() {
		return dst, DecodeError(0, nil, data)
	}
	empty := isEmptyList(choices)
	if choices.Present() && !empty && !isHollow(choices.Raw) {
		t.Chunks++
	}
	if fields[4].Given() && t.Tier == "" {
		t.Tier = tierOf(&fields[4])
	}
	if usage.Given() {
		if u, ok := usageOf(usage.Raw); ok {
			t.Usage = u
		}
		if t.strip && empty {
			return dst, nil
		}
	}
	var edits [2]jsonedit.Edit
	n := 0
	if t.strip && usage.Present() {
		edits[n] = usage.Delete()
		n++
	}
	if !isText(model, t.request.Model) && model.Kind == jsonedit.String {
		edits[n] = model.SetString(t.request.Model)
		n++
	}
	if n == 0 {
		return append(dst, raw...), nil
	}
	dst = append(dst, "data: "...)
	dst = appendOneLine(dst, &t.scratch, data, edits[:n])
	return append(dst, "\n\n"...), nil
}

// appendOneLine appends the edited data; JSON written over several lines gets on one.
func appendOneLine(dst []byte, scratch *[]byte, data []byte, edits []jsonedit.Edit) []byte {
	if bytes.IndexByte(data, '\n') < 0 {
		return jsonedit.Replace(dst, data, edits...)
	}
	*scratch = jsonedit.Replace((*scratch)[:0], data, edits...)
	start := len(dst)
	dst = append(dst, *scratch...)
	for i := start; i < len(dst); i++ {
		if dst[i] == '\n' || dst[i] == '\r' { // between tokens: inside strings they are escaped
			dst[i] = ' '
		}
	}
	return dst
}

// isHollow tells the chunks that open and close an answer from those with content.
func isHollow(choices []byte) bool {
	return bytes.Contains(choices, []byte(`"content":""`)) || bytes.Contains(choices, []byte(`"delta":{}`))
}

// tierOf reads a service tier; a long one is none.
func tierOf(f *jsonedit.Field) string {
	tier, _ := f.Text()
	if len(tier) > 32 {
		return ""
	}
	return tier
}

// isText compares without unquoting in the usual case.
func isText(f *jsonedit.Field, want string) bool {
	if len(f.Raw) == len(want)+2 && string(f.Raw[1:len(f.Raw)-1]) == want {
		return true
	}
	s, ok := f.Text()
	return ok && s == want
}

func isEmptyList(f *jsonedit.Field) bool {
	return f.Kind == jsonedit.Array && len(bytes.TrimSpace(f.Raw[1:len(f.Raw)-1])) == 0
}

// Counted is what the stream used so far: as the provider told, or counted by us.
func (t *Tap) Counted() gateway.Usage {
	if t.Usage.Source != "" {
		return t.Usage
	}
	return gateway.Usage{InputTokens: t.request.CountInput(), OutputTokens: t.Chunks, Source: gateway.UsageCounted}
}
