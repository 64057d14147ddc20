package responses

import (
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// passage carries a request to upstreams that speak the same.
type passage struct{ *exchange }

var _ dialect.Passage = (*passage)(nil)

// Outgoing is the body for an upstream, the caller's own if nothing differs.
func (p *passage) Outgoing(t dialect.Target) (dialect.Wire, error) {
	r := p.request
	w := dialect.Wire{Path: route, Body: r.Body}
	var room [8]jsonedit.Edit
	edits := p.head.Strip(room[:0])
	if t.Model != r.Model || !p.head.Model.Given() {
		edits = append(edits, p.head.Model.SetString(t.Model))
	}
	if t.Clamp > 0 && r.MaxOutput == 0 {
		edits = append(edits, p.limit.Set(strconv.AppendInt(nil, t.Clamp, 10)))
	}
	if input := scrubbed(&p.input); input != nil {
		edits = append(edits, p.input.Set(input))
	}
	if len(edits) > 0 {
		w.Body = jsonedit.Replace(make([]byte, 0, len(r.Body)+len(t.Model)+64), r.Body, edits...)
	}
	return w, nil
}

// Framing is that of server-sent events.
func (p *passage) Framing() dialect.Framing { return dialect.SSE }

// DecodeError reads OpenAI's error object.
func (p *passage) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// Answer reads a 2xx body and makes it the caller's. The error is KindUpstream for what is no answer, or the provider's own error that
// came under a good status.
func (p *passage) Answer(body []byte) (dialect.Answer, error) {
	o, ok := look(body, jsonedit.FindWhole)
	switch {
	case !ok:
		return dialect.Answer{}, dialect.InvalidAnswer("not a JSON object")
	case o[oError].Given():
		return dialect.Answer{}, DecodeError(0, nil, body)
	case o[oOutput].Kind != jsonedit.Array:
		return dialect.Answer{}, dialect.InvalidAnswer("it has no output")
	}
	u, ok := usageOf(o[oUsage].Raw)
	if !ok {
		u = gateway.Usage{InputTokens: p.request.CountInput(), OutputTokens: dialect.CountTokens(o[oOutput].Raw), Source: gateway.UsageCounted}
	}
	p.final = p.public(o, body)
	return dialect.Answer{Body: p.final, Usage: u, Tier: o.tier()}, nil
}

// response are the fields of a Response that are looked at.
type response [7]jsonedit.Field

const (
	oID = iota
	oModel
	oPrevious
	oTier
	oUsage
	oError
	oOutput
)

func look(raw []byte, find func([]byte, []jsonedit.Field) bool) (o *response, ok bool) {
	o = &response{
		oID: {Name: "id"}, oModel: {Name: "model"}, oPrevious: {Name: "previous_response_id"}, oTier: {Name: "service_tier"},
		oUsage: {Name: "usage"}, oError: {Name: "error"}, oOutput: {Name: "output"},
	}
	return o, find(raw, o[:])
}

// tier is the service tier; a long one is none.
func (o *response) tier() string {
	tier, _ := o[oTier].Text()
	if len(tier) > 32 {
		return ""
	}
	return tier
}

// public is a vendor's Response as the caller gets it: with the model's public name, and the ids that were chosen here. It is raw itself
// if nothing differs.
func (x *exchange) public(o *response, raw []byte) []byte {
	var room [3]jsonedit.Edit
	edits := room[:0]
	if name, ok := o[oModel].Text(); ok && name != x.request.Model {
		edits = append(edits, o[oModel].SetString(x.request.Model))
	}
	if id, ok := o[oID].Text(); ok && x.chosen && id != x.id {
		edits = append(edits, o[oID].SetString(x.id))
	} else if ok && !x.chosen && id != "" {
		x.id = id
	}
	if x.earlier != "" {
		edits = append(edits, o[oPrevious].SetString(x.earlier))
	}
	if len(edits) == 0 {
		return raw
	}
	return jsonedit.Replace(make([]byte, 0, len(raw)+len(x.request.Model)+64), raw, edits...)
}
