package messages

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// tools reads what the model may call.
func (r *reader) tools(out *llm.Request, f *jsonedit.Field) {
	for i, value := range r.list("", f) {
		at := index("tools", i)
		inner := [...]jsonedit.Field{
			{Name: "type"}, {Name: "name"}, {Name: "description"}, {Name: "input_schema"}, {Name: "strict"}, {Name: "cache_control"},
		}
		if !r.find(at, value, inner[:]) {
			return
		}
		if kind := r.text(at, &inner[0]); kind != "" && kind != "custom" {
			out.Tools = append(out.Tools, llm.Tool{
				Name: kind, Vendor: json.RawMessage(value), Dialect: string(gateway.OpMessages), Cache: r.cache(at, &inner[5]),
			})
			continue
		}
		tool := llm.Tool{
			Name: r.need(at, &inner[1]), Description: r.text(at, &inner[2]), Strict: r.flag(at, &inner[4]), Cache: r.cache(at, &inner[5]),
		}
		switch schema := &inner[3]; schema.Kind {
		case jsonedit.Object:
			tool.Schema = raw(schema)
		case jsonedit.Absent, jsonedit.Null:
			r.invalid(at+".input_schema", "%s.input_schema is required.", at)
		default:
			r.wrong(at, schema, "an object")
		}
		out.Tools = append(out.Tools, tool)
	}
}

// choice reads whether tools must be called.
func (r *reader) choice(out *llm.Request, f *jsonedit.Field) {
	inner := [...]jsonedit.Field{{Name: "type"}, {Name: "name"}, {Name: "disable_parallel_tool_use"}}
	if !r.object("", f, inner[:]) {
		return
	}
	switch mode := llm.ChoiceMode(r.need("tool_choice", &inner[0])); mode {
	case llm.ChooseAuto, llm.ChooseNone, llm.ChooseAny:
		out.Choice.Mode = mode
	case llm.ChooseTool:
		out.Choice = llm.ToolChoice{Mode: mode, Name: r.need("tool_choice", &inner[1])}
	default:
		r.invalid("tool_choice.type", "tool_choice.type must be auto, any, tool or none.")
	}
	if disabled := r.flag("tool_choice", &inner[2]); disabled != nil {
		out.Parallel = new(!*disabled)
	}
}
