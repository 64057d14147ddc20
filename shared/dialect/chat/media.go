package chat

import (
	"path"
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// picture reads a URL, bare or in an object.
func (r *reader) picture(at, name string, raw []byte) *llm.Media {
	at = join(at, name)
	var url, detail, format string
	switch {
	case !given(raw):
		r.invalid(at, "%s is required.", at)
	case raw[0] == '"':
		url = r.text(at, "", raw)
	case r.isObject(at, "", raw):
		r.strings(at, raw, slot{"url", &url}, slot{"detail", &detail}, slot{"format", &format})
	}
	m, ok := llm.ReadURL(url)
	if !ok {
		r.invalid(at+".url", "%s.url must be an https or a base64 data URL.", at)
		return &llm.Media{}
	}
	if m.Detail = detail; m.Type == "" && isMIME(format) {
		m.Type = format
	}
	return m
}

func (r *reader) sound(at string, raw []byte) *llm.Media {
	at = at + ".input_audio"
	if !given(raw) {
		r.invalid(at, "%s is required.", at)
	}
	fields := [...]jsonedit.Field{{Name: "data"}, {Name: "format"}}
	if !r.isObject(at, "", raw) || !jsonedit.Find(raw, fields[:]) {
		return &llm.Media{}
	}
	m := &llm.Media{Data: r.need(at, "data", fields[0].Raw), Type: "audio/" + r.need(at, "format", fields[1].Raw)}
	if !isMIME(m.Type) {
		r.invalid(at+".format", "%s.format must be a word such as wav or mp3.", at)
	}
	return m
}

// isMIME reports whether a text looks like a MIME type.
func isMIME(text string) bool {
	class, kind, found := strings.Cut(text, "/")
	if !found || class == "" || kind == "" || len(text) > 100 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("/.+-_", c) >= 0) {
			return false
		}
	}
	return strings.IndexByte(kind, '/') < 0
}

// file reads a file: by its vendor's id, by a URL, which is how LiteLLM takes it, or as data, bare or in a data URL.
func (r *reader) file(at string, raw []byte) *llm.Media {
	at = at + ".file"
	if !given(raw) {
		r.invalid(at, "%s is required.", at)
	}
	if !r.isObject(at, "", raw) {
		return &llm.Media{}
	}
	var id, name, data, format string
	r.strings(at, raw, slot{"file_id", &id}, slot{"filename", &name}, slot{"file_data", &data}, slot{"format", &format})
	m, isURL := llm.ReadURL(id)
	switch {
	case isURL:
	case id != "":
		m = &llm.Media{FileID: id}
	case data == "":
		r.invalid(at, "%s must have file_data or file_id.", at)
		return &llm.Media{}
	default:
		if m, isURL = llm.ReadURL(data); !isURL && strings.Contains(data, ":") {
			r.invalid(at+".file_data", "%s.file_data must be base64, or a data URL of it.", at)
			return &llm.Media{}
		} else if !isURL {
			m = &llm.Media{Type: typeOf(name), Data: data}
		}
	}
	if m.Name = name; m.Type == "" && isMIME(format) {
		m.Type = format
	}
	return m
}

// typeOf guesses a file's type by its name: nearly all are PDF.
func typeOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".txt":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".csv":
		return "text/csv"
	case ".html", ".htm":
		return "text/html"
	case ".json":
		return "application/json"
	default:
		return "application/pdf"
	}
}
