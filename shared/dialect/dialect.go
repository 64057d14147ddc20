// Package dialect says what a wire format does for the gateway. Each has a folder below: it reads and writes requests, answers, streams and
// errors of one format, for callers, for upstreams, or for both. All of it is pure, without I/O.
//
// A request passes through as its caller wrote it where the upstream speaks the caller's dialect. Else it is translated: the caller's
// dialect decodes it into package llm's neutral form, the upstream's encodes that, and the answer comes back the same way.
package dialect

import (
	"io"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Dialect is one wire format. The table of all is package all's.
type Dialect struct {
	Op gateway.Op // its name
	// Peek checks a caller's body and finds what steers the gateway. The error is a gateway.Error that names the field. The request
	// keeps body. Nil if no caller speaks the dialect.
	Peek        func(op gateway.Op, body []byte, hint Hint) (*Request, error)
	EncodeError func(*gateway.Error) []byte // an error answer for a caller; nil if no caller speaks the dialect
	Out         Outbound                    // nil if it cannot be translated to
	// KeepAlive tells the caller of a stream that the model is still at work; nil if the dialect has nothing that callers' libraries
	// skip.
	KeepAlive []byte
}

// Comment is the KeepAlive of server-sent events that have no event for it.
var Comment = []byte(": keep-alive\n\n")

// Hint is what a caller says of a call outside its body.
type Hint struct {
	Model  string // from the path
	Stream bool   // from the path
	Header http.Header
}

// Request is a caller's body and what steers the gateway in it.
type Request struct {
	Op        gateway.Op
	Body      []byte
	Model     string // as the caller named it
	Stream    bool
	N         int64  // answers that are made, at least 1
	MaxOutput int64  // tokens for each answer; 0: the caller set no limit
	User      string // whom the caller serves, by its own word for them
	Tags      []string
	Drop      *bool // drop_params, if the caller says so
	Media     Media // what of the body is not text, for a bound of its tokens
	Adds      bool  // it has tools or a format, for which vendors add tokens of their own
	Native    Passage
	In        Inbound // nil: it cannot be translated

	bound int64 // of input tokens; 0: not reckoned yet
}

// Passage carries one request to upstreams of one dialect, and their answers back. Its methods are not for concurrent use.
type Passage interface {
	// Outgoing is the request for a target. The error is a gateway.Error.
	Outgoing(Target) (Wire, error)
	// Answer makes a 2xx body fit for the caller. The error is a gateway.Error: KindUpstream for what is no answer, or the
	// provider's own error that came under a good status.
	Answer(body []byte) (Answer, error)
	// Tap is for a streamed answer.
	Tap() Tap
	// DecodeError reads a provider's error answer. Status 0 is an error that came under a good status, or inside a stream.
	DecodeError(status int, h http.Header, body []byte) *gateway.Error
	// Framing is how a streamed answer is cut into frames.
	Framing() Framing
}

// Target is the upstream that a request is for.
type Target struct {
	Provider string // the word for quirks
	Model    string // as the upstream knows it
	Known    string // the model's usual name, where Model is only an address of the vendor's; else empty
	// Clamp is an output limit to set where the caller set none; 0: none is wanted.
	Clamp int64
	// MaxOutput is the model's own limit, for dialects that need one in each request; 0 if it is not known.
	MaxOutput int64
	// Drop reports whether a field of the caller's that the target cannot carry is left out; else it is refused.
	Drop func(field string) bool
}

// Name is the model's usual name.
func (t Target) Name() string {
	if t.Known != "" {
		return t.Known
	}
	return t.Model
}

// Wire is a request as an upstream gets it.
type Wire struct {
	Path    string      // below the deployment's base URL, with a query if it needs one
	Header  http.Header // besides the usual ones; may be nil. It is the taker's.
	Body    []byte
	Dropped []string // fields of the caller's that were left out
}

// Answer is a whole answer, fit for the caller.
type Answer struct {
	Body  []byte
	Usage gateway.Usage // counted by us if the provider told none that can be believed
	Tier  string        // the service tier that the provider says it served, usually empty
}

// Tap passes a stream on to the caller and sees what it used. Not for concurrent use.
type Tap interface {
	// Frame appends what the caller gets for a frame of the upstream: as it came, an edited one, or nothing. What tells the caller
	// that the stream ended well is never appended. An error ends the stream.
	Frame(dst []byte, f Frame) ([]byte, error)
	// Progress tells how far the stream is.
	Progress() Progress
	// Seen is what was used so far.
	Seen() Seen
	// End appends what ends a stream well. Its sender first makes the ledger durable.
	End(dst []byte) []byte
	// Fail appends what ends a stream that has begun and failed.
	Fail(dst []byte, e *gateway.Error) []byte
}

// Progress is how far a stream is.
type Progress uint8

const (
	Open   Progress = iota // its end now would cut it
	MayEnd                 // whole if nothing more comes
	Done                   // the success terminator came
)

// Seen is what a stream used.
type Seen struct {
	Usage  gateway.Usage // the last that was told; Source is empty until then
	Tier   string        // the service tier that the provider says it served
	Chunks int64         // pieces with content: about as many tokens
}

// Counted is the usage as it was told, or else counted by us.
func (s Seen) Counted(r *Request) gateway.Usage {
	if s.Usage.Source != "" {
		return s.Usage
	}
	return gateway.Usage{InputTokens: r.CountInput(), OutputTokens: s.Chunks, Source: gateway.UsageCounted}
}

// Inbound translates for a caller: the request into the neutral form, and what comes back into the caller's dialect. Make one for
// each request: an answer may depend on what was asked.
type Inbound interface {
	// DecodeRequest reads the body. The error is a gateway.Error that names the field.
	DecodeRequest() (*llm.Request, error)
	// Field is the caller's name for a param.
	Field(llm.Param) string
	EncodeResponse(*llm.Response) ([]byte, error)
	// EncodeStream begins a streamed answer.
	EncodeStream() StreamEncoder
}

// StreamEncoder writes an answer as its events come. Not for concurrent use.
type StreamEncoder interface {
	// Encode appends the frames for one event; most need one, some none.
	Encode(dst []byte, e *llm.Event) []byte
	// End appends what ends the stream well, and comes after all events.
	End(dst []byte) []byte
	// Fail appends what ends it badly.
	Fail(dst []byte, e *gateway.Error) []byte
}

// Outbound translates for an upstream. It has no state.
type Outbound interface {
	// Carries is what the dialect can express.
	Carries() llm.Carries
	// EncodeRequest writes a request that fits what the dialect carries. It must not change r. The error is a gateway.Error.
	EncodeRequest(r *llm.Request, t Target) (Wire, error)
	DecodeResponse(body []byte) (*llm.Response, error)
	DecodeStream() StreamDecoder
	// DecodeError is as that of Passage.
	DecodeError(status int, h http.Header, body []byte) *gateway.Error
	Framing() Framing
}

// StreamDecoder reads a streamed answer. Not for concurrent use.
type StreamDecoder interface {
	// Decode appends the events of one frame; none for a keep-alive. An error is a gateway.Error and ends the stream.
	Decode(dst []llm.Event, f Frame) ([]llm.Event, error)
	// Progress tells how far the stream is.
	Progress() Progress
}

// Framing is how a stream is cut.
type Framing struct {
	MediaType string // of the answer, without parameters
	Open      func(io.Reader) FrameReader
}

// FrameReader takes frames out of a stream.
type FrameReader interface {
	// Next blocks until a whole frame is there. The frame is valid until Close, or until a Next that has to read. Errors: io.EOF
	// when the stream ended between frames, io.ErrUnexpectedEOF inside one, sse.ErrTooLong, else the source's own.
	Next() (Frame, error)
	// Buffered reports whether Next will not read.
	Buffered() bool
	// Tail is the unfinished frame that io.ErrUnexpectedEOF was about.
	Tail() Frame
	Close()
}

// Frame is one piece of a stream.
type Frame struct {
	Raw  []byte // as it came, framing included
	Name string // the event's name; may be empty
	Data []byte // empty for a keep-alive
}

// Embedding is the part of an embeddings call that all vendors share.
type Embedding struct {
	Inputs     []string  // texts
	Tokens     [][]int64 // in place of Inputs: texts as OpenAI's tokens
	Dimensions int64     // 0: the model's own
	Base64     bool      // the caller wants vectors as little-endian float32 in base64
	Purpose    string    // input_type: search_document, search_query, classification, clustering (Cohere's words); may be empty
	User       string
}

// Vectors are the answer to an Embedding, in the order of its inputs.
type Vectors struct {
	Values [][]float32
	Usage  gateway.Usage // Source is empty if the vendor told none
}

// Embedder is what an upstream's dialect for embeddings does. It has no state.
type Embedder interface {
	// MaxInputs is how many inputs one request may have; the first error names the limit.
	EncodeEmbedding(e *Embedding, t Target) (Wire, error)
	DecodeEmbedding(body []byte) (*Vectors, error)
	DecodeError(status int, h http.Header, body []byte) *gateway.Error
}
