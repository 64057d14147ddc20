package responses

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// fields are all fields of a request; others are refused.
var fields = wire.Fields{
	"model!": wire.Filled, "input": wire.TextOr(wire.List(1, item)), "instructions": wire.String, "stream": wire.Bool, "store": wire.Bool,
	"background": wire.Bool, "previous_response_id": wire.Match(`^resp`), "max_output_tokens": wire.Integer(16, 1<<31),
	"max_tool_calls": wire.Integer(1, 1<<31), "temperature": wire.Float(0, 2), "top_p": wire.Float(0, 1), "top_logprobs": wire.Integer(0, 20),
	"parallel_tool_calls": wire.Bool, "tools": wire.List(0, tool), "tool_choice": toolChoice, "metadata": wire.MapOf(wire.AtMost(512)),
	"include": wire.List(0, wire.Enum("reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url",
		"file_search_call.results", "web_search_call.action.sources", "web_search_call.results", "code_interpreter_call.outputs",
		"computer_call_output.output.image_url")),
	"reasoning": wire.Closed(wire.Fields{
		"effort":  wire.Enum("none", "minimal", "low", "medium", "high", "xhigh", "max"),
		"summary": wire.Enum("auto", "concise", "detailed"), "generate_summary": wire.Enum("auto", "concise", "detailed"),
		"context": wire.String, "mode": wire.String,
	}),
	"text":           wire.Closed(wire.Fields{"format": format, "verbosity": wire.Enum("low", "medium", "high")}),
	"stream_options": wire.Closed(wire.Fields{"include_obfuscation": wire.Bool}), "truncation": wire.Enum("auto", "disabled"),
	"service_tier": wire.Enum("auto", "default", "flex", "scale", "priority"), "user": wire.String, "safety_identifier": wire.AtMost(64),
	"prompt_cache_key": wire.String, "prompt_cache_retention": wire.String, "prompt": wire.Object, "conversation": wire.Anything,
	"context_management": wire.Anything, "moderation": wire.Object, "prompt_cache_options": wire.Object,
}

// maxCallID is how long a call_id may be.
const maxCallID = 64

var (
	inputText  = wire.Closed(wire.Fields{"type!": wire.String, "text!": wire.String})
	inputImage = wire.Closed(wire.Fields{
		"type!": wire.String, "detail": wire.Enum("auto", "low", "high", "original"), "file_id": wire.String,
		"image_url": wire.Match(`^(https?://.+|data:image/[a-z]+;base64,[A-Za-z0-9+/]+=*)$`),
	})
	inputFile = wire.Closed(wire.Fields{
		"type!": wire.String, "file_id": wire.String, "file_data": wire.Match(`^data:[^;,]+;base64,`), "file_url": wire.Match(`^https?://`),
		"filename": wire.String, "detail": wire.String,
	})
	inputParts = wire.TextOr(wire.List(1, wire.Tagged("type", map[string]wire.Rule{
		"input_text": inputText, "input_image": inputImage, "input_file": inputFile,
	})))
	outputParts = wire.TextOr(wire.List(1, wire.Tagged("type", map[string]wire.Rule{
		"output_text": wire.Closed(wire.Fields{
			"type!": wire.String, "text!": wire.String, "annotations": wire.List(0, wire.Object), "logprobs": wire.List(0, wire.Object),
		}),
		"refusal": wire.Closed(wire.Fields{"type!": wire.String, "refusal!": wire.String}),
	})))
	status = wire.Enum("in_progress", "completed", "incomplete")
)

func message(parts wire.Rule) wire.Rule {
	return wire.Closed(wire.Fields{
		"type": wire.String, "role!": wire.String, "content!": parts, "id": wire.Match(`^msg`), "status": status, "phase": wire.String,
	})
}

var messages = wire.Tagged("role", map[string]wire.Rule{
	"user": message(inputParts), "system": message(inputParts), "developer": message(inputParts), "assistant": message(outputParts),
})

var items = wire.Tagged("type", map[string]wire.Rule{
	"message": messages,
	"function_call": wire.Closed(wire.Fields{
		"type!": wire.String, "call_id!": wire.AtMost(maxCallID), "name!": wire.Match(`^[a-zA-Z0-9_-]+$`), "arguments!": wire.String,
		"id": wire.Match(`^fc`), "status": status, "namespace": wire.String,
	}),
	"function_call_output": wire.Closed(wire.Fields{
		"type!": wire.String, "call_id!": wire.AtMost(maxCallID), "output!": inputParts, "id": wire.String, "status": status,
	}),
	"reasoning": wire.Closed(wire.Fields{
		"type!": wire.String, "id!": wire.Match(`^rs`), "status": status, "encrypted_content": wire.Filled,
		"summary!": wire.List(0, wire.Closed(wire.Fields{"type!": wire.Enum("summary_text"), "text!": wire.String})),
		"content":  wire.List(0, wire.Closed(wire.Fields{"type!": wire.Enum("reasoning_text"), "text!": wire.String})),
	}),
	"item_reference":          wire.Closed(wire.Fields{"type!": wire.String, "id!": wire.Filled}),
	"custom_tool_call":        wire.Object,
	"custom_tool_call_output": wire.Object,
})

// item is a message if it does not say what it is.
func item(at wire.Path, v any) *wire.Fault {
	if m, _ := v.(map[string]any); m != nil && m["type"] == nil {
		return messages(at, v)
	}
	return items(at, v)
}

// tool is a function; other tools are taken as they are.
func tool(at wire.Path, v any) *wire.Fault {
	if m, _ := v.(map[string]any); m["type"] != "function" {
		return wire.Open(wire.Fields{"type!": wire.Filled})(at, v)
	}
	return wire.Closed(wire.Fields{
		"type!": wire.String, "name!": wire.Match(`^[a-zA-Z0-9_-]{1,64}$`), "description": wire.String, "parameters": wire.Object,
		"strict": wire.Bool, "defer_loading": wire.Bool, "allowed_callers": wire.List(0, wire.String), "output_schema": wire.Object,
	})(at, v)
}

var toolChoice = wire.Either(wire.Enum("none", "auto", "required"), wire.Tagged("type", map[string]wire.Rule{
	"function":      wire.Closed(wire.Fields{"type!": wire.String, "name!": wire.Filled}),
	"allowed_tools": wire.Object, "custom": wire.Object, "mcp": wire.Object, "web_search": wire.Object, "file_search": wire.Object,
}))

var format = wire.Tagged("type", map[string]wire.Rule{
	"text":        wire.Closed(wire.Fields{"type!": wire.String}),
	"json_object": wire.Closed(wire.Fields{"type!": wire.String}),
	"json_schema": wire.Closed(wire.Fields{
		"type!": wire.String, "name!": wire.Match(`^[a-zA-Z0-9_-]{1,64}$`), "schema!": wire.Object, "strict": wire.Bool,
		"description": wire.String,
	}),
})
