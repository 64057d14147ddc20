package responses

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// sentItem is an input item on its way to an upstream.
type sentItem struct {
	Type      string     `json:"type"`
	ID        string     `json:"id,omitempty"`
	Role      string     `json:"role,omitempty"`
	Content   []sentPart `json:"content,omitempty"`
	CallID    string     `json:"call_id,omitempty"`
	Name      string     `json:"name,omitempty"`
	Arguments *string    `json:"arguments,omitempty"`
	Output    any        `json:"output,omitempty"`
	Summary   *[]words   `json:"summary,omitempty"`
	Encrypted string     `json:"encrypted_content,omitempty"`
}

type sentPart struct {
	Type     string  `json:"type"`
	Text     *string `json:"text,omitempty"`
	Refusal  *string `json:"refusal,omitempty"`
	ImageURL string  `json:"image_url,omitempty"`
	Detail   string  `json:"detail,omitempty"`
	FileID   string  `json:"file_id,omitempty"`
	FileURL  string  `json:"file_url,omitempty"`
	FileName string  `json:"filename,omitempty"`
	FileData string  `json:"file_data,omitempty"`
}

// spoken are the words for who speaks: what is no user's and no model's has a developer's authority.
var spoken = map[llm.Role]string{llm.System: "developer", llm.User: "user", llm.Assistant: "assistant"}

// itemsOf are messages as items: calls, results and thoughts are items of their own, in their place.
func itemsOf(messages []llm.Message) ([]sentItem, error) {
	out := []sentItem{}
	for i := range messages {
		m := &messages[i]
		var text []sentPart
		flush := func() {
			if len(text) > 0 {
				out, text = append(out, sentItem{Type: "message", Role: spoken[m.Role], Content: text}), nil
			}
		}
		for j := range m.Parts {
			p := &m.Parts[j]
			item, own, err := itemOf(p)
			switch {
			case err != nil:
				return nil, err
			case own:
				flush()
				if item.Type != "" {
					out = append(out, item)
				}
				continue
			}
			part, err := partOf(p, m.Role)
			if err != nil {
				return nil, err
			}
			text = append(text, part)
		}
		flush()
	}
	return out, nil
}

// itemOf is a part that is an item of its own. One without a type is left out.
func itemOf(p *llm.Part) (it sentItem, own bool, err error) {
	switch p.Kind {
	case llm.ToolCall:
		arguments := p.Call.Arguments
		if strings.TrimSpace(arguments) == "" {
			arguments = "{}"
		}
		return sentItem{Type: "function_call", CallID: llm.FitID(p.Call.ID, maxCallID), Name: p.Call.Name, Arguments: &arguments}, true, nil
	case llm.ToolResult:
		it = sentItem{Type: "function_call_output", CallID: llm.FitID(p.Result.ID, maxCallID)}
		it.Output, err = outputOf(p.Result)
		return it, true, err
	case llm.Thinking, llm.Sealed:
		return thoughtFor(p), true, nil
	}
	return it, false, nil
}

// OpenAI seals a thought together with its item's id, and has both come back. Callers of other dialects keep the seal alone: so the id
// travels in it, before a point, which base64 has not.
const idMark = "."

func withID(s llm.Signature, id string) llm.Signature {
	if s.Maker == llm.MakerOpenAI && s.Value != "" && isThoughtID(id) {
		s.Value = id + idMark + s.Value
	}
	return s
}

// cutID takes apart what withID put together.
func cutID(seal string) (id, rest string) {
	if id, rest, found := strings.Cut(seal, idMark); found && isThoughtID(id) {
		return id, rest
	}
	return "", seal
}

// isThoughtID reports whether an id is the vendor's own.
func isThoughtID(id string) bool {
	return strings.HasPrefix(id, "rs_") && len(id) <= maxCallID && !strings.Contains(id, ours) && !strings.Contains(id, idMark)
}

// thoughtFor is a thought that OpenAI sealed; all others are left out. Its id must be the one that it was sealed with, or none.
func thoughtFor(p *llm.Part) (it sentItem) {
	id, sealed := cutID(p.Signature.By(llm.MakerOpenAI))
	if sealed == "" {
		return it
	}
	it = sentItem{Type: "reasoning", ID: id, Summary: &[]words{}, Encrypted: sealed}
	if id == "" && isThoughtID(p.ID) {
		it.ID = p.ID
	}
	if p.Text != "" {
		it.Summary = &[]words{{Type: "summary_text", Text: p.Text}}
	}
	return it
}

// outputOf is what a tool answered: a text, or a list of parts if there is more.
func outputOf(r *llm.Result) (any, error) {
	if len(r.Parts) == countText(r.Parts) {
		return llm.TextOf(r.Parts), nil
	}
	parts := make([]sentPart, len(r.Parts))
	for i := range r.Parts {
		var err error
		if parts[i], err = partOf(&r.Parts[i], llm.User); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func partOf(p *llm.Part, role llm.Role) (out sentPart, err error) {
	switch p.Kind {
	case llm.Text:
		out.Type, out.Text = "input_text", &p.Text
		if role == llm.Assistant {
			out.Type = "output_text"
		}
	case llm.Refusal:
		out.Type, out.Refusal = "refusal", &p.Text
	case llm.Image:
		out = sentPart{Type: "input_image", FileID: p.Media.FileID, Detail: p.Media.Detail}
		if out.FileID == "" {
			out.ImageURL = p.Media.DataURL()
		}
	case llm.Document:
		out = documentOf(p.Media)
	default:
		err = gateway.Invalid("", "A message has content that cannot be carried to this model's provider.")
	}
	if err == nil && role == llm.Assistant && p.Media != nil {
		err = gateway.Invalid("", "A message of the assistant has an image or a file, which cannot be carried to this model's provider.")
	}
	return out, err
}

func documentOf(m *llm.Media) sentPart {
	switch {
	case m.Text != "":
		text := m.Text
		if m.Name != "" {
			text = m.Name + ":\n" + text
		}
		return sentPart{Type: "input_text", Text: &text}
	case m.FileID != "":
		return sentPart{Type: "input_file", FileID: m.FileID}
	case m.URL != "":
		return sentPart{Type: "input_file", FileURL: m.URL}
	}
	name := m.Name
	if name == "" {
		name = "file.pdf" // one is required with data
	}
	return sentPart{Type: "input_file", FileName: name, FileData: m.DataURL()}
}

// sentTool is a function. strict is always said: where it is not, this dialect makes functions strict that other dialects do not.
type sentTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict"`
}

// toolsFor are the tools of a request. Those of another vendor are refused or dropped.
func toolsFor(r *llm.Request, t dialect.Target) (out []any, dropped []string, err error) {
	for i := range r.Tools {
		tool := &r.Tools[i]
		switch {
		case tool.Vendor == nil:
			s := sentTool{Type: "function", Name: tool.Name, Description: tool.Description, Parameters: tool.Schema}
			if s.Strict = tool.Strict != nil && *tool.Strict; s.Parameters == nil {
				s.Parameters = json.RawMessage(`{"type":"object","properties":{}}`)
			}
			out = append(out, s)
		case tool.Dialect == string(gateway.OpResponses):
			out = append(out, tool.Vendor)
		case t.Drop != nil && t.Drop(string(llm.Tools)):
			dropped = append(dropped, "tools."+tool.Name)
		default:
			e := gateway.Invalid("tools", "The tool %.60q cannot be carried to this model's provider, which does not have it.", tool.Name)
			e.Code = "unsupported_parameter"
			return nil, nil, e
		}
	}
	return out, dropped, nil
}
