package chat

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	maxStops     = 64
	maxBiases    = 1024
	maxStopBytes = 4096
	maxBias      = 100 // OpenAI's (API document, read 2026-11)
)

func (r *reading) stop(name string, raw []byte) {
	if raw[0] == '"' {
		r.out.Stop = []string{r.text("", name, raw)}
	} else {
		r.out.Stop = r.texts("", name, raw, maxStops)
	}
	for i, text := range r.out.Stop {
		if len(text) > maxStopBytes {
			r.invalid(index(name, i), "each of %s may have %d bytes.", name, maxStopBytes)
		}
	}
}

func (r *reading) logitBias(name string, raw []byte) {
	if !r.isObject("", name, raw) {
		return
	}
	n := 0
	for token, bias := range jsonedit.Members(raw) {
		if n++; n > maxBiases {
			r.invalid(name, "%s may have %d entries.", name, maxBiases)
		}
		r.number(name, token, bias, -maxBias, maxBias)
		if r.err != nil {
			return
		}
	}
	if r.out.LogitBias = nil; n > 0 {
		r.out.LogitBias = raw
	}
}

// Where a caller says how much to think. If there are several, the first one that says something counts.
const (
	byThinking = iota
	byReasoning
	byEffort
)

// effort reads OpenAI's word, or an object with it, as LiteLLM takes it.
func (r *reading) effort(name string, raw []byte) {
	if raw[0] == '{' {
		r.thinks[byEffort] = r.wished(name, raw)
		return
	}
	r.thinks[byEffort] = effortOf(r.effortWord("", name, raw))
}

func (r *reading) effortWord(at, name string, raw []byte) string {
	word := r.text(at, name, raw)
	if word != "" && !llm.IsEffort(word) {
		r.invalid(join(at, name), "%s must be none, minimal, low, medium, high, xhigh or max.", join(at, name))
	}
	return word
}

func effortOf(word string) llm.Reasoning {
	if word == "none" {
		return llm.Reasoning{Off: true}
	}
	return llm.Reasoning{Effort: word}
}

// reasoning reads OpenRouter's object.
func (r *reading) reasoning(name string, raw []byte) {
	if r.isObject("", name, raw) {
		r.thinks[byReasoning] = r.wished(name, raw)
	}
}

// wished reads an object that says how much to think.
func (r *reading) wished(at string, raw []byte) (out llm.Reasoning) {
	var effort, summary string
	var enabled, exclude *bool
	var budget *int64
	for name, raw := range jsonedit.Members(raw) {
		switch name {
		case "effort":
			effort = r.effortWord(at, name, raw)
		case "max_tokens":
			budget = r.whole(at, name, raw, 0, dialect.MaxTokens)
		case "enabled":
			enabled = r.flag(at, name, raw)
		case "exclude":
			exclude = r.flag(at, name, raw)
		case "summary":
			summary = r.word(at, name, raw, "auto", "concise", "detailed")
		}
	}
	switch {
	case enabled != nil && !*enabled:
		out.Off = true
	case effort != "":
		out = effortOf(effort)
	case budget != nil && *budget > 0:
		out.Budget = *budget
	case enabled != nil:
		out.Auto = true
	}
	if out.Summary = summary; exclude != nil {
		out.Show = new(!*exclude)
	}
	return out
}

// thinking reads Anthropic's object, as LiteLLM takes it.
func (r *reading) thinking(name string, raw []byte) {
	if !r.isObject("", name, raw) {
		return
	}
	var kind string
	var budget *int64
	for inner, raw := range jsonedit.Members(raw) {
		switch inner {
		case "type":
			kind = r.word(name, inner, raw, "enabled", "adaptive", "disabled")
		case "budget_tokens":
			budget = r.whole(name, inner, raw, 1, dialect.MaxTokens)
		}
	}
	out := &r.thinks[byThinking]
	*out = llm.Reasoning{Off: kind == "disabled", Auto: kind == "adaptive"}
	switch {
	case r.err != nil:
	case kind == "":
		r.invalid(name+".type", "%s.type is required.", name)
	case kind == "enabled" && budget == nil:
		r.invalid(name+".budget_tokens", "%s.budget_tokens is required.", name)
	case kind == "enabled":
		out.Budget = *budget
	}
}
