package gemini

import "strings"

// mediaWord is the word for a file: an image or a sound by its type or address, a document by its name.
func mediaWord(mime, name, uri string) string {
	family, kind, _ := strings.Cut(mime, "/")
	switch family {
	case "audio":
		return "audio:" + kind
	case "image":
		if uri != "" {
			return "image:" + uri
		}
		return "image:" + mime
	}
	for _, s := range []string{name, uri, mime} {
		if s != "" {
			return "document:" + s
		}
	}
	return "document:"
}
