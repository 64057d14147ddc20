package responses

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Stored is what one needs who keeps responses, so that they can be fetched and gone on from whatever model answered.
type Stored interface {
	// ID is the response's: the one of SetID; else the vendor's where the vendor speaks this dialect and has answered; else one made
	// up, which then stays.
	ID() string
	// Body is the finished Response in JSON: of a plain answer after Answer, of a stream after End, or after Fail with the status
	// failed; nil before. It must not be changed.
	Body() []byte
	// Store reports whether the caller wants the response kept.
	Store() bool
	// Previous is the id of the response that the caller goes on from; may be empty.
	Previous() string
	// Input is the list of this request's own input items in JSON, each with an id.
	Input() []byte
}

var (
	_ Stored = (*passage)(nil)
	_ Stored = (*inbound)(nil)
)

// Of returns what there is to store of a request that Peek made, whichever way it takes.
func Of(r *dialect.Request) (Stored, bool) {
	if x, ok := exchangeOf(r); ok {
		return x, true
	}
	return nil, false
}

// SetID chooses the id of the response, before the request is sent. A vendor's own id is then replaced in all that the caller gets.
func SetID(r *dialect.Request, id string) {
	if x, ok := exchangeOf(r); ok {
		x.id, x.chosen = id, true
	}
}

// SetPrevious says which response the request goes on from, where Expand took that out of its body: the Response then tells it.
func SetPrevious(r *dialect.Request, id string) {
	if x, ok := exchangeOf(r); ok {
		x.earlier = id
	}
}

func exchangeOf(r *dialect.Request) (*exchange, bool) {
	if in, ok := r.In.(*inbound); ok {
		return in.exchange, true
	}
	if p, ok := r.Native.(*passage); ok {
		return p.exchange, true
	}
	return nil, false
}

func (x *exchange) ID() string {
	if x.id == "" {
		x.id = newID("resp")
	}
	return x.id
}

func (x *exchange) Body() []byte { return x.final }

func (x *exchange) Store() bool { return x.stored }

func (x *exchange) Previous() string {
	id, _ := x.previous.Text()
	return id
}

// since is the response that this one goes on from, by whoever said so.
func (x *exchange) since() string {
	if x.earlier != "" {
		return x.earlier
	}
	return x.Previous()
}

func (x *exchange) createdAt() int64 {
	if x.created == 0 {
		x.created = time.Now().Unix()
	}
	return x.created
}

// ours stands in every id that is made here. OpenAI's are hexadecimal behind the prefix and never have it: so an id that OpenAI cannot
// know is told from one that it may.
const ours = "_sl_"

// newID makes an id that cannot be guessed.
func newID(prefix string) string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails: package crypto/rand
	return prefix + ours + hex.EncodeToString(random[:])
}

// Input lists the items.
func (x *exchange) Input() []byte {
	if x.listed != nil {
		return x.listed
	}
	list := []byte{'['}
	for _, raw := range ownItems(&x.input) {
		if len(list) > 1 {
			list = append(list, ',')
		}
		list = append(list, itemWithID(raw)...)
	}
	x.listed = append(list, ']')
	return x.listed
}

// ownItems are a body's input items; a bare string is a user's message.
func ownItems(input *jsonedit.Field) [][]byte {
	switch input.Kind {
	case jsonedit.String:
		return [][]byte{append(append([]byte(`{"type":"message","role":"user","content":`), input.Raw...), '}')}
	case jsonedit.Array:
		return elements(input.Raw)
	default:
		return nil
	}
}

// prefixes are those of the ids of items.
var prefixes = map[string]string{
	"message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco", "custom_tool_call": "ctc",
	"custom_tool_call_output": "ctco", "local_shell_call": "lsh", "shell_call": "sh", "apply_patch_call": "apc", "image_generation_call": "ig",
	"tool_search_call": "tsc",
}

// itemWithID completes an item for a list of them: its type and id, and a message's content as parts.
func itemWithID(raw []byte) []byte {
	fields := [...]jsonedit.Field{{Name: "id"}, {Name: "type"}, {Name: "role"}, {Name: "content"}}
	if !jsonedit.Find(raw, fields[:]) {
		return raw
	}
	id, kind, role, content := &fields[0], &fields[1], &fields[2], &fields[3]
	name, _ := kind.Text()
	var edits []jsonedit.Edit
	if name == "" && role.Given() {
		name = "message"
		edits = append(edits, kind.SetString(name))
	}
	if name == "message" && content.Kind == jsonedit.String {
		part := "input_text"
		if said, _ := role.Text(); said == "assistant" {
			part = "output_text"
		}
		edits = append(edits, content.Set([]byte(`[{"type":"`+part+`","text":`+string(content.Raw)+`}]`)))
	}
	if !id.Given() {
		prefix := prefixes[name]
		if prefix == "" {
			prefix = "item"
		}
		edits = append(edits, id.SetString(newID(prefix)))
	}
	return jsonedit.Replace(nil, raw, edits...)
}
