package echo

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// completions answers the older route. Of the markers it knows [[error]] alone.
func completions(ctx context.Context, body []byte) (*http.Response, error) {
	var request struct {
		Model     string `json:"model"`
		Prompt    any    `json:"prompt"`
		MaxTokens int    `json:"max_tokens"`
		Stream    bool   `json:"stream"`
		Options   struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return invalid("", "prompt cannot be read: %v", err).response()
	}
	prompts := texts(request.Prompt)
	if f := markedError(prompts); f != nil {
		return f.response()
	}
	whole := answer{ID: identify("cmpl", body), Object: "text_completion", Created: created, Model: request.Model}
	prompt, completion := 0, 0
	var chunks []choice
	for i, text := range prompts {
		prompt += countWords(text)
		if prompt > contextWindow {
			return tooLong("prompt").response()
		}
		pieces, finish := words(said(text)), "stop"
		if request.MaxTokens > 0 && request.MaxTokens < len(pieces) {
			pieces, finish = pieces[:request.MaxTokens], "length"
		}
		completion += len(pieces)
		all := strings.Join(pieces, "")
		whole.Choices = append(whole.Choices, choice{Index: i, Text: &all, Finish: &finish})
		for at := range pieces {
			chunks = append(chunks, choice{Index: i, Text: &pieces[at]})
		}
		chunks[len(chunks)-1].Finish = &finish
	}
	if len(whole.Choices) == 0 {
		return invalid("prompt", "prompt must not be empty").response()
	}
	used := &usage{Prompt: prompt, Completion: completion, Total: prompt + completion}
	if !request.Stream {
		whole.Usage = used
		return plain(whole)
	}
	n := len(chunks)
	if request.Options.Usage {
		n++
	}
	return newStream(ctx, n, func(i int) any {
		chunk := whole
		if i == len(chunks) {
			chunk.Choices, chunk.Usage = []choice{}, used
		} else {
			chunk.Choices = chunks[i : i+1]
		}
		return chunk
	}).response()
}
