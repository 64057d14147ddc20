package converse

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

type toolConfig struct {
	Tools  []toolEntry `json:"tools"`
	Choice *toolChoice `json:"toolChoice,omitempty"`
}

// toolEntry is a tool, or the mark behind one.
type toolEntry struct {
	Spec  *toolSpec   `json:"toolSpec,omitempty"`
	Cache *cachePoint `json:"cachePoint,omitempty"`
}

type toolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Schema      inputSchema `json:"inputSchema"`
	Strict      *bool       `json:"strict,omitempty"`
}

type inputSchema struct {
	JSON json.RawMessage `json:"json"`
}

// toolChoice has one member.
type toolChoice struct {
	Auto *struct{} `json:"auto,omitempty"`
	Any  *struct{} `json:"any,omitempty"`
	Tool *toolName `json:"tool,omitempty"`
}

type toolName struct {
	Name string `json:"name"`
}

// toolPlan is what a request says of tools and of the format of its answer, which a tool may stand for.
type toolPlan struct {
	tools  []toolEntry
	choice *toolChoice
	schema *jsonSchema // structured output that the model has itself
}

func (p *toolPlan) config() *toolConfig {
	if len(p.tools) == 0 {
		return nil
	}
	return &toolConfig{Tools: p.tools, Choice: p.choice}
}

// output is the outputConfig.
func (p *toolPlan) output() map[string]json.RawMessage {
	if p.schema == nil {
		return nil
	}
	format, _ := json.Marshal(map[string]any{"type": "json_schema", "structure": map[string]any{"jsonSchema": p.schema}}) // strings only
	return map[string]json.RawMessage{"textFormat": format}
}

// jsonSchema has the schema as a text.
type jsonSchema struct {
	Schema      string `json:"schema"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

var (
	noArguments = json.RawMessage(`{"type":"object","properties":{}}`)
	anyObject   = json.RawMessage(`{"type":"object","properties":{},"additionalProperties":true}`)
)

// forces reports whether the answer must be a tool call.
func (e *encoder) forces() bool {
	c := e.plan.choice
	return c != nil && c.Auto == nil
}

// planTools decides which tools are offered, and whether one is forced.
func (e *encoder) planTools() {
	e.offer()
	switch {
	case e.Format.Kind == "" || len(e.Format.Schema) == 0 && e.Format.Kind == llm.JSONSchema:
	case e.hasOwnFormat():
		f := &e.Format
		e.plan.schema = &jsonSchema{Schema: string(f.Schema), Name: f.Name, Description: f.Description}
	case e.Choice.Mode == llm.ChooseAny || e.Choice.Mode == llm.ChooseTool: // the answer is a call, its text has no format
	default:
		e.answerByTool()
	}
	if len(e.plan.tools) == 0 {
		e.offerCalled()
	}
}

// checkNone refuses the wish for no calls in a conversation that has some: Bedrock has no word for it, and wants to know the tools that were
// called.
func (e *encoder) checkNone() error {
	if e.Choice.Mode != llm.ChooseNone || len(e.plan.tools) == 0 || e.forces() {
		return nil
	}
	name := fieldOf(llm.ToolChoiceParam)
	if e.target.Drop == nil || !e.target.Drop(name) {
		err := gateway.Invalid(name, "%s none cannot be carried to this model's provider once tools were called.", name)
		err.Code = llm.CodeUnsupported
		return err
	}
	e.leaveOut(llm.ToolChoiceParam)
	return nil
}

// offer takes the caller's tools and choice. None is said by offering nothing, as there is no word for it; but Bedrock wants to know
// the tools that were called already.
func (e *encoder) offer() {
	mode, offered := e.Choice.Mode, e.Tools
	if mode == llm.ChooseNone && !e.hasCalls() {
		return
	}
	if mode == llm.ChooseTool && !e.takes(oneTool) {
		if i := slices.IndexFunc(offered, func(t llm.Tool) bool { return t.Name == e.Choice.Name }); i >= 0 {
			offered = offered[i : i+1]
		}
	}
	for i := range offered {
		e.add(&offered[i])
	}
	if len(offered) > 0 {
		e.plan.choice = e.choose(mode, e.Choice.Name)
	}
}

func (e *encoder) add(t *llm.Tool) {
	spec := &toolSpec{Name: t.Name, Description: t.Description, Schema: inputSchema{t.Schema}}
	if len(t.Schema) == 0 {
		spec.Schema.JSON = noArguments
	}
	if t.Strict != nil && *t.Strict {
		spec.Strict = t.Strict
	}
	e.plan.tools = append(e.plan.tools, toolEntry{Spec: spec})
	if t.Cache != "" && e.takes(cacheTools) {
		e.plan.tools = append(e.plan.tools, toolEntry{Cache: e.cachePoint(t.Cache)})
	}
}

// choose is the family's way to say a choice; fit has made sure that there is one.
func (e *encoder) choose(mode llm.ChoiceMode, name string) *toolChoice {
	switch {
	case mode == llm.ChooseAuto && e.takes(auto):
		return &toolChoice{Auto: &struct{}{}}
	case mode == llm.ChooseTool && e.takes(oneTool):
		return &toolChoice{Tool: &toolName{name}}
	case mode == llm.ChooseAny && !e.takes(anyTool):
		return &toolChoice{Tool: &toolName{e.Tools[0].Name}}
	case mode == llm.ChooseAny || mode == llm.ChooseTool:
		return &toolChoice{Any: &struct{}{}}
	default:
		return nil
	}
}

// hasOwnFormat reports whether the model itself keeps to the schema. Its own way takes schemas only that forbid other properties, as
// OpenAI's strict ones do; so others are for a tool, if one can be forced.
func (e *encoder) hasOwnFormat() bool {
	if e.Format.Kind != llm.JSONSchema || !e.takes(native) {
		return false
	}
	isStrict := e.Format.Strict != nil && *e.Format.Strict
	thinksFreely := e.Reasoning.Given() && !e.Reasoning.Off && !e.family.thinks.withForce
	return isStrict || thinksFreely || !e.canForce()
}

// answerByTool offers the tool whose arguments are the answer. Other tools may still be called in its place, unless the caller wants
// none.
func (e *encoder) answerByTool() {
	mode := llm.ChooseAny
	if len(e.Tools) == 0 || e.Choice.Mode == llm.ChooseNone || !e.takes(anyTool) {
		mode, e.plan.tools = llm.ChooseTool, nil
	}
	schema := e.Format.Schema
	if len(schema) == 0 {
		schema = anyObject
	}
	description := "Give the final answer by calling this tool."
	if e.Format.Description != "" {
		description += " " + e.Format.Description
	}
	e.plan.tools = append(e.plan.tools, toolEntry{
		Spec: &toolSpec{Name: llm.AnswerTool, Description: description, Schema: inputSchema{schema}},
	})
	e.plan.choice = e.choose(mode, llm.AnswerTool)
}

// hasCalls reports whether a message calls a tool.
func (e *encoder) hasCalls() bool {
	return slices.ContainsFunc(e.turns, func(m llm.Message) bool {
		return slices.ContainsFunc(m.Parts, func(p llm.Part) bool { return p.Kind == llm.ToolCall })
	})
}

// offerCalled offers the tools that messages call, where the caller offers none: Bedrock refuses calls without a toolConfig.
func (e *encoder) offerCalled() {
	var names []string
	for _, m := range e.turns {
		for i := range m.Parts {
			if p := &m.Parts[i]; p.Kind == llm.ToolCall && !slices.Contains(names, p.Call.Name) {
				names = append(names, p.Call.Name)
			}
		}
	}
	for _, name := range names {
		e.add(&llm.Tool{Name: name, Description: "No longer available."})
	}
}

// checkTools refuses tools that other vendors run.
func (e *encoder) checkTools() error {
	isForeign := func(t llm.Tool) bool { return t.Vendor != nil }
	if !slices.ContainsFunc(e.Tools, isForeign) {
		return nil
	}
	if !e.target.Drop("tools") {
		err := gateway.Invalid("tools", "tools that their own vendor runs cannot be carried to this model's provider.")
		err.Code = "unsupported_parameter"
		return err
	}
	e.Tools = slices.DeleteFunc(slices.Clone(e.Tools), isForeign)
	e.leaveOut(llm.Tools)
	return nil
}
