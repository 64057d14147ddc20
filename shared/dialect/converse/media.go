package converse

import (
	"encoding/base64"
	"path"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// media is an image, a film or a sound.
type media struct {
	Format string `json:"format"`
	Source source `json:"source"`
}

type document struct {
	Format    string     `json:"format,omitempty"`
	Name      string     `json:"name"`
	Source    source     `json:"source"`
	Citations *citations `json:"citations,omitempty"`
}

type citations struct {
	Enabled bool `json:"enabled"`
}

// source has one member.
type source struct {
	Bytes string  `json:"bytes,omitempty"` // base64
	Text  string  `json:"text,omitempty"`
	S3    *object `json:"s3Location,omitempty"`
}

type object struct {
	URI string `json:"uri"`
}

// formats are Bedrock's words for MIME types, with the file endings that stand for them in a URL without a type (vendor API reference,
// read 2026-11).
var formats = map[llm.Kind]map[string]string{
	llm.Image: {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp", ".jpg": "jpeg"},
	llm.Document: {
		"application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "text/html": "html", "text/plain": "txt",
		"text/markdown": "md", "text/x-markdown": "md", "application/vnd.ms-excel": "xls", "application/json": "txt",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":       "xlsx", ".htm": "html", ".markdown": "md",
	},
	llm.Video: {
		"video/x-matroska": "mkv", "video/quicktime": "mov", "video/mp4": "mp4", "video/webm": "webm", "video/x-flv": "flv",
		"video/mpeg": "mpeg", "video/mpg": "mpg", "video/x-ms-wmv": "wmv", "video/wmv": "wmv", "video/3gpp": "three_gp", ".3gp": "three_gp",
	},
	llm.Audio: {
		"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/opus": "opus", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav",
		"audio/aac": "aac", "audio/flac": "flac", "audio/x-flac": "flac", "audio/mp4": "mp4", "audio/ogg": "ogg", "audio/x-matroska": "mka",
		"audio/x-aac": "x-aac", "audio/m4a": "m4a", "audio/x-m4a": "m4a", "audio/pcm": "pcm", "audio/l16": "pcm", "audio/webm": "webm",
	},
}

// kindNames are for messages.
var kindNames = map[llm.Kind]string{llm.Image: "images", llm.Document: "documents", llm.Video: "films", llm.Audio: "sound"}

// formatOf is Bedrock's word for what a medium is.
func formatOf(kind llm.Kind, m *llm.Media) (string, error) {
	known := formats[kind]
	mime, _, _ := strings.Cut(strings.ToLower(m.Type), ";")
	if mime = strings.TrimSpace(mime); mime != "" {
		if format := known[mime]; format != "" {
			return format, nil
		}
		if kind == llm.Document && strings.HasPrefix(mime, "text/") {
			return "txt", nil
		}
		return "", unsupported("%s of type %.64q", kindNames[kind], m.Type)
	}
	ending := strings.ToLower(path.Ext(m.URL + m.Name))
	if format := known[ending]; format != "" {
		return format, nil
	}
	for _, format := range known {
		if ending == "."+format {
			return format, nil
		}
	}
	return "", gateway.Invalid("messages", "messages: %s need a media type.", kindNames[kind])
}

func unsupported(format string, args ...any) error {
	err := gateway.Invalid("messages", "messages: "+format+" cannot be carried to this model's provider.", args...)
	err.Code = "unsupported_parameter"
	return err
}

// media writes an image, a document, a film or a sound.
func (e *encoder) media(p *llm.Part) (b block, err error) {
	m := p.Media
	if m == nil || kindNames[p.Kind] == "" {
		return b, gateway.Invalid("messages", "messages has content that is not known here.")
	}
	if p.Kind == llm.Document {
		return e.document(m)
	}
	out := &media{}
	if out.Format, err = formatOf(p.Kind, m); err != nil {
		return b, err
	}
	if out.Source, err = sourceOf(p.Kind, m); err != nil {
		return b, err
	}
	switch p.Kind {
	case llm.Image:
		b.Image = out
	case llm.Video:
		b.Video = out
	default:
		b.Audio = out
	}
	return b, nil
}

// sourceOf is where the bytes are. Of URLs Bedrock reads those of S3 only.
func sourceOf(kind llm.Kind, m *llm.Media) (source, error) {
	switch {
	case m.Data != "":
		return source{Bytes: m.Data}, nil
	case strings.HasPrefix(m.URL, "s3://"):
		return source{S3: &object{m.URL}}, nil
	case m.URL != "":
		return source{}, unsupported("%s by URL (other than s3://)", kindNames[kind])
	case m.FileID != "":
		return source{}, unsupported("files of another vendor")
	default:
		return source{}, gateway.Invalid("messages", "messages: %s must not be empty.", kindNames[kind])
	}
}

// document writes a document; plain text as such for a family that takes no documents.
func (e *encoder) document(m *llm.Media) (b block, err error) {
	if m.Text != "" && !e.takes(documents) {
		return block{Text: &m.Text}, nil
	}
	d := &document{Name: e.documentName(m.Name)}
	if m.Cited && e.takes(cites) {
		d.Citations = &citations{true}
	}
	if m.Text != "" {
		d.Format, d.Source = "txt", e.textSource(m.Text)
		return block{Document: d}, nil
	}
	if d.Format, err = formatOf(llm.Document, m); err != nil {
		return b, err
	}
	d.Source, err = sourceOf(llm.Document, m)
	return block{Document: d}, err
}

// textSource is a document of plain text: as such where it can be cited, elsewhere as a file, which all families take that take
// documents.
func (e *encoder) textSource(text string) source {
	if e.takes(cites) {
		return source{Text: text}
	}
	return source{Bytes: base64.StdEncoding.EncodeToString([]byte(text))}
}

// maxName is the length of a document's name (vendor API reference, read 2026-11).
const maxName = 200

// documentName is a name as Bedrock takes it, without the ending: letters, digits, hyphens, parentheses, brackets and single spaces;
// each name once.
func (e *encoder) documentName(name string) string {
	if ending := path.Ext(name); len(ending) <= len(".xhtml") && !strings.Contains(ending, " ") {
		name = strings.TrimSuffix(name, ending)
	}
	clean := make([]byte, 0, len(name))
	for _, r := range name {
		switch {
		case r < 0x80 && (isAlphanumeric(byte(r)) || strings.ContainsRune("-()[]", r)):
			clean = append(clean, byte(r))
		case r == ' ' || r == '_' || r == '.' || r == '\t':
			if n := len(clean); n > 0 && clean[n-1] != ' ' {
				clean = append(clean, ' ')
			}
		default:
			clean = append(clean, '-')
		}
		if len(clean) >= maxName-8 {
			break
		}
	}
	base := strings.TrimSpace(string(clean))
	if strings.Trim(base, "-") == "" {
		base = "document"
	}
	unique := base
	for n := 2; e.names[unique]; n++ {
		unique = base + " (" + strconv.Itoa(n) + ")"
	}
	e.names[unique] = true
	return unique
}
