package chat

import (
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const maxTools = 512

func (r *reading) tools(name string, raw []byte) {
	r.out.Tools = nil
	if !r.isList("", name, raw) {
		return
	}
	for raw := range jsonedit.Elements(raw) {
		n := len(r.out.Tools)
		at := index(name, n)
		if r.mayHave(name, n) && r.isObject(at, "", raw) {
			r.out.Tools = append(r.out.Tools, r.tool(at, raw))
		}
		if r.err != nil {
			return
		}
	}
}

// olderTools reads functions, the older form of tools.
func (r *reading) olderTools(name string, raw []byte) {
	r.functions = nil
	if !r.isList("", name, raw) {
		return
	}
	for raw := range jsonedit.Elements(raw) {
		at := index(name, len(r.functions))
		if r.mayHave(name, len(r.functions)) && r.isObject(at, "", raw) {
			r.functions = append(r.functions, r.function(at, raw))
		}
		if r.err != nil {
			return
		}
	}
}

func (r *reading) mayHave(name string, n int) bool {
	if n >= maxTools {
		r.invalid(name, "%s may have %d entries.", name, maxTools)
	}
	return r.err == nil
}

// tool reads one tool. One that is no function is the vendor's own, and goes only where this dialect is spoken.
func (r *reading) tool(at string, raw []byte) (out llm.Tool) {
	var kind, function, cache []byte
	for name, raw := range jsonedit.Members(raw) {
		switch name {
		case "type":
			kind = raw
		case "function":
			function = raw
		case "cache_control":
			cache = raw
		}
	}
	if kind := r.need(at, "type", kind); kind != "function" {
		return llm.Tool{Name: kind, Vendor: raw, Dialect: string(gateway.OpChat)}
	}
	if !given(function) {
		r.invalid(at+".function", "%s.function is required.", at)
	}
	if r.isObject(at, "function", function) {
		out = r.function(at+".function", function)
	}
	if given(cache) {
		out.Cache = r.cache(at, cache)
	}
	return out
}

func (r *reading) function(at string, raw []byte) (out llm.Tool) {
	for name, raw := range jsonedit.Members(raw) {
		switch name {
		case "name":
			out.Name = r.text(at, name, raw)
		case "description":
			out.Description = r.text(at, name, raw)
		case "parameters":
			out.Schema = r.object(at, name, raw)
		case "strict":
			out.Strict = r.flag(at, name, raw)
		}
	}
	if out.Name == "" {
		r.invalid(at+".name", "%s.name is required.", at)
	}
	return out
}

// modes are the words for tool_choice.
var modes = map[string]llm.ChoiceMode{
	"auto": llm.ChooseAuto, "none": llm.ChooseNone, "required": llm.ChooseAny, "any": llm.ChooseAny,
}

// toolChoice reads tool_choice, and function_call as it was called before.
func (r *reading) toolChoice(name string, raw []byte) {
	if raw[0] == '"' {
		mode, known := modes[r.text("", name, raw)]
		if !known {
			r.invalid(name, "%s must be none, auto, required or an object.", name)
		}
		r.out.Choice = llm.ToolChoice{Mode: mode}
		return
	}
	if !r.isObject("", name, raw) {
		return
	}
	fields := [...]jsonedit.Field{{Name: "name"}, {Name: "function"}, {Name: "custom"}, {Name: "allowed_tools"}}
	jsonedit.Find(raw, fields[:])
	if allowed := &fields[3]; allowed.Given() {
		r.allowed(name+".allowed_tools", allowed.Raw)
		return
	}
	chosen, at := r.text(name, "name", fields[0].Raw), name // that of function_call
	for i := range fields[1:3] {
		if f := &fields[1+i]; f.Given() {
			at = name + "." + f.Name
			chosen = r.nameIn(at, f.Raw)
		}
	}
	if chosen == "" {
		r.invalid(at+".name", "%s.name is required.", at)
	}
	r.out.Choice = llm.ToolChoice{Mode: llm.ChooseTool, Name: chosen}
}

func (r *reading) nameIn(at string, raw []byte) string {
	name := [1]jsonedit.Field{{Name: "name"}}
	if !r.isObject(at, "", raw) || !jsonedit.Find(raw, name[:]) {
		return ""
	}
	return r.text(at, "name", name[0].Raw)
}

// allowed reads a choice among some tools: the model then does not see the others.
func (r *reading) allowed(at string, raw []byte) {
	fields := [...]jsonedit.Field{{Name: "mode"}, {Name: "tools"}}
	if !r.isObject(at, "", raw) || !jsonedit.Find(raw, fields[:]) {
		return
	}
	mode := r.word(at, "mode", fields[0].Raw, "auto", "required")
	if mode == "" {
		r.invalid(at+".mode", "%s.mode is required.", at)
	}
	r.out.Choice, r.only = llm.ToolChoice{Mode: modes[mode]}, []string{}
	if !r.isList(at, "tools", fields[1].Raw) {
		return
	}
	for raw := range jsonedit.Elements(fields[1].Raw) {
		here := index(at+".tools", len(r.only))
		if !r.mayHave(at+".tools", len(r.only)) || !r.isObject(here, "", raw) {
			return
		}
		name := ""
		for kind, raw := range jsonedit.Members(raw) {
			if kind != "type" && given(raw) && raw[0] == '{' {
				name = r.nameIn(here+"."+kind, raw)
			}
		}
		if name == "" {
			r.invalid(here, "%s names no tool.", here)
		}
		r.only = append(r.only, name)
	}
	if len(r.only) == 0 {
		r.invalid(at+".tools", "%s.tools must not be empty.", at)
	}
}

// format reads response_format.
func (r *reading) format(name string, raw []byte) {
	if !r.isObject("", name, raw) {
		return
	}
	fields := [...]jsonedit.Field{{Name: "type"}, {Name: "json_schema"}}
	jsonedit.Find(raw, fields[:])
	r.out.Format = llm.Format{}
	switch r.word(name, "type", fields[0].Raw, "text", "json_object", "json_schema") {
	case "":
		r.invalid(name+".type", "%s.type is required.", name)
	case "json_object":
		r.out.Format.Kind = llm.JSONObject
	case "json_schema":
		r.schema(name+".json_schema", fields[1].Raw)
	}
}

func (r *reading) schema(at string, raw []byte) {
	f := &r.out.Format
	f.Kind = llm.JSONSchema
	if r.isObject(at, "", raw) {
		for name, raw := range jsonedit.Members(raw) {
			switch name {
			case "name":
				f.Name = r.text(at, name, raw)
			case "description":
				f.Description = r.text(at, name, raw)
			case "schema":
				f.Schema = r.object(at, name, raw)
			case "strict":
				f.Strict = r.flag(at, name, raw)
			}
		}
	}
	if f.Schema == nil {
		r.invalid(at+".schema", "%s.schema is required.", at)
	}
}
