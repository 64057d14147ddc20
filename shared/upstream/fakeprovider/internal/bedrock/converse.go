package bedrock

import (
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// converse is Converse and ConverseStream.
type converse struct{ errors }

// Parse implements wire.Format.
func (converse) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if no := complain(wire.Closed(fields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	for _, check := range checks {
		if no := check(r); no != nil {
			return nil, no
		}
	}
	c := wire.NewCall("converse", r)
	inference := wire.Sub(r.Fields, "inferenceConfig")
	c.Limit = wire.Count(inference, "maxTokens", 0)
	c.Stops = wire.Strings(inference, "stopSequences")
	c.ByMarks, c.AnswersBlocked, c.Sealed = true, true, r.Manner.Redact
	c.Shown = !c.Sealed
	if t := thinking(r.Fields); t != nil {
		c.Thinking, c.Shown = wire.Asked, c.Shown && t["display"] != "omitted"
	} else if claude(r.Model) {
		c.Thinking = wire.Never
	}
	c.Memo = wire.Strings(r.Fields, "additionalModelResponseFieldPaths")
	readFormat(c, wire.Sub(wire.Sub(wire.Sub(wire.Sub(r.Fields, "outputConfig"), "textFormat"), "structure"), "jsonSchema"))
	readTools(c, wire.Sub(r.Fields, "toolConfig"))
	if r.Fields["system"] != nil {
		c.Prompt.Open(wire.System)
		readBlocks(&c.Prompt, wire.Items(r.Fields, "system"))
	}
	for _, m := range wire.Items(r.Fields, "messages") {
		role := wire.User
		if m["role"] == "assistant" {
			role = wire.Assistant
		}
		c.Prompt.Open(role)
		readBlocks(&c.Prompt, wire.Items(m, "content"))
	}
	return c, nil
}

func readFormat(c *wire.Call, format map[string]any) {
	if format != nil {
		c.Schema, _ = wire.DecodeStrict([]byte(wire.Text(format, "schema")))
	}
}

func readTools(c *wire.Call, config map[string]any) {
	for _, t := range wire.Items(config, "tools") {
		if point := wire.Sub(t, "cachePoint"); point != nil {
			c.Prompt.Mark(point["ttl"] == "1h")
			continue
		}
		c.Prompt.Price(string(wire.JSON(t)))
		if s := wire.Sub(t, "toolSpec"); s != nil {
			c.Tools = append(c.Tools, wire.Tool{Name: wire.Text(s, "name"), Schema: wire.Sub(wire.Sub(s, "inputSchema"), "json")})
		}
	}
	choice := wire.Sub(config, "toolChoice")
	if choice["any"] != nil {
		c.Force = wire.AnyTool
	}
	if t := wire.Sub(choice, "tool"); t != nil {
		c.Force = wire.Text(t, "name")
	}
}

func readBlocks(p *wire.Prompt, blocks []map[string]any) {
	for _, b := range blocks {
		for kind, v := range b {
			inner, _ := v.(map[string]any)
			readBlock(p, kind, v, inner)
		}
	}
}

func readBlock(p *wire.Prompt, kind string, v any, inner map[string]any) {
	switch kind {
	case "text":
		s, _ := v.(string)
		p.Say(s)
	case "json":
		p.Say(string(wire.JSON(v)))
	case "image":
		p.Show("image:" + wire.First(wire.Text(wire.Sub(wire.Sub(inner, "source"), "s3Location"), "uri"), "image/"+wire.Text(inner, "format")))
	case "document":
		p.Show("document:" + wire.Text(inner, "name"))
	case "searchResult":
		p.Show("document:" + wire.Text(inner, "title"))
	case "audio", "video":
		p.Show(kind + ":" + wire.Text(inner, "format"))
	case "cachePoint":
		p.Mark(inner["ttl"] == "1h")
	case "toolResult":
		p.Result(inner["status"] == "error")
		readBlocks(p, wire.Items(inner, "content"))
	}
}

// usage is a usage report. Input tokens are those that no cache had to do with; the total has all.
type usage struct {
	Input   int64    `json:"inputTokens"`
	Output  int64    `json:"outputTokens"`
	Total   int64    `json:"totalTokens"`
	Read    int64    `json:"cacheReadInputTokens"`
	Write   int64    `json:"cacheWriteInputTokens"`
	Details []detail `json:"cacheDetails,omitempty"`
}

type detail struct {
	TTL   string `json:"ttl"`
	Input int64  `json:"inputTokens"`
}

// Usage implements wire.Format.
func (converse) Usage(_ *wire.Call, t wire.Tokens) any {
	u := usage{
		Input: t.Prompt - t.Cached - t.Write5m - t.Write1h, Output: t.Completion, Total: t.Prompt + t.Completion,
		Read: t.Cached, Write: t.Write5m + t.Write1h,
	}
	for _, d := range []detail{{"1h", t.Write1h}, {"5m", t.Write5m}} {
		if d.Input > 0 {
			u.Details = append(u.Details, d)
		}
	}
	return u
}

// count is CountTokens, of what Converse would be sent.
type count struct{ converse }

// Parse implements wire.Format.
func (f count) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	inner := wire.Sub(wire.Sub(r.Fields, "input"), "converse")
	if inner == nil {
		return nil, invalid("1 validation error detected: Value null at 'input.converse' failed to satisfy constraint: Member must not be null")
	}
	r.Fields = inner
	return f.converse.Parse(r)
}

// Whole implements wire.Format.
func (count) Whole(r *wire.Reply) any { return map[string]int64{"inputTokens": r.Call.Prompt.Tokens()} }

// Stream implements wire.Format: there is none.
func (count) Stream(*wire.Reply) wire.Stream { return nil }
