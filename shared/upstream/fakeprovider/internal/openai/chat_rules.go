package openai

import (
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

const maxTokens = 1 << 31

// sampling are the fields that chats and completions share.
var sampling = wire.Fields{
	"model": wire.String, "temperature": wire.Float(0, 2), "top_p": wire.Float(0, 1), "presence_penalty": wire.Float(-2, 2),
	"frequency_penalty": wire.Float(-2, 2), "n": wire.Integer(1, 128), "max_tokens": wire.Integer(1, maxTokens),
	"seed": wire.Integer(-1<<62, 1<<62), "stop": stops, "stream": wire.Bool, "stream_options": wire.Object, "user": wire.String,
	"logit_bias": wire.Object,
}

func stops(at wire.Path, v any) *wire.Fault {
	if list, ok := v.([]any); ok && len(list) > 4 {
		return &wire.Fault{At: at, Want: "at most 4 stop sequences"}
	}
	return wire.TextOr(wire.List(1, wire.String))(at, v)
}

// chatFields is what we know of a chat; other fields are accepted, since this wire also stands for those that speak like OpenAI.
var chatFields = sampling.With(wire.Fields{
	"messages!": wire.List(1, message), "max_completion_tokens": wire.Integer(1, maxTokens), "logprobs": wire.Bool,
	"top_logprobs": wire.Integer(0, 20), "tools": wire.List(1, tool), "tool_choice": toolChoice, "parallel_tool_calls": wire.Bool,
	"response_format": responseFormat, "reasoning_effort": wire.Enum("none", "minimal", "low", "medium", "high", "xhigh"),
	"service_tier": wire.String, "store": wire.Bool, "metadata": wire.Object, "modalities": wire.List(1, wire.Enum("text", "audio")),
	"audio": wire.Open(wire.Fields{"voice!": wire.Anything, "format!": wire.String}),
})

var (
	textPart    = wire.Closed(wire.Fields{"type!": wire.String, "text!": wire.String})
	refusalPart = wire.Closed(wire.Fields{"type!": wire.String, "refusal!": wire.String})
	texts       = wire.TextOr(wire.List(1, wire.Tagged("type", map[string]wire.Rule{"text": textPart})))
	said        = wire.TextOr(wire.List(1, wire.Tagged("type", map[string]wire.Rule{"text": textPart, "refusal": refusalPart})))
	userContent = wire.TextOr(wire.List(1, wire.Tagged("type", map[string]wire.Rule{
		"text": textPart,
		"image_url": wire.Closed(wire.Fields{"type!": wire.String, "image_url!": wire.Closed(wire.Fields{
			"url!": imageURL, "detail": wire.Enum("auto", "low", "high", "original"),
		})}),
		"input_audio": wire.Closed(wire.Fields{"type!": wire.String, "input_audio!": wire.Closed(wire.Fields{
			"data!": wire.Base64, "format!": wire.Enum("wav", "mp3"),
		})}),
		"file": wire.Closed(wire.Fields{"type!": wire.String, "file!": wire.Closed(wire.Fields{
			"file_data": wire.Match(`^data:[^;,]+;base64,`), "file_id": wire.String, "filename": wire.String,
		})}),
	})))
	imageURL = wire.Match(`^(https?://.+|data:image/(png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]+=*)$`)
)

// MaxCallID is how long a tool call's id may be.
const MaxCallID = 40

var toolCall = wire.Tagged("type", map[string]wire.Rule{
	"function": wire.Open(wire.Fields{"id!": wire.AtMost(MaxCallID), "function!": wire.Closed(wire.Fields{
		"name!": functionName, "arguments!": wire.String,
	})}),
	"custom": wire.Open(wire.Fields{"id!": wire.AtMost(MaxCallID), "custom!": wire.Object}),
})

var functionName = wire.Match(`^[a-zA-Z0-9_-]{1,64}$`)

// message checks one message of a chat by its role.
var message = wire.Tagged("role", map[string]wire.Rule{
	"system":    wire.Open(wire.Fields{"content!": texts}),
	"developer": wire.Open(wire.Fields{"content!": texts}),
	"user":      wire.Open(wire.Fields{"content!": userContent}),
	"assistant": assistant,
	"tool":      wire.Open(wire.Fields{"content!": texts, "tool_call_id!": wire.AtMost(MaxCallID)}),
	"function":  wire.Open(wire.Fields{"content!": texts, "name!": wire.String}),
})

func assistant(at wire.Path, v any) *wire.Fault {
	fields := wire.Fields{"content": said, "tool_calls": wire.List(1, toolCall), "refusal": wire.String, "reasoning_content": wire.String}
	m, _ := v.(map[string]any)
	if m["tool_calls"] == nil && m["function_call"] == nil && m["refusal"] == nil && m["audio"] == nil {
		fields = fields.With(wire.Fields{"content!": said})
	}
	return wire.Open(fields)(at, v)
}

var tool = wire.Tagged("type", map[string]wire.Rule{
	"function": wire.Closed(wire.Fields{"type!": wire.String, "function!": wire.Closed(wire.Fields{
		"name!": functionName, "description": wire.String, "parameters": wire.Object, "strict": wire.Bool,
	})}),
	"custom": wire.Closed(wire.Fields{"type!": wire.String, "custom!": wire.Object}),
})

var toolChoice = wire.Either(wire.Enum("none", "auto", "required", "any"), wire.Tagged("type", map[string]wire.Rule{
	"function":      wire.Closed(wire.Fields{"type!": wire.String, "function!": wire.Closed(wire.Fields{"name!": functionName})}),
	"custom":        wire.Object,
	"allowed_tools": wire.Object,
}))

var responseFormat = wire.Tagged("type", map[string]wire.Rule{
	"text":        wire.Closed(wire.Fields{"type!": wire.String}),
	"json_object": wire.Closed(wire.Fields{"type!": wire.String}),
	"json_schema": wire.Closed(wire.Fields{"type!": wire.String, "json_schema!": wire.Closed(wire.Fields{
		"name!": functionName, "description": wire.String, "schema": wire.Object, "strict": wire.Bool,
	})}),
})
