package messages

import (
	"bytes"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Fields of a body that Peek looks for besides those of every dialect.
const (
	fMaxTokens = dialect.Steering + iota
	fMessages
	fVersion
	fBeta
	fThinking
	fThread
	fields
)

var own = [...]string{"max_tokens", "messages", "anthropic_version", "anthropic_beta", "thinking", "thread"}

// media are the words that stand for tokens without bytes: images, files, and tools that Anthropic runs itself. The last three begin
// letters that are written as escapes, which may spell any of these.
var media = dialect.Media{
	Images: []string{`"image"`},
	Opaque: []string{
		`"document"`, `"file_id"`, `"container"`, `"mcp_servers"`, "web_search_20", "web_fetch_20", "code_execution_20",
		"advisor_20", `\u005`, `\u006`, `\u007`,
	},
}

// Peek checks the body of a call and finds what steers the gateway in it.
func Peek(op gateway.Op, body []byte, hint dialect.Hint) (*dialect.Request, error) {
	var found [fields]jsonedit.Field
	for i, name := range own {
		found[fMaxTokens+i].Name = name
	}
	r := &dialect.Request{Op: op, Media: media, Adds: dialect.Adds(body)}
	head, err := dialect.Look(r, body, found[:], hint)
	if err != nil {
		return nil, err
	}
	if err := checkMessages(&found[fMessages]); err != nil {
		return nil, err
	}
	if found[fThread].Given() {
		return nil, noThreads()
	}
	r.Native = &passage{request: r, head: head, messages: found[fMessages], thinking: found[fThinking], version: found[fVersion], beta: found[fBeta], header: steering(hint.Header)}
	if op == OpCountTokens {
		r.Stream = false
		return r, nil
	}
	if r.MaxOutput, err = maxTokens(&found[fMaxTokens]); err != nil {
		return nil, err
	}
	r.In = &inbound{request: r, header: hint.Header}
	return r, nil
}

// threadsUnsupported is the code after which Anthropic's own clients go on with the whole conversation (the source of its TypeScript SDK,
// read 2026-11).
const threadsUnsupported = "thread_unsupported_request"

// noThreads refuses what would live in the provider's account, which all callers share.
func noThreads() error {
	e := gateway.Invalid("thread", "thread is not supported: send the whole conversation.")
	e.Code = threadsUnsupported
	return e
}

// maxTokens reads the limit that Anthropic requires. Zero asks Anthropic to fill its cache and answer nothing.
func maxTokens(f *jsonedit.Field) (int64, error) {
	if !f.Given() {
		return 0, gateway.Invalid(f.Name, "max_tokens is required.")
	}
	if n, ok := f.Int(); ok && n == 0 {
		return 0, nil
	}
	return dialect.ReadCount(f, dialect.MaxTokens)
}

func checkMessages(f *jsonedit.Field) error {
	switch {
	case !f.Given():
		return gateway.Invalid(f.Name, "messages is required.")
	case f.Kind != jsonedit.Array:
		return dialect.WrongType(f, "a list of messages")
	case len(bytes.TrimSpace(f.Raw[1:len(f.Raw)-1])) == 0:
		return gateway.Invalid(f.Name, "messages must not be empty.")
	}
	return nil
}

// steering are the headers of a caller that go on to Anthropic: features that are not known here must reach it too. Those that choose
// a workspace or who pays do not.
func steering(h http.Header) http.Header {
	out := http.Header{versionHeader: {defaultVersion}}
	if version := h.Get(versionHeader); version != "" {
		out[versionHeader] = []string{version}
	}
	if beta := h.Values(betaHeader); len(beta) > 0 {
		out[betaHeader] = beta
	}
	return out
}
