package converse

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// fields are the names that errors have for params where they are not the params' own: OpenAI's. The caller's are not known here.
var fields = map[llm.Param]string{
	llm.MaxOutput: "max_tokens", llm.ReasoningParam: "reasoning_effort",
	llm.StrictTools: "tools", llm.ImageURLs: "messages", llm.ImageData: "messages", llm.DocumentURLs: "messages",
	llm.DocumentData: "messages", llm.AudioInput: "messages", llm.VideoInput: "messages", llm.ResultImages: "messages",
	llm.CacheMarkers: "messages", llm.ThinkingParts: "messages", llm.CitationsWanted: "messages", llm.AssistantPrefill: "messages",
}

func fieldOf(p llm.Param) string {
	if name, found := fields[p]; found {
		return name
	}
	return string(p)
}

// fit leaves out, or refuses, what the family lacks of what Bedrock carries.
func (e *encoder) fit() error {
	e.normalize()
	var takes []llm.Param
	for _, p := range llm.AllParams() {
		if !e.lacks(p) {
			takes = append(takes, p)
		}
	}
	e.Hints = nil // told already
	dropped, err := e.Fit(llm.Carries{Params: takes, Extra: extraNames}, fieldOf, e.target.Drop)
	if err != nil {
		return err
	}
	e.dropped = append(e.dropped, dropped...)
	if len(e.Tools) == 0 {
		e.Choice = llm.ToolChoice{}
	}
	return e.fitSampling()
}

// normalize takes out what says no more than the default.
func (e *encoder) normalize() {
	if !e.takes(sampling) {
		if e.Temperature != nil && *e.Temperature == 1 {
			e.Temperature = nil
		}
		if e.TopP != nil && *e.TopP == 1 {
			e.TopP = nil
		}
	}
}

func (e *encoder) takes(what has) bool { return e.family.has&what != 0 }

// lacks reports whether the family lacks a param. Params that Bedrock as a whole lacks are not its matter.
func (e *encoder) lacks(p llm.Param) bool {
	if name, found := optional[p]; found {
		return !slices.Contains(e.family.fields, name)
	}
	switch p {
	case llm.Tools:
		return !e.toolsFit()
	case llm.ToolChoiceParam:
		return !e.choiceFits()
	case llm.JSONMode:
		return !e.canForce()
	case llm.JSONSchemas:
		return !e.canForce() && !e.takes(native)
	case llm.TopK:
		return e.family.topK == ""
	case llm.ReasoningParam:
		return e.family.thinks.style == never
	case llm.ServiceTier:
		return !slices.Contains(tiers, e.ServiceTier)
	}
	need, found := needs[p]
	return found && !e.takes(need)
}

// tiers are the service tiers that can be asked for.
var tiers = []string{"priority", "flex", "reserved"}

func (e *encoder) toolsFit() bool {
	return e.takes(tools) && (!e.Stream || e.takes(streamedTools))
}

// canForce reports whether a tool can be forced.
func (e *encoder) canForce() bool { return e.toolsFit() && e.takes(anyTool|oneTool) }

// choiceFits reports whether the choice of tools can be said: a named tool also by offering no other, one of many also by name if
// there is but one.
func (e *encoder) choiceFits() bool {
	switch e.Choice.Mode {
	case llm.ChooseAny:
		return e.takes(anyTool) || e.takes(oneTool) && len(e.Tools) == 1
	case llm.ChooseTool:
		return e.takes(oneTool | anyTool)
	default:
		return true
	}
}

// fitSampling brings temperature and top_p into what Bedrock takes: a temperature of at most 1 (its API reference, read 2026-11), and
// only one of both with some models of Claude.
func (e *encoder) fitSampling() error {
	if e.Temperature != nil && *e.Temperature > 1 {
		if !e.target.Drop("temperature") {
			return gateway.Invalid("temperature", "temperature must be at most 1 for this model's provider.")
		}
		one := 1.0
		e.Temperature = &one
		e.leaveOut(llm.Temperature)
	}
	if e.takes(oneSampler) && e.Temperature != nil && e.TopP != nil {
		if *e.TopP != 1 && !e.target.Drop("top_p") {
			return gateway.Invalid("top_p", "temperature and top_p cannot both be set for this model.")
		}
		e.unset(llm.TopP, *e.TopP != 1)
		e.TopP = nil
	}
	return nil
}
