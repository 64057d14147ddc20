package responses

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const maxItems = 100_000

// entry is an item of an input, or of an answer's output: fields of all kinds.
type entry struct {
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	Arguments json.RawMessage `json:"arguments"` // a string; of a tool search an object
	Input     string          `json:"input"`
	Output    json.RawMessage `json:"output"`
	Summary   []words         `json:"summary"`
	Encrypted string          `json:"encrypted_content"`
	Action    json.RawMessage `json:"action"`
	Operation json.RawMessage `json:"operation"`
	Status    string          `json:"status"`
	Execution string          `json:"execution"`
	Tools     json.RawMessage `json:"tools"`
	Result    string          `json:"result"`
}

type words struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// readInput reads the items. Instructions, which may have been read before, stay in front.
func (in *inbound) readInput(r *llm.Request, name string, raw json.RawMessage) error {
	if raw[0] != '[' {
		raw = list(ownItems(&jsonedit.Field{Kind: jsonedit.String, Raw: raw})[0])
	}
	var items []json.RawMessage
	if err := dialect.Read(name, raw, &items); err != nil {
		return err
	}
	if len(items) > maxItems {
		return gateway.Invalid(name, "%s may have %d items, not %d.", name, maxItems, len(items))
	}
	for i, raw := range items {
		var e entry
		at := dialect.At(name, i)
		if err := dialect.Read(at, raw, &e); err != nil {
			return err
		}
		if err := in.readItem(r, at, raw, &e); err != nil {
			return err
		}
	}
	return nil
}

// readItem reads one item, which has a type unless it is a message or a reference.
func (in *inbound) readItem(r *llm.Request, at string, raw json.RawMessage, e *entry) error {
	if e.Type == "" {
		e.Type = "item_reference"
		if e.Role != "" {
			e.Type = "message"
		}
	}
	if read, known := itemReaders[e.Type]; known {
		return read(in, r, at, e)
	}
	matters, known := vendorItems[e.Type]
	switch name := "input." + e.Type; {
	case !known:
		return gateway.Invalid(at+".type", "%s.type is %.40q, which is unknown.", at, e.Type)
	case matters:
		keep(&r.Extra, name, raw)
	default:
		keep(&r.Hints, name, raw)
	}
	return nil
}

// vendorItems are the records of what OpenAI's own tools did. True: what comes after may not make sense without.
var vendorItems = map[string]bool{
	"web_search_call": false, "mcp_list_tools": false, "program": true, "program_output": true, "file_search_call": true,
	"code_interpreter_call": true, "mcp_call": true, "mcp_approval_request": true, "mcp_approval_response": true, "computer_call": true,
	"computer_call_output": true, "compaction": true, "compaction_summary": true, "compaction_trigger": true,
}

// itemReaders are the items that any model understands.
var itemReaders = map[string]func(in *inbound, r *llm.Request, at string, e *entry) error{
	"message": (*inbound).readMessage, "reasoning": (*inbound).readThought, "item_reference": (*inbound).readReference,
	"function_call": (*inbound).readCall, "function_call_output": (*inbound).readResult,
	"custom_tool_call": (*inbound).readCall, "custom_tool_call_output": (*inbound).readResult,
	"local_shell_call": (*inbound).readCall, "local_shell_call_output": (*inbound).readResult,
	"shell_call": (*inbound).readCall, "shell_call_output": (*inbound).readResult,
	"apply_patch_call": (*inbound).readCall, "apply_patch_call_output": (*inbound).readResult,
	"tool_search_call": (*inbound).readCall, "tool_search_output": (*inbound).readFound,
	"additional_tools": (*inbound).readMoreTools, "image_generation_call": (*inbound).readImage,
}

// roles are the words for who speaks.
var roles = map[string]llm.Role{"system": llm.System, "developer": llm.System, "user": llm.User, "assistant": llm.Assistant}

func (in *inbound) readMessage(r *llm.Request, at string, e *entry) error {
	role, known := roles[e.Role]
	if !known {
		return gateway.Invalid(at+".role", "%s.role must be user, assistant, system or developer, not %.20q.", at, e.Role)
	}
	parts, err := readContent(at+".content", e.Content)
	if err != nil {
		return err
	}
	if len(parts) > 0 {
		say(r, role, parts...)
	}
	return nil
}

// say adds to the conversation. What a model said in one go is one message, whatever the number of items; so are results of tools.
func say(r *llm.Request, role llm.Role, parts ...llm.Part) {
	if n := len(r.Messages); n > 0 {
		last := &r.Messages[n-1]
		results := role == llm.User && parts[0].Kind == llm.ToolResult && last.Parts[0].Kind == llm.ToolResult
		if last.Role == role && (role == llm.Assistant || results) {
			last.Parts = append(last.Parts, parts...)
			return
		}
	}
	r.Messages = append(r.Messages, llm.Message{Role: role, Parts: parts})
}

func (in *inbound) readReference(_ *llm.Request, at string, e *entry) error {
	err := gateway.Invalid(at+".id", "%s refers to the item %.64q, which is not known here: send the item itself.", at, e.ID)
	err.Code = "item_not_found"
	return err
}

func (in *inbound) readThought(r *llm.Request, at string, e *entry) error {
	texts := e.Summary
	if len(texts) == 0 && len(e.Content) > 0 {
		if err := dialect.Read(at+".content", e.Content, &texts); err != nil {
			return err
		}
	}
	if p, ok := thoughtOf(e, texts); ok {
		say(r, llm.Assistant, p)
	}
	return nil
}

// thoughtOf is a reasoning item as a part. It reports false if there is nothing in it.
func thoughtOf(e *entry, texts []words) (p llm.Part, ok bool) {
	isSealed, signature := unseal(e.Encrypted)
	var text []string
	for _, t := range texts {
		if t.Text != "" {
			text = append(text, t.Text)
		}
	}
	p = llm.Part{Kind: llm.Thinking, ID: e.ID, Text: strings.Join(text, "\n\n"), Signature: signature}
	if isSealed || p.Text == "" && signature.Maker == llm.MakerOpenAI {
		p.Kind, p.Text = llm.Sealed, ""
	}
	return p, p.Text != "" || !signature.IsZero()
}

// readCall reads a call of any tool that the caller runs itself.
func (in *inbound) readCall(r *llm.Request, at string, e *entry) error {
	if e.Type == "tool_search_call" && e.CallID == "" {
		return nil // the vendor's own search
	}
	if e.CallID == "" && e.ID == "" {
		return gateway.Invalid(at+".call_id", "%s.call_id is required.", at)
	}
	name, arguments, err := e.called(at)
	if err != nil {
		return err
	}
	id, signature := llm.Unpack(e.callID())
	in.names[id] = name
	say(r, llm.Assistant, llm.Part{Kind: llm.ToolCall, Signature: signature, Call: &llm.Call{ID: id, Name: name, Arguments: arguments}})
	return nil
}

// callID is the call's id; older shells know the item's only.
func (e *entry) callID() string {
	if e.CallID != "" {
		return e.CallID
	}
	return e.ID
}

// called is the function that a call is told to the model as.
func (e *entry) called(at string) (name, arguments string, err error) {
	switch e.Type {
	case "function_call", "custom_tool_call":
		if e.Name == "" {
			return "", "", gateway.Invalid(at+".name", "%s.name is required.", at)
		}
		if e.Type == "custom_tool_call" {
			return flatName(e.Namespace, e.Name), asInput(e.Input), nil
		}
		if len(e.Arguments) > 0 {
			err = dialect.Read(at+".arguments", e.Arguments, &arguments)
		}
		return flatName(e.Namespace, e.Name), arguments, err
	case "local_shell_call":
		return "local_shell", withoutType(e.Action), nil
	case "shell_call":
		return "shell", string(objectOr(e.Action, "{}")), nil
	case "apply_patch_call":
		return "apply_patch", string(objectOr(e.Operation, "{}")), nil
	default:
		return "tool_search", string(objectOr(e.Arguments, "{}")), nil
	}
}

// asInput are the arguments of a function that stands for a custom tool.
func asInput(text string) string {
	o := open(nil)
	o.text("input", text)
	return string(o.close())
}

// withoutType is a local shell's action as arguments: its type says nothing.
func withoutType(action json.RawMessage) string {
	raw := objectOr(action, "{}")
	kind := [1]jsonedit.Field{{Name: "type"}}
	jsonedit.Find(raw, kind[:])
	return string(jsonedit.Replace(nil, raw, kind[0].Delete()))
}

// readResult reads what a tool of the caller's answered.
func (in *inbound) readResult(r *llm.Request, at string, e *entry) error {
	if e.callID() == "" {
		return gateway.Invalid(at+".call_id", "%s.call_id is required.", at)
	}
	parts, err := readOutput(at+".output", e)
	if err != nil {
		return err
	}
	in.result(r, e, parts)
	return nil
}

func (in *inbound) result(r *llm.Request, e *entry, parts []llm.Part) {
	id, _ := llm.Unpack(e.callID())
	failed := e.Type == "apply_patch_call_output" && e.Status == "failed"
	say(r, llm.User, llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Name: in.names[id], Parts: parts, IsError: failed}})
}

// readOutput reads a text or a list of parts; a shell's list of outputs is told as the JSON that it is.
func readOutput(at string, e *entry) ([]llm.Part, error) {
	if e.Type == "shell_call_output" && len(e.Output) > 0 && e.Output[0] == '[' {
		return []llm.Part{llm.TextPart(string(e.Output))}, nil
	}
	return readContent(at, e.Output)
}

// readFound reads what a tool search of the caller's found: the tools are there from now on.
func (in *inbound) readFound(r *llm.Request, at string, e *entry) error {
	if err := in.readMoreTools(r, at, e); err != nil || e.CallID == "" {
		return err
	}
	var found []string
	for i := range in.more {
		found = append(found, in.more[i].Name)
	}
	text := "No tools were found."
	if len(found) > 0 {
		text = "These tools can be called now: " + strings.Join(slices.Compact(found), ", ")
	}
	in.result(r, e, []llm.Part{llm.TextPart(text)})
	return nil
}

func (in *inbound) readMoreTools(r *llm.Request, at string, e *entry) error {
	if len(e.Tools) == 0 {
		return nil
	}
	tools, err := in.toolsOf(r, at+".tools", e.Tools, "")
	for _, t := range tools {
		if !slices.ContainsFunc(in.more, func(known llm.Tool) bool { return known.Name == t.Name }) {
			in.more = append(in.more, t)
		}
	}
	return err
}

func (in *inbound) readImage(r *llm.Request, _ string, e *entry) error {
	if e.Result != "" {
		say(r, llm.Assistant, llm.Part{Kind: llm.Image, ID: e.ID, Media: &llm.Media{Type: "image/png", Data: e.Result}})
	}
	return nil
}
