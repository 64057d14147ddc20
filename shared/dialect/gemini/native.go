package gemini

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// passage carries a caller's body to Google as it is.
type passage struct {
	request *dialect.Request
	head    dialect.Head
	said    jsonedit.Field // contents
	config  jsonedit.Field // generationConfig, as the caller spelled it
	limit   jsonedit.Field // maxOutputTokens within it
	nested  jsonedit.Field // generateContentRequest of countTokens
}

// readConfig reads what of generationConfig steers the gateway.
func (p *passage) readConfig() error {
	p.limit.Name = "maxOutputTokens"
	if p.config.Kind != jsonedit.Object {
		return nil
	}
	fields := [...]jsonedit.Field{{Name: "maxOutputTokens"}, {Name: "max_output_tokens"}, {Name: "candidateCount"}, {Name: "candidate_count"}}
	if err := jsonedit.Scan(p.config.Raw, fields[:]); err != nil {
		return twice(p.config.Name, err)
	}
	for i, into := range [...]*int64{0: &p.request.MaxOutput, 2: &p.request.N} {
		if into == nil {
			continue
		}
		camel, snake := &fields[i], &fields[i+1]
		if camel.Present() && snake.Present() {
			return twice(p.config.Name, &jsonedit.Error{Fault: jsonedit.Duplicate, Field: snake.Name})
		}
		if snake.Present() {
			camel = snake
		}
		if err := readLimit(p.config.Name, camel, [...]int64{0: dialect.MaxTokens, 2: maxCandidates}[i], into); err != nil {
			return err
		}
		if i == 0 {
			p.limit = *camel
		}
	}
	return nil
}

func readLimit(object string, f *jsonedit.Field, most int64, into *int64) error {
	named := *f
	named.Name = object + "." + f.Name
	n, err := dialect.ReadCount(&named, most)
	if err == nil && n > 0 {
		*into = n
	}
	return err
}

func twice(object string, err error) error {
	var fault *jsonedit.Error
	name := object
	if errors.As(err, &fault) && fault.Field != "" {
		name += "." + fault.Field
	}
	e := gateway.Invalid(name, "%s is given twice.", name)
	e.Code = "duplicate_key"
	return e
}

// Outgoing is the caller's body but for what only the gateway knows, and a limit. A model in the body goes: the one in the path counts.
func (p *passage) Outgoing(t dialect.Target) (dialect.Wire, error) {
	r := p.request
	w := dialect.Wire{Path: pathOf(t.Model, verbOf(r)), Body: r.Body}
	var room [8]jsonedit.Edit
	edits := p.head.StripCaller(room[:0])
	if p.head.Model.Present() {
		edits = append(edits, p.head.Model.Delete())
	}
	if contents, changed := scrub(p.said.Raw, familyOf(t.Model).atLeast(3, 0)); changed {
		edits = append(edits, p.said.Set(contents))
	}
	switch {
	case r.Op == OpCountTokens:
		edits = append(edits, p.renameNested(t.Model)...)
	case t.Clamp > 0 && r.MaxOutput == 0:
		edits = append(edits, p.config.Set(p.clamped(t.Clamp)))
	}
	if len(edits) > 0 {
		w.Body = jsonedit.Replace(make([]byte, 0, len(r.Body)+64), r.Body, edits...)
	}
	return w, nil
}

func (p *passage) clamped(limit int64) []byte {
	number := strconv.AppendInt(nil, limit, 10)
	if p.config.Kind != jsonedit.Object {
		return append(append([]byte(`{"maxOutputTokens":`), number...), '}')
	}
	return jsonedit.Replace(nil, p.config.Raw, p.limit.Set(number))
}

// renameNested puts the upstream's model into the request within a countTokens request, which must name the one of the path.
func (p *passage) renameNested(model string) []jsonedit.Edit {
	name := [...]jsonedit.Field{{Name: "model"}}
	dialect.Within(&p.nested, name[:])
	if !name[0].Present() {
		return nil
	}
	raw := jsonedit.Replace(nil, p.nested.Raw, name[0].SetString(modelsPrefix+model))
	return []jsonedit.Edit{p.nested.Set(raw)}
}

// Answer reads a 2xx body and puts the public model name into it.
func (p *passage) Answer(body []byte) (a dialect.Answer, err error) {
	fields := [...]jsonedit.Field{
		{Name: "modelVersion"}, {Name: "usageMetadata"}, {Name: "error"}, {Name: "candidates"}, {Name: "promptFeedback"}, {Name: "totalTokens"},
	}
	if isArray(body) {
		return a, inArray(body)
	}
	if !jsonedit.FindWhole(body, fields[:]) {
		return a, dialect.InvalidAnswer("not a JSON object")
	}
	if fields[2].Given() {
		return a, DecodeError(0, nil, body)
	}
	if p.request.Op == OpCountTokens {
		if fields[5].Kind != jsonedit.Number {
			return a, dialect.InvalidAnswer("it has no totalTokens")
		}
		return dialect.Answer{Body: body, Usage: gateway.Usage{Source: gateway.UsageReported}}, nil
	}
	if fields[3].Kind != jsonedit.Array && fields[4].Kind != jsonedit.Object && fields[1].Kind != jsonedit.Object {
		return a, dialect.InvalidAnswer("it has no candidates")
	}
	told, ok := readUsage(fields[1].Raw)
	a.Usage, a.Tier = told.usage, told.tier
	if !ok {
		a.Usage = gateway.Usage{InputTokens: p.request.CountInput(), OutputTokens: dialect.CountTokens(body), Source: gateway.UsageCounted}
	}
	a.Body = renamed(nil, body, &fields[0], p.request.Model)
	return a, nil
}

// renamed is the text with the caller's name for the model in place of the vendor's: the text itself if nothing differs.
func renamed(dst, text []byte, version *jsonedit.Field, model string) []byte {
	if name, ok := version.Text(); ok && name != model {
		return jsonedit.Replace(dst, text, version.SetString(model))
	}
	return text
}

// DecodeError reads Google's error answer.
func (p *passage) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// Framing is that of server-sent events: streams are always asked for with alt=sse.
func (p *passage) Framing() dialect.Framing { return dialect.SSE }

// Tap is for a streamed answer.
func (p *passage) Tap() dialect.Tap { return &tap{request: p.request} }
