package messages

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Fields of a content block, by position.
const (
	bType = iota
	bText
	bSource
	bTitle
	bContext
	bCitations
	bID
	bName
	bInput
	bUseID
	bContent
	bIsError
	bThinking
	bSignature
	bData
	bCache
	blockFields
)

var blockNames = [blockFields]string{
	"type", "text", "source", "title", "context", "citations", "id", "name", "input", "tool_use_id", "content", "is_error", "thinking",
	"signature", "data", "cache_control",
}

// blockIn is a content block of a request.
type blockIn struct {
	at string
	f  [blockFields]jsonedit.Field
}

// Who may say a block.
const (
	bySystem = 1 << iota
	byUser
	byAssistant
	byTool
)

var speakers = map[llm.Role]int{llm.System: bySystem, llm.User: byUser, llm.Assistant: byAssistant, "tool": byTool}

// blocks has the types of blocks that a request may have. Those without a function are left out: what Anthropic's own tools did
// earlier in the conversation, which others cannot read, and which the text after it tells.
var blocks map[string]struct {
	by   int
	read func(*reader, *blockIn) []llm.Part
}

func init() { // not in the declaration: content reads blocks and blocks have content
	type row = struct {
		by   int
		read func(*reader, *blockIn) []llm.Part
	}
	blocks = map[string]row{
		"text":              {bySystem | byUser | byAssistant | byTool, (*reader).textBlock},
		"image":             {byUser | byTool, (*reader).image},
		"document":          {byUser | byTool, (*reader).document},
		"search_result":     {byUser | byTool, (*reader).searchResult},
		"tool_use":          {byAssistant, (*reader).toolUse},
		"tool_result":       {byUser, (*reader).toolResult},
		"thinking":          {byAssistant, (*reader).thought},
		"redacted_thinking": {byAssistant, (*reader).redacted},
		"server_tool_use":   {byAssistant, nil},
		"mcp_tool_use":      {byAssistant, nil},
		"mcp_tool_listing":  {byAssistant, nil},
		"fallback":          {byAssistant, nil},
		"tool_reference":    {byTool, nil},
		"browser_state":     {byTool, nil},
		"compaction":        {byAssistant, (*reader).compaction},
	}
}

// content reads a string or a list of blocks.
func (r *reader) content(at string, f *jsonedit.Field, role llm.Role) (all []llm.Part) {
	switch f.Kind {
	case jsonedit.Absent, jsonedit.Null:
		return nil
	case jsonedit.String:
		if text := r.text(at, f); text != "" {
			all = append(all, llm.TextPart(text))
		}
		return all
	case jsonedit.Array:
	default:
		r.wrong(at, f, "a string or a list of blocks")
		return nil
	}
	for i, raw := range elements(f.Raw) {
		all = append(all, r.block(index(join(at, f.Name), i), raw, role)...)
		if r.err != nil {
			return nil
		}
	}
	return all
}

func (r *reader) block(at string, raw []byte, role llm.Role) []llm.Part {
	b := blockIn{at: at}
	for i := range b.f {
		b.f[i].Name = blockNames[i]
	}
	if !r.find(at, raw, b.f[:]) {
		return nil
	}
	kind := r.need(at, &b.f[bType])
	row, known := blocks[kind]
	if known = known && row.by&speakers[role] != 0; !known && role == llm.Assistant && strings.HasSuffix(kind, "_tool_result") {
		return nil // of a tool that Anthropic ran
	}
	if !known {
		r.invalid(at+".type", "%s.type %q is not known here.", at, kind)
	}
	if r.err != nil || row.read == nil {
		return nil
	}
	parts := row.read(r, &b)
	if len(parts) > 0 {
		parts[len(parts)-1].Cache = r.cache(at, &b.f[bCache])
	}
	return parts
}

// cache reads a marker.
func (r *reader) cache(at string, f *jsonedit.Field) string {
	inner := [...]jsonedit.Field{{Name: "type"}, {Name: "ttl"}}
	if !r.object(at, f, inner[:]) {
		return ""
	}
	at = join(at, f.Name)
	if r.need(at, &inner[0]) != "ephemeral" {
		r.invalid(at+".type", "%s.type must be ephemeral.", at)
	}
	switch ttl := r.text(at, &inner[1]); ttl {
	case "":
		return "5m"
	case "5m", "1h":
		return ttl
	default:
		r.invalid(at+".ttl", "%s.ttl must be 5m or 1h.", at)
		return ""
	}
}

func (r *reader) textBlock(b *blockIn) []llm.Part {
	p := llm.TextPart(r.text(b.at, &b.f[bText]))
	if b.f[bCitations].Kind == jsonedit.Array {
		for _, raw := range elements(b.f[bCitations].Raw) {
			if c, ok := citation(raw); ok {
				p.Citations = append(p.Citations, c)
			}
		}
	}
	if p.Text == "" {
		return nil
	}
	return []llm.Part{p}
}

func (r *reader) toolUse(b *blockIn) []llm.Part {
	id, signature := llm.Unpack(r.need(b.at, &b.f[bID]))
	call := &llm.Call{ID: id, Name: r.need(b.at, &b.f[bName]), Arguments: "{}"}
	switch input := &b.f[bInput]; input.Kind {
	case jsonedit.Object:
		call.Arguments = string(input.Raw)
	case jsonedit.Absent, jsonedit.Null:
	default:
		r.wrong(b.at, input, "an object")
	}
	return []llm.Part{{Kind: llm.ToolCall, Call: call, Signature: signature}}
}

func (r *reader) toolResult(b *blockIn) []llm.Part {
	id, _ := llm.Unpack(r.need(b.at, &b.f[bUseID]))
	result := &llm.Result{ID: id, IsError: r.isSet(b.at, &b.f[bIsError])}
	result.Parts = r.content(b.at, &b.f[bContent], "tool")
	return []llm.Part{{Kind: llm.ToolResult, Result: result}}
}

func (r *reader) thought(b *blockIn) []llm.Part {
	signature := llm.ReadSignature(r.text(b.at, &b.f[bSignature]), llm.MakerAnthropic)
	return []llm.Part{{Kind: llm.Thinking, Text: r.text(b.at, &b.f[bThinking]), Signature: signature}}
}

func (r *reader) redacted(b *blockIn) []llm.Part {
	return []llm.Part{{Kind: llm.Sealed, Signature: llm.ReadSignature(r.need(b.at, &b.f[bData]), llm.MakerAnthropic)}}
}

// compaction is a summary that Anthropic made of what came before it.
func (r *reader) compaction(b *blockIn) []llm.Part {
	if text, ok := b.f[bContent].Text(); ok && text != "" {
		return []llm.Part{llm.TextPart(text)}
	}
	return nil
}
