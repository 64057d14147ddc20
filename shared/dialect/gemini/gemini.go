// Package gemini is Google's generateContent wire format, as AI Studio and Vertex AI speak it, for callers and for upstreams. The model
// and whether the answer streams stand in the path, not in the body. A field's name may be written in camelCase or in snake_case, as
// Google takes both. It does no I/O.
//
// What Google answers a blocked prompt with is an answer, not an error: status 200, no candidate, and input tokens that are paid for.
// In translation it becomes an answer without content that ended in content_filter, which OpenAI's clients know how to read, and whose
// tokens the ledger sees.
package gemini

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// OpCountTokens is Google's countTokens: what a request would have as input. It generates nothing and costs nothing.
const OpCountTokens gateway.Op = "gemini_count_tokens"

// Dialect is the wire format. It has nothing to keep a caller of a stream waiting with: Google's SDK for Go fails on a comment.
var Dialect = dialect.Dialect{Op: gateway.OpGemini, Peek: Peek, EncodeError: EncodeError, Out: Outbound{}}

// maxCandidates is the most answers that Google makes for one request (API reference, read 2026-11).
const maxCandidates = 8

// Own fields of a body that are looked at, by position behind those of package dialect.
const (
	fContents = iota
	fConfig
	fSnakeConfig
	fRequest // of countTokens: a whole generateContent request
	fSnakeRequest
	ownFields
)

// Peek checks a body and finds what steers the gateway. The error is a gateway.Error that names the field. The request keeps body.
func Peek(op gateway.Op, body []byte, hint dialect.Hint) (*dialect.Request, error) {
	var fields [dialect.Steering + ownFields]jsonedit.Field
	own := fields[dialect.Steering:]
	for i, name := range [...]string{"contents", "generationConfig", "generation_config", "generateContentRequest", "generate_content_request"} {
		own[i].Name = name
	}
	r := &dialect.Request{Op: op, Adds: dialect.Adds(body)}
	head, err := dialect.Look(r, body, fields[:], hint)
	if err != nil {
		return nil, err
	}
	r.Model = strings.TrimPrefix(r.Model, modelsPrefix)
	r.Stream = hint.Stream && op != OpCountTokens // a stream has another path, whatever the body says
	p := &passage{request: r, head: head, said: own[fContents]}
	if p.config, err = eitherName(&own[fConfig], &own[fSnakeConfig]); err != nil {
		return nil, err
	}
	if p.nested, err = eitherName(&own[fRequest], &own[fSnakeRequest]); err != nil {
		return nil, err
	}
	if err := needContents(op, &own[fContents], &p.nested); err != nil {
		return nil, err
	}
	if err := p.readConfig(); err != nil {
		return nil, err
	}
	r.Media = mediaOf(body)
	r.Native = p
	if op == gateway.OpGemini {
		r.In = &inbound{request: r}
	}
	return r, nil
}

// eitherName picks the one of two spellings that was given: of both, nobody knows which one Google would take.
func eitherName(camel, snake *jsonedit.Field) (jsonedit.Field, error) {
	f := *camel
	if snake.Present() {
		if camel.Present() {
			e := gateway.Invalid(snake.Name, "%s and %s are the same field: give one of them.", camel.Name, snake.Name)
			e.Code = "duplicate_key"
			return f, e
		}
		f = *snake
	}
	if f.Given() && f.Kind != jsonedit.Object {
		return f, dialect.WrongType(&f, "an object")
	}
	return f, nil
}

func needContents(op gateway.Op, f, nested *jsonedit.Field) error {
	switch {
	case op == OpCountTokens && nested.Given():
		return nil
	case !f.Given():
		return gateway.Invalid(f.Name, "%s is required.", f.Name)
	case f.Kind == jsonedit.Object: // Google takes one for a list of one
		return nil
	case f.Kind != jsonedit.Array:
		return dialect.WrongType(f, "a list")
	case len(bytes.TrimSpace(f.Raw[1:len(f.Raw)-1])) == 0:
		return gateway.Invalid(f.Name, "%s must not be empty.", f.Name)
	default:
		return nil
	}
}

const modelsPrefix = "models/"

// verbs are what is asked of a model: they stand behind its name, after a colon.
const (
	verbWhole  = ":generateContent"
	verbStream = ":streamGenerateContent?alt=sse"
	verbCount  = ":countTokens"
)

// pathOf is where a model's verb is below a base URL, be it AI Studio's (".../v1beta") or Vertex AI's (".../publishers/google"). A name
// cannot add segments, a verb of its own or a query.
func pathOf(model, verb string) string {
	collection := modelsPrefix
	if name, tuned := strings.CutPrefix(model, "tunedModels/"); tuned {
		collection, model = "tunedModels/", name
	}
	model = url.PathEscape(strings.TrimPrefix(model, modelsPrefix))
	return "/" + collection + strings.ReplaceAll(model, ":", "%3A") + verb
}

func verbOf(r *dialect.Request) string {
	switch {
	case r.Op == OpCountTokens:
		return verbCount
	case r.Stream:
		return verbStream
	default:
		return verbWhole
	}
}
