package messages

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// citationIn is a citation of any of Anthropic's types.
type citationIn struct {
	Type          string `json:"type"`
	CitedText     string `json:"cited_text"`
	DocumentIndex *int64 `json:"document_index"`
	DocumentTitle string `json:"document_title"`
	Title         string `json:"title"`
	URL           string `json:"url"`
	Source        string `json:"source"`
	StartChar     int64  `json:"start_char_index"`
	EndChar       int64  `json:"end_char_index"`
	StartPage     int64  `json:"start_page_number"`
	EndPage       int64  `json:"end_page_number"`
	StartBlock    int64  `json:"start_block_index"`
	EndBlock      int64  `json:"end_block_index"`
}

// citation reads a citation; ok is false for what is none.
func citation(raw []byte) (c llm.Citation, ok bool) {
	if len(raw) == 0 {
		return c, false
	}
	var in citationIn
	if json.Unmarshal(raw, &in) != nil || in.Type == "" {
		return c, false
	}
	c = llm.Citation{Title: in.DocumentTitle, URL: in.URL, Quote: in.CitedText, Document: -1}
	if c.Title == "" {
		c.Title = in.Title
	}
	if c.URL == "" {
		c.URL = in.Source
	}
	if in.DocumentIndex != nil {
		c.Document = *in.DocumentIndex
	}
	switch in.Type {
	case "char_location":
		c.From, c.To = in.StartChar, in.EndChar
	case "page_location":
		c.From, c.To = in.StartPage, in.EndPage
	default:
		c.From, c.To = in.StartBlock, in.EndBlock
	}
	return c, true
}

// citationOut is a citation for callers, one of two types.
type citationOut struct {
	Type           string  `json:"type"`
	CitedText      string  `json:"cited_text"`
	URL            string  `json:"url,omitempty"`
	Title          *string `json:"title,omitempty"`
	EncryptedIndex *string `json:"encrypted_index,omitempty"`
	DocumentIndex  *int64  `json:"document_index,omitempty"`
	DocumentTitle  *string `json:"document_title,omitempty"`
	Start          *int64  `json:"start_char_index,omitempty"`
	End            *int64  `json:"end_char_index,omitempty"`
}

// encodeCitation writes what another vendor cites as Anthropic does; ok is false if it says neither an address nor a document.
func encodeCitation(c llm.Citation) (out citationOut, ok bool) {
	switch {
	case c.URL != "":
		return citationOut{Type: "web_search_result_location", CitedText: c.Quote, URL: c.URL, Title: &c.Title, EncryptedIndex: new(string)}, true
	case c.Document >= 0 && (c.Quote != "" || c.Title != ""):
		return citationOut{
			Type: "char_location", CitedText: c.Quote, DocumentIndex: &c.Document, DocumentTitle: &c.Title, Start: &c.From, End: &c.To,
		}, true
	default:
		return out, false
	}
}
