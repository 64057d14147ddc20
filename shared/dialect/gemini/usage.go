package gemini

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// usageMetadata is what a request used, as Google tells it: thoughts are not among the candidates' tokens, what is cached is among the
// prompt's, and what tools brought is not (API reference, read 2026-11).
type usageMetadata struct {
	Prompt        int64      `json:"promptTokenCount"`
	Cached        int64      `json:"cachedContentTokenCount,omitempty"`
	Candidates    int64      `json:"candidatesTokenCount,omitempty"`
	Thoughts      int64      `json:"thoughtsTokenCount,omitempty"`
	ToolUse       int64      `json:"toolUsePromptTokenCount,omitempty"`
	Total         int64      `json:"totalTokenCount"`
	PromptParts   []modality `json:"promptTokensDetails,omitempty"`
	CachedParts   []modality `json:"cacheTokensDetails,omitempty"`
	AnswerParts   []modality `json:"candidatesTokensDetails,omitempty"`
	TrafficType   string     `json:"trafficType,omitempty"`
	ServiceTier   string     `json:"serviceTier,omitempty"`
	ToolUsedParts []modality `json:"toolUsePromptTokensDetails,omitempty"`
}

type modality struct {
	Modality string `json:"modality"`
	Count    int64  `json:"tokenCount"`
}

// told is a usage with the service tier that stands beside it.
type told struct {
	usage gateway.Usage
	tier  string
}

// readUsage reads a usageMetadata object. It reports false if there is none that can be believed.
func readUsage(raw []byte) (t told, ok bool) {
	var m usageMetadata
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || m.Prompt == 0 && m.Total == 0 && m.Candidates == 0 {
		return t, false
	}
	audio, image := "AUDIO", "IMAGE"
	output := m.Candidates + m.Thoughts
	if m.Thoughts > 0 && m.Total > 0 && m.Total == m.Prompt+m.ToolUse+m.Candidates {
		output = m.Candidates // some models count thoughts among the candidates' tokens: the total tells
	}
	t.usage, ok = dialect.CheckUsage(gateway.Usage{
		InputTokens:       m.Prompt + m.ToolUse,
		CachedTokens:      m.Cached,
		AudioInputTokens:  max(0, tokens(m.PromptParts, audio)+tokens(m.ToolUsedParts, audio)-tokens(m.CachedParts, audio)),
		ImageInputTokens:  max(0, tokens(m.PromptParts, image)+tokens(m.ToolUsedParts, image)-tokens(m.CachedParts, image)),
		OutputTokens:      output,
		ReasoningTokens:   m.Thoughts,
		AudioOutputTokens: tokens(m.AnswerParts, audio),
		ImageOutputTokens: tokens(m.AnswerParts, image),
	})
	if t.tier = tiers[strings.ToUpper(m.ServiceTier)]; t.tier == "" {
		t.tier = tiers[strings.ToUpper(m.TrafficType)]
	}
	return t, ok
}

// tiers are OpenAI's words for Google's: serviceTier is AI Studio's, trafficType Vertex AI's.
var tiers = map[string]string{
	"STANDARD": "default", "FLEX": "flex", "PRIORITY": "priority",
	"ON_DEMAND": "default", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority", "PROVISIONED_THROUGHPUT": "scale",
}

func tokens(parts []modality, kind string) (n int64) {
	for _, p := range parts {
		if strings.EqualFold(p.Modality, kind) && p.Count > 0 && n < 1<<40 {
			n += min(p.Count, 1<<40)
		}
	}
	return n
}

// usageFor writes a usage for a caller.
func usageFor(u *gateway.Usage) *usageMetadata {
	if u == nil {
		return nil
	}
	m := &usageMetadata{
		Prompt: u.InputTokens, Cached: u.CachedTokens, Candidates: u.OutputTokens - u.ReasoningTokens, Thoughts: u.ReasoningTokens,
		Total: u.Total(),
	}
	m.PromptParts = modalities(u.InputTokens, u.AudioInputTokens, u.ImageInputTokens)
	m.AnswerParts = modalities(m.Candidates, u.AudioOutputTokens, u.ImageOutputTokens)
	return m
}

// modalities is the breakdown of a count; nil where all is text.
func modalities(all, audio, image int64) (parts []modality) {
	if audio == 0 && image == 0 {
		return nil
	}
	for _, m := range [...]modality{{"TEXT", max(0, all-audio-image)}, {"AUDIO", audio}, {"IMAGE", image}} {
		if m.Count > 0 {
			parts = append(parts, m)
		}
	}
	return parts
}

// EncodeCount answers a countTokens request with an estimate of our own.
func EncodeCount(n int64) []byte {
	body, _ := json.Marshal(struct {
		Total int64 `json:"totalTokens"`
	}{n})
	return body
}
