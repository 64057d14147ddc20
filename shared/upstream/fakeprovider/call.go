package fakeprovider

import (
	"encoding/json"
	"strings"
)

// MaxWords bounds the words that an answer repeats.
const MaxWords = 4096

// call is one request, as far as the answer depends on it.
type call struct {
	path, op, model      string
	stream, includeUsage bool
	n                    int
	limit                int    // of completion tokens; 0: none
	prompt               string // all text, to compare prompts with
	source               string // the text that the answer repeats
	promptTokens         int64
	inputs               []any // of embeddings: strings or token arrays
	dimensions           int
	base64               bool
}

// ops maps each route to how its request is read.
var ops = map[string]func(*call, map[string]any){
	"/chat/completions": parseChat,
	"/completions":      parseCompletion,
	"/embeddings":       parseEmbedding,
}

var opNames = map[string]string{"/chat/completions": "chat", "/completions": "completions", "/embeddings": "embeddings"}

// PromptTokens is the price in tokens of a text: its bytes divided by 4, rounded up.
func PromptTokens(text string) int64 { return (int64(len(text)) + 3) / 4 }

// MessageTokens is the price in tokens of one chat message with this text.
func MessageTokens(text string) int64 { return 3 + PromptTokens(text) }

func newCall(path string, fields map[string]any, parse func(*call, map[string]any)) *call {
	c := &call{path: path, op: opNames[path], n: 1, dimensions: 8}
	c.model, _ = fields["model"].(string)
	c.stream, _ = fields["stream"].(bool)
	if o, ok := fields["stream_options"].(map[string]any); ok {
		c.includeUsage, _ = o["include_usage"].(bool)
	}
	c.n = count(fields, "n", c.n)
	c.limit = count(fields, "max_completion_tokens", count(fields, "max_tokens", 0))
	parse(c, fields)
	return c
}

func count(fields map[string]any, name string, otherwise int) int {
	if v, ok := fields[name].(json.Number); ok {
		n, _ := v.Int64()
		return int(n)
	}
	return otherwise
}

func parseChat(c *call, fields map[string]any) {
	var all strings.Builder
	messages, _ := fields["messages"].([]any)
	for _, v := range messages {
		m, _ := v.(map[string]any)
		text, others := content(m["content"])
		c.promptTokens += MessageTokens(text) + 85*others
		all.WriteString(text + "\n")
		if m["role"] == "user" {
			c.source = text
		}
	}
	if tools := fields["tools"]; tools != nil {
		b, _ := json.Marshal(tools)
		c.promptTokens += PromptTokens(string(b))
	}
	c.prompt = all.String()
}

// content is the text of a message and how many parts of it are no text.
func content(v any) (text string, others int64) {
	if s, ok := v.(string); ok {
		return s, 0
	}
	parts, _ := v.([]any)
	for _, p := range parts {
		m, _ := p.(map[string]any)
		if s, ok := m["text"].(string); ok {
			text += s
			continue
		}
		others++
	}
	return text, others
}

func parseCompletion(c *call, fields map[string]any) {
	if c.limit == 0 {
		c.limit = 16 // OpenAI's default for this old endpoint (API reference, read 2026-11)
	}
	prompts := inputs(fields["prompt"])
	for _, in := range prompts {
		c.promptTokens += inputTokens(in)
		c.source, _ = in.(string)
		c.prompt += c.source + "\n"
	}
	c.n *= len(prompts)
}

func parseEmbedding(c *call, fields map[string]any) {
	c.inputs = inputs(fields["input"])
	for _, in := range c.inputs {
		c.promptTokens += inputTokens(in)
	}
	c.source, _ = c.inputs[0].(string)
	c.dimensions = count(fields, "dimensions", c.dimensions)
	c.base64 = fields["encoding_format"] == "base64"
}

// inputs makes a list of a text, a list of texts, a list of tokens or a list of those.
func inputs(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	if _, tokens := list[0].(json.Number); tokens {
		return []any{list}
	}
	return list
}

func inputTokens(v any) int64 {
	if s, ok := v.(string); ok {
		return PromptTokens(s)
	}
	list, _ := v.([]any)
	return int64(len(list))
}

// answer is what the model says, once; all choices say the same.
type answer struct {
	words     []string
	reasoning int
	finish    string
}

// compose makes the answer: the words of the source, or as many as the plan wants, up to the limit.
func (c *call) compose(p *plan) answer {
	words := strings.Fields(c.source)
	words = words[:min(len(words), MaxWords)]
	if len(words) == 0 {
		words = []string{"ok"}
	}
	if p.words > 0 {
		said := words
		words = make([]string, p.words)
		for i := range words {
			words[i] = said[i%len(said)]
		}
	}
	if p.bigWord > 0 {
		words = append([]string{strings.Repeat("x", p.bigWord)}, words[1:]...)
	}
	a := answer{words: words, reasoning: p.reasoning, finish: "stop"}
	if c.limit > 0 && a.reasoning+len(a.words) > c.limit {
		a.reasoning = min(a.reasoning, c.limit)
		a.words, a.finish = a.words[:c.limit-a.reasoning], "length"
	}
	return a
}

// piece is the i-th chunk of the text, with the space before it.
func (a answer) piece(i int) string {
	if i == 0 {
		return a.words[0]
	}
	return " " + a.words[i]
}
