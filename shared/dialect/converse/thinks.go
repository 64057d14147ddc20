package converse

import "slices"

// thinks is how a family is asked to think before it answers.
type thinks struct {
	style     style
	words     []string // of effort, from least to most
	off       string   // what says that it shall not, where thinking is on by default
	byDefault bool     // it thinks unless told not to
	withForce bool     // a tool may be forced while it thinks
	hides     bool     // its thoughts are not in the answer unless asked for
}

// style is which fields of additionalModelRequestFields say how to think.
type style uint8

const (
	never      style = iota
	byBudget         // thinking: enabled with budget_tokens
	byAdaptive       // thinking: adaptive, and output_config.effort
	byNova           // reasoningConfig.maxReasoningEffort
	byWord           // reasoning_effort
	byObject         // reasoning.effort
)

var (
	words3  = []string{"low", "medium", "high"}
	words46 = []string{"low", "medium", "high", "max"}
	words47 = []string{"low", "medium", "high", "xhigh", "max"}
)

// How Claude thinks: "Adaptive thinking" and "Extended thinking" in the Bedrock user guide, Anthropic's migration guides for what is
// on by default and cannot be turned off, users' reports for forced tools (all read 2026-11).
var (
	budgeted   = thinks{style: byBudget}
	adaptive46 = thinks{style: byAdaptive, words: words46}
	adaptive47 = thinks{style: byAdaptive, words: words47, hides: true}
	adaptive48 = thinks{style: byAdaptive, words: words47, hides: true, withForce: true}
	adaptive5  = thinks{style: byAdaptive, words: words47, hides: true, withForce: true, byDefault: true, off: "disabled"}
	between    = thinks{style: byAdaptive, words: words47, hides: true, withForce: true, byDefault: true, off: "between_tools"}
	always     = thinks{style: byAdaptive, words: words47, hides: true, withForce: true, byDefault: true}
)

// How others think: the Nova 2 user guide and the guide's page on OpenAI's models; for the rest reports of users who tried it (read
// 2026-11). DeepSeek calls no tool that is forced while it thinks.
var (
	effortNova     = thinks{style: byNova, words: words3, withForce: true}
	effortOSS      = thinks{style: byWord, words: words3, withForce: true, byDefault: true}
	effortDeepSeek = thinks{style: byWord, words: words3}
	effortKimi     = thinks{style: byWord, words: []string{"low", "high", "max"}, withForce: true, byDefault: true}
	effortOpenAI   = thinks{style: byObject, words: words47, withForce: true, byDefault: true, off: "none"}
	effortAstra    = thinks{style: byObject, words: words47, withForce: true, byDefault: true}
)

// efforts are all words, from least to most.
var efforts = []string{"minimal", "low", "medium", "high", "xhigh", "max"}

// word is the family's word for an effort: the same, else the next lower, else its lowest. Empty stays empty.
func (t *thinks) word(effort string) string {
	for i := slices.Index(efforts, effort); i >= 0; i-- {
		if slices.Contains(t.words, efforts[i]) {
			return efforts[i]
		}
	}
	if effort == "" || len(t.words) == 0 {
		return ""
	}
	return t.words[0]
}
