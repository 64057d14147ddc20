package echo

import (
	"fmt"
)

// call is a tool call that echo makes.
type call struct{ name, arguments string }

// maxCalls is how many tools are called at once at most.
const maxCalls = 128

// calls are the tool calls of the step that the request is at: as markers say, or one where tool_choice demands it. Behind
// the last step there are none, so that every agent comes to an end.
func (r *request) calls(a *asked) ([]call, *fault) {
	mode, name, f := r.chosen()
	if f != nil || mode == "none" {
		return nil, f
	}
	rounds := a.rounds
	functions := r.functions()
	if len(rounds) == 0 && mode == "required" {
		rounds = []round{{name: name, calls: 1}}
		if len(functions) == 0 || name != "" && r.tool(name) < 0 {
			return nil, invalid("tool_choice", "tool_choice demands a function that is not among the tools.")
		}
	}
	if a.step >= len(rounds) || len(functions) == 0 {
		return nil, nil
	}
	return r.perform(rounds[a.step], functions)
}

func (r *request) perform(step round, functions []int) ([]call, *fault) {
	if step.name != "" {
		c, f := r.call(r.tool(step.name), step)
		return []call{c}, f
	}
	n := step.calls
	switch {
	case r.Parallel != nil && !*r.Parallel:
		n = 1
	case n == 0:
		n = min(len(functions), maxCalls)
	}
	out := make([]call, n)
	for i := range out {
		var f *fault
		if out[i], f = r.call(functions[i%len(functions)], step); f != nil {
			return nil, f
		}
	}
	return out, nil
}

// call calls the tool of that number, or one that the request does not have, as models sometimes do.
func (r *request) call(number int, step round) (c call, f *fault) {
	c = call{step.name, "{}"}
	var schema []byte
	if number >= 0 {
		c.name, schema = r.Tools[number].Function.Name, r.Tools[number].Function.Parameters
	}
	switch {
	case step.arguments != nil:
		c.arguments = string(step.arguments)
	case len(schema) > 0 && string(schema) != "null":
		c.arguments, f = made(schema, fmt.Sprintf("tools[%d].function.parameters", number))
	}
	return c, f
}

// functions are the numbers of the tools that echo can call.
func (r *request) functions() (out []int) {
	for i := range r.Tools {
		if r.Tools[i].Function.Name != "" {
			out = append(out, i)
		}
	}
	return out
}

// tool is the number of the tool of that name; negative if there is none.
func (r *request) tool(name string) int {
	for i := range r.Tools {
		if r.Tools[i].Function.Name == name {
			return i
		}
	}
	return -1
}

// made is JSON made up for the schema at that place of the request.
func made(schema []byte, at string) (string, *fault) {
	text, err := fill(schema)
	if err != nil {
		f := invalid(at, "%s cannot be fulfilled: %v.", at, err)
		f.code = "invalid_json_schema"
		return "", f
	}
	return text, nil
}
