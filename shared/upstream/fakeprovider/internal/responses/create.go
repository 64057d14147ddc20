package responses

import (
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Create is POST responses.
type Create struct {
	openai.Vendor
	store *Store
}

// memo is what the answer repeats of the request.
type memo struct {
	fields          map[string]any
	input           []any // with what previous responses had
	store, encrypts bool
}

// Parse implements wire.Format.
func (f Create) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if no := f.complain(r); no != nil {
		return nil, no
	}
	input, no := f.input(r)
	if no != nil {
		return nil, no
	}
	items := wire.Items(object{"input": input}, "input")
	for _, check := range checks {
		if no := check(f, r, items); no != nil {
			return nil, no
		}
	}
	c := wire.NewCall("responses", r)
	c.Stream = wire.Flag(r.Fields, "stream")
	c.Limit = wire.Count(r.Fields, "max_output_tokens", 0)
	include := wire.Strings(r.Fields, "include")
	if slices.Contains(include, "message.output_text.logprobs") || r.Fields["top_logprobs"] != nil || r.Manner.Logprobs {
		c.Logprobs = wire.Count(r.Fields, "top_logprobs", 0)
	}
	c.Memo = memo{r.Fields, input, r.Fields["store"] != false, slices.Contains(include, "reasoning.encrypted_content")}
	readThinking(c, wire.Sub(r.Fields, "reasoning"))
	readTools(c, r.Fields)
	format := wire.Sub(wire.Sub(r.Fields, "text"), "format")
	c.Schema, c.JSON = wire.Sub(format, "schema"), format["type"] == "json_object"
	if s := wire.Text(r.Fields, "instructions"); s != "" {
		c.Prompt.Open(wire.System)
		c.Prompt.Say(s)
	}
	for _, it := range items {
		readItem(&c.Prompt, it)
	}
	return c, nil
}

func (Create) complain(r *wire.Request) *wire.Refusal {
	if n := wire.Count(r.Fields, "max_output_tokens", 16); n < 16 {
		return invalid("max_output_tokens", "integer_below_min_value",
			"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got "+string(wire.JSON(n))+" instead.")
	}
	if no := openai.Complain(wire.Closed(fields)(nil, r.Fields)); no != nil {
		return no
	}
	switch {
	case r.Fields["input"] == nil && r.Fields["previous_response_id"] == nil:
		return invalid("input", "missing_required_parameter",
			"One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.")
	case wire.Flag(r.Fields, "background"):
		return invalid("background", "", "This fake does nothing in the background.")
	case r.Fields["stream_options"] != nil && !wire.Flag(r.Fields, "stream"):
		return invalid("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return nil
}

// input is all items: of the previous response and what came before it, and of this request.
func (f Create) input(r *wire.Request) ([]any, *wire.Refusal) {
	var all []any
	if id := wire.Text(r.Fields, "previous_response_id"); id != "" {
		k, found := f.store.get(id)
		if !found {
			return nil, invalid("previous_response_id", "previous_response_not_found", "Previous response with id '"+id+"' not found.")
		}
		all = slices.Concat(k.input, k.output)
	}
	switch input := r.Fields["input"].(type) {
	case string:
		all = append(all, object{"type": "message", "role": "user", "content": input})
	case []any:
		all = append(all, input...)
	}
	return all, nil
}

func readThinking(c *wire.Call, reasoning map[string]any) {
	c.Shown = reasoning["summary"] != nil || reasoning["generate_summary"] != nil
	switch {
	case reasoning["effort"] == "none":
		c.Thinking = wire.Never
	case reasoning != nil:
		c.Thinking = wire.Asked
	}
}

func readTools(c *wire.Call, fields map[string]any) {
	for _, t := range wire.Items(fields, "tools") {
		c.Prompt.Price(string(wire.JSON(t)))
		if t["type"] == "function" {
			c.Tools = append(c.Tools, wire.Tool{Name: wire.Text(t, "name"), Schema: wire.Sub(t, "parameters")})
		}
	}
	switch choice := fields["tool_choice"].(type) {
	case string:
		c.NoCall = choice == "none"
		if choice == "required" {
			c.Force = wire.AnyTool
		}
	case map[string]any:
		c.Force = wire.Text(choice, "name")
	}
	c.Single = fields["parallel_tool_calls"] == false
}

var roles = map[any]wire.Role{"user": wire.User, "assistant": wire.Assistant, "system": wire.System, "developer": wire.System}

func readItem(p *wire.Prompt, it map[string]any) {
	switch it["type"] {
	case "function_call_output":
		p.Open(wire.Results)
		readParts(p, it["output"])
	case "function_call", "reasoning":
		p.Open(wire.Assistant)
	case "message", nil:
		p.Open(roles[it["role"]])
		readParts(p, it["content"])
	}
}

func readParts(p *wire.Prompt, content any) {
	if s, ok := content.(string); ok {
		p.Say(s)
		return
	}
	for _, part := range wire.Items(object{"parts": content}, "parts") {
		switch part["type"] {
		case "input_image":
			p.Show(wire.Described("image", wire.First(wire.Text(part, "image_url"), wire.Text(part, "file_id"))))
		case "input_file":
			name := wire.First(wire.Text(part, "filename"), wire.Text(part, "file_id"), wire.Text(part, "file_url"))
			if name == "" {
				p.Show(wire.Described("document", wire.Text(part, "file_data")))
				continue
			}
			p.Show("document:" + name)
		default:
			p.Say(wire.First(wire.Text(part, "text"), wire.Text(part, "refusal")))
		}
	}
}

// echoed are the fields of a response that repeat the request's, with their defaults.
var echoed = object{
	"instructions": nil, "max_output_tokens": nil, "max_tool_calls": nil, "parallel_tool_calls": true, "previous_response_id": nil,
	"prompt_cache_key": nil, "reasoning": object{"effort": nil, "summary": nil}, "safety_identifier": nil, "store": true, "temperature": 1.0,
	"text": object{"format": object{"type": "text"}, "verbosity": "medium"}, "tool_choice": "auto", "tools": []any{}, "top_logprobs": 0,
	"top_p": 1.0, "truncation": "disabled", "user": nil, "metadata": object{},
}

func (m memo) echo() object {
	fields := maps.Clone(echoed)
	for name := range fields {
		if m.fields[name] != nil {
			fields[name] = m.fields[name]
		}
	}
	return fields
}
