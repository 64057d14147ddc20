package messages

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Fields of a source, by position.
const (
	sType = iota
	sMediaType
	sData
	sURL
	sFileID
	sContent
	sourceFields
)

var sourceNames = [sourceFields]string{"type", "media_type", "data", "url", "file_id", "content"}

func (r *reader) image(b *blockIn) []llm.Part {
	media, _ := r.source(b)
	if media.Data != "" && !strings.HasPrefix(media.Type, "image/") {
		r.invalid(b.at+".source.media_type", "%s.source.media_type must be the type of an image.", b.at)
	}
	if media.Text != "" {
		r.invalid(b.at+".source.type", "%s.source.type must be base64, url or file.", b.at)
	}
	return []llm.Part{{Kind: llm.Image, Media: media}}
}

// document reads a PDF, a text, or a list of blocks that stands for one. What the caller says about it is a text before it.
func (r *reader) document(b *blockIn) (parts []llm.Part) {
	if context := r.text(b.at, &b.f[bContext]); context != "" {
		parts = append(parts, llm.TextPart(context))
	}
	media, images := r.source(b)
	media.Name, media.Cited = r.text(b.at, &b.f[bTitle]), r.cited(b)
	parts = append(parts, images...)
	return append(parts, llm.Part{Kind: llm.Document, Media: media})
}

// searchResult is a document whose text says where it comes from.
func (r *reader) searchResult(b *blockIn) []llm.Part {
	source := r.text(b.at, &b.f[bSource])
	text := llm.TextOf(r.content(b.at, &b.f[bContent], "tool"))
	media := &llm.Media{Type: "text/plain", Name: r.text(b.at, &b.f[bTitle]), Text: "Source: " + source + "\n" + text, Cited: r.cited(b)}
	return []llm.Part{{Kind: llm.Document, Media: media}}
}

func (r *reader) cited(b *blockIn) bool {
	inner := [...]jsonedit.Field{{Name: "enabled"}}
	return r.object(b.at, &b.f[bCitations], inner[:]) && r.isSet(b.at+".citations", &inner[0])
}

// source reads where a file is. Images are those that stand in a document made of blocks.
func (r *reader) source(b *blockIn) (media *llm.Media, images []llm.Part) {
	media = &llm.Media{}
	var f [sourceFields]jsonedit.Field
	for i := range f {
		f[i].Name = sourceNames[i]
	}
	if !r.object(b.at, &b.f[bSource], f[:]) {
		r.invalid(b.at+".source", "%s.source is required.", b.at)
		return media, nil
	}
	at := b.at + ".source"
	switch kind := r.need(at, &f[sType]); kind {
	case "base64":
		media.Type, media.Data = r.need(at, &f[sMediaType]), r.need(at, &f[sData])
		if !plausible(media.Type) {
			r.invalid(at+".media_type", "%s.media_type is no media type.", at)
		}
	case "url":
		r.url(at, &f[sURL], media)
	case "file":
		media.FileID = r.need(at, &f[sFileID])
	case "text":
		media.Type, media.Text = "text/plain", r.need(at, &f[sData])
	case "content":
		parts := r.content(at, &f[sContent], "tool")
		media.Type, media.Text = "text/plain", llm.TextOf(parts)
		for _, p := range parts {
			if p.Kind == llm.Image {
				images = append(images, p)
			}
		}
	default:
		r.invalid(at+".type", "%s.type %q is not known here.", at, kind)
	}
	return media, images
}

// url reads an address, or data that is written as one.
func (r *reader) url(at string, f *jsonedit.Field, media *llm.Media) {
	url := r.need(at, f)
	rest, isData := strings.CutPrefix(url, "data:")
	if !isData {
		media.URL = url
		return
	}
	head, data, found := strings.Cut(rest, ",")
	kind, isBase64 := strings.CutSuffix(head, ";base64")
	if !found || !isBase64 || data == "" || !plausible(kind) {
		r.invalid(at+".url", "%s.url must have base64 data of a media type.", at)
	}
	media.Type, media.Data = kind, data
}

// plausible reports whether a media type has the form of one.
func plausible(kind string) bool {
	major, minor, found := strings.Cut(kind, "/")
	return found && major != "" && minor != "" && len(kind) <= 128 && !strings.ContainsAny(kind, " \t\r\n\"\\,")
}
