package fakeprovider

import (
	"encoding/json"
	"maps"
	"slices"
)

// check says what a field must be, or "" if it is.
type check func(v any) string

func number(low, high float64) check {
	return func(v any) string {
		n, ok := v.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || f < low || f > high {
			return "a number between " + text(low) + " and " + text(high)
		}
		return ""
	}
}

func integer(low, high float64) check {
	return func(v any) string {
		n, _ := v.(json.Number)
		if _, err := n.Int64(); err != nil || number(low, high)(v) != "" {
			return "an integer between " + text(low) + " and " + text(high)
		}
		return ""
	}
}

func text(f float64) string {
	b, _ := json.Marshal(f)
	return string(b)
}

// typed checks for one of Go's decoded JSON types.
func typed[T any](name string) check {
	return func(v any) string {
		if _, ok := v.(T); !ok {
			return name
		}
		return ""
	}
}

func either(checks ...check) check {
	return func(v any) string {
		want := ""
		for _, c := range checks {
			w := c(v)
			if w == "" {
				return ""
			}
			want += " or " + w
		}
		return want[len(" or "):]
	}
}

func oneOf(words ...string) check {
	return func(v any) string {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return "one of a fixed list of words"
		}
		return ""
	}
}

// listOf checks an array of low or more elements.
func listOf(low int, element check) check {
	return func(v any) string {
		list, ok := v.([]any)
		if !ok || len(list) < low {
			return "an array that is not empty"
		}
		for _, e := range list {
			if want := element(e); want != "" {
				return "an array whose elements are " + want
			}
		}
		return ""
	}
}

var (
	aString  = typed[string]("a string")
	aBool    = typed[bool]("a boolean")
	anObj    = typed[map[string]any]("an object")
	aToken   = integer(0, 1<<31)
	strings1 = listOf(1, aString)
	tokens1  = listOf(1, aToken)
	anyText  = either(aString, strings1, tokens1, listOf(1, tokens1))
)

const maxTokens = 1 << 31

// sampling are the fields that chats and completions share.
var sampling = map[string]check{
	"temperature": number(0, 2), "top_p": number(0, 1), "presence_penalty": number(-2, 2), "frequency_penalty": number(-2, 2),
	"n": integer(1, 128), "max_tokens": integer(1, maxTokens), "seed": integer(-1<<62, 1<<62),
	"stop": either(aString, listOf(1, aString)), "stream": aBool, "stream_options": anObj, "user": aString, "logit_bias": anObj,
}

// fieldsOf is what we know of each operation's fields. Null is as good as absent, and fields that are not listed are accepted.
var fieldsOf = map[string]map[string]check{
	"/chat/completions": with(sampling, map[string]check{
		"messages": listOf(1, message), "max_completion_tokens": integer(1, maxTokens), "logprobs": aBool,
		"top_logprobs": integer(0, 20), "tools": listOf(1, anObj), "tool_choice": either(oneOf("none", "auto", "required"), anObj),
		"parallel_tool_calls": aBool, "response_format": anObj, "reasoning_effort": aString, "service_tier": aString,
		"store": aBool, "metadata": anObj, "modalities": strings1,
	}),
	"/completions": with(sampling, map[string]check{
		"prompt": anyText, "suffix": aString, "echo": aBool, "logprobs": integer(0, 5), "best_of": integer(1, 20),
	}),
	"/embeddings": {
		"input": anyText, "dimensions": integer(1, 3072), "encoding_format": oneOf("float", "base64"), "user": aString,
	},
}

// required are the fields without which there is no request.
var required = map[string]string{"/chat/completions": "messages", "/completions": "prompt", "/embeddings": "input"}

func with(a, b map[string]check) map[string]check {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// message checks one message of a chat.
func message(v any) string {
	m, _ := v.(map[string]any)
	if oneOf("system", "developer", "user", "assistant", "tool", "function")(m["role"]) != "" {
		return "messages with a known role"
	}
	calls := m["tool_calls"] != nil || m["function_call"] != nil || m["refusal"] != nil
	switch c := m["content"].(type) {
	case string:
		return ""
	case nil:
		if m["role"] == "assistant" && calls {
			return ""
		}
	case []any:
		return listOf(1, part)(c)
	}
	return "messages with content"
}

func part(v any) string {
	p, _ := v.(map[string]any)
	kind, _ := p["type"].(string)
	if kind == "" || p[kind] == nil {
		return "parts that have a type and what it names"
	}
	return ""
}

// checkFields refuses a request whose known fields are not what they should be.
func checkFields(path string, fields map[string]any) *refusal {
	if m, _ := fields["model"].(string); m == "" {
		return &refusal{status: 400, param: "model", message: "you must provide a model parameter"}
	}
	if name := required[path]; fields[name] == nil {
		return &refusal{status: 400, param: name, code: "missing_required_parameter", message: "Missing required parameter: '" + name + "'."}
	}
	checks := fieldsOf[path]
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if c := checks[name]; c != nil && fields[name] != nil {
			if want := c(fields[name]); want != "" {
				return invalid(name, "Invalid value for '%s': expected %s.", name, want)
			}
		}
	}
	if fields["stream_options"] != nil && fields["stream"] != true {
		return invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return nil
}
