package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	maxTools    = 1024
	maxNameSize = 64 // of a tool, with most vendors
)

// tool is one of tools.
type tool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
	Format      *struct {
		Type       string `json:"type"`
		Syntax     string `json:"syntax"`
		Definition string `json:"definition"`
	} `json:"format"`
	Tools     json.RawMessage `json:"tools"`     // of a namespace
	Execution string          `json:"execution"` // of a tool search
}

func (in *inbound) readTools(r *llm.Request, name string, raw json.RawMessage) (err error) {
	r.Tools, err = in.toolsOf(r, name, raw, "")
	return err
}

// toolsOf reads a list of tools; those of a namespace get its name in front of theirs.
func (in *inbound) toolsOf(r *llm.Request, name string, raw json.RawMessage, namespace string) (out []llm.Tool, err error) {
	var all []json.RawMessage
	if err := dialect.Read(name, raw, &all); err != nil {
		return nil, err
	}
	if len(all) > maxTools {
		return nil, gateway.Invalid(name, "%s may have %d entries, not %d.", name, maxTools, len(all))
	}
	for i, raw := range all {
		var t tool
		at := dialect.At(name, i)
		if err := dialect.Read(at, raw, &t); err != nil {
			return nil, err
		}
		var tools []llm.Tool
		if t.Type == "namespace" && namespace == "" {
			tools, err = in.toolsOf(r, at+".tools", t.Tools, t.Name)
		} else {
			tools, err = in.toolOf(r, at, raw, &t, namespace)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, tools...)
	}
	return out, nil
}

// toolOf reads one tool, as a function wherever the caller runs it itself. It is none if any model can do without.
func (in *inbound) toolOf(r *llm.Request, at string, raw json.RawMessage, t *tool, namespace string) ([]llm.Tool, error) {
	neutral := llm.Tool{Name: flatName(namespace, t.Name), Description: t.Description}
	as := called{name: t.Name, namespace: namespace}
	switch {
	case t.Type == "":
		return nil, gateway.Invalid(at+".type", "%s.type is required.", at)
	case t.Type == "function" || t.Type == "custom":
		if t.Name == "" {
			return nil, gateway.Invalid(at+".name", "%s.name is required.", at)
		}
		if t.Type == "custom" {
			as.way, neutral.Schema, neutral.Description = asCustom, inputSchema, t.freeform()
		} else if err := t.function(at, &neutral); err != nil {
			return nil, err
		}
	case standIns[t.Type].way != asFunction && (t.Type != "tool_search" || t.Execution == "client"):
		s := standIns[t.Type]
		as = called{way: s.way, name: t.Type}
		neutral = llm.Tool{Name: t.Type, Description: s.description, Schema: json.RawMessage(s.schema)}
		if t.Type == "tool_search" {
			neutral.Description = t.Description
			if err := t.function(at, &neutral); err != nil {
				return nil, err
			}
		}
	case t.Type == "tool_search", in.codex && unasked[t.Type]:
		keep(&r.Hints, "tools."+t.Type, raw)
		return nil, nil
	default:
		return []llm.Tool{{Name: t.Type, Vendor: raw, Dialect: string(gateway.OpResponses)}}, nil
	}
	if as.way != asFunction || as.namespace != "" {
		in.calls[neutral.Name] = as
	}
	return []llm.Tool{neutral}, nil
}

// unasked are the tools of OpenAI's that are among Codex's own by default: their user did not ask for them (tests in its repository, read
// 2026-11).
var unasked = map[string]bool{"web_search": true, "web_search_preview": true, "image_generation": true}

func (t *tool) function(at string, out *llm.Tool) error {
	if p := t.Parameters; len(p) > 0 && string(p) != "null" {
		if p[0] != '{' {
			return gateway.Invalid(at+".parameters", "%s.parameters must be an object.", at)
		}
		out.Schema = p
	}
	out.Strict = t.Strict
	return nil
}

var inputSchema = json.RawMessage(`{"type":"object","properties":{` +
	`"input":{"type":"string","description":"The tool's whole input, as plain text."}},"required":["input"],"additionalProperties":false}`)

// freeform describes a tool whose input is text: a model that only knows functions must be told what OpenAI's decoder enforces.
func (t *tool) freeform() string {
	if t.Format == nil || t.Format.Type != "grammar" {
		return t.Description
	}
	return strings.TrimSpace(t.Description + "\n\nPut the text into the field input, without any wrapping. It must match this " +
		t.Format.Syntax + " grammar:\n" + t.Format.Definition)
}

// standIns are functions in place of tools whose form only OpenAI's models know.
var standIns = map[string]struct {
	way                 way
	description, schema string
}{
	"local_shell": {asLocalShell, "Runs a command on the user's machine and returns what it printed.", `{"type":"object","properties":{` +
		`"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments, such as [\"bash\",\"-lc\",\"ls\"]."},` +
		`"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},` +
		`"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}`},
	"shell": {asShell, "Runs shell commands and returns what each printed and how it ended.", `{"type":"object","properties":{` +
		`"commands":{"type":"array","items":{"type":"string"},"description":"Each is a line for the shell. They run one after the other."},` +
		`"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},"required":["commands"]}`},
	"apply_patch": {asPatch, "Creates, changes or deletes one file. diff has no file header. To create a file, begin each line with +. " +
		"To change one, give hunks: a line with @@ (and what the hunk is in, such as a function's first line), then lines that begin " +
		"with a space (unchanged, about three before and after), - (removed) or + (added).", `{"type":"object","properties":{` +
		`"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string"},` +
		`"diff":{"type":"string","description":"Left out to delete a file."}},"required":["type","path"]}`},
	"tool_search": {way: asSearch},
}

// flatName is the name of a tool with its namespace, for vendors whose tools have none. One that is too long is cut, and made unique.
func flatName(namespace, name string) string {
	switch {
	case namespace == "":
		return name
	case !strings.HasSuffix(namespace, "__"):
		namespace += "__"
	}
	flat := namespace + name
	if len(flat) <= maxNameSize {
		return flat
	}
	sum := sha256.Sum256([]byte(flat))
	return strings.ToValidUTF8(flat[:maxNameSize-9], "") + "_" + hex.EncodeToString(sum[:4])
}

// modes are the words for tool_choice.
var modes = map[string]llm.ChoiceMode{"auto": llm.ChooseAuto, "none": llm.ChooseNone, "required": llm.ChooseAny}

// chosen is tool_choice as an object.
type chosen struct {
	Type      string   `json:"type"`
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Mode      string   `json:"mode"`
	Tools     []chosen `json:"tools"`
}

// tool is the name of the tool that is meant: those without a name are known by their type.
func (c *chosen) tool() string {
	if c.Type == "function" || c.Type == "custom" || c.Type == "" {
		return flatName(c.Namespace, c.Name)
	}
	return c.Type
}

func (in *inbound) readToolChoice(r *llm.Request, name string, raw json.RawMessage) error {
	if raw[0] == '"' {
		var word string
		if err := dialect.Read(name, raw, &word); err != nil {
			return err
		}
		mode, known := modes[word]
		if !known {
			return gateway.Invalid(name, "%s must be none, auto, required or an object.", name)
		}
		r.Choice.Mode = mode
		return nil
	}
	var c chosen
	if err := dialect.Read(name, raw, &c); err != nil {
		return err
	}
	if c.Type == "allowed_tools" {
		return in.readAllowed(r, name, &c)
	}
	if c.tool() == "" {
		return gateway.Invalid(name+".name", "%s.name is required.", name)
	}
	r.Choice = llm.ToolChoice{Mode: llm.ChooseTool, Name: c.tool()}
	return nil
}

// readAllowed reads a choice among some tools: the model then does not see the others.
func (in *inbound) readAllowed(r *llm.Request, name string, c *chosen) error {
	mode, known := modes[c.Mode]
	if !known || mode == llm.ChooseNone {
		return gateway.Invalid(name+".mode", "%s.mode must be auto or required.", name)
	}
	if len(c.Tools) == 0 {
		return gateway.Invalid(name+".tools", "%s.tools must not be empty.", name)
	}
	r.Choice.Mode = mode
	in.only = []string{}
	for i := range c.Tools {
		in.only = append(in.only, c.Tools[i].tool())
	}
	return nil
}
