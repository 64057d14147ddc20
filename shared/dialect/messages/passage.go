package messages

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// passage carries a request to Anthropic as its caller wrote it.
type passage struct {
	request       *dialect.Request
	head          dialect.Head
	messages      jsonedit.Field
	thinking      jsonedit.Field
	version, beta jsonedit.Field // of the body, as Vertex AI has them
	header        http.Header
}

var _ dialect.Passage = (*passage)(nil)

// Outgoing edits the model and takes out what is the gateway's own. Target.Clamp is for callers who set no limit, and Anthropic's must
// set one.
func (p *passage) Outgoing(t dialect.Target) (dialect.Wire, error) {
	var room [8]jsonedit.Edit
	edits := p.scrubbed(p.head.Strip(room[:0]))
	w := dialect.Wire{Path: "/messages", Header: p.header.Clone()}
	counts := p.request.Op == OpCountTokens
	if counts {
		w.Path = "/messages/count_tokens"
	}
	if t.Provider == vertex {
		w.Path, w.Header = vertexPath(t.Model, p.request.Stream, counts), nil
		edits = p.vertex(edits, counts)
	}
	if name, _ := p.head.Model.Text(); name != t.Model && (counts || t.Provider != vertex) {
		edits = append(edits, p.head.Model.SetString(t.Model))
	}
	w.Body = p.request.Body
	if len(edits) > 0 {
		w.Body = jsonedit.Replace(make([]byte, 0, len(w.Body)+len(t.Model)+64), w.Body, edits...)
	}
	return w, nil
}

// scrubbed adds the edits that a conversation needs which began at another vendor's. With thoughts of a budget Anthropic wants them before
// the last tool calls: where there are none it must not think now.
func (p *passage) scrubbed(edits []jsonedit.Edit) []jsonedit.Edit {
	messages, changed := scrub(p.messages.Raw)
	if changed {
		edits = append(edits, p.messages.Set(messages))
	}
	kind := [...]jsonedit.Field{{Name: "type"}}
	if dialect.Within(&p.thinking, kind[:]); isText(&kind[0], "enabled") && endsBare(messages) {
		edits = append(edits, p.thinking.Set([]byte(`{"type":"disabled"}`)))
	}
	return edits
}

// vertex adds the edits for Vertex AI, where the model stands in the path, and what Anthropic has in headers stands in the body.
func (p *passage) vertex(edits []jsonedit.Edit, counts bool) []jsonedit.Edit {
	if !counts {
		edits = append(edits, p.head.Model.Delete())
	}
	edits = append(edits, p.version.SetString(vertexVersion))
	if wanted := betas(p.header); len(wanted) > 0 {
		var there []string
		_ = json.Unmarshal(p.beta.Raw, &there) // what is no list of strings is replaced
		for _, beta := range wanted {
			if !slices.Contains(there, beta) {
				there = append(there, beta)
			}
		}
		edits = append(edits, p.beta.Set(marshal(there)))
	}
	return edits
}

// vertexPath is where Vertex AI has a model of Anthropic's, below .../publishers/anthropic.
func vertexPath(model string, stream, counts bool) string {
	switch {
	case counts:
		return "/models/count-tokens:rawPredict"
	case stream:
		return "/models/" + url.PathEscape(model) + ":streamRawPredict"
	default:
		return "/models/" + url.PathEscape(model) + ":rawPredict"
	}
}

// betas are the features that a caller's headers ask for: names with commas between them.
func betas(h http.Header) (names []string) {
	for _, value := range h.Values(betaHeader) {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// Answer puts the caller's name of the model into an answer. A count of tokens is free of charge.
func (p *passage) Answer(body []byte) (a dialect.Answer, err error) {
	found := [...]jsonedit.Field{{Name: "type"}, {Name: "error"}, {Name: "model"}, {Name: "usage"}, {Name: "content"}, {Name: "input_tokens"}}
	if !jsonedit.FindWhole(body, found[:]) {
		return a, dialect.InvalidAnswer("not a JSON object")
	}
	kind, fault, model, usage := &found[0], &found[1], &found[2], &found[3]
	if isText(kind, "error") || fault.Given() {
		return a, decodeError(0, nil, body)
	}
	a.Body = body
	if p.request.Op == OpCountTokens {
		if found[5].Kind != jsonedit.Number {
			return a, dialect.InvalidAnswer("no count of tokens")
		}
		a.Usage.Source = gateway.UsageReported
		return a, nil
	}
	if found[4].Kind != jsonedit.Array {
		return a, dialect.InvalidAnswer("no content")
	}
	var c counts
	c.add(usage.Raw)
	a.Usage, a.Tier = c.usage(), c.tier
	if a.Usage.Source == "" {
		a.Usage = gateway.Usage{InputTokens: p.request.CountInput(), OutputTokens: dialect.CountOutput(body), Source: gateway.UsageCounted}
	}
	if model.Kind == jsonedit.String && !isText(model, p.request.Model) {
		a.Body = jsonedit.Replace(make([]byte, 0, len(body)+len(p.request.Model)), body, model.SetString(p.request.Model))
	}
	return a, nil
}

func (p *passage) Tap() dialect.Tap { return &tap{request: p.request} }

func (p *passage) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return decodeError(status, h, body)
}

func (p *passage) Framing() dialect.Framing { return dialect.SSE }

// isText compares without unquoting in the usual case.
func isText(f *jsonedit.Field, want string) bool {
	if len(f.Raw) == len(want)+2 && string(f.Raw[1:len(f.Raw)-1]) == want {
		return f.Kind == jsonedit.String
	}
	text, ok := f.Text()
	return ok && text == want
}

// EncodeCount is the answer to a count of tokens that was made here.
func EncodeCount(tokens int64) []byte {
	return marshal(struct {
		InputTokens int64 `json:"input_tokens"`
	}{tokens})
}
