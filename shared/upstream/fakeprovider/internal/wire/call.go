package wire

// MaxWords bounds the words that an answer repeats.
const MaxWords = 4096

// Tool is a function that a request offers, with the JSON schema of its arguments.
type Tool struct {
	Name   string
	Schema map[string]any
}

// AnyTool in Call.Force is any of the tools.
const AnyTool = "*"

// Thinking is who decides whether the model thinks.
type Thinking int

const (
	AsNamed Thinking = iota // only the model's name
	Never                   // the request forbids it, or does not ask for it where that is needed
	Asked                   // the request asks for it
)

// Call is one request, as far as the answer depends on it.
type Call struct {
	Op, Model string
	Stream    bool
	N         int // how many choices
	Limit     int // of completion tokens; 0: none
	Stops     []string
	Prompt    Prompt

	Tools  []Tool
	Force  string // the tool that must be called, AnyTool, or empty
	Single bool   // no parallel calls
	NoCall bool   // tools may not be called now

	Schema   map[string]any // of the JSON that the answer must be, or nil
	JSON     bool           // the answer must be some JSON object
	Thinking Thinking
	Shown    bool // thoughts are shown, not only counted
	Sealed   bool // thoughts come sealed
	Logprobs int  // how many alternatives; -1: no logprobs
	Speech   bool // the answer is spoken

	IncludeUsage   bool // chat streams report usage
	AnswersBlocked bool // a blocked prompt is answered, not refused
	ByMarks        bool // only what the request marks is cached

	Inputs     []any // of embeddings: strings or token arrays
	Dimensions int
	Base64     bool

	Memo any // what the format wants to remember
}

// NewCall is a call with the usual defaults.
func NewCall(op string, r *Request) *Call {
	return &Call{Op: op, Model: r.Model, Stream: r.Stream, N: 1, Dimensions: 8, Logprobs: -1}
}

// calls is how many tool calls the answer has.
func (c *Call) calls(m Manner) int {
	switch {
	case len(c.Tools) == 0 || c.NoCall:
		return 0
	case m.Calls > 0 && !c.Prompt.Answering():
		if c.Single {
			return 1
		}
		return m.Calls
	case c.Force != "":
		return 1
	}
	return 0
}

// tool is what the n-th call calls.
func (c *Call) tool(n int) Tool {
	for _, t := range c.Tools {
		if t.Name == c.Force {
			return t
		}
	}
	return c.Tools[n%len(c.Tools)]
}
