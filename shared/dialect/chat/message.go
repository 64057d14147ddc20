package chat

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const maxMessages = 100_000

// message is one of messages, and of an answer.
type message struct {
	Role       string          `json:"role,omitempty"`
	Content    json.RawMessage `json:"content"`
	Refusal    *string         `json:"refusal,omitempty"`
	Name       string          `json:"name,omitempty"`
	Thought    *string         `json:"reasoning_content,omitempty"`
	Thoughts   []thinking      `json:"thinking_blocks,omitempty"`
	Calls      []toolCall      `json:"tool_calls,omitempty"`
	CallID     string          `json:"tool_call_id,omitempty"`
	Call       *called         `json:"function_call,omitempty"`
	Cache      *cache          `json:"cache_control,omitempty"`
	Cited      []annotation    `json:"annotations,omitempty"`
	Images     []part          `json:"images,omitempty"`
	OtherWords *string         `json:"reasoning,omitempty"` // what others call reasoning_content
}

// thinking is a block of thoughts as LiteLLM shows them.
type thinking struct {
	Type      string `json:"type"` // thinking, redacted_thinking
	Thinking  string `json:"thinking,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
}

type toolCall struct {
	Index    *int    `json:"index,omitempty"` // in streams
	ID       string  `json:"id,omitempty"`
	Type     string  `json:"type,omitempty"`
	Function *called `json:"function,omitempty"`
	Extra    *extra  `json:"extra_content,omitempty"`
}

type called struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// extra is where Google's own OpenAI interface puts a thought's signature.
type extra struct {
	Google struct {
		Signature string `json:"thought_signature"`
	} `json:"google"`
}

// part is one of a message's content.
type part struct {
	Type    string          `json:"type"`
	Text    string          `json:"text,omitempty"`
	Refusal string          `json:"refusal,omitempty"`
	Image   json.RawMessage `json:"image_url,omitempty"` // an object, or a bare URL
	Video   json.RawMessage `json:"video_url,omitempty"`
	Audio   *sound          `json:"input_audio,omitempty"`
	File    *file           `json:"file,omitempty"`
	Cache   *cache          `json:"cache_control,omitempty"`
}

type picture struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type sound struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type file struct {
	ID   string `json:"file_id,omitempty"`
	Name string `json:"filename,omitempty"`
	Data string `json:"file_data,omitempty"` // a data URL
}

func readMessages(r *llm.Request, name string, raw json.RawMessage) error {
	var list []json.RawMessage
	if err := dialect.Read(name, raw, &list); err != nil {
		return err
	}
	if len(list) == 0 || len(list) > maxMessages {
		return gateway.Invalid(name, "%s must have 1 to %d entries, not %d.", name, maxMessages, len(list))
	}
	r.Messages = make([]llm.Message, 0, len(list))
	for i, raw := range list {
		var m message
		at := dialect.At(name, i)
		if err := dialect.ReadFields(at, raw, m.place); err != nil {
			return err
		}
		neutral, err := m.neutral(at)
		if err != nil {
			return err
		}
		r.Messages = append(r.Messages, neutral)
	}
	return nil
}

// place is where a field belongs.
func (m *message) place(name string) any {
	switch name {
	case "role":
		return &m.Role
	case "content":
		return &m.Content
	case "refusal":
		return &m.Refusal
	case "name":
		return &m.Name
	case "reasoning_content":
		return &m.Thought
	case "reasoning":
		return &m.OtherWords
	case "thinking_blocks":
		return &m.Thoughts
	case "tool_calls":
		return &m.Calls
	case "tool_call_id":
		return &m.CallID
	case "function_call":
		return &m.Call
	case "cache_control":
		return &m.Cache
	default:
		return nil
	}
}

// roles are the words for who speaks.
var roles = map[string]llm.Role{
	"system": llm.System, "developer": llm.System, "user": llm.User, "assistant": llm.Assistant, "tool": llm.User, "function": llm.User,
}

func (m *message) neutral(at string) (out llm.Message, err error) {
	role, known := roles[m.Role]
	if !known {
		return out, gateway.Invalid(at+".role", "%s.role must be system, developer, user, assistant or tool, not %.20q.", at, m.Role)
	}
	out.Role, out.Name = role, m.Name
	content, err := readContent(at+".content", m.Content)
	if err != nil {
		return out, err
	}
	switch m.Role {
	case "tool", "function":
		return m.result(at, content)
	case "assistant":
		out.Parts = m.thoughts()
	}
	out.Parts = append(out.Parts, content...)
	if m.Refusal != nil && *m.Refusal != "" {
		out.Parts = append(out.Parts, llm.Part{Kind: llm.Refusal, Text: *m.Refusal})
	}
	out.Parts = append(out.Parts, m.calls()...)
	if n := len(out.Parts); n > 0 && m.Cache != nil {
		out.Parts[n-1].Cache = m.Cache.ttl()
	}
	return out, nil
}

func (m *message) result(at string, content []llm.Part) (out llm.Message, err error) {
	if m.Role == "tool" && m.CallID == "" {
		return out, gateway.Invalid(at+".tool_call_id", "%s.tool_call_id is required.", at)
	}
	id, _ := llm.Unpack(m.CallID)
	if m.Role == "function" {
		id = m.Name // all that the older form says
	}
	result := llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Name: m.Name, Parts: content}, Cache: m.Cache.ttl()}
	return llm.Message{Role: llm.User, Parts: []llm.Part{result}}, nil
}

// thoughts are those with a seal, or else what is there in plain words.
func (m *message) thoughts() (out []llm.Part) {
	for _, t := range m.Thoughts {
		if t.Type == "redacted_thinking" {
			out = append(out, llm.Part{Kind: llm.Sealed, Signature: llm.ReadSignature(t.Data, llm.MakerAnthropic)})
			continue
		}
		out = append(out, llm.Part{Kind: llm.Thinking, Text: t.Thinking, Signature: llm.ReadSignature(t.Signature, llm.MakerAnthropic)})
	}
	for _, words := range [...]*string{m.Thought, m.OtherWords} {
		if len(out) == 0 && words != nil && *words != "" {
			out = append(out, llm.Part{Kind: llm.Thinking, Text: *words})
		}
	}
	return out
}

func (m *message) calls() (out []llm.Part) {
	if m.Call != nil {
		out = append(out, llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: m.Call.Name, Name: m.Call.Name, Arguments: m.Call.Arguments}})
	}
	for i := range m.Calls {
		c := &m.Calls[i]
		if c.Function == nil {
			c.Function = &called{}
		}
		id, signature := llm.Unpack(c.ID)
		if c.Extra != nil && c.Extra.Google.Signature != "" {
			signature = llm.ReadSignature(c.Extra.Google.Signature, llm.MakerGemini)
		}
		out = append(out, llm.Part{
			Kind: llm.ToolCall, Signature: signature, Call: &llm.Call{ID: id, Name: c.Function.Name, Arguments: c.Function.Arguments},
		})
	}
	return out
}

// readContent reads a string or a list of parts.
func readContent(at string, raw json.RawMessage) ([]llm.Part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] == '"' {
		var text string
		if err := dialect.Read(at, raw, &text); err != nil || text == "" {
			return nil, err
		}
		return []llm.Part{llm.TextPart(text)}, nil
	}
	var list []part
	if err := dialect.Read(at, raw, &list); err != nil {
		return nil, err
	}
	parts := make([]llm.Part, 0, len(list))
	for i := range list {
		p, err := list[i].neutral(dialect.At(at, i))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func (p *part) neutral(at string) (out llm.Part, err error) {
	out.Cache = p.Cache.ttl()
	switch p.Type {
	case "text", "input_text", "output_text":
		out.Kind, out.Text = llm.Text, p.Text
	case "refusal":
		out.Kind, out.Text = llm.Refusal, p.Refusal
	case "image_url":
		out.Kind = llm.Image
		out.Media, err = pictured(at+".image_url", p.Image)
	case "video_url":
		out.Kind = llm.Video
		out.Media, err = pictured(at+".video_url", p.Video)
	case "input_audio":
		if p.Audio == nil || p.Audio.Data == "" {
			return out, gateway.Invalid(at+".input_audio", "%s.input_audio.data is required.", at)
		}
		out.Kind, out.Media = llm.Audio, &llm.Media{Type: "audio/" + p.Audio.Format, Data: p.Audio.Data}
	case "file":
		if p.File == nil {
			return out, gateway.Invalid(at+".file", "%s.file is required.", at)
		}
		out.Kind = llm.Document
		out.Media, err = p.File.media(at + ".file")
	default:
		err = gateway.Invalid(at+".type", "%s.type must be text, image_url, input_audio, file, video_url or refusal, not %.20q.", at, p.Type)
	}
	return out, err
}

func pictured(at string, raw json.RawMessage) (*llm.Media, error) {
	var image picture
	into := any(&image)
	if len(raw) > 0 && raw[0] == '"' {
		into = &image.URL
	}
	if len(raw) == 0 {
		return nil, gateway.Invalid(at, "%s is required.", at)
	}
	if err := dialect.Read(at, raw, into); err != nil {
		return nil, err
	}
	m, ok := llm.ReadURL(image.URL)
	if !ok {
		return nil, gateway.Invalid(at+".url", "%s.url must be an https or a base64 data URL.", at)
	}
	m.Detail = image.Detail
	return m, nil
}

func (f *file) media(at string) (*llm.Media, error) {
	if f.ID != "" {
		if strings.HasPrefix(f.ID, "https://") || strings.HasPrefix(f.ID, "gs://") {
			return &llm.Media{URL: f.ID, Name: f.Name}, nil
		}
		return &llm.Media{FileID: f.ID, Name: f.Name}, nil
	}
	m, ok := llm.ReadURL(f.Data)
	if !ok {
		return nil, gateway.Invalid(at+".file_data", "%s.file_data must be a base64 data URL.", at)
	}
	m.Name = f.Name
	return m, nil
}
