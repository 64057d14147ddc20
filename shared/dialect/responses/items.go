package responses

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// item is one of an answer's output, on its way.
type item struct {
	kind   string
	id     string
	index  int // in the output
	opened int // parts of it that have not ended
	closed bool

	content   []*content // of a message
	text      []byte     // of a thought; of a call: its arguments
	part      llm.Part   // the thought, call or image
	call      called     // how the call is told
	callID    string
	summed    bool // the thought's text has begun
	signature llm.Signature
}

// content is one part of a message.
type content struct {
	index    int
	refusal  bool
	text     []byte
	cited    []byte // annotations, joined by commas
	citeds   int
	logprobs []byte
}

func (c *content) json() []byte {
	o := open(nil)
	if c.refusal {
		o.raw("type", `"refusal"`)
		o.bytes("refusal", c.text)
		return o.close()
	}
	o.raw("type", `"output_text"`)
	o.json("annotations", list(c.cited))
	o.json("logprobs", list(c.logprobs))
	o.bytes("text", c.text)
	return o.close()
}

// list makes a JSON list of what is joined by commas.
func list(joined []byte) []byte { return append(append([]byte{'['}, joined...), ']') }

func joined(list, next []byte) []byte {
	if len(list) > 0 {
		list = append(list, ',')
	}
	return append(list, next...)
}

// json is the item as it stands.
func (it *item) json(status string) []byte {
	o := open(nil)
	o.text("id", it.id)
	o.text("type", it.kind)
	if it.kind != "reasoning" { // OpenAI takes no status back with one
		o.text("status", status)
	}
	switch it.kind {
	case "message":
		var parts []byte
		for _, c := range it.content {
			parts = joined(parts, c.json())
		}
		o.raw("role", `"assistant"`)
		o.json("content", list(parts))
	case "reasoning":
		it.thought(&o)
	case "image_generation_call":
		o.text("result", it.part.Media.Data)
	default:
		o.text("call_id", it.callID)
		it.call.write(&o, it.text)
	}
	return o.close()
}

func (it *item) thought(o *object) {
	var summary []byte
	if it.summed {
		summary = summaryOf(it.text)
	}
	o.json("summary", list(summary))
	p := llm.Part{Kind: it.part.Kind, Signature: it.signature}
	if sealed := seal(&p); sealed != "" {
		o.text("encrypted_content", sealed)
	}
}

func summaryOf(text []byte) []byte {
	o := open(nil)
	o.raw("type", `"summary_text"`)
	o.bytes("text", text)
	return o.close()
}

// way is how a call of the model's is told to the caller.
type way uint8

const (
	asFunction way = iota
	asCustom
	asLocalShell
	asShell
	asPatch
	asSearch
)

// called is a tool as the caller knows it.
type called struct {
	way       way
	name      string
	namespace string
}

// ways are the kinds of items, and the prefixes of their ids.
var ways = [...]string{
	asFunction: "function_call", asCustom: "custom_tool_call", asLocalShell: "local_shell_call", asShell: "shell_call",
	asPatch: "apply_patch_call", asSearch: "tool_search_call",
}

// write writes what a call is about. Arguments of a model that are no JSON, or lack something, become as little as the item allows:
// nothing is run that the model did not say.
func (c *called) write(o *object, arguments []byte) {
	switch c.way {
	case asCustom:
		o.text("name", c.name)
		o.text("input", freeform(arguments))
	case asLocalShell:
		o.json("action", localAction(arguments))
	case asShell:
		o.json("action", shellAction(arguments))
		o.raw("environment", `{"type":"local"}`)
	case asPatch:
		o.json("operation", patchOperation(arguments))
	case asSearch:
		o.raw("execution", `"client"`)
		o.json("arguments", objectOr(arguments, "{}"))
	default:
		o.text("name", c.name)
		if c.namespace != "" {
			o.text("namespace", c.namespace)
		}
		o.bytes("arguments", arguments)
	}
}

// freeform is the text that a call of a custom tool is about.
func freeform(arguments []byte) string {
	var given struct {
		Input *string `json:"input"`
	}
	if json.Unmarshal(arguments, &given) == nil && given.Input != nil {
		return *given.Input
	}
	return string(arguments)
}

func objectOr(text []byte, otherwise string) []byte {
	var out bytes.Buffer
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' || json.Compact(&out, text) != nil {
		return []byte(otherwise)
	}
	return out.Bytes()
}

// command is what the model says to run: a list of words, or one line for a shell.
type command []string

func (c *command) UnmarshalJSON(raw []byte) error {
	var line string
	if json.Unmarshal(raw, &line) == nil {
		*c = command{line}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(c))
}

func (c command) json() []byte {
	text, _ := json.Marshal(append([]string{}, c...)) // strings only: cannot fail
	return text
}

func localAction(arguments []byte) []byte {
	var given struct {
		Command command           `json:"command"`
		Timeout *int64            `json:"timeout_ms"`
		Dir     *string           `json:"working_directory"`
		Env     map[string]string `json:"env"`
		User    *string           `json:"user"`
	}
	if json.Unmarshal(arguments, &given) != nil {
		given.Command, given.Env = nil, nil
	}
	if len(given.Command) == 1 && strings.ContainsAny(given.Command[0], " \n") {
		given.Command = append(command{"bash", "-lc"}, given.Command...)
	}
	env, _ := json.Marshal(given.Env)
	if given.Env == nil {
		env = []byte("{}")
	}
	o := open(nil)
	o.raw("type", `"exec"`)
	o.json("command", given.Command.json())
	o.json("env", env)
	o.raw("timeout_ms", numberOrNull(given.Timeout))
	for _, f := range [...]struct {
		name string
		text *string
	}{{"working_directory", given.Dir}, {"user", given.User}} {
		if f.text == nil {
			o.raw(f.name, "null")
		} else {
			o.text(f.name, *f.text)
		}
	}
	return o.close()
}

func shellAction(arguments []byte) []byte {
	var given struct {
		Commands command `json:"commands"`
		Timeout  *int64  `json:"timeout_ms"`
		Length   *int64  `json:"max_output_length"`
	}
	if json.Unmarshal(arguments, &given) != nil {
		given.Commands = nil
	}
	o := open(nil)
	o.json("commands", given.Commands.json())
	o.raw("timeout_ms", numberOrNull(given.Timeout))
	o.raw("max_output_length", numberOrNull(given.Length))
	return o.close()
}

func numberOrNull(n *int64) string {
	if n == nil {
		return "null"
	}
	return strconv.FormatInt(*n, 10)
}

func patchOperation(arguments []byte) []byte {
	var given struct {
		Type string `json:"type"`
		Path string `json:"path"`
		Diff string `json:"diff"`
	}
	_ = json.Unmarshal(arguments, &given)
	if given.Type != "create_file" && given.Type != "delete_file" {
		given.Type = "update_file"
	}
	o := open(nil)
	o.text("type", given.Type)
	o.text("path", given.Path)
	if given.Type != "delete_file" {
		o.text("diff", given.Diff)
	}
	return o.close()
}
