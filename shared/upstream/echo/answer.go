package echo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"strings"

	openai "github.com/sashabaranov/go-openai"
)

// answer is a completion, or a chunk of one, of either kind. The client library's own types add fields that no provider
// sends.
type answer struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index   int      `json:"index"`
	Message *message `json:"message,omitempty"`
	Delta   *message `json:"delta,omitempty"`
	Text    *string  `json:"text,omitempty"`
	Finish  *string  `json:"finish_reason"`
}

type message struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func used(prompt, completion int) *usage { return &usage{prompt, completion, prompt + completion} }

func chat(ctx context.Context, body []byte) (*http.Response, error) {
	var request openai.ChatCompletionRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return refusal(http.StatusBadRequest, "messages cannot be read: "+err.Error())
	}
	prompt, last := 0, ""
	for _, m := range request.Messages {
		text := textOf(m)
		prompt += len(words(text))
		if m.Role == openai.ChatMessageRoleUser {
			last = text
		}
	}
	said, finish := reply(last, max(request.MaxTokens, request.MaxCompletionTokens))
	n := max(request.N, 1)
	whole := answer{ID: identify("chatcmpl", body), Object: "chat.completion", Created: created, Model: request.Model}
	if request.Stream {
		whole.Object = "chat.completion.chunk"
		var chunks []answer
		for i := range n {
			chunks = append(chunks, chatChunks(whole, i, said, finish)...)
		}
		return newStream(ctx, withUsage(chunks, request.StreamOptions, used(prompt, len(said)*n)))
	}
	content := strings.Join(said, "")
	for i := range n {
		whole.Choices = append(whole.Choices, choice{Index: i, Finish: &finish, Message: &message{"assistant", &content}})
	}
	whole.Usage = used(prompt, len(said)*n)
	return plain(whole)
}

// chatChunks says one of the answers word by word.
func chatChunks(chunk answer, index int, said []string, finish string) (chunks []answer) {
	for at := range said {
		delta := message{Content: &said[at]}
		if at == 0 {
			delta.Role = "assistant"
		}
		chunk.Choices = []choice{{Index: index, Delta: &delta}}
		chunks = append(chunks, chunk)
	}
	chunk.Choices = []choice{{Index: index, Delta: &message{}, Finish: &finish}}
	return append(chunks, chunk)
}

// withUsage adds the chunk that tells usage, if it was asked for.
func withUsage(chunks []answer, options *openai.StreamOptions, u *usage) []answer {
	if options == nil || !options.IncludeUsage {
		return chunks
	}
	last := chunks[0]
	last.Choices, last.Usage = []choice{}, u
	return append(chunks, last)
}

func textOf(m openai.ChatCompletionMessage) string {
	text := m.Content
	for _, part := range m.MultiContent {
		text += part.Text
	}
	return text
}

func completions(ctx context.Context, body []byte) (*http.Response, error) {
	var request openai.CompletionRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return refusal(http.StatusBadRequest, "prompt cannot be read: "+err.Error())
	}
	whole := answer{ID: identify("cmpl", body), Object: "text_completion", Created: created, Model: request.Model}
	prompt, completion := 0, 0
	var chunks []answer
	for i, text := range texts(request.Prompt) {
		said, finish := reply(text, request.MaxTokens)
		prompt, completion = prompt+len(words(text)), completion+len(said)
		all := strings.Join(said, "")
		whole.Choices = append(whole.Choices, choice{Index: i, Text: &all, Finish: &finish})
		for at := range said {
			chunk := whole
			chunk.Choices = []choice{{Index: i, Text: &said[at]}}
			if at == len(said)-1 {
				chunk.Choices[0].Finish = &finish
			}
			chunks = append(chunks, chunk)
		}
	}
	if len(whole.Choices) == 0 {
		return refusal(http.StatusBadRequest, "prompt must not be empty")
	}
	if request.Stream {
		return newStream(ctx, withUsage(chunks, request.StreamOptions, used(prompt, completion)))
	}
	whole.Usage = used(prompt, completion)
	return plain(whole)
}

// texts reads a string, a list of strings, or token ids, which stand for themselves.
func texts(input any) []string {
	switch in := input.(type) {
	case string:
		return []string{in}
	case []any:
		var out []string
		var ids strings.Builder
		for _, item := range in {
			switch item := item.(type) {
			case string:
				out = append(out, item)
			case float64:
				ids.WriteString("token ")
			case []any:
				out = append(out, strings.Repeat("token ", len(item)))
			}
		}
		if ids.Len() > 0 {
			out = append(out, ids.String())
		}
		return out
	default:
		return nil
	}
}

// dimensions of an embedding when the caller names none.
const dimensions = 64

func embeddings(_ context.Context, body []byte) (*http.Response, error) {
	var request struct {
		Model          string `json:"model"`
		Input          any    `json:"input"`
		EncodingFormat string `json:"encoding_format"`
		Dimensions     int    `json:"dimensions"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return refusal(http.StatusBadRequest, "input cannot be read: "+err.Error())
	}
	if request.Dimensions < 0 || request.Dimensions > 4096 {
		return refusal(http.StatusBadRequest, "dimensions must be from 1 to 4096")
	}
	inputs, tokens := texts(request.Input), 0
	data := make([]map[string]any, len(inputs))
	for i, text := range inputs {
		tokens += len(words(text))
		v := vector(text, request.Dimensions)
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": v}
		if request.EncodingFormat == "base64" {
			data[i]["embedding"] = packed(v)
		}
	}
	return plain(map[string]any{
		"object": "list", "data": data, "model": request.Model,
		"usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// vector is a unit vector derived from the text's hash: equal texts have equal vectors, and that is all it says.
func vector(text string, n int) []float32 {
	if n == 0 {
		n = dimensions
	}
	v, norm := make([]float32, n), 0.0
	seed := sha256.Sum256([]byte(text))
	for i := range v {
		if i%16 == 0 && i > 0 {
			seed = sha256.Sum256(seed[:])
		}
		x := float64(int16(binary.LittleEndian.Uint16(seed[i%16*2:]))) / math.MaxInt16
		v[i], norm = float32(x), norm+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func packed(v []float32) string {
	raw := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
