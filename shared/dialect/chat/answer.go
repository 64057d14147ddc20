package chat

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Answer reads a 2xx body and puts the public model name into it. The error is KindUpstream for what is no answer, or the
// provider's own error that came under a good status.
func (r *request) Answer(body []byte) (dialect.Answer, error) {
	fields := [...]jsonedit.Field{{Name: "model"}, {Name: "usage"}, {Name: "error"}, {Name: "service_tier"}, {Name: "object"}}
	if !jsonedit.FindWhole(body, fields[:]) {
		return dialect.Answer{}, dialect.InvalidAnswer("not a JSON object")
	}
	model, usage := &fields[0], &fields[1]
	if isFault(&fields[2], &fields[4]) {
		return dialect.Answer{}, DecodeError(0, nil, body)
	}
	u, ok := usageOf(usage.Raw)
	if !ok {
		u = gateway.Usage{InputTokens: r.CountInput(), Source: gateway.UsageCounted}
		if r.Op != gateway.OpEmbeddings {
			u.OutputTokens = dialect.CountOutput(body)
		}
	}
	if name, ok := model.Text(); ok && name != r.Model {
		body = jsonedit.Replace(make([]byte, 0, len(body)+len(r.Model)), body, model.SetString(r.Model))
	}
	return dialect.Answer{Body: body, Usage: u, Tier: tierOf(&fields[3])}, nil
}

// tap passes a stream's events on to the caller and sees what it used.
type tap struct {
	request *request
	strip   bool // the caller did not ask for usage: take it out
	seen    dialect.Seen
	done    bool // the success terminator came
	scratch []byte
}

// Tap returns a tap for the answer to r.
func (r *request) Tap() dialect.Tap { return &tap{request: r, strip: r.asksFor()} }

func (t *tap) Seen() dialect.Seen { return t.seen }

func (t *tap) Progress() dialect.Progress {
	if t.done {
		return dialect.Done
	}
	return dialect.Open
}

func (t *tap) End(dst []byte) []byte { return append(dst, terminator...) }

func (t *tap) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }

const terminator = "data: [DONE]\n\n"

func appendFailure(dst []byte, e *gateway.Error) []byte {
	dst = append(append(dst, "data: "...), EncodeError(e)...)
	return append(dst, "\n\n"...)
}

// promptFilter is in the first chunk of Azure's streams, which has no choices: clients of OpenAI's look for one.
var promptFilter = []byte(`"prompt_filter_results"`)

var doneMark = []byte("[DONE]")

// Frame passes an event on: raw as it came, edited, or not at all.
func (t *tap) Frame(dst []byte, f dialect.Frame) ([]byte, error) {
	raw, data := f.Raw, f.Data
	switch {
	case len(data) == 0:
		return append(dst, raw...), nil // a comment that keeps the connection alive
	case isDone(data):
		t.done = true
		return dst, nil
	case f.Name == errorEvent:
		return dst, DecodeError(0, nil, data)
	}
	fields := [...]jsonedit.Field{
		{Name: "model"}, {Name: "usage"}, {Name: "error"}, {Name: "choices"}, {Name: "service_tier"}, {Name: "object"},
	}
	if !jsonedit.Find(data, fields[:]) {
		return dst, dialect.InvalidAnswer("an event of the stream is not a JSON object")
	}
	model, usage, choices := &fields[0], &fields[1], &fields[3]
	if isFault(&fields[2], &fields[5]) {
		return dst, DecodeError(0, nil, data)
	}
	empty := isEmptyList(choices)
	if choices.Present() && !empty && !isHollow(choices.Raw) {
		t.seen.Chunks++
	}
	if fields[4].Given() && t.seen.Tier == "" {
		t.seen.Tier = tierOf(&fields[4])
	}
	if empty && !usage.Given() && bytes.Contains(data, promptFilter) {
		return dst, nil
	}
	if usage.Given() {
		if u, ok := usageOf(usage.Raw); ok {
			t.seen.Usage = u
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

// isHollow tells the chunks that open and close an answer from those with content. A thought or a call may come with an empty text.
func isHollow(choices []byte) bool {
	if bytes.Contains(choices, []byte(`"content":""`)) {
		return !bytes.Contains(choices, []byte(`"tool_calls":[`)) && !bytes.Contains(choices, []byte(`"reasoning`))
	}
	return bytes.Contains(choices, []byte(`"delta":{}`))
}

const maxTier = 32 // bytes of a service tier

// tierOf reads a service tier; a long one is none.
func tierOf(f *jsonedit.Field) string {
	tier, _ := f.Text()
	if len(tier) > maxTier {
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

// Read reads the usage of a whole answer, whoever asked for it.
func Read(answer []byte) (dialect.Answer, error) {
	r := &request{Request: &dialect.Request{Op: gateway.OpChat}}
	return r.Answer(answer)
}
