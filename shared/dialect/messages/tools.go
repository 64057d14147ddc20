package messages

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// tool is a tool of a request: one of the caller's, or in raw one of Anthropic's own.
type tool struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	Schema       json.RawMessage `json:"input_schema"`
	Strict       bool            `json:"strict,omitempty"`
	CacheControl *cacheControl   `json:"cache_control,omitempty"`
	raw          json.RawMessage
}

// MarshalJSON writes Anthropic's own tools as their caller did.
func (t *tool) MarshalJSON() ([]byte, error) {
	type plain tool
	if t.raw == nil {
		return marshal((*plain)(t)), nil
	}
	mark := [...]jsonedit.Field{{Name: "cache_control"}}
	if t.CacheControl != nil || !jsonedit.Find(t.raw, mark[:]) {
		return t.raw, nil
	}
	return jsonedit.Replace(nil, t.raw, mark[0].Delete()), nil
}

// toolChoice says whether tools must be called.
type toolChoice struct {
	Type   string `json:"type"`
	Name   string `json:"name,omitempty"`
	Single bool   `json:"disable_parallel_tool_use,omitempty"`
}

// nameBytes is Anthropic's limit for names of tools (API reference, read 2026-11).
const nameBytes = 128

// tools writes what the model may call.
func (e *encoding) tools() error {
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		switch {
		case t.Vendor != nil && t.Dialect == string(gateway.OpMessages):
			e.body.Tools = append(e.body.Tools, &tool{raw: t.Vendor, CacheControl: marker(t.Cache)})
			continue
		case t.Vendor != nil:
			if err := e.leave(llm.Tools, "tools: %q is another vendor's tool, which this model cannot use.", t.Name); err != nil {
				return err
			}
			continue
		case !fitsName(t.Name):
			return gateway.Invalid("tools", "tools: the name %q must have 1 to %d letters, digits, - and _.", t.Name, nameBytes)
		}
		out := &tool{Name: t.Name, Description: t.Description, Schema: objectSchema(t.Schema), CacheControl: marker(t.Cache)}
		if t.Strict != nil && *t.Strict && e.is.strict {
			out.Strict, out.Schema = true, cleanSchema(out.Schema)
		}
		e.body.Tools = append(e.body.Tools, out)
	}
	return nil
}

func fitsName(name string) bool {
	return name != "" && len(name) <= nameBytes &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// objectSchema is a schema for arguments, which Anthropic wants to be an object's.
func objectSchema(schema json.RawMessage) json.RawMessage {
	kind := [...]jsonedit.Field{{Name: "type"}}
	switch {
	case len(memberNames(schema)) == 0 || !json.Valid(schema) || !jsonedit.Find(schema, kind[:]):
		return json.RawMessage(`{"type":"object","properties":{}}`)
	case kind[0].Present():
		return schema
	default:
		return jsonedit.Replace(nil, schema, kind[0].SetString("object"))
	}
}

// memberNames are the names in an object.
func memberNames(object []byte) (names []string) {
	for name := range members(object) {
		names = append(names, name)
	}
	return names
}

// choose writes whether tools must be called.
func (e *encoding) choose() error {
	choice := e.r.Choice
	if len(e.body.Tools) == 0 {
		if choice.Mode == llm.ChooseAny || choice.Mode == llm.ChooseTool {
			return gateway.Invalid(string(llm.ToolChoiceParam), "tool_choice wants a tool to be called, but there are no tools.")
		}
		return nil
	}
	choice = e.choiceForAnswer(choice)
	e.forced = choice.Mode == llm.ChooseAny || choice.Mode == llm.ChooseTool
	if e.forced && !e.is.forced {
		if err := e.leave(llm.ToolChoiceParam, "tool_choice: tools cannot be forced on this model."); err != nil {
			return err
		}
		choice, e.forced = llm.ToolChoice{}, false
	}
	single := e.r.Parallel != nil && !*e.r.Parallel || e.answers && choice.Mode == llm.ChooseTool
	switch choice.Mode {
	case "", llm.ChooseAuto:
		if single || choice.Mode != "" {
			e.body.ToolChoice = &toolChoice{Type: "auto", Single: single}
		}
	case llm.ChooseNone:
		e.body.ToolChoice = &toolChoice{Type: "none"}
	case llm.ChooseAny, llm.ChooseTool:
		e.body.ToolChoice = &toolChoice{Type: string(choice.Mode), Name: choice.Name, Single: single}
	}
	return nil
}
