package chat

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const maxTools = 512

// tool is a row of tools.
type tool struct {
	Type     string    `json:"type"`
	Function *function `json:"function,omitempty"`
	Cache    *cache    `json:"cache_control,omitempty"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// cache is Anthropic's cache marker, as LiteLLM and OpenRouter take it.
type cache struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

func (c *cache) ttl() string {
	switch {
	case c == nil:
		return ""
	case c.TTL == "1h":
		return "1h"
	default:
		return "5m"
	}
}

func readTools(r *llm.Request, name string, raw json.RawMessage) error {
	var list []json.RawMessage
	if err := dialect.Read(name, raw, &list); err != nil {
		return err
	}
	if len(list) > maxTools {
		return gateway.Invalid(name, "%s may have %d entries, not %d.", name, maxTools, len(list))
	}
	for i, raw := range list {
		t, at := tool{}, dialect.At(name, i)
		if err := t.read(at, raw); err != nil {
			return err
		}
		switch {
		case t.Type != "function":
			r.Tools = append(r.Tools, llm.Tool{Name: t.Type, Vendor: raw, Dialect: string(gateway.OpChat)})
			continue
		case t.Function == nil || t.Function.Name == "":
			return gateway.Invalid(at+".function.name", "%s.function.name is required.", at)
		}
		r.Tools = append(r.Tools, t.Function.neutral(t.Cache.ttl()))
	}
	return nil
}

func (t *tool) read(at string, raw json.RawMessage) error {
	var given json.RawMessage
	err := dialect.ReadFields(at, raw, func(name string) any {
		switch name {
		case "type":
			return &t.Type
		case "function":
			return &given
		case "cache_control":
			return &t.Cache
		default:
			return nil
		}
	})
	if err != nil || given == nil {
		return err
	}
	t.Function = &function{}
	return dialect.ReadFields(at+".function", given, t.Function.place)
}

// place is where a field belongs.
func (f *function) place(name string) any {
	switch name {
	case "name":
		return &f.Name
	case "description":
		return &f.Description
	case "parameters":
		return &f.Parameters
	case "strict":
		return &f.Strict
	default:
		return nil
	}
}

func (f *function) neutral(cache string) llm.Tool {
	return llm.Tool{Name: f.Name, Description: f.Description, Schema: f.Parameters, Strict: f.Strict, Cache: cache}
}

// readFunctions reads the older form of tools.
func readFunctions(r *llm.Request, name string, raw json.RawMessage) error {
	var list []function
	if err := dialect.Read(name, raw, &list); err != nil {
		return err
	}
	if len(list) > maxTools {
		return gateway.Invalid(name, "%s may have %d entries, not %d.", name, maxTools, len(list))
	}
	for i := range list {
		r.Tools = append(r.Tools, list[i].neutral(""))
	}
	return nil
}

// modes are the words for tool_choice.
var modes = map[string]llm.ChoiceMode{
	"auto": llm.ChooseAuto, "none": llm.ChooseNone, "required": llm.ChooseAny, "any": llm.ChooseAny,
}

func readToolChoice(r *llm.Request, name string, raw json.RawMessage) error {
	if raw[0] == '"' {
		var word string
		if err := dialect.Read(name, raw, &word); err != nil {
			return err
		}
		mode, known := modes[word]
		if !known {
			return gateway.Invalid(name, "%s must be none, auto, required or an object.", name)
		}
		r.Choice.Mode = mode
		return nil
	}
	var choice struct {
		Type     string    `json:"type"`
		Name     string    `json:"name"` // of function_call
		Function *function `json:"function"`
		Allowed  *struct {
			Mode string `json:"mode"`
		} `json:"allowed_tools"`
	}
	if err := dialect.Read(name, raw, &choice); err != nil {
		return err
	}
	switch {
	case choice.Function != nil:
		choice.Name = choice.Function.Name
	case choice.Allowed != nil:
		r.Choice.Mode = modes[choice.Allowed.Mode]
		return nil
	}
	if choice.Name == "" {
		return gateway.Invalid(name, "%s names no function.", name)
	}
	r.Choice = llm.ToolChoice{Mode: llm.ChooseTool, Name: choice.Name}
	return nil
}

// format is response_format.
type format struct {
	Type   string  `json:"type"`
	Schema *schema `json:"json_schema,omitempty"`
}

type schema struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

func readFormat(r *llm.Request, name string, raw json.RawMessage) error {
	var f format
	if err := dialect.Read(name, raw, &f); err != nil {
		return err
	}
	switch {
	case f.Type == "text":
	case f.Type == "json_object":
		r.Format.Kind = llm.JSONObject
	case f.Type != "json_schema":
		return gateway.Invalid(name+".type", "%s.type must be text, json_object or json_schema.", name)
	case f.Schema == nil || len(f.Schema.Schema) == 0:
		return gateway.Invalid(name+".json_schema", "%s.json_schema.schema is required.", name)
	default:
		s := f.Schema
		r.Format = llm.Format{Kind: llm.JSONSchema, Name: s.Name, Description: s.Description, Schema: s.Schema, Strict: s.Strict}
	}
	return nil
}
