package chat

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// family is what models whose names begin alike know of thinking.
type family struct {
	prefix  string
	efforts []string    // the words that they take for how much; nil: none
	lacks   []llm.Param // what they refuse while they think
	single  bool        // they call one tool at a time, and cannot be told to
}

// What OpenAI's thinking models refuse (its guide to reasoning models and its error messages, read 2026-11).
var (
	sampled = []llm.Param{
		llm.Temperature, llm.TopP, llm.PresencePenalty, llm.FrequencyPenalty, llm.Logprobs, llm.LogitBias, llm.Prediction,
	}
	unstoppable = append([]llm.Param{llm.Stop}, sampled...)
)

var lowToHigh = []string{"low", "medium", "high"}

// openaiModels are OpenAI's families; the first that fits counts (model pages and error messages, read 2026-11). One that is not listed
// takes the three words that all know.
var openaiModels = []family{
	{prefix: "gpt-5-chat"}, {prefix: "gpt-5.1-chat"}, {prefix: "gpt-5.2-chat"}, {prefix: "gpt-5.3-chat"},
	{"gpt-5-pro", []string{"high"}, unstoppable, false},
	{"gpt-5.2-pro", []string{"medium", "high", "xhigh"}, unstoppable, false},
	{"gpt-5.1", []string{"none", "low", "medium", "high"}, unstoppable, false},
	{"gpt-5.2", []string{"none", "low", "medium", "high", "xhigh"}, unstoppable, false},
	{"gpt-5.3", []string{"none", "low", "medium", "high", "xhigh"}, unstoppable, false},
	{"gpt-5.4", []string{"none", "low", "medium", "high", "xhigh"}, unstoppable, false},
	{"gpt-5.5", []string{"none", "low", "medium", "high", "xhigh"}, unstoppable, false},
	{"gpt-5.", []string{"none", "low", "medium", "high", "xhigh", "max"}, unstoppable, false},
	{"gpt-5", []string{"minimal", "low", "medium", "high"}, unstoppable, false},
	{"o1-mini", nil, sampled, true}, {"o1-preview", nil, sampled, true},
	{"o1", lowToHigh, sampled, true}, {"o3-mini", lowToHigh, sampled, true},
	{"o3", lowToHigh, unstoppable, true}, {"o4", lowToHigh, unstoppable, true},
	{prefix: "gpt-4"}, {prefix: "gpt-3"}, {prefix: "chatgpt-"},
	{prefix: "", efforts: lowToHigh},
}

// Other vendors' families (their API documents, read 2026-11).
var (
	mistralModels = []family{
		{prefix: "mistral-large-4", efforts: lowToHigh}, {prefix: "mistral-small", efforts: []string{"none", "high"}},
		{prefix: "mistral-medium", efforts: []string{"none", "high"}}, {},
	}
	deepseekModels = []family{{efforts: []string{"minimal", "low", "medium", "high", "xhigh", "max"}}} // it maps them itself
	cohereModels   = []family{{efforts: []string{"none", "high"}}}
	groqModels     = []family{{prefix: "gpt-oss", efforts: lowToHigh}, {prefix: "qwen", efforts: []string{"none", "default"}}, {}}
	xaiModels      = []family{
		{prefix: "grok-3-mini", efforts: []string{"low", "high"}}, {prefix: "grok-2"}, {prefix: "grok-3"}, {prefix: "grok-4-"},
		{prefix: "grok-4.1"}, {prefix: "grok-4.20"}, {prefix: "grok-code"}, {efforts: []string{"none", "low", "medium", "high"}},
	}
)

// familyOf is a model's family. A host that is not listed takes the three words that all know.
func familyOf(models []family, name string) family {
	name = strings.TrimPrefix(name[strings.LastIndexByte(name, '/')+1:], "ft:")
	for _, f := range models {
		if strings.HasPrefix(name, f.prefix) {
			return f
		}
	}
	return family{efforts: lowToHigh}
}

// amounts puts the words for how much to think in order; default is Groq's word for an amount that cannot be chosen.
var amounts = map[string]int{"none": 0, "minimal": 1, "low": 2, "medium": 3, "default": 3, "high": 4, "xhigh": 5, "max": 6}

// nearest is the known word that comes nearest to another one, of two the smaller. Only none means none: it is empty if there is no word.
func nearest(known []string, word string) (best string) {
	if word == "none" {
		if slices.Contains(known, word) {
			return word
		}
		return ""
	}
	for _, candidate := range known {
		if candidate != "none" && (best == "" || distance(candidate, word) < distance(best, word)) {
			best = candidate
		}
	}
	return best
}

func distance(a, b string) int {
	n := amounts[a] - amounts[b]
	return max(n, -n)
}
