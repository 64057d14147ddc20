package messages

import "github.com/sluice-gateway/sluice/shared/llm"

// leastTopP is the least top_p that goes together with thinking (Anthropic's page on extended thinking, read 2026-11).
const leastTopP = 0.95

// sample writes temperature, top_p and top_k. Newer models refuse all but the defaults, and so do others while they think.
func (e *encoding) sample() error {
	e.body.Temperature, e.body.TopP, e.body.TopK = e.r.Temperature, e.r.TopP, e.r.TopK
	thinks := e.body.Thinking != nil && (e.body.Thinking.Type == "enabled" || e.body.Thinking.Type == "adaptive")
	plain := e.is.sampling && !thinks
	b := &e.body
	if t := b.Temperature; t != nil && (*t > 1 || *t != 1 && !plain) {
		reason := "temperature must be from 0 to 1 for this model."
		if *t <= 1 {
			reason = "temperature must be 1 for this model, or while it thinks."
		}
		if err := e.leave(llm.Temperature, "%s", reason); err != nil {
			return err
		}
		b.Temperature = nil
	}
	if p := b.TopP; p != nil && *p != 1 && (!e.is.sampling || thinks && *p < leastTopP) {
		if err := e.leave(llm.TopP, "top_p must be 1 for this model, or at least %v while it thinks.", leastTopP); err != nil {
			return err
		}
		b.TopP = nil
	}
	if b.TopK != nil && !plain {
		if err := e.leave(llm.TopK, "top_k is not taken by this model, or not while it thinks."); err != nil {
			return err
		}
		b.TopK = nil
	}
	return e.one()
}

// one sees to it that temperature and top_p do not stand together where the model refuses that. A default says nothing.
func (e *encoding) one() error {
	b := &e.body
	if !e.is.sampling { // only defaults are left, which need not be said
		b.Temperature, b.TopP = nil, nil
	}
	if e.is.both || b.Temperature == nil || b.TopP == nil {
		return nil
	}
	switch {
	case *b.TopP == 1:
		b.TopP = nil
	case *b.Temperature == 1:
		b.Temperature = nil
	default:
		b.TopP = nil
		return e.leave(llm.TopP, "top_p cannot be combined with temperature on this model.")
	}
	return nil
}
