// Package chat is OpenAI's wire format: chat completions, legacy completions and embeddings, for callers and for upstreams. Where both sides
// speak it, bodies pass through as their sender wrote them: only what steers the gateway is looked at, and only what must differ
// is edited.
package chat

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

const maxN = 128 // OpenAI's own limit of n (API document, read 2026-11)

// request is a caller's body on its way to upstreams that speak the same.
type request struct {
	*dialect.Request
	head       dialect.Head
	asksUsage  bool  // the caller asked for usage in the stream
	asked      int64 // answers that the caller wants to each prompt
	streamOpts jsonedit.Field
	limits     [2]jsonedit.Field // max_tokens, max_completion_tokens
	messages   jsonedit.Field
}

// Fields of a body that are looked at besides those that all dialects have, by position.
const (
	fStreamOptions = dialect.Steering + iota
	fMaxTokens
	fMaxCompletionTokens
	fN
	fBestOf
	fContent
	fTools
	fFormat
	allFields
)

// content names the field without which an op makes no sense.
var content = map[gateway.Op]string{gateway.OpChat: "messages", gateway.OpCompletions: "prompt", gateway.OpEmbeddings: "input"}

// media are the words that stand for what is no text; the last of the opaque ones may spell any other word.
var media = dialect.Media{
	Images: []string{`"image_url"`}, Opaque: []string{`"file"`, `"video_url"`, `"document_url"`, `\u00`}, Mark: `"type"`,
}

// Peek checks a body and finds what steers the gateway. The error is a gateway.Error that names the field. The request
// keeps body.
func Peek(op gateway.Op, body []byte, hint dialect.Hint) (*dialect.Request, error) {
	var fields [allFields]jsonedit.Field
	for i, name := range [...]string{"stream_options", "max_tokens", "max_completion_tokens", "n", "best_of", content[op], "tools", "response_format"} {
		fields[dialect.Steering+i].Name = name
	}
	out := &dialect.Request{Op: op}
	head, err := dialect.Look(out, body, fields[:], hint)
	if err != nil {
		return nil, err
	}
	r := &request{
		Request: out, head: head, streamOpts: fields[fStreamOptions],
		limits: [...]jsonedit.Field{fields[fMaxTokens], fields[fMaxCompletionTokens]}, messages: fields[fContent],
	}
	if err := cmp.Or(r.readStreamOptions(fields[:]), r.readLimits(fields[:]), r.readContent(fields[:])); err != nil {
		return nil, err
	}
	out.Native, out.Adds = r, fields[fTools].Given() || fields[fFormat].Given()
	switch op {
	case gateway.OpChat:
		out.Media, out.In = media, &inbound{r}
	case gateway.OpCompletions:
		out.In = &completion{r}
	}
	return out, nil
}

func (r *request) readStreamOptions(fields []jsonedit.Field) (err error) {
	if r.Op == gateway.OpEmbeddings {
		r.Stream = false
	}
	f := &fields[fStreamOptions]
	if !f.Given() {
		return nil
	}
	if f.Kind != jsonedit.Object {
		return dialect.WrongType(f, "an object")
	}
	usage := [1]jsonedit.Field{{Name: "include_usage"}}
	jsonedit.Find(f.Raw, usage[:])
	if usage[0].Given() {
		var ok bool
		if r.asksUsage, ok = usage[0].Bool(); !ok {
			return gateway.Invalid("stream_options.include_usage", "stream_options.include_usage must be true or false.")
		}
	}
	return nil
}

func (r *request) readLimits(fields []jsonedit.Field) error {
	for _, limit := range [...]struct {
		field *jsonedit.Field
		into  *int64
		max   int64
	}{
		{&fields[fMaxTokens], &r.MaxOutput, dialect.MaxTokens},
		{&fields[fMaxCompletionTokens], &r.MaxOutput, dialect.MaxTokens},
		{&fields[fN], &r.N, maxN},
		{&fields[fBestOf], &r.N, maxN},
	} {
		n, err := dialect.ReadCount(limit.field, limit.max)
		if err != nil {
			return err
		}
		if *limit.into = max(*limit.into, n); limit.field == &fields[fN] {
			r.asked = max(1, n)
		}
	}
	return nil
}

func (r *request) readContent(fields []jsonedit.Field) error {
	f := &fields[fContent]
	switch {
	case !f.Given():
		return gateway.Invalid(f.Name, "%s is required.", f.Name)
	case r.Op == gateway.OpChat && f.Kind != jsonedit.Array:
		return dialect.WrongType(f, "a list of messages")
	case r.Op == gateway.OpChat && isEmptyList(f):
		return gateway.Invalid(f.Name, "%s must not be empty.", f.Name)
	case r.Op != gateway.OpChat && f.Kind != jsonedit.Array && f.Kind != jsonedit.String:
		return dialect.WrongType(f, "a string or a list")
	}
	if r.Op == gateway.OpCompletions {
		r.N *= prompts(f)
	}
	return nil
}

// prompts is how many there are in a list: each is answered.
func prompts(f *jsonedit.Field) int64 {
	var list []json.RawMessage
	if f.Kind != jsonedit.Array || json.Unmarshal(f.Raw, &list) != nil || len(list) == 0 {
		return 1
	}
	if c := list[0][0]; c != '"' && c != '[' {
		return 1 // one prompt, as tokens
	}
	return int64(len(list))
}

// asksFor reports whether usage must be asked for in the caller's place: a provider tells a stream's usage only if asked.
func (r *request) asksFor() bool { return r.Stream && !r.asksUsage }

// stripped is the body without what is for the gateway alone.
func (r *request) stripped() []byte {
	if edits := r.head.Strip(nil); len(edits) > 0 {
		return jsonedit.Replace(nil, r.Body, edits...)
	}
	return r.Body
}

// Outgoing is the body for an upstream, r.Body itself if nothing differs.
func (r *request) Outgoing(t dialect.Target) (dialect.Wire, error) {
	w := dialect.Wire{Path: paths[r.Op], Body: r.Body}
	var room [12]jsonedit.Edit
	q := quirksOf(&t)
	edits := r.adapted(r.head.Strip(room[:0]), q)
	if r.losesMarkers(q) {
		w.Dropped = []string{marker}
	}
	if t.Model != r.Model {
		edits = append(edits, r.head.Model.SetString(t.Model))
	}
	if r.asksFor() && !q.noStreamOptions {
		edits = append(edits, r.streamOpts.Set(withUsage(r.streamOpts)))
	}
	if t.Clamp > 0 && r.MaxOutput == 0 && r.Op != gateway.OpEmbeddings {
		field := 0
		if r.Op == gateway.OpChat && q.newerLimit {
			field = 1
		}
		edits = append(edits, r.limits[field].Set(strconv.AppendInt(nil, t.Clamp, 10)))
	}
	if len(edits) > 0 {
		w.Body = jsonedit.Replace(make([]byte, 0, len(r.Body)+len(t.Model)+64), r.Body, edits...)
	}
	return w, nil
}

func withUsage(options jsonedit.Field) []byte {
	if options.Kind != jsonedit.Object {
		return []byte(`{"include_usage":true}`)
	}
	usage := [1]jsonedit.Field{{Name: "include_usage"}}
	jsonedit.Find(options.Raw, usage[:])
	return jsonedit.Replace(nil, options.Raw, usage[0].Set([]byte("true")))
}

// paths are where the ops live below a base URL.
var paths = map[gateway.Op]string{
	gateway.OpChat: "/chat/completions", gateway.OpCompletions: "/completions", gateway.OpEmbeddings: "/embeddings",
}

// Framing is that of server-sent events.
func (r *request) Framing() dialect.Framing { return dialect.SSE }

// DecodeError reads OpenAI's error object.
func (r *request) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}
