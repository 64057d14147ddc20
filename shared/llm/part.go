package llm

// Kind says what a Part is.
type Kind uint8

const (
	Text Kind = iota + 1
	Image
	Document // PDF and other files
	Audio
	Video
	ToolCall
	ToolResult
	Thinking
	Sealed  // thinking that only its maker can read: Signature holds it
	Refusal // text in which the model declines
)

// Part is one block of a message or an answer. Kind says which fields matter.
type Part struct {
	Kind Kind
	ID   string // the vendor's id of the block, where it has one that must come back; may be empty
	Text string // of Text, Thinking, Refusal

	Media  *Media  // of Image, Document, Audio, Video
	Call   *Call   // of ToolCall
	Result *Result // of ToolResult

	// Signature proves to its maker that a thought is the model's own. It belongs to Thinking and Sealed, and with Gemini to
	// ToolCall and Text too.
	Signature Signature
	Cache     string     // "5m" or "1h": what comes up to here is worth caching
	Citations []Citation // of Text
}

// Media is an image, a document, a sound or a film: by URL, as base64, or as a file that the vendor has.
type Media struct {
	Type   string // MIME type; may be empty with URL
	URL    string // https://..., gs://...: never a data: URL
	Data   string // base64
	FileID string
	Name   string // a file's name or title
	Detail string // OpenAI's low, high, auto
	Text   string // a document that is plain text
	Cited  bool   // citations are wanted
}

// Call is a tool call.
type Call struct {
	ID        string // without what Unpack takes off; may be empty where the vendor has none
	Name      string
	Arguments string // JSON, as the model wrote it: "" and broken JSON occur
}

// Result is what a tool answered.
type Result struct {
	ID      string // of the call
	Name    string // of the tool; may be empty
	Parts   []Part // Text, Image, Document
	IsError bool
}

// Citation says where a text comes from.
type Citation struct {
	Title, URL string
	Quote      string // the cited text
	Start, End int64  // of the answer's text, in characters; both 0 if unknown
	Document   int64  // index of the cited document, -1 if none
	From, To   int64  // in the document, as its vendor counts
}

// TextPart is a Part of text.
func TextPart(text string) Part { return Part{Kind: Text, Text: text} }

// TextOf is the text of parts, one after the other.
func TextOf(parts []Part) string {
	if len(parts) == 1 && parts[0].Kind == Text {
		return parts[0].Text
	}
	n := 0
	for i := range parts {
		if parts[i].Kind == Text {
			n += len(parts[i].Text)
		}
	}
	text := make([]byte, 0, n)
	for i := range parts {
		if parts[i].Kind == Text {
			text = append(text, parts[i].Text...)
		}
	}
	return string(text)
}

// Turns are messages without system messages, neighbours of one role made one: what vendors want whose roles must alternate. Tool
// results come first in their turn. System are the parts of all system messages, in order.
func Turns(messages []Message) (system []Part, turns []Message) {
	for _, m := range messages {
		if m.Role == System {
			system = append(system, m.Parts...)
			continue
		}
		if n := len(turns); n > 0 && turns[n-1].Role == m.Role {
			last := &turns[n-1]
			last.Parts = append(last.Parts[:len(last.Parts):len(last.Parts)], m.Parts...)
		} else {
			turns = append(turns, m)
		}
	}
	for i := range turns {
		resultsFirst(turns[i].Parts, &turns[i])
	}
	return system, turns
}

// resultsFirst puts tool results before all else, if they are not already.
func resultsFirst(parts []Part, m *Message) {
	mixed, other := false, false
	for i := range parts {
		if parts[i].Kind != ToolResult {
			other = true
		} else if other {
			mixed = true
		}
	}
	if !mixed {
		return
	}
	sorted := make([]Part, 0, len(parts))
	for _, wanted := range [...]bool{true, false} {
		for i := range parts {
			if (parts[i].Kind == ToolResult) == wanted {
				sorted = append(sorted, parts[i])
			}
		}
	}
	m.Parts = sorted
}
