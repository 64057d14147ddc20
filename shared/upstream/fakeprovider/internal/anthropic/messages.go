package anthropic

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// Messages is POST messages.
type Messages struct{}

// Parse implements wire.Format.
func (f Messages) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if no := f.version(r); no != nil {
		return nil, no
	}
	return parse("messages", r)
}

func parse(op string, r *wire.Request) (*wire.Call, *wire.Refusal) {
	if no := complain(wire.Closed(fields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	for _, check := range checks {
		if no := check(r); no != nil {
			return nil, no
		}
	}
	c := wire.NewCall(op, r)
	c.Stream = wire.Flag(r.Fields, "stream")
	c.Limit = wire.Count(r.Fields, "max_tokens", 0)
	c.Stops = wire.Strings(r.Fields, "stop_sequences")
	c.ByMarks, c.Thinking, c.Sealed = true, wire.Never, r.Manner.Redact
	thinking := wire.Sub(r.Fields, "thinking")
	if kind := thinking["type"]; kind == "enabled" || kind == "adaptive" {
		c.Thinking, c.Shown = wire.Asked, thinking["display"] != "omitted" && !c.Sealed
	}
	c.Schema = wire.Sub(wire.Sub(wire.Sub(r.Fields, "output_config"), "format"), "schema")
	readTools(c, r.Fields)
	readSystem(&c.Prompt, r.Fields)
	for _, m := range wire.Items(r.Fields, "messages") {
		readMessage(&c.Prompt, m)
	}
	mark(&c.Prompt, r.Fields)
	return c, nil
}

func mark(p *wire.Prompt, b map[string]any) {
	if m := wire.Sub(b, "cache_control"); m != nil {
		p.Mark(m["ttl"] == "1h")
	}
}

func readTools(c *wire.Call, fields map[string]any) {
	for _, t := range wire.Items(fields, "tools") {
		c.Prompt.Price(string(wire.JSON(t)))
		mark(&c.Prompt, t)
		if s := wire.Sub(t, "input_schema"); s != nil {
			c.Tools = append(c.Tools, wire.Tool{Name: wire.Text(t, "name"), Schema: s})
		}
	}
	choice := wire.Sub(fields, "tool_choice")
	switch choice["type"] {
	case "any":
		c.Force = wire.AnyTool
	case "tool":
		c.Force = wire.Text(choice, "name")
	case "none":
		c.NoCall = true
	}
	c.Single = wire.Flag(choice, "disable_parallel_tool_use")
}

func readSystem(p *wire.Prompt, fields map[string]any) {
	if fields["system"] == nil {
		return
	}
	p.Open(wire.System)
	if s, ok := fields["system"].(string); ok {
		p.Say(s)
	}
	for _, b := range wire.Items(fields, "system") {
		p.Say(wire.Text(b, "text"))
		mark(p, b)
	}
}

func readMessage(p *wire.Prompt, m map[string]any) {
	role := wire.User
	if m["role"] == "assistant" {
		role = wire.Assistant
	}
	p.Open(role)
	for _, b := range blocks(m) {
		readBlock(p, b)
		mark(p, b)
	}
}

func readBlock(p *wire.Prompt, b map[string]any) {
	source := wire.Sub(b, "source")
	switch b["type"] {
	case "text":
		p.Say(wire.Text(b, "text"))
	case "image":
		p.Show("image:" + wire.First(wire.Text(source, "media_type"), wire.Text(source, "url"), wire.Text(source, "file_id")))
	case "document":
		p.Show("document:" + wire.First(wire.Text(b, "title"), wire.Text(source, "media_type"), wire.Text(source, "url"),
			wire.Text(source, "file_id"), "content"))
	case "search_result":
		p.Show("document:" + wire.Text(b, "title"))
	case "tool_result":
		p.Result(wire.Flag(b, "is_error"))
		for _, inner := range blocks(b) {
			readBlock(p, inner)
			mark(p, inner)
		}
	}
}

// Usage implements wire.Format.
func (Messages) Usage(_ *wire.Call, t wire.Tokens) any {
	u := usage{
		Input: t.Prompt - t.Cached - t.Write5m - t.Write1h, Creation: t.Write5m + t.Write1h, Read: t.Cached,
		Created: &creation{t.Write5m, t.Write1h}, Output: t.Completion, Tier: "standard",
	}
	if t.Reasoning > 0 {
		u.Details = map[string]int64{"thinking_tokens": t.Reasoning}
	}
	return u
}
