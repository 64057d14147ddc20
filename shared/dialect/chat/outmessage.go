package chat

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// messages writes the turns. Each tool result becomes a message of its own; what its format has no place for, images above all,
// follows in a user's message.
func (e *requestEncoder) messages() error {
	var out []message
	asked := map[string]bool{} // ids of tool calls that have no result yet
	for i := range e.request.Messages {
		m := &e.request.Messages[i]
		at := dialect.At("messages", i)
		switch m.Role {
		case llm.Assistant:
			out = append(out, e.assistant(m, asked))
		default:
			more, err := e.user(m, at, asked)
			if err != nil {
				return err
			}
			out = append(out, more...)
		}
	}
	e.out["messages"] = out
	return nil
}

func (e *requestEncoder) assistant(m *llm.Message, asked map[string]bool) message {
	out := message{Role: "assistant", Name: m.Name, Content: json.RawMessage("null")}
	var text, thought, refusal string
	for i := range m.Parts {
		switch p := &m.Parts[i]; p.Kind {
		case llm.Text:
			text += p.Text
		case llm.Refusal:
			refusal += p.Text
		case llm.Thinking:
			thought += p.Text
		case llm.ToolCall:
			id := e.quirks.callID(p.Call.ID)
			asked[id] = true
			arguments := p.Call.Arguments
			if arguments == "" {
				arguments = "{}"
			}
			out.Calls = append(out.Calls, toolCall{ID: id, Type: "function", Function: &called{p.Call.Name, arguments}})
		}
	}
	if text != "" || len(out.Calls) == 0 {
		out.Content = quoted(text)
	}
	out.Refusal = orNil(refusal)
	if e.quirks.thoughts {
		out.Thought = orNil(thought)
	}
	return out
}

// user writes a message of system or user: its tool results first.
func (e *requestEncoder) user(m *llm.Message, at string, asked map[string]bool) (out []message, err error) {
	var rest []llm.Part
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Kind != llm.ToolResult {
			rest = append(rest, *p)
			continue
		}
		id := e.quirks.callID(p.Result.ID)
		if !asked[id] {
			return nil, gateway.Invalid(at, "%s is a tool result without a tool call of that id before it.", at)
		}
		delete(asked, id)
		text, media := flat(p.Result)
		out = append(out, message{Role: "tool", CallID: id, Content: quoted(text)})
		rest = append(rest, media...)
	}
	if len(rest) == 0 {
		return out, nil
	}
	content, err := e.content(rest, at)
	return append(out, message{Role: string(m.Role), Name: m.Name, Content: content}), err
}

// flat is a tool result as text, and what of it is none.
func flat(r *llm.Result) (text string, media []llm.Part) {
	text = llm.TextOf(r.Parts)
	for i := range r.Parts {
		if r.Parts[i].Media != nil {
			media = append(media, r.Parts[i])
		}
	}
	if text == "" && len(media) > 0 {
		text = "(see the attachment)"
	}
	if r.IsError {
		text = "Error: " + text
	}
	return text, media
}

// content is a string where there is text only, as every host knows it.
func (e *requestEncoder) content(parts []llm.Part, at string) (json.RawMessage, error) {
	list := make([]any, 0, len(parts))
	plain := true
	for i := range parts {
		if parts[i].Kind == llm.Thinking || parts[i].Kind == llm.Sealed {
			continue
		}
		p, err := outPart(&parts[i], at)
		if err != nil {
			return nil, err
		}
		plain = plain && parts[i].Kind == llm.Text
		list = append(list, p)
	}
	if plain && len(list) == 1 {
		return quoted(parts[0].Text), nil
	}
	return json.Marshal(list)
}

func outPart(p *llm.Part, at string) (any, error) {
	switch p.Kind {
	case llm.Text, llm.Refusal:
		return part{Type: "text", Text: p.Text}, nil
	case llm.Image:
		url, err := json.Marshal(picture{p.Media.DataURL(), p.Media.Detail})
		return part{Type: "image_url", Image: url}, err
	case llm.Video:
		url, err := json.Marshal(picture{URL: p.Media.DataURL()})
		return part{Type: "video_url", Video: url}, err
	case llm.Audio:
		if p.Media.Data == "" {
			break
		}
		return part{Type: "input_audio", Audio: &sound{p.Media.Data, soundFormat(p.Media.Type)}}, nil
	case llm.Document:
		return outDocument(p.Media), nil
	}
	return nil, gateway.Invalid(at, "%s has content that cannot be carried to this model's provider.", at)
}

func outDocument(m *llm.Media) part {
	switch {
	case m.Text != "":
		return part{Type: "text", Text: m.Text}
	case m.FileID != "":
		return part{Type: "file", File: &file{ID: m.FileID}}
	case m.Data == "":
		return part{Type: "file", File: &file{ID: m.URL, Name: m.Name}}
	}
	name := m.Name
	if name == "" {
		name = "document.pdf" // OpenAI wants one
	}
	return part{Type: "file", File: &file{Name: name, Data: m.DataURL()}}
}

// soundFormat is OpenAI's word for a MIME type.
func soundFormat(mime string) string {
	switch mime {
	case "audio/wav", "audio/x-wav", "audio/wave":
		return "wav"
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	}
	if len(mime) > len("audio/") {
		return mime[len("audio/"):]
	}
	return "wav"
}
