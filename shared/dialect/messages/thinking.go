package messages

import (
	"cmp"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// thinking says how much the model thinks.
type thinking struct {
	Type    string   `json:"type"`
	Budget  int64    `json:"budget_tokens,omitempty"`
	Display string   `json:"display,omitempty"`
	Binding *binding `json:"block_binding,omitempty"`
}

type binding struct {
	Mismatch string `json:"prefix_mismatch_behavior"`
}

const (
	minBudget     = 1024 // Anthropic's least budget for thinking
	defaultTokens = 4096 // max_tokens where nobody says anything
	autoBudget    = 8192 // for a model that cannot decide itself
	bindingBeta   = "thinking-binding-controls-2026-08-01"
)

// think writes how much the model thinks, and the limit of output tokens, of which thinking takes its part.
func (e *encoding) think() error {
	r := e.r.Reasoning
	limit := cmp.Or(e.t.Clamp, e.t.MaxOutput)
	e.body.MaxTokens = cmp.Or(e.r.MaxOutput, limit, defaultTokens)
	off := r.Off || r.Effort == "none"
	wanted := r.Given() && !off
	if wanted && !e.is.adaptive && !e.is.budget {
		return e.leave(llm.ReasoningParam, "%s: this model does not think.", llm.ReasoningParam)
	}
	if e.forced && wanted && e.is.off != "" {
		if err := e.unthink(); err != nil {
			return err
		}
		wanted, off = false, true
	}
	switch {
	case e.is.adaptive:
		e.adapt(wanted, off)
	case wanted && !e.unready:
		e.withinBudget(limit)
	case off && r.Given() && e.is.off != "":
		e.body.Thinking = &thinking{Type: e.is.off}
	}
	return nil
}

// unthink leaves thinking out where a tool is forced: Anthropic refuses both together. Where it is forced for the sake of a format only,
// the format is worth more.
func (e *encoding) unthink() error {
	const p = llm.ReasoningParam
	if mode := e.r.Choice.Mode; e.answers && mode != llm.ChooseAny && mode != llm.ChooseTool {
		e.dropped = append(e.dropped, string(p))
		return nil
	}
	return e.leave(p, "%s and a forced tool_choice cannot be combined on this model.", p)
}

// adapt is for models that think as much as they see fit.
func (e *encoding) adapt(wanted, off bool) {
	r := e.r.Reasoning
	switch {
	case wanted:
		e.body.Thinking = &thinking{Type: "adaptive", Display: display(r)}
		e.effort(e.is.effortFor(r))
		if e.r.MaxOutput == 0 && e.t.Clamp == 0 && e.t.MaxOutput == 0 {
			e.body.MaxTokens += cmp.Or(r.Tokens(), autoBudget)
		}
	case off && e.is.off == "":
		e.effort("low") // as little as there is
	case off || e.forced && e.is.byDefault && e.is.off != "":
		e.body.Thinking = &thinking{Type: e.is.off}
	case e.is.byDefault && display(r) != "":
		e.body.Thinking = &thinking{Type: "adaptive", Display: display(r)}
	}
	e.unbind()
}

// unbind has thoughts dropped that no longer fit the conversation, for models that check: callers of other dialects do not know that
// they must not change anything before a thought. Vertex AI may not know the feature.
func (e *encoding) unbind() {
	t := e.body.Thinking
	if !e.is.bound || e.t.Provider == vertex || t != nil && t.Type != "adaptive" || !e.hasThoughts() {
		return
	}
	if t == nil {
		t = &thinking{Type: "adaptive"} // what the model does anyway
		e.body.Thinking = t
	}
	t.Binding = &binding{"drop_block"}
	e.beta(bindingBeta)
}

func (e *encoding) hasThoughts() bool {
	for i := range e.body.Messages {
		for j := range e.body.Messages[i].Content {
			if kind := e.body.Messages[i].Content[j].Type; kind == "thinking" || kind == "redacted_thinking" {
				return true
			}
		}
	}
	return false
}

func (e *encoding) effort(word string) {
	if word == "" {
		return
	}
	if e.body.OutputConfig == nil {
		e.body.OutputConfig = &outputConfig{}
	}
	e.body.OutputConfig.Effort = word
}

// effortFor is the model's word for how much to think.
func (t traits) effortFor(r llm.Reasoning) string {
	switch word := r.Word(); {
	case word == "minimal":
		return "low"
	case word == "xhigh" && !t.xhigh:
		return "high"
	default:
		return word
	}
}

// display says whether thoughts are shown; empty is the model's default.
func display(r llm.Reasoning) string {
	switch {
	case r.Show != nil && !*r.Show:
		return "omitted"
	case r.Show != nil || r.Summary != "":
		return "summarized"
	default:
		return ""
	}
}

// withinBudget is for models whose thinking is limited in tokens. The budget is less than the limit of all output, which grows if only
// a default set it. A budget of the caller's own stays whole as long as it fits; else a quarter of the output is left for the answer.
func (e *encoding) withinBudget(limit int64) {
	r := e.r.Reasoning
	budget := max(cmp.Or(r.Tokens(), autoBudget), minBudget)
	if e.r.MaxOutput == 0 && limit == 0 {
		e.body.MaxTokens = budget + defaultTokens
	}
	if most := e.body.MaxTokens; r.Budget == 0 || budget >= most {
		budget = min(budget, most/4*3)
	}
	if budget < minBudget {
		return
	}
	e.body.Thinking = &thinking{Type: "enabled", Budget: budget}
	if r.Show != nil && !*r.Show {
		e.body.Thinking.Display = "omitted"
	}
}
