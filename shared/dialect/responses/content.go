package responses

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// part is one of a message's content, or of a tool's output.
type part struct {
	Type        string          `json:"type"`
	Text        string          `json:"text"`
	Refusal     string          `json:"refusal"`
	ImageURL    string          `json:"image_url"`
	FileID      string          `json:"file_id"`
	Detail      string          `json:"detail"`
	FileData    string          `json:"file_data"`
	FileURL     string          `json:"file_url"`
	FileName    string          `json:"filename"`
	Audio       *sound          `json:"input_audio"`
	Annotations []annotation    `json:"annotations"`
	Logprobs    []logprob       `json:"logprobs"`
	Breakpoint  json.RawMessage `json:"prompt_cache_breakpoint"`
}

type sound struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

// readContent reads a string or a list of parts; null is nothing.
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
		if p.Kind == llm.Text && p.Text == "" {
			continue // many vendors refuse empty text
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func (p *part) neutral(at string) (out llm.Part, err error) {
	if len(p.Breakpoint) > 0 && string(p.Breakpoint) != "null" {
		out.Cache = "5m"
	}
	switch p.Type {
	case "input_text", "output_text", "text", "summary_text", "reasoning_text":
		out.Kind, out.Text, out.Citations = llm.Text, p.Text, citations(p.Annotations)
	case "refusal":
		out.Kind, out.Text = llm.Refusal, p.Refusal
	case "input_image":
		out.Kind = llm.Image
		out.Media, err = p.image(at)
	case "input_file":
		out.Kind = llm.Document
		out.Media, err = p.file(at)
	case "input_audio":
		if p.Audio == nil || p.Audio.Data == "" || p.Audio.Format == "" {
			return out, gateway.Invalid(at+".input_audio", "%s.input_audio must have data and format.", at)
		}
		out.Kind, out.Media = llm.Audio, &llm.Media{Type: "audio/" + p.Audio.Format, Data: p.Audio.Data}
	default:
		err = gateway.Invalid(at+".type",
			"%s.type must be input_text, input_image, input_file, input_audio, output_text or refusal, not %.20q.", at, p.Type)
	}
	return out, err
}

func (p *part) image(at string) (*llm.Media, error) {
	if p.FileID != "" {
		return &llm.Media{FileID: p.FileID, Detail: p.Detail}, nil
	}
	m, ok := llm.ReadURL(p.ImageURL)
	if !ok {
		return nil, gateway.Invalid(at+".image_url", "%s.image_url must be an https or a base64 data URL.", at)
	}
	m.Detail = p.Detail
	return m, nil
}

func (p *part) file(at string) (*llm.Media, error) {
	switch {
	case p.FileID != "":
		return &llm.Media{FileID: p.FileID, Name: p.FileName}, nil
	case p.FileURL != "":
		m, ok := llm.ReadURL(p.FileURL)
		if !ok {
			return nil, gateway.Invalid(at+".file_url", "%s.file_url must be an https or a base64 data URL.", at)
		}
		m.Name = p.FileName
		return m, nil
	case p.FileData == "":
		return nil, gateway.Invalid(at, "%s must have file_id, file_url or file_data.", at)
	case !strings.HasPrefix(p.FileData, "data:"):
		return &llm.Media{Type: typeOf(p.FileName), Data: p.FileData, Name: p.FileName}, nil
	}
	m, ok := llm.ReadURL(p.FileData)
	if !ok {
		return nil, gateway.Invalid(at+".file_data", "%s.file_data must be base64, or a base64 data URL.", at)
	}
	m.Name = p.FileName
	return m, nil
}

// types are those of files by the ends of their names.
var types = map[string]string{
	".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html", ".json": "application/json",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

func typeOf(name string) string {
	if known := types[strings.ToLower(path.Ext(name))]; known != "" {
		return known
	}
	return "application/pdf" // what files were first
}
