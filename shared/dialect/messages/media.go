package messages

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// source says where a file is.
type source struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
	FileID    string `json:"file_id,omitempty"`
}

// imageTypes are what Anthropic sees (its page on vision, read 2026-11).
var imageTypes = map[string]string{
	"image/jpeg": "image/jpeg", "image/jpg": "image/jpeg", "image/png": "image/png", "image/gif": "image/gif", "image/webp": "image/webp",
}

// filesBeta is what requests with files of Anthropic's own need.
const filesBeta = "files-api-2025-04-14"

// media writes an image or a document.
func (e *encoding) media(p *llm.Part) (b block, err error) {
	m := p.Media
	b = block{Type: "image", Source: &source{}}
	if p.Kind == llm.Document {
		b.Type, b.Title = "document", m.Name
		if m.Cited {
			b.Citations = map[string]bool{"enabled": true}
		}
	}
	switch {
	case m.FileID != "":
		*b.Source = source{Type: "file", FileID: m.FileID}
		e.beta(filesBeta)
	case m.URL != "":
		*b.Source = source{Type: "url", URL: m.URL}
	case p.Kind == llm.Image:
		*b.Source = source{Type: "base64", MediaType: imageTypes[m.Type], Data: m.Data}
		if b.Source.MediaType == "" {
			return b, gateway.Invalid("messages", "messages: this model takes images as JPEG, PNG, GIF and WebP, not %q.", m.Type)
		}
	default:
		return b, document(m, b.Source)
	}
	return b, nil
}

// document writes a file: Anthropic reads PDF and plain text.
func document(m *llm.Media, into *source) error {
	text := m.Text
	switch {
	case m.Data == "":
	case m.Type == "" || m.Type == "application/pdf":
		*into = source{Type: "base64", MediaType: "application/pdf", Data: m.Data}
		return nil
	default:
		raw, err := base64.StdEncoding.DecodeString(m.Data)
		if err != nil || !readable(m.Type) || !utf8.Valid(raw) {
			return gateway.Invalid("messages", "messages: this model takes documents as PDF and text, not %q.", m.Type)
		}
		text = string(raw)
	}
	if strings.TrimSpace(text) == "" {
		return gateway.Invalid("messages", "messages: a document is empty.")
	}
	*into = source{Type: "text", MediaType: "text/plain", Data: text}
	return nil
}

// readable reports whether files of a type are text.
func readable(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "application/xml" ||
		strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// beta asks for a feature.
func (e *encoding) beta(name string) {
	for _, there := range e.betas {
		if there == name {
			return
		}
	}
	e.betas = append(e.betas, name)
}
