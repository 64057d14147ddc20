package dialecttest

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// png is a picture of one pixel.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

// Requests are requests of every kind. Signatures are by the maker.
func Requests(maker string) map[string]*llm.Request {
	said := func(role llm.Role, parts ...llm.Part) llm.Message { return llm.Message{Role: role, Parts: parts} }
	text := llm.TextPart
	media := func(kind llm.Kind, m llm.Media) llm.Part { return llm.Part{Kind: kind, Media: &m} }
	call := func(id string) llm.Part {
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "look", Arguments: `{"at":"x"}`}}
	}
	result := func(id string, failed bool, parts ...llm.Part) llm.Part {
		return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Name: "look", Parts: parts, IsError: failed}}
	}
	tools := []llm.Tool{{
		Name: "look", Description: "Looks.", Schema: json.RawMessage(`{"type":"object","properties":{"at":{"type":"string"}},"required":["at"]}`),
	}}
	thought := llm.Part{Kind: llm.Thinking, Text: "Look first.", Signature: llm.Signature{Maker: maker, Value: "c2VhbA=="}}
	ask := said(llm.User, text("What is there?"))
	half := 0.5
	schema := json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)
	return map[string]*llm.Request{
		"text":         {Messages: []llm.Message{ask}},
		"system":       {Messages: []llm.Message{said(llm.System, text("Be brief.")), ask}},
		"conversation": {Messages: []llm.Message{ask, said(llm.Assistant, text("A house.")), said(llm.User, text("Whose?"))}},
		"limits":       {Messages: []llm.Message{ask}, MaxOutput: 100, Temperature: &half, Stop: []string{"END"}},
		"top_p":        {Messages: []llm.Message{ask}, TopP: &half},
		"image":        {Messages: []llm.Message{said(llm.User, text("See:"), media(llm.Image, llm.Media{Type: "image/png", Data: png}))}},
		"image by URL": {Messages: []llm.Message{said(llm.User, media(llm.Image, llm.Media{URL: "https://example.com/a.png"}), text("?"))}},
		"document":     {Messages: []llm.Message{said(llm.User, media(llm.Document, llm.Media{Type: "application/pdf", Data: "JVBERi0=", Name: "a.pdf"}), text("?"))}},
		"audio":        {Messages: []llm.Message{said(llm.User, media(llm.Audio, llm.Media{Type: "audio/wav", Data: "UklGRg=="}), text("?"))}},
		"tools":        {Messages: []llm.Message{ask}, Tools: tools},
		"forced tool":  {Messages: []llm.Message{ask}, Tools: tools, Choice: llm.ToolChoice{Mode: llm.ChooseTool, Name: "look"}},
		"any tool":     {Messages: []llm.Message{ask}, Tools: tools, Choice: llm.ToolChoice{Mode: llm.ChooseAny}},
		"tool loop": {Tools: tools, Messages: []llm.Message{
			ask, said(llm.Assistant, text("I look."), call("call_1")), said(llm.User, result("call_1", false, text("a tree"))),
		}},
		"parallel tools": {Tools: tools, Messages: []llm.Message{
			ask, said(llm.Assistant, call("call_1"), call("call_2")),
			said(llm.User, result("call_1", false, text("a tree")), result("call_2", false, text("a bird")), text("And?")),
		}},
		"thoughts": {Tools: tools, Reasoning: llm.Reasoning{Budget: 2048}, MaxOutput: 4096, Messages: []llm.Message{
			ask, said(llm.Assistant, thought, call("call_1")), said(llm.User, result("call_1", false, text("a tree"))),
		}},
		"schema": {Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.JSONSchema, Name: "thing", Schema: schema}},
	}
}
