package chat

import "github.com/sluice-gateway/sluice/shared/llm"

// reasoning says how much to think, in the host's words.
func (e *requestEncoder) reasoning() error {
	switch {
	case e.quirks.details:
		e.wish()
	case e.quirks.toggle:
		e.toggle()
	default:
		e.effort()
	}
	return nil
}

// effort writes OpenAI's word.
func (e *requestEncoder) effort() {
	r := e.r.Reasoning
	word := nearest(e.family.efforts, r.Word())
	switch {
	case r.Word() == "": // the model decides
		return
	case r.Off && word == "" && len(e.family.lacks) > 0 && len(e.family.efforts) > 1:
		word = e.family.efforts[0] // it thinks in any case: at least not much
	case word == "" && !r.Off:
		e.dropped = append(e.dropped, string(llm.ReasoningParam))
	}
	e.word("reasoning_effort", word)
}

// toggle switches thinking on or off, and writes the word if the host knows some.
func (e *requestEncoder) toggle() {
	r := e.r.Reasoning
	isOff := r.Off
	if e.quirks.unforced && e.forced() {
		if isOff = true; r.Given() && !r.Off {
			e.dropped = append(e.dropped, string(llm.ReasoningParam))
		}
	}
	switch {
	case isOff:
		e.raw("thinking", `{"type":"disabled"}`)
	case r.Given():
		e.raw("thinking", `{"type":"enabled"}`)
		e.word("reasoning_effort", nearest(e.family.efforts, r.Word()))
	}
}

// wished are OpenRouter's words for how much to think (its guide to reasoning tokens, read 2026-11).
var wished = []string{"none", "minimal", "low", "medium", "high", "xhigh"}

// wish writes OpenRouter's object.
func (e *requestEncoder) wish() {
	r := e.r.Reasoning
	hides := r.Show != nil && !*r.Show
	if !r.Given() && !hides {
		return
	}
	e.into("reasoning")
	switch {
	case r.Budget > 0:
		e.number("max_tokens", r.Budget)
	case r.Auto:
		e.raw("enabled", "true")
	default:
		e.word("effort", nearest(wished, r.Word()))
	}
	if hides {
		e.raw("exclude", "true")
	}
	e.close()
}
