// Package chat is OpenAI's wire format: chat completions, legacy completions and embeddings. Bodies pass through as their
// sender wrote them; only what steers the gateway is looked at, and only what must differ is edited. It does no I/O.
package chat

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Limits of fields that steer the gateway.
const (
	MaxModelBytes = 512
	maxN          = 128 // OpenAI's own limit of n (API document, read 2026-11)
)

// Request is a caller's body and what steers the gateway in it.
type Request struct {
	Op         gateway.Op
	Body       []byte
	Model      string // as the caller named it
	Stream     bool
	N          int64  // answers that are made, at least 1
	MaxOutput  int64  // tokens for each answer; 0: the caller set no limit
	User       string // whom the caller serves, by its own word for them
	Tags       []string
	AsksUsage  bool // the caller asked for usage in the stream
	model      jsonedit.Field
	streamOpts jsonedit.Field
	limits     [2]jsonedit.Field // max_tokens, max_completion_tokens
	ours       [3]jsonedit.Field // tags, litellm_metadata, metadata: what is not for the provider
	metadata   []byte            // what of the last one is
}

// Fields of a body that are looked at, by position in the array that Peek scans for.
const (
	fModel = iota
	fStream
	fStreamOptions
	fMaxTokens
	fMaxCompletionTokens
	fN
	fBestOf
	fUser
	fSafetyIdentifier
	fMetadata
	fLiteLLMMetadata
	fTags
	fContent
	fForbidden // and all that follow
)

// forbidden fields would choose where a call goes or who pays for it: that is the owner's decision.
var forbidden = [...]string{
	"api_base", "base_url", "api_key", "api_version", "custom_llm_provider", "extra_headers", "user_config", "litellm_params",
}

// content names the field without which an op makes no sense.
var content = map[gateway.Op]string{gateway.OpChat: "messages", gateway.OpCompletions: "prompt", gateway.OpEmbeddings: "input"}

// Peek checks a body and finds what steers the gateway. The error is a gateway.Error that names the field. The request
// keeps body.
func Peek(op gateway.Op, body []byte) (*Request, error) {
	var fields [fForbidden + len(forbidden)]jsonedit.Field
	for i, name := range [...]string{"model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", "user",
		"safety_identifier", "metadata", "litellm_metadata", "tags", content[op]} {
		fields[i].Name = name
	}
	for i, name := range forbidden {
		fields[fForbidden+i].Name = name
	}
	if err := jsonedit.Scan(body, fields[:]); err != nil {
		return nil, syntaxError(err)
	}
	for i := fForbidden; i < len(fields); i++ {
		if fields[i].Present() {
			e := gateway.Invalid(fields[i].Name, "%s is not allowed in a request: deployments are configured by the gateway's owner.", fields[i].Name)
			e.Code = "field_not_allowed"
			return nil, e
		}
	}
	r := &Request{
		Op: op, Body: body, N: 1, model: fields[fModel], streamOpts: fields[fStreamOptions],
		limits: [...]jsonedit.Field{fields[fMaxTokens], fields[fMaxCompletionTokens]},
	}
	for _, step := range [...]func([]jsonedit.Field) error{r.readModel, r.readStream, r.readLimits, r.readCounted, r.readContent} {
		if err := step(fields[:]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func syntaxError(err error) error {
	var fault *jsonedit.Error
	if !errors.As(err, &fault) {
		return gateway.Invalid("", "The body is not valid JSON.")
	}
	codes := map[jsonedit.Fault]string{
		jsonedit.Empty: "empty_body", jsonedit.TooDeep: "json_too_deep", jsonedit.NotObject: "invalid_type",
		jsonedit.Duplicate: "duplicate_key", jsonedit.BadUTF8: "invalid_utf8",
	}
	e := gateway.Invalid(fault.Field, "The body cannot be read: %v.", fault)
	if e.Code = codes[fault.Fault]; e.Code == "" {
		e.Code = "invalid_json"
	}
	return e
}

func (r *Request) readModel(fields []jsonedit.Field) error {
	model, ok := fields[fModel].Text()
	switch {
	case !fields[fModel].Given():
		return gateway.Invalid("model", "model is required.")
	case !ok:
		return wrongType(&fields[fModel], "a string")
	case model == "" || len(model) > MaxModelBytes:
		return gateway.Invalid("model", "model must have 1 to %d bytes.", MaxModelBytes)
	}
	r.Model = model
	return nil
}

func (r *Request) readStream(fields []jsonedit.Field) (err error) {
	if f := &fields[fStream]; f.Given() {
		var ok bool
		if r.Stream, ok = f.Bool(); !ok {
			return wrongType(f, "true or false")
		}
	}
	f := &fields[fStreamOptions]
	if !f.Given() {
		return nil
	}
	if f.Kind != jsonedit.Object {
		return wrongType(f, "an object")
	}
	usage := [1]jsonedit.Field{{Name: "include_usage"}}
	jsonedit.Find(f.Raw, usage[:])
	if usage[0].Given() {
		var ok bool
		if r.AsksUsage, ok = usage[0].Bool(); !ok {
			return gateway.Invalid("stream_options.include_usage", "stream_options.include_usage must be true or false.")
		}
	}
	return nil
}

func (r *Request) readLimits(fields []jsonedit.Field) error {
	for _, limit := range [...]struct {
		field *jsonedit.Field
		into  *int64
		max   int64
	}{
		{&fields[fMaxTokens], &r.MaxOutput, 1 << 31},
		{&fields[fMaxCompletionTokens], &r.MaxOutput, 1 << 31},
		{&fields[fN], &r.N, maxN},
		{&fields[fBestOf], &r.N, maxN},
	} {
		if !limit.field.Given() {
			continue
		}
		n, ok := limit.field.Int()
		switch {
		case limit.field.Kind != jsonedit.Number:
			return wrongType(limit.field, "a whole number")
		case !ok || n < 1 || n > limit.max:
			return gateway.Invalid(limit.field.Name, "%s must be a whole number from 1 to %d.", limit.field.Name, limit.max)
		}
		*limit.into = max(*limit.into, n)
	}
	return nil
}

func (r *Request) readContent(fields []jsonedit.Field) error {
	f := &fields[fContent]
	switch {
	case !f.Given():
		return gateway.Invalid(f.Name, "%s is required.", f.Name)
	case r.Op == gateway.OpChat && f.Kind != jsonedit.Array:
		return wrongType(f, "a list of messages")
	case r.Op == gateway.OpChat && strings.TrimSpace(string(f.Raw[1:min(len(f.Raw)-1, 64)])) == "":
		return gateway.Invalid(f.Name, "%s must not be empty.", f.Name)
	case r.Op != gateway.OpChat && f.Kind != jsonedit.Array && f.Kind != jsonedit.String:
		return wrongType(f, "a string or a list")
	}
	if r.Op == gateway.OpCompletions {
		r.N *= prompts(f)
	}
	return nil
}

func wrongType(f *jsonedit.Field, want string) error {
	e := gateway.Invalid(f.Name, "%s must be %s, not %s.", f.Name, want, strings.ToLower(f.Kind.String()))
	e.Code = "invalid_type"
	return e
}

// asksFor reports whether usage must be asked for in the caller's place: a provider tells a stream's usage only if asked.
func (r *Request) asksFor() bool { return r.Stream && !r.AsksUsage && r.Op != gateway.OpEmbeddings }

// Outgoing is the body for an upstream of the provider that knows the model by the given name. A maxOutput above zero is set as the
// limit of output tokens where the caller set none. It is r.Body itself if nothing differs.
func (r *Request) Outgoing(provider, vendorModel string, maxOutput int64) []byte {
	var room [6]jsonedit.Edit
	edits := r.stripped(room[:0])
	if vendorModel != r.Model {
		edits = append(edits, r.model.SetString(vendorModel))
	}
	if r.asksFor() {
		edits = append(edits, r.streamOpts.Set(withUsage(r.streamOpts)))
	}
	if maxOutput > 0 && r.MaxOutput == 0 && r.Op != gateway.OpEmbeddings {
		field := 0
		if r.Op == gateway.OpChat && newerLimit[provider] {
			field = 1
		}
		edits = append(edits, r.limits[field].Set(strconv.AppendInt(nil, maxOutput, 10)))
	}
	if len(edits) == 0 {
		return r.Body
	}
	return jsonedit.Replace(make([]byte, 0, len(r.Body)+len(vendorModel)+64), r.Body, edits...)
}

// newerLimit has the providers whose models may refuse max_tokens and take max_completion_tokens (OpenAI's API document, read
// 2026-11); others know the older name.
var newerLimit = map[string]bool{"openai": true, "azure": true}

func withUsage(options jsonedit.Field) []byte {
	if options.Kind != jsonedit.Object {
		return []byte(`{"include_usage":true}`)
	}
	usage := [1]jsonedit.Field{{Name: "include_usage"}}
	jsonedit.Find(options.Raw, usage[:])
	return jsonedit.Replace(nil, options.Raw, usage[0].Set([]byte("true")))
}

// Path is where the op lives below a base URL.
func Path(op gateway.Op) string { return paths[op] }

var paths = map[gateway.Op]string{
	gateway.OpChat: "/chat/completions", gateway.OpCompletions: "/completions", gateway.OpEmbeddings: "/embeddings",
}
