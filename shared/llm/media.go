package llm

import (
	"mime"
	"strings"
)

// ReadURL tells what is behind a URL: a data URL holds it, others are passed on to who fetches them. It reports false for what is neither
// http, https, gs, s3 nor base64 data.
func ReadURL(url string) (*Media, bool) {
	if rest, found := strings.CutPrefix(url, "data:"); found {
		head, data, found := strings.Cut(rest, ",")
		media, isBase64 := strings.CutSuffix(head, ";base64")
		if media, _, err := mime.ParseMediaType(media); found && isBase64 && err == nil && data != "" {
			return &Media{Type: media, Data: data}, true
		}
		return nil, false
	}
	for _, scheme := range [...]string{"https://", "http://", "gs://", "s3://"} {
		if strings.HasPrefix(url, scheme) && len(url) > len(scheme) {
			return &Media{URL: url}, true
		}
	}
	return nil, false
}

// DataURL is the media as a data URL, or its URL if it has one.
func (m *Media) DataURL() string {
	if m.Data == "" {
		return m.URL
	}
	return "data:" + m.Type + ";base64," + m.Data
}
