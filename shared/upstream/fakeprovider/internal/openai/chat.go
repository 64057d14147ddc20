package openai

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Chat is POST chat/completions.
type Chat struct{ Vendor }

// Parse implements wire.Format.
func (Chat) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if r.Manner.Mistral {
		if no := checkMistral(r); no != nil {
			return nil, no
		}
	}
	if r.Model == "" {
		return nil, wire.Invalid("model", "you must provide a model parameter")
	}
	if no := Complain(wire.Open(chatFields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	for _, check := range checks {
		if no := check(r); no != nil {
			return nil, no
		}
	}
	c := newCall("chat", r)
	c.Limit = wire.Count(r.Fields, "max_completion_tokens", c.Limit)
	c.Shown = r.Manner.Think > 0
	if r.Manner.Mistral {
		c.Memo = mistral
	}
	c.Speech = strings.Contains(string(wire.JSON(r.Fields["modalities"])), `"audio"`)
	if wire.Flag(r.Fields, "logprobs") || r.Manner.Logprobs {
		c.Logprobs = wire.Count(r.Fields, "top_logprobs", 0)
	}
	if r.Fields["reasoning_effort"] == "none" {
		c.Thinking = wire.Never
	}
	readTools(c, r.Fields)
	readFormat(c, wire.Sub(r.Fields, "response_format"))
	for _, m := range wire.Items(r.Fields, "messages") {
		readMessage(&c.Prompt, m)
	}
	return c, nil
}

// newCall reads what chats and completions share.
func newCall(op string, r *wire.Request) *wire.Call {
	c := wire.NewCall(op, r)
	c.Stream = wire.Flag(r.Fields, "stream")
	c.IncludeUsage = wire.Flag(wire.Sub(r.Fields, "stream_options"), "include_usage")
	c.N = wire.Count(r.Fields, "n", 1)
	c.Limit = wire.Count(r.Fields, "max_tokens", 0)
	c.Stops = wire.Strings(r.Fields, "stop")
	return c
}

func readTools(c *wire.Call, fields map[string]any) {
	for _, t := range wire.Items(fields, "tools") {
		if f := wire.Sub(t, "function"); f != nil {
			c.Tools = append(c.Tools, wire.Tool{Name: wire.Text(f, "name"), Schema: wire.Sub(f, "parameters")})
		}
	}
	if tools := fields["tools"]; tools != nil {
		c.Prompt.Price(string(wire.JSON(tools)))
	}
	switch choice := fields["tool_choice"].(type) {
	case string:
		c.NoCall = choice == "none"
		if choice == "required" || choice == "any" {
			c.Force = wire.AnyTool
		}
	case map[string]any:
		c.Force = wire.Text(wire.Sub(choice, "function"), "name")
	}
	c.Single = fields["parallel_tool_calls"] == false
}

func readFormat(c *wire.Call, format map[string]any) {
	switch format["type"] {
	case "json_object":
		c.JSON = true
	case "json_schema":
		c.Schema = wire.Sub(wire.Sub(format, "json_schema"), "schema")
		c.JSON = c.Schema == nil
	}
}

var roles = map[any]wire.Role{"user": wire.User, "assistant": wire.Assistant, "tool": wire.Results, "function": wire.Results}

func readMessage(p *wire.Prompt, m map[string]any) {
	role := roles[m["role"]]
	if role == 0 {
		role = wire.System
	}
	p.Open(role)
	if s, ok := m["content"].(string); ok {
		p.Say(s)
		return
	}
	for _, part := range wire.Items(m, "content") {
		readPart(p, part)
	}
}

func readPart(p *wire.Prompt, part map[string]any) {
	switch kind := wire.Text(part, "type"); kind {
	case "text", "refusal":
		p.Say(wire.Text(part, kind))
	case "image_url":
		p.Show(wire.Described("image", wire.Text(wire.Sub(part, kind), "url")))
	case "input_audio":
		p.Show("audio:" + wire.Text(wire.Sub(part, kind), "format"))
	case "file":
		f := wire.Sub(part, kind)
		name := wire.First(wire.Text(f, "filename"), wire.Text(f, "file_id"))
		if name == "" {
			p.Show(wire.Described("document", wire.Text(f, "file_data")))
			return
		}
		p.Show("document:" + name)
	}
}

// Usage implements wire.Format.
func (Chat) Usage(_ *wire.Call, t wire.Tokens) any {
	u := report(t)
	u.PromptDetails = &promptDetails{Cached: t.Cached, Audio: t.PromptAudio}
	u.CompletionDetails = &completionDetails{Reasoning: t.Reasoning, Audio: t.CompletionAudio}
	return u
}
