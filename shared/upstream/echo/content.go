package echo

import (
	"encoding/json"
	"fmt"
	"strings"
)

// content is a text, or parts of several kinds.
type content struct {
	text  string
	media media
}

func (c *content) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &c.text)
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.Text)
		c.media.add(part.Type)
	}
	c.text = text.String()
	return nil
}

// String is the text, and behind it what else there is.
func (c *content) String() string {
	if c.media == (media{}) {
		return c.text
	}
	return strings.TrimSpace(c.text + " " + c.media.String())
}

// media counts what came besides text, by the places of seen.
type media [4]int

// seen has the kinds of content that echo acknowledges.
var seen = [len(media{})]struct{ part, name string }{
	{"image_url", "image"}, {"file", "file"}, {"input_audio", "audio clip"}, {"video_url", "video"},
}

func (m *media) add(part string) {
	for i := range seen {
		if seen[i].part == part {
			m[i]++
		}
	}
}

// String acknowledges what there is.
func (m *media) String() string {
	var list []string
	for i, n := range m {
		switch {
		case n == 1:
			list = append(list, "1 "+seen[i].name)
		case n > 1:
			list = append(list, fmt.Sprintf("%d %ss", n, seen[i].name))
		}
	}
	return "(" + strings.Join(list, ", ") + ")"
}
