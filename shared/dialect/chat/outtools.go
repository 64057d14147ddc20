package chat

import (
	"cmp"

	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// tools writes the tools and which of them must be called.
func (e *requestEncoder) tools() error {
	n := 0
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		if t.Vendor != nil && t.Dialect != string(gateway.OpChat) {
			if !e.drops("tools") {
				return vendorTool(i, t)
			}
			e.dropped = append(e.dropped, "tools")
			continue
		}
		e.begin(&n)
		e.tool(t)
	}
	if e.answers() {
		e.begin(&n)
		f := &e.r.Format
		e.tool(&llm.Tool{Name: llm.AnswerTool, Description: strings.TrimSpace("Give the answer. " + f.Description), Schema: f.Schema})
	}
	if n == 0 {
		return nil
	}
	e.end()
	e.flag("parallel_tool_calls", e.r.Parallel)
	e.choice(n)
	return nil
}

// begin begins the list of tools before the first one.
func (e *requestEncoder) begin(n *int) {
	if *n == 0 {
		e.list("tools")
	}
	*n++
	e.item()
}

// answers reports whether a tool takes the place of a JSON schema.
func (e *requestEncoder) answers() bool {
	return e.r.Format.Kind == llm.JSONSchema && e.quirks.noSchema
}

// forced reports whether a tool must be called.
func (e *requestEncoder) forced() bool {
	return e.answers() || len(e.r.Tools) > 0 && (e.r.Choice.Mode == llm.ChooseAny || e.r.Choice.Mode == llm.ChooseTool)
}

func (e *requestEncoder) tool(t *llm.Tool) {
	if t.Vendor != nil {
		e.b = append(e.b, t.Vendor...)
		return
	}
	e.b = append(e.b, '{')
	e.text("type", "function")
	e.into("function")
	e.text("name", t.Name)
	e.word("description", t.Description)
	e.json("parameters", t.Schema)
	e.flag("strict", t.Strict)
	e.close()
	e.close()
}

// choice writes which of n tools must be called. Where the answer is one of them, that is so whatever the caller said.
func (e *requestEncoder) choice(n int) {
	c := e.r.Choice
	if e.answers() {
		if c.Mode != llm.ChooseTool {
			c.Mode = llm.ChooseAny
		}
		if n == 1 || e.r.Choice.Mode == llm.ChooseNone {
			c = llm.ToolChoice{Mode: llm.ChooseTool, Name: llm.AnswerTool}
		}
	}
	switch c.Mode {
	case "":
	case llm.ChooseAny:
		e.text("tool_choice", "required")
	case llm.ChooseTool:
		e.into("tool_choice")
		e.text("type", "function")
		e.into("function")
		e.text("name", c.Name)
		e.close()
		e.close()
	default:
		e.text("tool_choice", string(c.Mode))
	}
}

func vendorTool(i int, t *llm.Tool) error {
	e := gateway.Invalid(index("tools", i)+".type", "tools of type %.40q cannot be carried to this model's provider.", t.Name)
	e.Code = llm.CodeUnsupported
	return e
}

// format writes what the answer's text must be.
func (e *requestEncoder) format() error {
	f := &e.r.Format
	switch {
	case f.Kind == llm.JSONObject:
		e.raw("response_format", `{"type":"json_object"}`)
	case f.Kind == llm.JSONSchema && !e.quirks.noSchema:
		e.into("response_format")
		e.text("type", "json_schema")
		e.into("json_schema")
		e.text("name", cmp.Or(f.Name, "answer")) // it is required
		e.word("description", f.Description)
		e.json("schema", f.Schema)
		e.flag("strict", f.Strict)
		e.close()
		e.close()
	}
	return nil
}
