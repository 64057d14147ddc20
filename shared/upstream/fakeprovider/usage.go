package fakeprovider

import (
	"encoding/json"
	"slices"
	"strings"
)

// tokens is a usage report.
type tokens struct {
	Prompt            int64              `json:"prompt_tokens"`
	Completion        int64              `json:"completion_tokens"`
	Total             int64              `json:"total_tokens"`
	PromptDetails     *promptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionDetails *completionDetails `json:"completion_tokens_details,omitempty"`
	Extra             json.RawMessage    `json:"x_unknown,omitempty"`
}

type promptDetails struct {
	Cached int64 `json:"cached_tokens"`
	Audio  int64 `json:"audio_tokens"`
}

type completionDetails struct {
	Reasoning          int64 `json:"reasoning_tokens"`
	Audio              int64 `json:"audio_tokens"`
	AcceptedPrediction int64 `json:"accepted_prediction_tokens"`
	RejectedPrediction int64 `json:"rejected_prediction_tokens"`
}

func (t tokens) json() json.RawMessage {
	b, _ := json.Marshal(t)
	return b
}

// usagePolicy is what a provider says of usage.
type usagePolicy struct {
	none, twice, every bool
	lie                string // a JSON value in place of each count
}

// usage reports the tokens so far, or the plan's lie.
func (x *exchange) usage() json.RawMessage {
	if lie := x.plan.usage.lie; lie != "" {
		return json.RawMessage(strings.ReplaceAll(`{"prompt_tokens":?,"completion_tokens":?,"total_tokens":?}`, "?", lie))
	}
	t := tokens{Prompt: x.line.PromptTokens, Extra: x.extra()}
	reasoning := int64(x.reasoning * x.call.n)
	t.Completion = int64(x.chunks) + reasoning
	t.Total = t.Prompt + t.Completion
	if x.call.op == "embeddings" {
		return json.RawMessage(`{"prompt_tokens":` + text(float64(t.Prompt)) + `,"total_tokens":` + text(float64(t.Total)) + `}`)
	}
	if x.call.op == "chat" || x.line.CachedTokens > 0 {
		t.PromptDetails = &promptDetails{Cached: x.line.CachedTokens}
	}
	if x.call.op == "chat" {
		t.CompletionDetails = &completionDetails{Reasoning: reasoning}
	}
	return t.json()
}

const (
	cacheBlock = 128 // tokens
	cacheFrom  = 1024
	maxPrompts = 8
)

// cachedTokens compares the prompt with recent ones of the same model, remembers it, and returns how many tokens of it an earlier
// one began with.
func (p *Provider) cachedTokens(c *call) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	longest := 0
	for _, earlier := range p.prompts[c.model] {
		longest = max(longest, commonPrefix(earlier, c.prompt))
	}
	list := append(p.prompts[c.model], c.prompt)
	p.prompts[c.model] = slices.Delete(list, 0, max(0, len(list)-maxPrompts))
	if n := min(int64(longest)/4, c.promptTokens); n >= cacheFrom {
		return n / cacheBlock * cacheBlock
	}
	return 0
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
