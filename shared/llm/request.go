// Package llm is the neutral form of a generation: what a caller asks of a model, what it answers, and the events in which an answer
// comes. It is made of blocks and rich enough to lose nothing that two wire formats share. Packages below dialect translate to
// and from it.
package llm

import "encoding/json"

// Request is what a caller asks. The zero value of a field means that the caller said nothing.
type Request struct {
	Messages []Message // system messages stand where the caller put them
	Tools    []Tool
	Choice   ToolChoice
	Parallel *bool // several tool calls in one answer are allowed
	Format   Format

	MaxOutput        int64 // tokens of an answer, thinking included
	N                int64 // answers
	Stop             []string
	Temperature      *float64 // 0 to 2, as OpenAI counts it
	TopP             *float64
	TopK             *int64
	Seed             *int64
	PresencePenalty  *float64
	FrequencyPenalty *float64
	LogitBias        json.RawMessage // OpenAI's object
	Logprobs         bool
	TopLogprobs      int64

	Reasoning   Reasoning
	Verbosity   string // low, medium, high
	ServiceTier string // OpenAI's words: auto, default, flex, priority
	User        string // whom the caller serves
	Modalities  []string
	Voice       json.RawMessage // OpenAI's audio object
	Prediction  json.RawMessage // OpenAI's prediction object
	Stream      bool

	// Extra are top-level fields of the caller's body that have no place above, by their names there. A target takes those that it
	// knows; others are refused or dropped.
	Extra map[string]json.RawMessage
	// Hints are such fields that change no answer (store, metadata, cache keys). They are left out where a target has no place for
	// them, and the caller is told.
	Hints map[string]json.RawMessage
}

// Role says whose words a message is.
type Role string

const (
	System    Role = "system" // "developer" too
	User      Role = "user"   // tool results too
	Assistant Role = "assistant"
)

// Message is one turn. Neighbours may have the same role: see Turns.
type Message struct {
	Role  Role
	Name  string // of the participant, may be empty
	Parts []Part
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON schema of the arguments; nil: none
	Strict      *bool
	Cache       string // as Part.Cache
	// Vendor is a tool that the vendor itself runs or defines (web search, computer use ...), as the caller wrote it; Name is then its
	// type. It goes only where Dialect is spoken.
	Vendor  json.RawMessage
	Dialect string
}

// ToolChoice says whether tools must be called.
type ToolChoice struct {
	Mode ChoiceMode
	Name string // of the tool, with ChooseTool
}

// ChoiceMode is a kind of ToolChoice; empty means that the caller said nothing.
type ChoiceMode string

const (
	ChooseAuto ChoiceMode = "auto"
	ChooseNone ChoiceMode = "none"
	ChooseAny  ChoiceMode = "any"  // at least one tool
	ChooseTool ChoiceMode = "tool" // the one named
)

// Format is what an answer's text must be.
type Format struct {
	Kind        FormatKind
	Name        string // of a schema
	Description string
	Schema      json.RawMessage
	Strict      *bool
}

// FormatKind is a kind of Format; empty is free text.
type FormatKind string

const (
	JSONObject FormatKind = "json_object"
	JSONSchema FormatKind = "json_schema"
)

// Reasoning says how much a model thinks before it answers. Effort, Budget and Off exclude each other.
type Reasoning struct {
	Effort  string // none, minimal, low, medium, high, xhigh, max
	Budget  int64  // tokens
	Off     bool   // explicitly no thinking
	Auto    bool   // the model decides (Anthropic's "adaptive", Gemini's budget -1)
	Summary string // auto, concise, detailed: OpenAI's words for how thoughts are shown
	Show    *bool  // thoughts are to be in the answer
}

// Given reports whether the caller said anything about thinking itself.
func (r Reasoning) Given() bool { return r.Effort != "" || r.Budget != 0 || r.Off || r.Auto }
