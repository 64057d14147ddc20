package converse

import "github.com/sluice-gateway/sluice/shared/llm"

const (
	// minBudget is the least that Claude takes as budget_tokens (Anthropic's documentation, read 2026-11).
	minBudget = 1024
	// middleBudget is for callers who leave the budget to a model that wants one.
	middleBudget = 8192
	// leastTopP is the least top_p that Claude takes while it thinks (the same).
	leastTopP = 0.95
)

// reason says how much to think. It may leave out what contradicts thinking, and needs to know of forced tools.
func (e *encoder) reason() {
	how := &e.family.thinks
	switch {
	case e.Reasoning.Off:
		e.stopThinking(how)
	case !e.Reasoning.Given():
		if show := e.display(how); show != "" && how.byDefault {
			e.more["thinking"] = thinking{Type: "adaptive", Display: show}
		}
	case e.forces() && !how.withForce:
		e.leaveOut(llm.ReasoningParam)
	default:
		e.think(how)
	}
}

// thinking is Claude's field.
type thinking struct {
	Type    string `json:"type"`
	Budget  int64  `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

type effort struct {
	Effort string `json:"effort"`
}

type novaReasoning struct {
	Type   string `json:"type"`
	Effort string `json:"maxReasoningEffort"`
}

func (e *encoder) stopThinking(how *thinks) {
	switch {
	case how.style == byAdaptive && how.off != "":
		e.more["thinking"] = thinking{Type: how.off}
	case how.style == byObject && how.off != "":
		e.more["reasoning"] = effort{how.off}
	case how.byDefault:
		e.leaveOut(llm.ReasoningParam)
	}
}

func (e *encoder) think(how *thinks) {
	word := how.word(e.Reasoning.Word())
	switch how.style {
	case byBudget:
		e.thinkByBudget()
	case byAdaptive:
		e.more["thinking"] = thinking{Type: "adaptive", Display: e.display(how)}
		if word != "" {
			e.more["output_config"] = effort{word}
		}
		e.calm()
	case byNova:
		e.thinkAsNova(word)
	case byWord:
		if word == "" && !how.byDefault {
			word = "medium"
		}
		if word != "" {
			e.more["reasoning_effort"] = word
		}
	case byObject:
		if word != "" {
			e.more["reasoning"] = effort{word}
		}
	}
}

// thinkByBudget asks Claude to think with a budget, which must be less than the output limit: what is not, and what a word stands for,
// leaves half of the limit to the answer. There is no thinking where the last turn called tools without a signed thought:
// Claude refuses to go on from there.
func (e *encoder) thinkByBudget() {
	budget := e.Reasoning.Tokens()
	if budget == 0 {
		budget = middleBudget
	}
	limit := e.limit()
	if limit > 0 && limit <= minBudget || e.callsUnsigned() {
		e.leaveOut(llm.ReasoningParam)
		return
	}
	if limit > 0 && (budget >= limit || e.Reasoning.Budget == 0) {
		budget = min(budget, limit/2)
	}
	e.more["thinking"] = thinking{Type: "enabled", Budget: max(budget, minBudget)}
	e.calm()
}

// callsUnsigned reports whether the last assistant message calls tools and has no thought with a signature.
func (e *encoder) callsUnsigned() bool {
	for i := len(e.turns) - 1; i >= 0; i-- {
		if e.turns[i].Role != llm.Assistant {
			continue
		}
		calls, signed := false, false
		for j := range e.turns[i].Parts {
			p := &e.turns[i].Parts[j]
			calls = calls || p.Kind == llm.ToolCall
			signed = signed || p.Kind == llm.Thinking || p.Kind == llm.Sealed // those without were taken out
		}
		return calls && !signed
	}
	return false
}

// thinkAsNova asks Nova 2 to think. At high effort it takes neither an output limit nor sampling (its user guide, read 2026-11): a
// limit is money, so less effort is asked for.
func (e *encoder) thinkAsNova(word string) {
	if word == "" || word == "high" && e.limit() > 0 {
		word = "medium"
	}
	e.more["reasoningConfig"] = novaReasoning{"enabled", word}
	if word == "high" {
		e.unset(llm.Temperature, e.Temperature != nil)
		e.unset(llm.TopP, e.TopP != nil)
		e.unset(llm.TopK, e.TopK != nil)
	}
}

// calm takes out the sampling that Claude refuses while it thinks.
func (e *encoder) calm() {
	e.unset(llm.Temperature, e.Temperature != nil && *e.Temperature != 1)
	e.unset(llm.TopP, e.TopP != nil && *e.TopP < leastTopP)
	e.unset(llm.TopK, e.TopK != nil)
}

func (e *encoder) unset(p llm.Param, is bool) {
	if !is {
		return
	}
	switch p {
	case llm.Temperature:
		e.Temperature = nil
	case llm.TopP:
		e.TopP = nil
	case llm.TopK:
		e.TopK = nil
	}
	e.leaveOut(p)
}

// display says whether thoughts are in the answer, for a family that hides them.
func (e *encoder) display(how *thinks) string {
	show := e.Reasoning.Show
	switch {
	case !how.hides:
		return ""
	case show != nil && !*show:
		return "omitted"
	case show != nil || e.Reasoning.Summary != "":
		return "summarized"
	default:
		return ""
	}
}
