package openai

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// Reasoning is whether a model is one that always reasons, and so takes fewer parameters.
func Reasoning(model string) bool { return reasoning.MatchString(model) }

var reasoning = regexp.MustCompile(`^(fake-|fault-)?(o\d|gpt-5)`)

// CheckSampling refuses what models that reason do not take (OpenAI's guide "Reasoning models", read 2026-11).
func CheckSampling(model string, fields map[string]any) *wire.Refusal {
	if !Reasoning(model) {
		return nil
	}
	if fields["max_tokens"] != nil {
		return coded("max_tokens", "unsupported_parameter",
			"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	for _, name := range []string{"temperature", "top_p"} {
		if f, ok := wire.Number(fields, name); ok && f != 1 {
			return coded(name, "unsupported_value", "Unsupported value: '"+name+"' does not support "+string(wire.JSON(fields[name]))+
				" with this model. Only the default (1) value is supported.")
		}
	}
	return nil
}

// checks are the rules about several fields of a chat.
var checks = []func(*wire.Request) *wire.Refusal{
	func(r *wire.Request) *wire.Refusal {
		if r.Fields["stream_options"] != nil && r.Fields["stream"] != true {
			return coded("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
		}
		return nil
	},
	func(r *wire.Request) *wire.Refusal { return CheckSampling(r.Model, r.Fields) },
	func(r *wire.Request) *wire.Refusal {
		if r.Fields["top_logprobs"] != nil && !wire.Flag(r.Fields, "logprobs") {
			return coded("top_logprobs", "", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
		}
		return nil
	},
	checkTools, checkFormat, checkResults, checkThoughts,
}

func checkTools(r *wire.Request) *wire.Refusal {
	names := map[string]bool{}
	for _, t := range wire.Items(r.Fields, "tools") {
		f := wire.Sub(t, "function")
		names[wire.Text(f, "name")] = true
		if no := CheckStrict("tools", "function '"+wire.Text(f, "name")+"'", wire.Sub(f, "parameters"), wire.Flag(f, "strict")); no != nil {
			return no
		}
	}
	for _, name := range []string{"tool_choice", "parallel_tool_calls"} {
		if len(names) == 0 && r.Fields[name] != nil && r.Fields[name] != "none" {
			return coded(name, "", "Invalid value for '"+name+"': '"+name+"' is only allowed when 'tools' are specified.")
		}
	}
	if choice := wire.Sub(wire.Sub(r.Fields, "tool_choice"), "function"); choice != nil && !names[wire.Text(choice, "name")] {
		return coded("tool_choice", "", "Tool choice '"+wire.Text(choice, "name")+"' not found in 'tools' parameter.")
	}
	return nil
}

func checkFormat(r *wire.Request) *wire.Refusal {
	format := wire.Sub(r.Fields, "response_format")
	if wire.Text(format, "type") == "json_object" && !strings.Contains(strings.ToLower(string(wire.JSON(r.Fields["messages"]))), "json") {
		return coded("messages", "", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
	}
	s := wire.Sub(format, "json_schema")
	return CheckStrict("response_format", "response_format '"+wire.Text(s, "name")+"'", wire.Sub(s, "schema"), wire.Flag(s, "strict"))
}

// checkResults wants every tool call answered by the messages right after it, and no other answers.
func checkResults(r *wire.Request) *wire.Refusal {
	open := map[string]bool{}
	unanswered := func() *wire.Refusal {
		for id := range open {
			return coded("messages", "", "An assistant message with 'tool_calls' must be followed by tool messages responding to each "+
				"'tool_call_id'. The following tool_call_ids did not have response messages: "+id)
		}
		return nil
	}
	for i, m := range wire.Items(r.Fields, "messages") {
		if m["role"] == "tool" {
			id := wire.Text(m, "tool_call_id")
			if !open[id] {
				return coded("messages", "", "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "+
					"with 'tool_calls': messages["+strconv.Itoa(i)+"].")
			}
			delete(open, id)
			continue
		}
		if no := unanswered(); no != nil {
			return no
		}
		for _, call := range wire.Items(m, "tool_calls") {
			open[wire.Text(call, "id")] = true
		}
	}
	return unanswered()
}

// checkThoughts wants the thoughts of a tool call back unchanged, as DeepSeek does of models that show them (DeepSeek's guide
// "Thinking Mode", read 2026-11).
func checkThoughts(r *wire.Request) *wire.Refusal {
	if r.Manner.Think == 0 {
		return nil
	}
	messages := wire.Items(r.Fields, "messages")
	for i := len(messages) - 1; i >= 0 && messages[i]["role"] != "user"; i-- {
		if messages[i]["tool_calls"] != nil && messages[i]["reasoning_content"] != wire.ThoughtText(r.Manner.Think) {
			return coded("messages", "", "The `reasoning_content` in the thinking mode must be passed back to the API: messages["+
				strconv.Itoa(i)+"].")
		}
	}
	return nil
}
