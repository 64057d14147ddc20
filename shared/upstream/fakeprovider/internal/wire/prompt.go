package wire

import "strings"

// MediaTokens is the price in tokens of a part that is no text.
const MediaTokens = 85

// PromptTokens is the price in tokens of a text: its bytes divided by 4, rounded up.
func PromptTokens(text string) int64 { return tokensOf(len(text)) }

// MessageTokens is the price in tokens of one message with this text.
func MessageTokens(text string) int64 { return 3 + PromptTokens(text) }

func tokensOf(bytes int) int64 { return (int64(bytes) + 3) / 4 }

// Role is whose message it is, as far as the answer depends on it.
type Role int

const (
	System Role = iota + 1
	User
	Assistant
	Results // of tools; vendors that put them into user messages open those as User
)

// Mark is a place up to which a prompt is to be cached.
type Mark struct {
	Prefix string // all text until there
	Tokens int64  // of the prefix
	Hour   bool   // kept for an hour, else for five minutes
}

// Prompt gathers what a request says, message by message, and its price.
type Prompt struct {
	all       strings.Builder
	closed    int64 // tokens of what is complete
	audio     int64
	open      int // bytes of text in the open message
	role      Role
	said      []string
	answering bool
	marks     []Mark
}

// Open begins a message. A user's begins a new turn, and so does the first of a row of tool results.
func (p *Prompt) Open(role Role) {
	p.close()
	p.closed += 3
	if role == User || role == Results && p.role != Results {
		p.said, p.answering = nil, role == Results
	}
	p.role = role
}

func (p *Prompt) close() {
	if p.role != 0 {
		p.all.WriteByte('\n')
	}
	p.closed += tokensOf(p.open)
	p.open = 0
}

// Say adds text to the open message.
func (p *Prompt) Say(text string) {
	p.open += len(text)
	p.all.WriteString(text)
	p.repeat(text)
}

// Show adds a part that is no text; the answer repeats the word.
func (p *Prompt) Show(word string) {
	p.closed += MediaTokens
	if strings.HasPrefix(word, "audio:") {
		p.audio += MediaTokens
	}
	p.all.WriteString(word)
	p.repeat(word)
}

// Result says that the open message answers a tool call, and whether the tool failed.
func (p *Prompt) Result(failed bool) {
	p.answering = true
	if failed {
		p.repeat("error:")
	}
}

// Price adds what costs its bytes and is no message: tools, or the input of an embedding.
func (p *Prompt) Price(text string) {
	p.closed += PromptTokens(text)
	p.all.WriteString(text)
}

// Repeat makes the answer repeat this text, for prompts that are no messages.
func (p *Prompt) Repeat(text string) { p.said = []string{text} }

// Spend adds tokens.
func (p *Prompt) Spend(tokens int64) { p.closed += tokens }

// Mark says that the prompt is to be cached up to here.
func (p *Prompt) Mark(hour bool) {
	p.marks = append(p.marks, Mark{Prefix: p.all.String(), Tokens: p.Tokens(), Hour: hour})
}

func (p *Prompt) repeat(text string) {
	if p.role == User || p.role == Results {
		p.said = append(p.said, text)
	}
}

// Tokens is the price so far, Audio the part of it that is sound.
func (p *Prompt) Tokens() int64 { return p.closed + tokensOf(p.open) }
func (p *Prompt) Audio() int64  { return p.audio }

// Text is all that was said, to compare prompts with; Marks is where it is to be cached.
func (p *Prompt) Text() string  { return p.all.String() }
func (p *Prompt) Marks() []Mark { return p.marks }

// Source is what the answer repeats: the last user message or row of tool results.
func (p *Prompt) Source() string { return strings.Join(p.said, "\n") }

// Answering is whether the last turn answers tool calls.
func (p *Prompt) Answering() bool { return p.answering }

// Described is the word for a part that is no text: its kind, and its address or, for a data: URL, its media type.
func Described(kind, url string) string {
	if inline, ok := strings.CutPrefix(url, "data:"); ok {
		url, _, _ = strings.Cut(inline, ";")
	}
	return kind + ":" + url
}
