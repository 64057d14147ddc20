package anthropic

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

const maxTokens = 1 << 31

// fields are all fields of a request; others are refused.
var fields = wire.Fields{
	"model!": wire.Filled, "max_tokens!": wire.Integer(1, maxTokens), "messages!": wire.List(1, message),
	"system":         wire.TextOr(wire.List(0, wire.Tagged("type", map[string]wire.Rule{"text": textBlock}))),
	"stop_sequences": wire.List(0, wire.Filled), "stream": wire.Bool, "temperature": wire.Float(0, 1), "top_p": wire.Float(0, 1),
	"top_k": wire.Integer(0, 1<<31), "metadata": wire.Closed(wire.Fields{"user_id": wire.AtMost(256)}),
	"service_tier": wire.Enum("auto", "standard_only"), "thinking": thinking, "tools": wire.List(0, tool), "tool_choice": toolChoice,
	"output_config": wire.Closed(wire.Fields{
		"effort": wire.Enum("low", "medium", "high", "xhigh", "max"),
		"format": wire.Closed(wire.Fields{"type!": wire.Enum("json_schema"), "schema!": wire.Object}),
	}),
	"cache_control": cacheControl, "container": wire.Anything, "inference_geo": wire.String, "speed": wire.Enum("standard", "fast"),
	"diagnostics": wire.Object, "context_management": wire.Object, "mcp_servers": wire.List(0, wire.Object),
}

// betas are fields that a beta header must open, by the beginning of its value.
var betas = map[string]string{"context_management": "context-management-", "mcp_servers": "mcp-client-"}

var cacheControl = wire.Closed(wire.Fields{"type!": wire.Enum("ephemeral"), "ttl": wire.Enum("5m", "1h")})

// block is a content block: its own fields, its type, and a cache marker.
func block(own wire.Fields) wire.Rule {
	return wire.Closed(own.With(wire.Fields{"type!": wire.String, "cache_control": cacheControl}))
}

var (
	citable   = wire.Closed(wire.Fields{"enabled": wire.Bool})
	textBlock = block(wire.Fields{"text!": wire.String, "citations": wire.List(0, wire.Object)})

	image = block(wire.Fields{"source!": wire.Tagged("type", map[string]wire.Rule{
		"base64": wire.Closed(wire.Fields{
			"type!": wire.String, "media_type!": wire.Enum("image/jpeg", "image/png", "image/gif", "image/webp"), "data!": wire.Base64,
		}),
		"url":  wire.Closed(wire.Fields{"type!": wire.String, "url!": wire.Match(`^https?://`)}),
		"file": wire.Closed(wire.Fields{"type!": wire.String, "file_id!": wire.Filled}),
	})})
	document = block(wire.Fields{"title": wire.AtMost(500), "context": wire.String, "citations": citable,
		"source!": wire.Tagged("type", map[string]wire.Rule{
			"base64": wire.Closed(wire.Fields{"type!": wire.String, "media_type!": wire.Enum("application/pdf"), "data!": wire.Base64}),
			"text":   wire.Closed(wire.Fields{"type!": wire.String, "media_type!": wire.Enum("text/plain"), "data!": wire.Filled}),
			"url":    wire.Closed(wire.Fields{"type!": wire.String, "url!": wire.Match(`^https?://`)}),
			"file":   wire.Closed(wire.Fields{"type!": wire.String, "file_id!": wire.Filled}),
			"content": wire.Closed(wire.Fields{"type!": wire.String, "content!": wire.TextOr(wire.List(1,
				wire.Tagged("type", map[string]wire.Rule{"text": textBlock, "image": image})))}),
		})})
	searchResult = block(wire.Fields{"source!": wire.String, "title!": wire.String, "citations": citable,
		"content!": wire.List(1, wire.Tagged("type", map[string]wire.Rule{"text": textBlock}))})

	id         = wire.Match(`^[a-zA-Z0-9_-]+$`)
	toolResult = block(wire.Fields{"tool_use_id!": id, "is_error": wire.Bool,
		"content": wire.TextOr(wire.List(0, wire.Tagged("type", map[string]wire.Rule{
			"text": textBlock, "image": image, "document": document, "search_result": searchResult,
		})))})
	toolUse = block(wire.Fields{"id!": id, "name!": wire.Match(`^[a-zA-Z0-9_-]{1,200}$`), "input!": wire.Object})

	thought  = wire.Closed(wire.Fields{"type!": wire.String, "thinking!": wire.String, "signature!": wire.String})
	redacted = wire.Closed(wire.Fields{"type!": wire.String, "data!": wire.Filled})
)

var message = wire.Tagged("role", map[string]wire.Rule{
	"system": content(map[string]wire.Rule{"text": textBlock}), // behind its beta only
	"user": content(map[string]wire.Rule{
		"text": textBlock, "image": image, "document": document, "search_result": searchResult, "tool_result": toolResult,
	}),
	"assistant": content(map[string]wire.Rule{
		"text": textBlock, "tool_use": toolUse, "thinking": thought, "redacted_thinking": redacted,
		"server_tool_use": wire.Object, "web_search_tool_result": wire.Object,
	}),
})

func content(blocks map[string]wire.Rule) wire.Rule {
	return wire.Closed(wire.Fields{"role!": wire.String, "content!": wire.TextOr(wire.List(0, wire.Tagged("type", blocks)))})
}

// tool is a client's tool; one with a type of its own is a server's, which is taken as it is.
func tool(at wire.Path, v any) *wire.Fault {
	m, _ := v.(map[string]any)
	if kind := wire.Text(m, "type"); kind != "" && kind != "custom" {
		return wire.Open(wire.Fields{"name!": wire.Filled})(at, v)
	}
	return wire.Closed(wire.Fields{
		"name!": wire.Match(`^[a-zA-Z0-9_-]{1,128}$`), "type": wire.String, "description": wire.String, "cache_control": cacheControl,
		"input_schema!": wire.Open(wire.Fields{"type!": wire.Enum("object")}), "strict": wire.Bool, "eager_input_streaming": wire.Bool,
		"defer_loading": wire.Bool, "allowed_callers": wire.List(0, wire.String), "input_examples": wire.List(0, wire.Object),
	})(at, v)
}

var toolChoice = wire.Tagged("type", map[string]wire.Rule{
	"auto": wire.Closed(wire.Fields{"type!": wire.String, "disable_parallel_tool_use": wire.Bool}),
	"any":  wire.Closed(wire.Fields{"type!": wire.String, "disable_parallel_tool_use": wire.Bool}),
	"tool": wire.Closed(wire.Fields{"type!": wire.String, "disable_parallel_tool_use": wire.Bool, "name!": wire.Filled}),
	"none": wire.Closed(wire.Fields{"type!": wire.String}),
})

var display = wire.Enum("summarized", "omitted")

var thinking = wire.Tagged("type", map[string]wire.Rule{
	"enabled":  wire.Closed(wire.Fields{"type!": wire.String, "budget_tokens!": wire.Integer(1024, maxTokens), "display": display}),
	"adaptive": wire.Closed(wire.Fields{"type!": wire.String, "display": display}),
	"disabled": wire.Closed(wire.Fields{"type!": wire.String}),
})
