package gemini

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// declaration is a function that the model may call.
type declaration struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

// tools writes tools and toolConfig.
func (w *writer) tools(body map[string]any) error {
	var functions []declaration
	var list []any
	for i := range w.r.Tools {
		t := &w.r.Tools[i]
		switch {
		case t.Vendor == nil:
			d, err := w.declare(t, i)
			if err != nil {
				return err
			}
			functions = append(functions, d)
		case t.Dialect == string(gateway.OpGemini):
			list = append(list, t.Vendor)
		default:
			if err := w.refuse("tools", "The tool %.100q is another provider's own.", t.Name); err != nil {
				return err
			}
		}
	}
	if w.answers {
		d, err := w.answerTool()
		if err != nil {
			return err
		}
		functions = append(functions, d)
	}
	if _, asked := w.r.Extra[webSearch]; asked {
		list = append(list, map[string]any{"googleSearch": struct{}{}})
	}
	if len(functions) > 0 {
		list = append([]any{map[string]any{"functionDeclarations": functions}}, list...)
	}
	if len(list) > 0 {
		body["tools"] = list
	}
	if len(functions) == 0 { // Google refuses to choose among none
		return nil
	}
	return w.choice(body)
}

func (w *writer) declare(t *llm.Tool, i int) (d declaration, err error) {
	name, ok := writeName(t.Name)
	if !ok {
		return d, gateway.Invalid("tools", "The name %.100q of a tool must have letters, digits and _.:- only, %d at most.", t.Name, maxName)
	}
	d = declaration{Name: name, Description: t.Description}
	if len(t.Schema) == 0 || string(t.Schema) == "null" {
		return d, nil
	}
	schema, err := cleanSchema(t.Schema)
	if err != nil {
		return d, gateway.Invalid("tools", "The schema of the tool %s (the %d.) cannot be used: %v.", t.Name, i+1, err)
	}
	if is, hasSome := isObject(schema); !is || hasSome {
		d.Schema = schema
	} // a function without parameters has no schema
	return d, nil
}

// answerTool is the function that stands for an answer in JSON.
func (w *writer) answerTool() (d declaration, err error) {
	d = declaration{Name: llm.AnswerTool, Description: w.r.Format.Description, Schema: json.RawMessage(`{"type":"object"}`)}
	if d.Description == "" {
		d.Description = "Gives the final answer. Call it once, when nothing else is to be done, in place of answering in text."
	}
	if w.r.Format.Kind != llm.JSONSchema || len(w.r.Format.Schema) == 0 {
		return d, nil
	}
	if d.Schema, err = cleanSchema(w.r.Format.Schema); err != nil {
		return d, gateway.Invalid("response_format", "The schema of response_format cannot be used: %v.", err)
	}
	if is, _ := isObject(d.Schema); !is {
		return d, gateway.Invalid("response_format", "With tools, the schema of response_format must be an object for this model.")
	}
	return d, nil
}

// choice says whether functions must be called. With the answer tool one must be: it is the only way to answer.
func (w *writer) choice(body map[string]any) error {
	config := map[string]any{}
	c := w.r.Choice
	switch {
	case w.answers && c.Mode == llm.ChooseNone:
		config["mode"], config["allowedFunctionNames"] = "ANY", []string{llm.AnswerTool}
	case c.Mode == llm.ChooseTool:
		name, ok := writeName(c.Name)
		if !ok {
			return gateway.Invalid("tool_choice", "tool_choice must name one of tools.")
		}
		config["mode"], config["allowedFunctionNames"] = "ANY", []string{name}
	case w.answers || c.Mode == llm.ChooseAny:
		config["mode"] = "ANY"
	case c.Mode == llm.ChooseNone:
		config["mode"] = "NONE"
	case c.Mode == llm.ChooseAuto && w.hasFunctions():
		config["mode"] = "AUTO"
	}
	if len(config) > 0 {
		body["toolConfig"] = map[string]any{"functionCallingConfig": config}
	}
	return nil
}
