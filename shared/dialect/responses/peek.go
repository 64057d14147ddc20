package responses

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// exchange is a caller's request and what becomes of it. All passages of one request share it.
type exchange struct {
	request  *dialect.Request
	head     dialect.Head
	input    jsonedit.Field
	previous jsonedit.Field
	limit    jsonedit.Field // max_output_tokens
	stored   bool           // the caller wants the response kept
	codex    bool           // the caller is Codex, which offers tools of OpenAI's to every model

	id      string // of the response
	chosen  bool   // by SetID: the vendor's own is replaced
	earlier string // the response that this one goes on from, if the body does not say
	created int64  // Unix seconds
	listed  []byte // what Input answers
	final   []byte // the finished Response
}

// Fields of a body that are looked at besides those that all dialects have, by position.
const (
	fInput = dialect.Steering + iota
	fPrevious
	fLimit
	fStore
	fBackground
	fPrompt
	fConversation
	allFields
)

// media are the words that stand for what is no text: files, sound, what the vendor's own tools find, and escapes, which may spell any
// other word.
var media = dialect.Media{
	Images: []string{`"input_image"`, `"computer_screenshot"`},
	Opaque: []string{
		`"input_file"`, `"input_audio"`, `"item_reference"`, `"web_search`, `"file_search"`, `"code_interpreter"`, `"mcp"`, `"computer`,
		`"image_generation"`, `\u004`, `\u005`, `\u006`, `\u007`,
	},
}

// Peek checks a body and finds what steers the gateway. The error is a gateway.Error that names the field. The request keeps body.
func Peek(op gateway.Op, body []byte, hint dialect.Hint) (*dialect.Request, error) {
	var fields [allFields]jsonedit.Field
	for i, name := range [...]string{"input", "previous_response_id", "max_output_tokens", "store", "background", "prompt", "conversation"} {
		fields[dialect.Steering+i].Name = name
	}
	r := &dialect.Request{Op: op, Adds: dialect.Adds(body)}
	head, err := dialect.Look(r, body, fields[:], hint)
	if err != nil {
		return nil, err
	}
	x := &exchange{
		request: r, head: head, input: fields[fInput], previous: fields[fPrevious], limit: fields[fLimit], codex: isCodex(hint.Header),
	}
	if err := cmp.Or(x.readInput(fields[:]), x.readState(fields[:]), x.readLimit(fields[:])); err != nil {
		return nil, err
	}
	r.Media = media
	if x.previous.Given() || fields[fPrompt].Given() || fields[fConversation].Given() {
		r.Media.Opaque = []string{"{"} // what the vendor adds is not in the body
	}
	r.Native, r.In = &passage{x}, &inbound{exchange: x}
	return r, nil
}

// isCodex reports whether the caller is OpenAI's coding agent. Its products name themselves in a header of their own, such as codex_cli_rs,
// codex-tui or Codex Desktop.
func isCodex(h http.Header) bool {
	for _, name := range [...]string{"Originator", "User-Agent"} {
		if strings.HasPrefix(strings.ToLower(h.Get(name)), "codex") {
			return true
		}
	}
	return false
}

func (x *exchange) readInput(fields []jsonedit.Field) error {
	f := &x.input
	switch {
	case !f.Given():
		if fields[fPrompt].Given() || fields[fConversation].Given() || x.previous.Given() {
			return nil
		}
		return gateway.Invalid(f.Name, "input is required.")
	case f.Kind != jsonedit.String && f.Kind != jsonedit.Array:
		return dialect.WrongType(f, "a string or a list of items")
	case f.Kind == jsonedit.Array && len(bytes.TrimSpace(f.Raw[1:len(f.Raw)-1])) == 0 && !x.previous.Given() && !fields[fConversation].Given():
		return gateway.Invalid(f.Name, "input must not be empty.")
	}
	return nil
}

func (x *exchange) readState(fields []jsonedit.Field) error {
	if x.previous.Given() && x.previous.Kind != jsonedit.String {
		return dialect.WrongType(&x.previous, "a string")
	}
	background, err := dialect.ReadBool(&fields[fBackground])
	if err != nil {
		return err
	}
	if background {
		e := gateway.Invalid("background", "background is not supported here: send the request without it.")
		e.Code = "unsupported_parameter"
		return e
	}
	x.stored = true // unless the caller says otherwise (OpenAI's API document, read 2026-11)
	if f := &fields[fStore]; f.Given() {
		x.stored, err = dialect.ReadBool(f)
	}
	return err
}

func (x *exchange) readLimit([]jsonedit.Field) (err error) {
	x.request.MaxOutput, err = dialect.ReadCount(&x.limit, dialect.MaxTokens)
	return err
}
