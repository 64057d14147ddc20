package wire

import (
	"fmt"
	"strings"
)

// Manner is how a model answers, as its name says; see the package comment of fakeprovider.
type Manner struct {
	Words, BigWord   int // BigWord in bytes
	Think, Reasoning int // tokens; Think may be seen on every wire
	Calls            int
	Refuse, Filter   bool
	Block, Citations bool
	Logprobs         bool
	Mistral, Redact  bool
}

// Finish is why an answer ends.
type Finish int

const (
	Stop Finish = iota
	Length
	Calls
	StopSequence
	Filtered
	Refused
	PromptBlocked
)

// Kind is what a block of an answer is.
type Kind int

const (
	Said Kind = iota
	Thought
	Called
	Declined
)

// Block is a part of an answer. Each piece is one token and at most one event.
type Block struct {
	Kind   Kind
	Pieces []string
	Name   string // of the tool
	Cited  bool   // the text has a source; see the constants below
}

// Text is all the pieces.
func (b Block) Text() string { return strings.Join(b.Pieces, "") }

// Arguments are a tool call's, or {} if they were cut.
func (b Block) Arguments() any {
	fields, err := DecodeStrict([]byte(b.Text()))
	if err != nil {
		return map[string]any{}
	}
	return fields
}

// The source that every citation names.
const (
	SourceURL   = "https://example.com/source"
	SourceTitle = "Source"
)

// RefusalText is what a model says that refuses, BlockedText what a guard says in its place.
const (
	RefusalText = "I cannot help with that."
	BlockedText = "Sorry, the model cannot answer this question."
)

// Answer is what the model says, once; all choices say the same.
type Answer struct {
	Blocks  []Block
	Hidden  int // tokens of thoughts that nobody sees
	Finish  Finish
	Stopped string // the stop sequence
}

// Total is how many pieces the answer has.
func (a Answer) Total() (n int) {
	for _, b := range a.Blocks {
		n += len(b.Pieces)
	}
	return n
}

// TextOf is the text of all blocks of one kind.
func (a Answer) TextOf(kind Kind) (text string) {
	for _, b := range a.Blocks {
		if b.Kind == kind {
			text += b.Text()
		}
	}
	return text
}

// Compose makes the answer to a call.
func (c *Call) Compose(m Manner) Answer {
	a := Answer{}
	if m.Block {
		return Answer{Finish: PromptBlocked}
	}
	a.think(c, m)
	calls := c.calls(m)
	switch {
	case m.Refuse:
		a.Finish = Refused
		a.add(Block{Kind: Declined, Pieces: wordsOf(RefusalText)})
	case calls > 0:
		a.Finish = Calls
		for n := range calls {
			tool := c.tool(n)
			a.add(Block{Kind: Called, Name: tool.Name, Pieces: chop(string(JSON(Fill(tool.Schema, n))))})
		}
	case c.Schema != nil:
		a.add(Block{Pieces: chop(string(JSON(Fill(c.Schema, 0))))})
	case c.JSON:
		a.add(Block{Pieces: chop(string(JSON(map[string]string{"answer": strings.Join(strings.Fields(c.Prompt.Source()), " ")})))})
	default:
		a.add(Block{Pieces: c.words(m), Cited: m.Citations})
	}
	if m.Filter {
		last := &a.Blocks[len(a.Blocks)-1]
		last.Pieces, a.Finish = last.Pieces[:len(last.Pieces)/2], Filtered
	}
	a.stop(c.Stops)
	a.limit(c.Limit)
	return a
}

func (a *Answer) add(b Block) { a.Blocks = append(a.Blocks, b) }

// defaultThoughts is how long a model thinks that was asked to, and whose name does not say how long.
const defaultThoughts = 3

func (a *Answer) think(c *Call, m Manner) {
	n := max(m.Think, m.Reasoning)
	switch {
	case c.Thinking == Never:
		return
	case c.Thinking == Asked && n == 0:
		n = defaultThoughts
	}
	switch {
	case n == 0:
	case c.Shown:
		a.add(Block{Kind: Thought, Pieces: wordsOf(ThoughtText(n))})
	default:
		a.Hidden = n
	}
}

// ThoughtText is what a model thinks in n tokens: "thought one two ...".
func ThoughtText(n int) string {
	words := []string{"thought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	for i := len(words); i < n; i++ {
		words = append(words, fmt.Sprint(i))
	}
	return strings.Join(words[:n], " ")
}

// words are the pieces of an ordinary answer: the words of the source, or as many as the manner wants.
func (c *Call) words(m Manner) []string {
	words := strings.Fields(c.Prompt.Source())
	words = words[:min(len(words), MaxWords)]
	if len(words) == 0 {
		words = []string{"ok"}
	}
	if m.Words > 0 {
		said := words
		words = make([]string, m.Words)
		for i := range words {
			words[i] = said[i%len(said)]
		}
	}
	if m.BigWord > 0 {
		words = append([]string{strings.Repeat("x", m.BigWord)}, words[1:]...)
	}
	return spaced(words)
}

func wordsOf(text string) []string { return spaced(strings.Fields(text)) }

// spaced puts a space before each word but the first.
func spaced(words []string) []string {
	pieces := make([]string, len(words))
	for i, w := range words {
		pieces[i] = " " + w
		if i == 0 {
			pieces[i] = w
		}
	}
	return pieces
}

// pieceBytes is how long a piece of JSON is.
const pieceBytes = 8

// chop cuts JSON into pieces, between characters.
func chop(text string) (pieces []string) {
	start := 0
	for i := range text {
		if i-start >= pieceBytes {
			pieces = append(pieces, text[start:i])
			start = i
		}
	}
	return append(pieces, text[start:])
}

// stop ends the text before the first stop sequence.
func (a *Answer) stop(stops []string) {
	for i := range a.Blocks {
		b := &a.Blocks[i]
		if b.Kind != Said {
			continue
		}
		text, at := b.Text(), -1
		for _, s := range stops {
			if found := strings.Index(text, s); s != "" && found >= 0 && (at < 0 || found < at) {
				at, a.Stopped = found, s
			}
		}
		if at >= 0 {
			a.Finish = StopSequence
			b.Pieces = cutAt(b.Pieces, at)
		}
	}
}

// cutAt keeps the first n bytes.
func cutAt(pieces []string, n int) (kept []string) {
	for _, p := range pieces {
		if n <= 0 {
			break
		}
		kept = append(kept, p[:min(n, len(p))])
		n -= len(p)
	}
	return kept
}

// limit ends the answer after n tokens, hidden thoughts first.
func (a *Answer) limit(n int) {
	if n == 0 || a.Hidden+a.Total() <= n {
		return
	}
	a.Finish, a.Stopped = Length, ""
	a.Hidden = min(a.Hidden, n)
	n -= a.Hidden
	for i := range a.Blocks {
		b := &a.Blocks[i]
		if n == 0 && i > 0 {
			a.Blocks = a.Blocks[:i]
			return
		}
		b.Pieces = b.Pieces[:min(n, len(b.Pieces))]
		n -= len(b.Pieces)
	}
}
