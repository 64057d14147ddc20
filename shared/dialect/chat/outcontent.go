package chat

import (
	"cmp"
	"encoding/base64"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// marks reports whether a part has a cache marker that the host takes.
func (e *requestEncoder) marks(p *llm.Part) bool { return e.quirks.markers && p.Cache != "" }

func (e *requestEncoder) part(p *llm.Part) error {
	e.open()
	switch p.Kind {
	case llm.Text, llm.Refusal:
		e.text("type", "text")
		e.text("text", p.Text)
	case llm.Image, llm.Video, llm.Audio, llm.Document:
		if !e.medium(p) {
			err := gateway.Invalid("messages", "messages: this model's provider takes no %s in this form.", mediaNames[p.Kind])
			err.Code = llm.CodeUnsupported
			return err
		}
	default:
		return gateway.Invalid("messages", "messages: a message of this role cannot have such content.")
	}
	if e.marks(p) {
		e.into("cache_control")
		e.text("type", "ephemeral")
		if p.Cache == "1h" {
			e.text("ttl", p.Cache)
		}
		e.close()
	}
	e.close()
	return nil
}

var mediaNames = map[llm.Kind]string{llm.Image: "image", llm.Video: "film", llm.Audio: "sound", llm.Document: "document"}

// medium writes what is not text, and reports whether that has a form here.
func (e *requestEncoder) medium(p *llm.Part) bool {
	m := p.Media
	url := m.DataURL()
	switch p.Kind {
	case llm.Image:
		e.text("type", "image_url")
		e.into("image_url")
		e.text("url", url)
		e.word("detail", m.Detail)
		e.close()
	case llm.Video:
		e.text("type", "video_url")
		e.into("video_url")
		e.text("url", url)
		e.close()
	case llm.Audio:
		e.text("type", "input_audio")
		e.into("input_audio")
		e.text("data", m.Data)
		e.text("format", soundFormat(m.Type))
		e.close()
		return m.Data != ""
	default:
		return e.document(m)
	}
	return url != ""
}

// document writes a file. One of plain text is a text.
func (e *requestEncoder) document(m *llm.Media) bool {
	text, isText := m.Text, m.Text != ""
	if strings.HasPrefix(m.Type, "text/") && m.Data != "" {
		if raw, err := base64.StdEncoding.DecodeString(m.Data); err == nil {
			text, isText = string(raw), true
		}
	}
	switch {
	case isText:
		e.text("type", "text")
		e.text("text", text)
		return true
	case m.Data == "" && m.FileID == "" && (!e.quirks.fileURLs || m.URL == ""):
		return false
	case e.quirks.documents && m.FileID == "":
		e.text("type", "document_url")
		e.text("document_url", m.DataURL())
		e.word("document_name", m.Name)
		return true
	}
	e.text("type", "file")
	e.into("file")
	if m.FileID != "" {
		e.text("file_id", m.FileID)
	} else {
		e.text("filename", cmp.Or(m.Name, "document.pdf")) // OpenAI wants one
		e.text("file_data", m.DataURL())
	}
	e.close()
	return true
}

// soundFormat is OpenAI's word for a MIME type.
func soundFormat(mime string) string {
	switch mime {
	case "audio/wav", "audio/x-wav", "audio/wave":
		return "wav"
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	}
	return cmp.Or(strings.TrimPrefix(mime, "audio/"), "wav")
}
